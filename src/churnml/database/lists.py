"""The lists of people: which of them, in which order, from which place on; customers at risk, and prospects.

Whatever it is sorted by, each page goes straight to its place in an index. Descending, ties stand by customer id;
ascending is the exact reverse, so that one index serves both. Who has no value to sort by comes last either way.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from churnml.database.tables import records, runs
from churnml.database.tables_cases import cases

Sort = Literal[
    "value_at_risk", "churn_probability", "churn_probability_change", "clv", "expected_net_value", "last_order_on"
]
SORTS: tuple[Sort, ...] = get_args(Sort)
Place = tuple[float | None, str]
"""Where in a list a record stands: by what it is sorted (microseconds UTC for a time), and whose it is."""
Range = tuple[float | None, float | None]
"""From, to, both included; None where open."""

CLOSED = (
    "no_score", "no_profiling", "held_out", "assigned", "no_consent", "open_complaint", "contact_cap", "cool_down",
    "sleeping_dog",
)  # fmt: skip
"""Reasons for doing nothing that forbid an approach; with any other, something was open and not worth it."""
APPROACHED = ("treated", "none")
"""The arms of those who may be approached; controls and those held out are left in peace."""
_COLUMNS: Mapping[str, ColumnElement[Any]] = {  # Any: a number
    "value_at_risk": records.c.value_at_risk,
    "churn_probability": records.c.churn_probability,
    "churn_probability_change": records.c.probability_change,
    "clv": records.c.clv,
    "expected_net_value": records.c.expected_net_value,
    "last_order_on": records.c.last_order_at,
}


COMPARED = ("churn_probability_before", "churn_probability_change")
"""What stands beside a record on a list: the churn probability in the run before, and by how much it is another now."""
_BESIDE = (records.c.probability_before.label(COMPARED[0]), records.c.probability_change.label(COMPARED[1]))


@dataclass(frozen=True)
class Wanted:
    """Which part of the list is wanted, and in which order; an empty field keeps all.

    Parameters
    ----------
    bands, actions, stages, segments, reasons, arms : tuple of str
        Keep only these; `reasons` are groups of the weightiest reason.
    owners, statuses : tuple of str
        Keep whose case somebody of these holds, and whose case stands so; who has no case is `open` and nobody's.
    unowned : bool, default False
        Keep whose case nobody holds.
    seen_by : str, optional
        Keep whose case this person holds, or nobody.
    value_at_risk, churn_probability, change : tuple of (float or None, float or None)
        Keep what lies between, ends included; `change` is that of the churn probability since the run before.
    last_order : tuple of (int or None, int or None)
        Keep whose last order is of these instants, microseconds UTC, ends included.
    new : bool, optional
        True keeps whom the run before did not score, False all others.
    contactable : bool, optional
        True keeps those whom the run lets be approached: an action to carry out, or none for a reason outside `CLOSED`.
        False keeps all others, and everyone in a run that assigned nothing.
    sort : str
        One of `SORTS`.
    ascending : bool, default False
    """

    bands: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    arms: tuple[str, ...] = ()
    value_at_risk: Range = (None, None)
    churn_probability: Range = (None, None)
    change: Range = (None, None)
    last_order: Range = (None, None)
    new: bool | None = None
    contactable: bool | None = None
    sort: Sort = "value_at_risk"
    ascending: bool = False
    owners: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    unowned: bool = False
    seen_by: str | None = None

    @property
    def asks_of_cases(self) -> bool:
        """Whether who is asked for depends on cases, which change while a run stays as it is."""
        return bool(self.owners or self.statuses or self.unowned)


@dataclass(frozen=True)
class ListPage:
    """Some records of a list in its order, and the place of the last where more follow."""

    records: list[dict[str, Any]]  # Any: JSON
    following: Place | None


def list_page(connection: Connection, run_id: str, wanted: Wanted, limit: int, after: Place | None = None) -> ListPage:
    """Return up to `limit` records that follow a place of the list.

    Parameters
    ----------
    run_id : str
        The run whose records they are.
    after : tuple of (float or None, str), optional
        The place of the page before; from the top where there is none.
    """
    by = _COLUMNS[wanted.sort]
    return _page(connection, by, _kept(run_id, wanted), limit, after, ascending=wanted.ascending)


def prospects_page(
    connection: Connection, run_id: str, limit: int, after: Place | None = None, seen_by: str | None = None
) -> ListPage:
    """Return up to `limit` prospects and trials that follow a place, the likeliest to become customers first.

    Parameters
    ----------
    run_id, after
        As in `list_page`.
    seen_by : str, optional
        Keep whose case this person holds, or nobody.
    """
    kept = and_(_prospects(run_id), *([] if seen_by is None else [_not_of_others(seen_by)]))
    return _page(connection, records.c.conversion_probability, kept, limit, after)


def changes(connection: Connection, run_id: str) -> int:
    """Return how often records of a run have changed since it was done; what was counted before that is void."""
    return int(connection.execute(select(runs.c.changes).where(runs.c.run_id == run_id)).scalar_one())


def count(connection: Connection, run_id: str, wanted: Wanted) -> int:
    """Return how many records the list holds."""
    return _count(connection, _kept(run_id, wanted))


def held_by_standing(connection: Connection, run_id: str) -> Counter[tuple[str | None, str | None]]:
    """Return how many customers of a run somebody looks after, by band and arm.

    It goes from cases to their records, as `count_of_others` does.
    """
    query = select(records.c.risk_band, records.c.arm, func.count().label("customers"))
    query = query.select_from(cases.join(records, cases.c.customer_id == records.c.customer_id))
    query = query.where(cases.c.owner.is_not(None), records.c.run_id == run_id)
    found = connection.execute(query.group_by(records.c.risk_band, records.c.arm))
    return Counter({(row.risk_band, row.arm): int(row.customers) for row in found})


def count_of_others(connection: Connection, run_id: str, wanted: Wanted | None, me: str) -> int:
    """Return how many of a list, of the prospects where None, are held by others than one person.

    It goes from cases to their records: a team holds thousands, and the list may have a million.
    """
    kept = _prospects(run_id) if wanted is None else _kept(run_id, wanted)
    query = select(func.count()).select_from(cases.join(records, cases.c.customer_id == records.c.customer_id))
    return int(connection.execute(query.where(cases.c.owner.is_not(None), cases.c.owner != me, kept)).scalar_one())


def count_prospects(connection: Connection, run_id: str) -> int:
    """Return how many prospects and trials there are of whom it is told how likely they are to become customers."""
    return _count(connection, _prospects(run_id))


def _count(connection: Connection, kept: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(records).where(kept)).scalar_one())


def _page(
    connection: Connection,
    by: ColumnElement[Any],  # Any: a number
    kept: ColumnElement[bool],
    limit: int,
    after: Place | None,
    *,
    ascending: bool = False,
) -> ListPage:
    query = select(by.label("sorted_by"), records.c.customer_id, records.c.body, *_BESIDE).where(kept)
    rows: list[Any] = []  # Any: rows of three columns
    for part in _parts(query, by, after, ascending=ascending):
        if len(rows) <= limit:
            rows += connection.execute(part.limit(limit + 1 - len(rows))).all()
    shown = rows[:limit]
    last = (shown[-1].sorted_by, shown[-1].customer_id) if len(rows) > limit else None
    return ListPage([_told(row) for row in shown], last)


def _told(row: Any) -> dict[str, Any]:  # Any: a row of `_page`; JSON
    """Return a record as it stands on a list: with what the run before said of its customer."""
    record: dict[str, Any] = json.loads(row.body)
    return record | {name: getattr(row, name) for name in COMPARED}


def _parts(
    query: Select[Any], by: ColumnElement[Any], after: Place | None, *, ascending: bool
) -> list[Select[Any]]:  # Any: three columns, one of a number
    """Return what follows a place as questions to be asked in turn, each of which an index answers.

    In one question with an `or` in it, a database walks the list from its top.
    """
    whose = records.c.customer_id
    whom = whose.desc() if ascending else whose.asc()
    told = query.where(by.is_not(None)).order_by(by.asc() if ascending else by.desc(), whom)
    untold = query.where(by.is_(None)).order_by(whom)
    if after is None:
        return [told, untold]
    value, customer = after
    later = whose < customer if ascending else whose > customer
    if value is None:
        return [untold.where(later)]
    return [told.where(by == value, later), told.where(by > value if ascending else by < value), untold]


def _kept(run_id: str, wanted: Wanted) -> ColumnElement[bool]:
    words: Mapping[str, tuple[str, ...]] = {
        "risk_band": wanted.bands,
        "action": wanted.actions,
        "lifecycle_stage": wanted.stages,
        "segment": wanted.segments,
        "reason_group": wanted.reasons,
        "arm": wanted.arms,
    }
    kept = [records.c.run_id == run_id, records.c.value_at_risk.is_not(None)]
    kept += [records.c[name].in_(among) for name, among in words.items() if among]
    for column, (low, high) in (
        (records.c.value_at_risk, wanted.value_at_risk),
        (records.c.churn_probability, wanted.churn_probability),
        (records.c.probability_change, wanted.change),
        (records.c.last_order_at, wanted.last_order),
    ):
        kept += [column >= low] if low is not None else []
        kept += [column <= high] if high is not None else []
    if wanted.new is not None:
        kept.append(records.c.probability_before.is_(None) if wanted.new else records.c.probability_before.is_not(None))
    if wanted.contactable is not None:
        kept.append(_contactable() if wanted.contactable else _not_contactable())
    return and_(*kept, *_by_case(wanted))


def _prospects(run_id: str) -> ColumnElement[bool]:
    return and_(records.c.run_id == run_id, records.c.conversion_probability.is_not(None))


def _by_case(wanted: Wanted) -> list[ColumnElement[bool]]:
    whose = records.c.customer_id
    kept: list[ColumnElement[bool]] = [] if wanted.seen_by is None else [_not_of_others(wanted.seen_by)]
    if wanted.owners:
        kept.append(whose.in_(select(cases.c.customer_id).where(cases.c.owner.in_(wanted.owners))))
    if wanted.unowned:
        kept.append(whose.not_in(select(cases.c.customer_id).where(cases.c.owner.is_not(None))))
    if wanted.statuses:
        standing = whose.in_(select(cases.c.customer_id).where(cases.c.status.in_(wanted.statuses)))
        without = whose.not_in(select(cases.c.customer_id))
        kept.append(or_(standing, without) if "open" in wanted.statuses else standing)
    return kept


def _not_of_others(me: str) -> ColumnElement[bool]:
    others = select(cases.c.customer_id).where(cases.c.owner.is_not(None), cases.c.owner != me)
    return records.c.customer_id.not_in(others)


def _contactable() -> ColumnElement[bool]:
    because = records.c.no_action_because
    return or_(records.c.arm == "treated", and_(because.is_not(None), because.not_in(CLOSED)))


def _not_contactable() -> ColumnElement[bool]:
    because = records.c.no_action_because
    return and_(records.c.arm.is_distinct_from("treated"), or_(because.is_(None), because.in_(CLOSED)))
