"""How many of those who came go from stage to stage, how long it takes them, and where most are lost.

A funnel is of a cohort: the customers whose first stage was reached within the days that are asked about, watched until
the last of these days. Some came a year ago and some last week; `funnel` says what has been seen of them so far, and
`funnel_eventual` what that will come to, by counting each for as long as they were watched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from churnml.config import FunnelRules
from churnml.errors import NotEnoughDataError
from churnml.events.books import Books
from churnml.events.clock import days_later, moment
from churnml.measures.funnel_stages import FunnelStage, chosen_stages, keep_times
from churnml.measures.funnel_words import (
    COMPARED,
    EVENTUAL,
    FUNNEL,
    STANDING,
    early,
    known_by_buying,
    left_out,
    narrowest,
    none_narrowest,
    preset_used,
    skipping,
    small,
    told,
)
from churnml.measures.intervals import difference_of_shares, wilson
from churnml.measures.measure import Asked, Measure
from churnml.measures.parts import parts
from churnml.measures.survival import curve, median_of_movers, moved_by
from churnml.wording import Text

_LEVEL = 0.95
_LATE = 0.05
_AT_ONCE = 0.95
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
    """

    stages: tuple[FunnelStage, ...]
    reached: str
    remarks: tuple[Text, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """The tables that stages are read from."""
        return tuple(dict.fromkeys(sign.table for stage in self.stages for sign in stage.signs))


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
        raise NotEnoughDataError(
            f"a funnel needs two stages that somebody has reached, found {len(places)} of "
            f"{', '.join(stage.name for stage in stages)}; land the events that make them, or set `funnel` in "
            "configs/measure.yaml"
        )
    told_apart = ", ".join(f"{_reached(places, turn, rules.skipped)} AS reached_{turn}" for turn in range(len(places)))
    reached = books.keep(f"{times}_{rules.skipped}", f"SELECT customer_id, {told_apart} FROM {times}")
    remarks = (preset_used(preset, chosen=rules.preset == "auto"), *left_out(missing), skipping(rules.skipped))
    return Funnel(tuple(stages[place] for place in places), reached, remarks)


def _reached(places: Sequence[int], turn: int, skipped: str) -> str:
    if skipped == "counted":
        return f"least({', '.join([*(f'own_{place}' for place in places[turn:]), 'NULL::BIGINT'])})"
    before = [f"own_{place}" for place in places[: turn + 1]]
    return f"CASE WHEN {' AND '.join(f'{one} IS NOT NULL' for one in before)} THEN greatest({', '.join(before)}) END"


def funnel_measures(books: Books, rules: FunnelRules, asked: Asked) -> list[Measure]:
    """Return the funnel of those who came in a stretch of days, what it will come to, and what it was before.

    Returns
    -------
    list of Measure
        `funnel`, `funnel_eventual`, `funnel_compared` where the span before is known, and `funnel_standing`.
    """
    funnel, zone = open_funnel(books, rules), books.time_zone
    days = tuple(moment(one, zone).date().isoformat() for one in (asked.begin, asked.end))
    cohort = _Cohort(books, funnel, asked, parts(books, asked.by))
    whole = cohort if asked.by is None else _Cohort(books, funnel, asked, parts(books, None))
    lost = whole.narrowest()
    begun, hidden = (*funnel.remarks, *lost, *whole.known_by_buying()), cohort.hidden()
    common = {"begin": days[0], "end": days[1], "sources": funnel.sources}
    compared, why_not = _compared(books, funnel, asked, whole)
    return [
        told(FUNNEL, cohort.frame(), funnel.stages, asked.by, (*begun, *why_not, *hidden), common),
        told(EVENTUAL, cohort.eventual(), funnel.stages, asked.by, hidden, common),
        *([] if compared is None else [told(COMPARED, compared, funnel.stages, None, (), common)]),
        told(STANDING, _standing(books, funnel), funnel.stages, None, (), common | {"begin": _first_day(books)}),
    ]


@dataclass(frozen=True)
class _Cohort:
    """Those whose first stage was reached within a span, by part, watched until its end."""

    books: Books
    funnel: Funnel
    asked: Asked
    parts: str

    def _within(self) -> str:
        return (
            f"{self.funnel.reached} JOIN {self.parts} USING (customer_id) "
            "WHERE reached_0 >= $begin AND reached_0 < $end"
        )

    @property
    def _span(self) -> dict[str, int]:
        return {"begin": self.asked.begin, "end": self.asked.end}

    def counts(self) -> pd.DataFrame:
        """Return `part`, and how many reached each stage; the largest part first."""
        columns = ", ".join(
            f"count(*) FILTER (reached_{place} < $end) AS stage_{place}" for place in range(len(self.funnel.stages))
        )
        query = f"SELECT part, {columns} FROM {self._within()} GROUP BY part ORDER BY stage_0 DESC, part"
        return self.books.frame(query, self._span)

    def steps(self, place: int) -> pd.DataFrame:
        """Return `part`, `days`, and how many moved on to a stage after so many days or were watched so long."""
        query = f"""
            SELECT part, days, count(*) FILTER (moved) AS moved, count(*) FILTER (NOT moved) AS waiting
            FROM (SELECT part, coalesce(reached_{place} < $end, false) AS moved,
                         date_diff('day', local_time(reached_{place - 1})::DATE,
                                   local_time(CASE WHEN moved THEN reached_{place} ELSE $end - 1 END)::DATE) AS days
                  FROM {self._within()} AND reached_{place - 1} < $end)
            GROUP BY part, days ORDER BY part, days
        """
        return self.books.frame(query, self._span)

    def frame(self) -> pd.DataFrame:
        """Return the rows of `funnel`."""
        counts = self.counts()
        steps = [self.steps(place) for place in range(1, len(self.funnel.stages))]
        rows = [row for _, one in counts.iterrows() for row in self._rows(one, steps)]
        return pd.DataFrame(rows)

    def _rows(self, counts: pd.Series, steps: list[pd.DataFrame]) -> Iterator[dict[str, object]]:
        reached = [int(counts[f"stage_{place}"]) for place in range(len(self.funnel.stages))]
        for place, stage in enumerate(self.funnel.stages):
            row: dict[str, object] = {"part": counts["part"], "stage": stage.name, "customers": reached[place]}
            if place:
                row |= self._share(("reached_share", "low", "high"), reached[place], reached[0])
                row |= self._share(
                    ("conversion", "conversion_low", "conversion_high"), reached[place], reached[place - 1]
                )
                row |= self._days(steps[place - 1], counts["part"])
            yield row

    def _share(self, names: tuple[str, str, str], times: int, of: int) -> dict[str, float]:
        if of < self.asked.smallest:
            return dict.fromkeys(names, float("nan"))
        low, high = wilson([times], [of], _LEVEL)
        return dict(zip(names, (times / of, float(low[0]), float(high[0])), strict=True))

    def _days(self, steps: pd.DataFrame, part: str) -> dict[str, float]:
        mine, names = steps[steps["part"] == part], ("median_days", "days_low", "days_high")
        found = curve(mine["days"], mine["moved"], mine["waiting"])
        until = moved_by(found, self.asked.smallest)
        if until is None or mine["moved"].sum() < self.asked.smallest:
            return dict.fromkeys(names, float("nan"))
        return dict(zip(names, median_of_movers(found, until[0]), strict=True))

    def eventual(self) -> pd.DataFrame:
        """Return the rows of `funnel_eventual`."""
        rows = []
        order = {part: turn for turn, part in enumerate(self.counts()["part"])}
        for place in range(1, len(self.funnel.stages)):
            for part, mine in self.steps(place).groupby("part"):
                moved, waiting = int(mine["moved"].sum()), int(mine["waiting"].sum())
                until = moved_by(curve(mine["days"], mine["moved"], mine["waiting"]), self.asked.smallest)
                day, share, low, high = until or (np.nan,) * 4
                rows.append({
                    "part": part, "stage": self.funnel.stages[place].name, "entered": moved + waiting, "moved": moved,
                    "waiting": waiting, "eventual_share": share, "low": low, "high": high, "within_days": day,
                })  # fmt: skip
        rows.sort(key=lambda row: order[row["part"]])
        return pd.DataFrame(rows)

    def narrowest(self) -> tuple[Text, ...]:
        """Return at which stage fewest move on, where that is beyond noise against every other stage."""
        counts = self.counts()
        reached = [] if counts.empty else [int(counts[f"stage_{place}"][0]) for place in range(len(self.funnel.stages))]
        steps = [place for place in range(1, len(reached)) if reached[place - 1] >= self.asked.smallest]
        if len(steps) < _FEWEST_STAGES:
            return ()
        shares = {place: reached[place] / reached[place - 1] for place in steps}
        least = min(shares, key=lambda place: shares[place])
        for other in steps:
            pairs = ((reached[least], reached[other]), (reached[least - 1], reached[other - 1]))
            if (
                other != least
                and difference_of_shares(([pairs[0][0]], [pairs[0][1]]), ([pairs[1][0]], [pairs[1][1]]))[2][0] >= 0
            ):
                return (none_narrowest(),)
        return (narrowest(self.funnel.stages[least - 1], self.funnel.stages[least], shares[least]),)

    def known_by_buying(self) -> tuple[Text, ...]:
        """Say where nearly all were known with the second stage itself: then the first step tells nothing."""
        first = self.steps(1)
        entered = int(first["moved"].sum() + first["waiting"].sum())
        at_once = int(first.loc[first["days"] == 0, "moved"].sum())
        stages = self.funnel.stages
        return (known_by_buying(stages[1]),) if entered and at_once >= _AT_ONCE * entered else ()

    def hidden(self) -> tuple[Text, ...]:
        """Say that figures of few customers are missing, where some are."""
        counts = self.counts()
        few = counts.drop(columns="part").iloc[:, :-1] < self.asked.smallest
        return (small(self.asked.smallest),) if counts.empty or bool(few.to_numpy().any()) else ()


def _compared(books: Books, funnel: Funnel, asked: Asked, now: _Cohort) -> tuple[pd.DataFrame | None, tuple[Text, ...]]:
    """Return conversions beside those of the span before, each watched to the end of its own span; None if unknown.

    All stages share one error: each interval is at 1 - 0.05 / number of stages (Bonferroni).
    """
    zone = books.time_zone
    length = (moment(asked.end, zone).date() - moment(asked.begin, zone).date()).days
    begin = days_later(asked.begin, -length, zone)
    first = books.frame(f"SELECT min(reached_0) AS first FROM {funnel.reached}")["first"][0]
    if first > begin + _LATE * (asked.begin - begin):
        return None, (early(moment(int(first), zone).date().isoformat(), length),)
    before = _Cohort(books, funnel, Asked(begin, asked.begin, asked.every, None, asked.smallest), now.parts)
    counts = [one.counts() for one in (now, before)]
    reached = [
        [0 if one.empty else int(one[f"stage_{place}"][0]) for place in range(len(funnel.stages))] for one in counts
    ]
    rows, level = [], 1 - (1 - _LEVEL) / (len(funnel.stages) - 1)
    for place in range(1, len(funnel.stages)):
        times, of = ((side[place] for side in reached), (side[place - 1] for side in reached))
        (k, k_before), (n, n_before) = tuple(times), tuple(of)
        row: dict[str, object] = {"stage": funnel.stages[place].name, "entered": n, "entered_before": n_before}
        if min(n, n_before) >= asked.smallest:
            difference, low, high = (
                float(one[0]) for one in difference_of_shares(([k], [k_before]), ([n], [n_before]), level)
            )
            row |= {"before": k_before / n_before, "now": k / n, "difference": difference, "low": low, "high": high}
            row |= {"beyond_noise": "yes" if low > 0 or high < 0 else "no"}
        rows.append(row)
    names = ("stage", "entered_before", "entered", "before", "now", "difference", "low", "high", "beyond_noise")
    return pd.DataFrame(rows, columns=list(names)), ()


def _standing(books: Books, funnel: Funnel) -> pd.DataFrame:
    """Return how many of the base have come as far as each stage and no further; they add up to the base."""
    counts = ", ".join(f"count(reached_{place}) AS stage_{place}" for place in range(len(funnel.stages)))
    reached = [*books.frame(f"SELECT {counts} FROM {funnel.reached}").iloc[0].astype(int), 0]
    rows = [
        {"stage": stage.name, "customers": reached[place] - reached[place + 1]}
        for place, stage in enumerate(funnel.stages)
    ]
    if reached[0] < books.base:
        rows.insert(0, {"stage": "none", "customers": books.base - reached[0]})
    frame = pd.DataFrame(rows)
    return frame.assign(share=frame["customers"] / books.base)


def funnel_stage_of_each(books: Books, rules: FunnelRules) -> pd.DataFrame:
    """Return `customer_id` and `funnel_stage`, the furthest stage each has reached, of those who reached any."""
    funnel = open_funnel(books, rules)
    cases = " ".join(
        f"WHEN reached_{place} IS NOT NULL THEN $stage_{place}" for place in reversed(range(len(funnel.stages)))
    )
    names = {f"stage_{place}": stage.name for place, stage in enumerate(funnel.stages)}
    query = f"SELECT customer_id, CASE {cases} END AS funnel_stage FROM {funnel.reached} WHERE reached_0 IS NOT NULL"
    return books.frame(query, names)


def _first_day(books: Books) -> str:
    first = books.frame("SELECT min(first_known_at) AS first FROM customers")["first"][0]
    return moment(int(first), books.time_zone).date().isoformat()
