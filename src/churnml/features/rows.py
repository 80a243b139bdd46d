"""From facts to the rows the kernel folds: the integer columns that the families ask for.

Every column of a row depends on rows before it only, never on later ones; so what a row says does not change as more
arrive. An order event alone depends on its whole day: at a cutoff within that day, see `split_pairs`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from churnml.events import COMPLAINTS, Block, Facts, order_events
from churnml.events.clock import HOUR, SECOND, local_days
from churnml.events.schema import TABLES
from churnml.features.declare import Aggregate
from churnml.features.kernel import Columns, Made, Rows, first_seen, since_same

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_SATURDAY, _SUNDAY = 5, 6
_EVENING = 18
AWAY = ("email_open", "email_click", "redeem", "payment", "payment_failed")
"""Kinds of interaction that are no act of one's own with us: letters opened, money moved."""

SCALES = {"nps": (0.0, 10.0), "csat": (1.0, 5.0), "ces": (1.0, 7.0), "review": (1.0, 5.0)}
"""The worst and the best score of each instrument, where a survey does not tell its own."""

_POINTS = 1_000
"""Satisfaction is counted in thousandths of the way from the worst score to the best."""


@dataclass(frozen=True)
class RowSet:
    """Rows of one kind.

    Parameters
    ----------
    facts : str
        The table, or later fact, they are made of.
    reads : tuple of str
        Its columns that are read.
    make : callable
        Facts and time zone in, rows out; every set has the columns `day` and `gap`, local days since the row before.
    texts : tuple of str
        Text columns that are read as well if an aggregate asks for them, to count the different or to filter by.
    """

    facts: str
    reads: tuple[str, ...]
    make: Callable[[Facts, str], Rows]
    texts: tuple[str, ...] = ()

    @property
    def table(self) -> str:
        """The table of the contract that they are of."""
        return self.facts.partition(".")[0]

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The columns that hold words, which may be counted or filtered by."""
        declared = TABLES[self.table]
        return tuple(name for name in (*self.reads, *self.texts) if declared.column(name).kind == "text")


def wanted(aggregates: Iterable[Aggregate]) -> dict[str, tuple[str, ...]]:
    """Return which columns of which tables and later facts these are made of, as `events.history` is asked."""
    columns: dict[str, dict[str, None]] = {}
    for name, reads in _read_by(aggregates).items():
        columns.setdefault(ROW_SETS[name].facts, {}).update(dict.fromkeys(reads))
    return {facts: tuple(reads) for facts, reads in columns.items()}


def rows_of(block: Block, aggregates: Iterable[Aggregate], time_zone: str) -> Iterator[tuple[str, Rows]]:
    """Yield the row sets of a block that these are folded from, by name, each made of the columns it reads alone.

    One after the other: the memory of one does for the next.
    """
    for name, reads in _read_by(aggregates).items():
        facts = block.facts[ROW_SETS[name].facts]
        own = replace(facts, columns={column: facts.columns[column] for column in reads})
        yield name, ROW_SETS[name].make(own, time_zone)


def _read_by(aggregates: Iterable[Aggregate]) -> dict[str, tuple[str, ...]]:
    """Return the row sets that these are folded from, and the columns of its facts that each reads."""
    columns: dict[str, dict[str, None]] = {}
    for one in aggregates:
        if one.rows in ROW_SETS:
            rows = ROW_SETS[one.rows]
            asked = [name for name in (one.column, *(name for name, _ in one.filters)) if name in rows.texts]
            columns.setdefault(one.rows, {}).update(dict.fromkeys((*rows.reads, *asked)))
    return {name: tuple(reads) for name, reads in columns.items()}


@cache
def columns_of(name: str) -> tuple[str, ...]:
    """Return the columns that rows of a set have, texts included."""
    rows = ROW_SETS[name]
    columns = {column: np.zeros(0) for column in (*rows.reads, *rows.texts)}
    nothing = Facts(
        np.zeros(1, dtype=np.int64),
        np.zeros(0, dtype=np.int64),
        None,
        dict(columns),
        dict.fromkeys(rows.text_columns, ()),
    )
    return tuple(sorted(rows.make(nothing, "UTC").columns))


def split_pairs(block: Block, cutoffs: Sequence[int], time_zone: str) -> Flags:
    """Return which (cutoff, customer) pairs have a day of orders that the cutoff divides; shape as `late_pairs`.

    The net amount of such a day is another at the cutoff than when the day was over. No midnight divides one.
    """
    split = np.zeros((len(cutoffs), len(block.customer_ids)), dtype=np.bool_)
    orders = block.facts.get("orders")
    days, since_midnight = local_days(np.array(cutoffs, dtype=np.int64), time_zone)
    if orders is None or not since_midnight.any() or not (orders.columns["amount"] < 0).any():
        return split
    day, _ = local_days(orders.event_at, time_zone)
    for place in np.flatnonzero(since_midnight).tolist():
        split[place, orders.customer[(day == days[place]) & (orders.event_at >= cutoffs[place])]] = True
    return split


def _orders(facts: Facts, time_zone: str) -> Rows:
    told, cost = facts.columns, facts.columns["cost"]
    return _rows(
        facts,
        time_zone,
        order=_ones(facts),
        amount=_as_told(facts, "amount"),
        discount=lambda _: _filled(told["discount"]),
        with_discount=lambda own: own["discount"] > 0,
        list_price=lambda own: own["amount"] + own["discount"],
        quantity=lambda _: _filled(told["quantity"]),
        costed_amount=lambda own: np.where(_empty(cost), 0, own["amount"]),
        margin=lambda own: np.where(_empty(cost), 0, own["amount"] - _filled(cost)),
        new_channel=lambda _: first_seen(_codes(facts, "channel"), facts.offsets),
    )


def _purchase_days(facts: Facts, time_zone: str) -> Rows:
    """Return one row per order event: a customer's day with a positive net amount, at the first order that was paid."""
    day, since_midnight = local_days(facts.event_at, time_zone)
    events = order_events(facts.customer, day, facts.columns["amount"])
    event = replace(facts, columns={}).keep(events)
    return _rows(
        event,
        time_zone,
        event=_ones(event),
        day=lambda _: day[events],
        gap_squared=lambda own: own["gap"] * own["gap"],
        has_gap=lambda own: own["gap"] > 0,
        weekend=lambda own: _is_weekend(own["day"]),
        evening=lambda _: since_midnight[events] >= _EVENING * HOUR,
    )


