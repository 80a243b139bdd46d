"""`churnml measure strategy`: per stage and segment, what it is worth, what is at risk, and what to do by evidence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil
from typing import TYPE_CHECKING, Any

from churnml.config import AssignConfig, MeasureConfig
from churnml.errors import NotEnoughDataError
from churnml.policy.strategy import UNSEEN
from churnml.verbs.grouping import scored_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from churnml.database import Run
    from churnml.events.books import Books
    from churnml.measures.measure import Asked, Measure
    from churnml.policy import Catalogue
    from churnml.policy.strategy import Advice, Cell
    from churnml.verbs.session import Session
    from churnml.wording import Text

Record = dict[str, Any]  # Any: JSON

_NO_CAMPAIGN = ""
_READ = ("customers", "consents", "contacts", "tickets", "surveys")
"""Tables that say who may have an action and whom it suits, and how content they are."""

_UNSEEN: Record = {
    "lifecycle_stage": UNSEEN,
    **dict.fromkeys(("segment", "churn_probability", "clv", "value_at_risk")),
}


def figures(session: Session, books: Books, asked: Asked) -> list[Measure]:
    """Return the strategy sheet of the latest scores up to the end of what is asked.

    Raises
    ------
    NotEnoughDataError
        If nothing was scored up to then.
    """
    from churnml.measures.measure import Measure  # noqa: PLC0415  # pandas
    from churnml.policy.strategy_words import COLUMNS, DEFINITION, TITLE, population  # noqa: PLC0415

    sheet = _Sheet.of(session, books, asked)
    columns = COLUMNS | {"action": replace(COLUMNS["action"], words=_action_words(sheet.catalogue))}
    return [
        Measure(
            "strategy",
            TITLE,
            DEFINITION,
            population(sheet.day),
            sheet.frame(),
            columns,
            _day(asked.begin, books),
            _day(asked.end, books),
            ("records", *(name for name in _READ if name in books.tables)),
            sheet.remarks(),
        )
    ]


@dataclass(frozen=True)
class _Sheet:
    """What the sheet is made from.

    Parameters
    ----------
    records : list of dict
        Of everybody in the base; of whom the scores do not hold, one that tells nothing.
    cells : list of Cell
        Places among `records`.
    advice : list of Advice
        Of each cell.
    answers : DataFrame
        By the place of a cell, `satisfaction` from 0 to 1 and `answers`.
    """

    records: list[Record]
    cells: list[Cell]
    advice: list[Advice]
    answers: pd.DataFrame
    catalogue: Catalogue
    asked: Asked
    day: str
    end: str
    fewest: int

    @classmethod
    def of(cls, session: Session, books: Books, asked: Asked) -> _Sheet:
        """Read the latest scores, and ask what is known of every action for every customer."""
        from churnml.policy import strategy_words as words  # noqa: PLC0415
        from churnml.policy.strategy import cells  # noqa: PLC0415

        scored, end = scored_by(session, asked.end), _day(asked.end, books)
        if scored is None:
            raise NotEnoughDataError(words.not_scored(end))
        records = _records_of_base(session, books, scored)
        share = session.load("measure", MeasureConfig).strategy_share
        fewest = max(asked.smallest, ceil(share * len(records)))
        found = cells([one["lifecycle_stage"] for one in records], [one["segment"] for one in records], fewest)
        catalogue, advice = _advised(session, records, found, asked.smallest)
        day = datetime.fromisoformat(scored.summary["cutoff"]).date().isoformat()
        answers = _answers(books, asked, [one["customer_id"] for one in records], found)
        return cls(records, found, advice, answers, catalogue, asked, day, end, fewest)

    def frame(self) -> pd.DataFrame:
        """Return a row per cell."""
        import pandas as pd  # noqa: PLC0415

        from churnml.measures.withholding import withheld  # noqa: PLC0415

        rows = [
            self._row(place, cell, advice)
            for place, (cell, advice) in enumerate(zip(self.cells, self.advice, strict=True))
        ]
        frame = pd.DataFrame(rows)
        hidden = withheld(frame.pop("scored"), self.asked.smallest)
        frame.loc[hidden, ["value", "churn_probability", "value_at_risk"]] = None
        frame.loc[withheld(frame["answers"].fillna(0), self.asked.smallest), "satisfaction"] = None
        return frame

    def _row(self, place: int, cell: Cell, advice: Advice) -> Record:
        members = [self.records[member] for member in cell.members.tolist()]
        scored = [one for one in members if one["clv"] is not None]
        return {
            "stage": cell.stage,
            "segment": cell.segment,
            "customers": len(members),
            "scored": len(scored),
            "share": len(members) / len(self.records),
            "value": _mean(scored, "clv") if scored else None,
            "churn_probability": _mean(scored, "churn_probability") if scored else None,
            "value_at_risk": sum(one["value_at_risk"] for one in scored) if scored else None,
            **self.answers.loc[place].to_dict(),
            "action": advice.action or None,
            "evidence": advice.evidence,
            "effect_source": advice.source or None,
            "open_to": advice.open_to or None,
            "effect": advice.effect,
            "effect_low": advice.effect_low,
            "effect_high": advice.effect_high,
            "cost": advice.cost,
            "return_on_cost": advice.return_on_cost,
            "expected_return": advice.total,
            "return_low": advice.total_low,
            "return_high": advice.total_high,
        }

    def remarks(self) -> tuple[Text, ...]:
        """Return what a reader must know beside the figures."""
        from churnml.policy import strategy_words as words  # noqa: PLC0415

        given = [one for one in self.advice if one.source]
        said = [words.pooled(self.fewest)]
        unseen = sum(one["lifecycle_stage"] == UNSEEN for one in self.records)
        said += [words.unseen(unseen)] if unseen else []
        said += [words.all_assumed()] if given and all(one.source == "prior" for one in given) else []
        said += [words.no_answers()] if self.answers["satisfaction"].isna().all() else []
        said += [words.other_day(self.day, self.end)] if self.day != self.end else []
        said += [words.by_has_no_use()] if self.asked.by is not None else []
        return tuple(said)


def _records_of_base(session: Session, books: Books, scored: Run) -> list[Record]:
    """Return what a run told of each customer of the base; of whom it does not hold, a record that tells nothing."""
    told = {
        one["customer_id"]: one
        for one in session.records.of_run(scored.run_id)
        if one["lifecycle_stage"] is not None  # who refused to be profiled then
    }
    everybody = books.frame("SELECT customer_id FROM customers ORDER BY customer_id")["customer_id"]
    return [told.get(who) or {**_UNSEEN, "customer_id": who} for who in everybody]


def _advised(
    session: Session, records: list[Record], found: list[Cell], smallest: int
) -> tuple[Catalogue, list[Advice]]:
    """Return the catalogue, and what to do about each cell, by what is known of every action for every customer.

    Of the rules of eligibility those count that say what an action suits and who may have it. What passes, such as a
    contact last week, a campaign that has somebody already or the hold-out, is for `assign`.
    """
    import numpy as np  # noqa: PLC0415

    from churnml.database import Ledger  # noqa: PLC0415
    from churnml.policy import Limits, eligibility  # noqa: PLC0415
    from churnml.policy.strategy import Advice, advise  # noqa: PLC0415
    from churnml.verbs.deciding import actions_of, facts_of, sector_of  # noqa: PLC0415
    from churnml.verbs.known_effects import known_effects  # noqa: PLC0415
    from churnml.verbs.measure_effect import measured_effects  # noqa: PLC0415

    catalogue, config = actions_of(session), session.load("assign", AssignConfig)
    places = [place for place, one in enumerate(records) if one["churn_probability"] is not None]
    population = [records[place] for place in places]
    if not population:
        return catalogue, [Advice("", "none") for _ in found]
    facts = facts_of(session, population, catalogue, config, Ledger(session.catalogue.engine), _NO_CAMPAIGN, ())
    known = known_effects(session, _cutoff(population), facts, catalogue)
    lasting = replace(
        facts, contacts=None, assigned_contacts=None, days_since=None, held_out=None, assigned=None,
        sleeping=known.sleeping,
    )  # fmt: skip
    limits = Limits(sector_of(config, population), config.contacts_per_week)
    turn = np.full(len(records), -1, dtype=np.intp)
    turn[places] = np.arange(len(places))
    of_each = [turn[cell.members][turn[cell.members] >= 0] for cell in found]
    advice = advise(
        of_each,
        known.catalogue,
        known.effect,
        known.catalogue.costs(facts.baskets),
        eligibility(known.catalogue, lasting, limits).is_open,
        proven=[name for name, one in measured_effects(session).items() if one.net_low > 0],
        smallest=smallest,
    )
    return known.catalogue, list(advice)


def _answers(books: Books, asked: Asked, customers: Sequence[str], found: list[Cell]) -> pd.DataFrame:
    """Return how content each cell's customers said they are: of each the latest answer of these days."""
    import numpy as np  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    from churnml.measures.latest_answers import latest_answers  # noqa: PLC0415

    cell_of = np.empty(len(customers), dtype=np.int64)
    for place, cell in enumerate(found):
        cell_of[cell.members] = place
    groups = pd.DataFrame({"customer_id": pd.array(customers, dtype="string"), "group_id": cell_of})
    books.add("strategy_cells", groups)
    told = latest_answers(books, "strategy_cells", asked.begin, asked.end)
    return told.reindex(pd.RangeIndex(len(found)))


def _action_words(catalogue: Catalogue) -> dict[str, Text]:
    from churnml.wording import Text  # noqa: PLC0415

    return {action.name: Text(action.label.en, action.label.zh) for action in catalogue.actions}


def _mean(records: Sequence[Record], name: str) -> float:
    return float(sum(one[name] for one in records) / len(records))


def _cutoff(records: Sequence[Record]) -> int:
    from churnml.events.clock import microseconds  # noqa: PLC0415

    return microseconds(datetime.fromisoformat(records[0]["cutoff"]))


def _day(instant: int, books: Books) -> str:
    from churnml.events.clock import moment  # noqa: PLC0415

    return moment(instant, books.time_zone).date().isoformat()
