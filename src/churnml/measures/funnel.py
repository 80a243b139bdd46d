"""Which stages customers go through, and when each of them reached which.

Everything else about the funnel is counted from the one table that is made here: `funnel_cohort` follows those who came
within some days, `funnel_measures` puts what it finds into words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from churnml.config import FunnelRules
from churnml.errors import NotEnoughDataError
from churnml.events.books import Books
from churnml.measures.funnel_stages import FunnelStage, chosen_stages, keep_times
from churnml.measures.funnel_words import left_out, preset_used, skipping, too_few_stages
from churnml.wording import Text

_FEWEST_STAGES = 2


@dataclass(frozen=True)
class Funnel:
    """Which stages there are, and the table of when each customer reached them.

    Parameters
    ----------
    stages : tuple of FunnelStage
        Those of which anything has landed, in order.
    reached : str
        A table with `customer_id` and `reached_0`, `reached_1`, …, microseconds UTC, never earlier than the one before,
        NULL where a stage was not reached; a row per customer of the base.
    remarks : tuple of Text
        Whose stages they are, and which were left out.
    sources : tuple of str
        The tables that have landed of those that stages are read from.
    """

    stages: tuple[FunnelStage, ...]
    reached: str
    remarks: tuple[Text, ...]
    sources: tuple[str, ...]


def open_funnel(books: Books, rules: FunnelRules) -> Funnel:
    """Return the funnel of a company.

    Where `skipped` is `counted`, whoever reached a stage is held to have passed those before it by then: a stage is
    reached with the first of its own signs and those of later stages. Where it is `required`, a stage is reached once
    its own signs and those of all stages before it have been seen.

    Raises
    ------
    NotEnoughDataError
        If fewer than two stages are left of which anything has landed.
    """
    stages, preset = chosen_stages(books, rules)
    times = keep_times(books, stages)
    counts = ", ".join(f"count(own_{place})" for place in range(len(stages)))
    seen = books.frame(f"SELECT {counts} FROM {times}").iloc[0].to_numpy()
    places = [place for place in range(len(stages)) if seen[place]]
    missing = tuple(stage for stage, times_seen in zip(stages, seen, strict=True) if not times_seen)
    if len(places) < _FEWEST_STAGES:
        raise NotEnoughDataError(too_few_stages(len(places), stages))
    told_apart = ", ".join(f"{_reached(places, turn, rules.skipped)} AS reached_{turn}" for turn in range(len(places)))
    reached = books.keep(f"{times}_{rules.skipped}", f"SELECT customer_id, {told_apart} FROM {times}")
    remarks = (preset_used(preset, chosen=rules.preset == "auto"), *left_out(missing), skipping(rules.skipped))
    told = tuple(stages[place] for place in places)
    read = dict.fromkeys(("customers", *(sign.table for stage in told for sign in stage.signs)))
    return Funnel(told, reached, remarks, tuple(name for name in read if name in books.tables))


def _reached(places: Sequence[int], turn: int, skipped: str) -> str:
    if skipped == "counted":
        return f"least({', '.join([*(f'own_{place}' for place in places[turn:]), 'NULL::BIGINT'])})"
    before = [f"own_{place}" for place in places[: turn + 1]]
    return f"CASE WHEN {' AND '.join(f'{one} IS NOT NULL' for one in before)} THEN greatest({', '.join(before)}) END"


def funnel_stage_of_each(books: Books, rules: FunnelRules) -> dict[str, FunnelStage]:
    """Return the furthest stage that each customer has reached, of those who reached any.

    Raises
    ------
    NotEnoughDataError
        If fewer than two stages are left of which anything has landed.
    """
    funnel = open_funnel(books, rules)
    return _furthest(books, funnel.reached, funnel.stages)


def furthest_of_each(books: Books, stages: Sequence[FunnelStage], rules: FunnelRules) -> dict[str, FunnelStage]:
    """Return the same by stages that were found before, in books that hold some customers alone."""
    times = keep_times(books, tuple(stages))
    places = list(range(len(stages)))
    told_apart = ", ".join(f"{_reached(places, turn, rules.skipped)} AS reached_{turn}" for turn in places)
    return _furthest(books, f"(SELECT customer_id, {told_apart} FROM {times})", stages)


def _furthest(books: Books, reached: str, stages: Sequence[FunnelStage]) -> dict[str, FunnelStage]:
    furthest = " + ".join(f"(reached_{place} IS NOT NULL)::INTEGER" for place in range(len(stages)))
    found = books.frame(f"SELECT customer_id, {furthest} AS furthest FROM {reached} WHERE reached_0 IS NOT NULL")
    which = [stages[place - 1] for place in found["furthest"].tolist()]
    return dict(zip(found["customer_id"].tolist(), which, strict=True))