def _is_weekend(day: Integers) -> Flags:
    weekday = (day + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0
    return np.asarray((weekday == _SATURDAY) | (weekday == _SUNDAY))


def _order_lines(facts: Facts, time_zone: str) -> Rows:
    told = facts.columns
    return _rows(
        facts,
        time_zone,
        line=_ones(facts),
        amount=_as_told(facts, "amount"),
        quantity=lambda _: _filled(told["quantity"]),
        discounted=lambda _: _filled(told["discount"]) > 0,
        new_category=lambda _: first_seen(_codes(facts, "category"), facts.offsets),
    )


def _returns(facts: Facts, time_zone: str) -> Rows:
    return _rows(facts, time_zone, amount=_as_told(facts, "amount"))


def _of_kind(*kinds: str) -> Callable[[Facts, str], Rows]:
    """Return a maker of the interactions of some kinds."""

    def make(facts: Facts, time_zone: str) -> Rows:
        return _rows(facts.keep(_said(facts, "kind", kinds)), time_zone)

    return make


def _acts(facts: Facts, time_zone: str) -> Rows:
    """Return what a customer did with us of their own accord: no letters opened, no money moved."""
    rows = facts.keep(~_said(facts, "kind", AWAY))
    seconds = rows.columns["duration_seconds"]

    def of_kind(*kinds: str) -> Made:
        return lambda _: _said(rows, "kind", kinds)

    return _rows(
        rows,
        time_zone,
        active_day=lambda own: _opens_day(rows, own["day"]),
        **{kind: of_kind(kind) for kind in ("visit", "view", "search", "cart", "wishlist", "login", "demo", "trial")},
        referral=of_kind("referral", "share"),
        seconds=lambda own: np.where(own["visit"], _filled(seconds), 0),
        timed=lambda own: np.where(_empty(seconds), 0, own["visit"]),
    )


def _sessions(facts: Facts, time_zone: str) -> Rows:
    """Return the acts that carry the id of a session: where it begins, and the seconds since the act before in it.

    Summed over a window the seconds are how long its sessions lasted, from their first act to their last; a session
    that has already begun where the window starts counts with what lies within.
    """
    rows = facts.keep(~_said(facts, "kind", AWAY) & (_codes(facts, "session_id") >= 0))
    session = _codes(rows, "session_id")
    return _rows(
        rows,
        time_zone,
        act=_ones(rows),
        begins=lambda _: first_seen(session, rows.offsets),
        seconds=lambda _: since_same(session, rows.event_at // SECOND, rows.offsets),
    )


def _opens_day(facts: Facts, day: Integers) -> Flags:
    """Mark the first row of each day of each customer."""
    opens = np.ones(len(day), dtype=np.bool_)
    opens[1:] = (day[1:] != day[:-1]) | (facts.customer[1:] != facts.customer[:-1])
    return opens


def _contacts(facts: Facts, time_zone: str) -> Rows:
    """Return the contacts carried out; one that was withheld for the control group never reached the customer."""
    carried_out = facts.keep(~_said(facts, "arm", ("control",)))
    return _rows(carried_out, time_zone)


def _tickets(facts: Facts, time_zone: str) -> Rows:
    return _rows(facts, time_zone, complaint=lambda _: _said(facts, "kind", COMPLAINTS))


def _complaints(facts: Facts, time_zone: str) -> Rows:
    return _rows(facts.keep(_said(facts, "kind", COMPLAINTS)), time_zone)


def _hours_to(fact: str) -> RowSet:
    """Return the rows of a later fact of tickets, each at the time the ticket was opened, with the hours it took."""
    time = fact.partition(".")[2]

    def make(facts: Facts, time_zone: str) -> Rows:
        took = facts.columns[time]
        return _rows(facts, time_zone, hours=lambda _: np.maximum(took.astype(np.int64) - facts.event_at, 0) // HOUR)

    return RowSet(fact, (time,), make)


def _answers(*instruments: str) -> Callable[[Facts, str], Rows]:
    """Return a maker of the answered surveys, each at the time it was sent, with how far the score is up its scale."""

    def make(facts: Facts, time_zone: str) -> Rows:
        rows = facts.keep(_said(facts, "instrument", instruments)) if instruments else facts
        told = answer_points(rows)
        rows, points = rows.keep(~np.isnan(told)), told[~np.isnan(told)]
        return _rows(rows, time_zone, points=lambda _: points, low=lambda _: points < _POINTS / 2)

    return make


def answer_points(facts: Facts) -> npt.NDArray[np.float64]:
    """Return how far each answer is up its scale, in thousandths of the way; NaN where no scale is known.

    Parameters
    ----------
    facts : Facts
        Of `surveys.score`, with the columns of `OF_ANSWERS`.
    """
    low, high = (_ends(facts, name, which) for which, name in enumerate(("scale_min", "scale_max")))
    score, scaled = facts.columns["score"], high > low
    share = np.divide(score - low, high - low, out=np.full(len(score), np.nan), where=scaled)
    return np.asarray(np.rint(np.clip(share, 0, 1) * _POINTS))


def _ends(facts: Facts, column: str, which: int) -> npt.NDArray[np.float64]:
    """Return an end of each survey's scale: as it was told, else as its instrument has it."""
    words = facts.words["instrument"]
    usual = np.array([*(SCALES.get(word, (np.nan, np.nan))[which] for word in words), np.nan])
    told = facts.columns[column].astype(np.float64)
    return np.where(np.isnan(told), usual[facts.columns["instrument"].astype(np.int64)], told)


def _as_they_are(facts: Facts, time_zone: str) -> Rows:
    return _rows(facts, time_zone)


OF_ANSWERS = ("score", "instrument", "scale_min", "scale_max")
"""The columns of `surveys.score` that say how good an answer was."""

ROW_SETS: dict[str, RowSet] = {
    "orders": RowSet("orders", ("amount", "discount", "quantity", "channel", "cost"), _orders),
    "purchase_days": RowSet("orders", ("amount",), _purchase_days),
    "order_lines": RowSet("order_lines", ("amount", "discount", "category", "quantity"), _order_lines, ("product_id",)),
    "returns": RowSet("returns", ("amount",), _returns, ("reason",)),
    "acts": RowSet("interactions", ("kind", "channel", "duration_seconds"), _acts, ("category", "item", "query")),
    "sessions": RowSet("interactions", ("kind", "session_id"), _sessions, ("channel",)),
    "trials": RowSet("interactions", ("kind",), _of_kind("trial"), ("item",)),
    "redemptions": RowSet("interactions", ("kind",), _of_kind("redeem"), ("item", "channel")),
    "opens": RowSet("interactions", ("kind",), _of_kind("email_open"), ("item",)),
    "clicks": RowSet("interactions", ("kind",), _of_kind("email_click"), ("item",)),
    "failed_payments": RowSet("interactions", ("kind",), _of_kind("payment_failed"), ("item",)),
    "contacts": RowSet("contacts", ("arm",), _contacts, ("action", "channel", "campaign")),
    "tickets": RowSet("tickets", ("kind",), _tickets, ("channel", "priority")),
    "complaints": RowSet("tickets", ("kind",), _complaints, ("channel", "priority")),
    "responses": _hours_to("tickets.first_response_at"),
    "resolutions": _hours_to("tickets.resolved_at"),
    "reopenings": _hours_to("tickets.reopened_at"),
    "surveys": RowSet("surveys", (), _as_they_are, ("instrument",)),
    "answers": RowSet("surveys.score", OF_ANSWERS, _answers()),
    **{f"{name}_answers": RowSet("surveys.score", OF_ANSWERS, _answers(name)) for name in SCALES},
    "profile_changes": RowSet("profile_changes", (), _as_they_are, ("attribute",)),
}
"""Every kind of row there is, by name."""


def _rows(facts: Facts, time_zone: str, **made: Made) -> Rows:
    """Return facts as rows with these columns, and with those that all have, unless they are among them."""
    texts = {name: _as_told(facts, name) for name in facts.words if name in facts.columns}
    usual: dict[str, Made] = {
        "day": lambda _: local_days(facts.event_at, time_zone)[0],
        "gap": lambda own: _gaps(facts, own["day"]),
    }
    return Rows(facts.offsets, facts.event_at, Columns(texts | usual | made), facts.words)


def _gaps(facts: Facts, day: Integers) -> Integers:
    """Return the local days since the customer's row before, 0 at their first."""
    gap = np.zeros(len(day), dtype=np.int64)
    gap[1:] = np.where(facts.customer[1:] == facts.customer[:-1], day[1:] - day[:-1], 0)
    return gap


def _as_told(facts: Facts, column: str) -> Made:
    return lambda _: facts.columns[column]


def _ones(facts: Facts) -> Made:
    return lambda _: np.ones(len(facts.event_at), dtype=np.int64)


def _codes(facts: Facts, column: str) -> Integers:
    return facts.columns[column].astype(np.int64)


def _said(facts: Facts, column: str, words: Sequence[str]) -> Flags:
    """Tell of which rows a text column holds one of some words, in whatever case they are written."""
    codes = facts.columns[column]
    said = np.zeros(len(codes), dtype=np.bool_)
    # the few codes that mean these words are compared one by one, several times faster than a look-up by code
    for code, word in enumerate(facts.words[column]):
        if word.lower() in words:
            said |= codes == code
    return said


def _empty(column: npt.NDArray[np.generic]) -> Flags:
    return np.isnan(column) if column.dtype.kind == "f" else np.zeros(len(column), dtype=np.bool_)


def _filled(column: npt.NDArray[np.generic]) -> Integers:
    """Return a column with its empty places as zero: a discount not given is none."""
    if column.dtype.kind == "f":
        column = np.where(np.isnan(column), 0, column)
    return column.astype(np.int64, copy=False)
