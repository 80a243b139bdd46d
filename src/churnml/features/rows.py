"""From facts to the rows the kernel folds: the integer columns that the families ask for.

Every column of a row depends on rows before it only, never on later ones; so what a row says does not change as more
arrive. An order event alone depends on its whole day: at a cutoff within that day, see `split_pairs`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from churnml.events import Block, Facts, order_events
from churnml.events.clock import HOUR, local_days
from churnml.events.schema import TABLES
from churnml.features.declare import Aggregate
from churnml.features.kernel import Rows, first_seen

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_SATURDAY, _SUNDAY = 5, 6
_EVENING = 18
_AWAY = ("email_open", "email_click", "redeem", "payment", "payment_failed")
_COMPLAINTS = ("complaint", "problem", "incident")
_SCALES = {"nps": (0.0, 10.0), "csat": (1.0, 5.0), "ces": (1.0, 7.0), "review": (1.0, 5.0)}
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
    for one in aggregates:
        if one.rows in ROW_SETS:
            rows = ROW_SETS[one.rows]
            asked = [name for name in (one.column, *(name for name, _ in one.filters)) if name in rows.texts]
            columns.setdefault(rows.facts, {}).update(dict.fromkeys((*rows.reads, *asked)))
    return {facts: tuple(reads) for facts, reads in columns.items()}


def rows_of(block: Block, names: Iterable[str], time_zone: str) -> dict[str, Rows]:
    """Return some row sets of a block, by name."""
    return {name: ROW_SETS[name].make(block.facts[ROW_SETS[name].facts], time_zone) for name in names}


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
    amount, discount = facts.columns["amount"], _filled(facts.columns["discount"])
    cost, channel = facts.columns["cost"], _codes(facts, "channel")
    costed = ~np.isnan(cost) if cost.dtype.kind == "f" else np.ones(len(cost), dtype=np.bool_)
    return _rows(
        facts,
        time_zone,
        order=np.ones(len(amount), dtype=np.int64),
        amount=amount,
        discount=discount,
        with_discount=discount > 0,
        list_price=amount + discount,
        quantity=_filled(facts.columns["quantity"]),
        costed_amount=np.where(costed, amount, 0),
        margin=np.where(costed, amount - _filled(cost), 0),
        new_channel=first_seen(channel, facts.offsets),
    )


def _purchase_days(facts: Facts, time_zone: str) -> Rows:
    """Return one row per order event: a customer's day with a positive net amount, at the first order that was paid."""
    day, since_midnight = local_days(facts.event_at, time_zone)
    events = order_events(facts.customer, day, facts.columns["amount"])
    event, day, since_midnight = facts.keep(events), day[events], since_midnight[events]
    gap = _gaps(event, day)
    weekday = (day + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0
    return _rows(
        event,
        time_zone,
        event=np.ones(len(day), dtype=np.int64),
        gap_squared=gap * gap,
        has_gap=gap > 0,
        weekend=(weekday == _SATURDAY) | (weekday == _SUNDAY),
        evening=since_midnight >= _EVENING * HOUR,
    )


def _order_lines(facts: Facts, time_zone: str) -> Rows:
    discount, category = _filled(facts.columns["discount"]), _codes(facts, "category")
    return _rows(
        facts,
        time_zone,
        line=np.ones(len(discount), dtype=np.int64),
        amount=facts.columns["amount"],
        quantity=_filled(facts.columns["quantity"]),
        discounted=discount > 0,
        new_category=first_seen(category, facts.offsets),
    )


def _returns(facts: Facts, time_zone: str) -> Rows:
    return _rows(facts, time_zone, amount=facts.columns["amount"])


def _of_kind(*kinds: str) -> Callable[[Facts, str], Rows]:
    """Return a maker of the interactions of some kinds."""

    def make(facts: Facts, time_zone: str) -> Rows:
        return _rows(facts.keep(_said(facts, "kind", kinds)), time_zone)

    return make


def _acts(facts: Facts, time_zone: str) -> Rows:
    """Return what a customer did with us of their own accord: no letters opened, no money moved."""
    rows = facts.keep(~_said(facts, "kind", _AWAY))
    day, _ = local_days(rows.event_at, time_zone)
    active_day = np.ones(len(day), dtype=np.bool_)
    active_day[1:] = (day[1:] != day[:-1]) | (rows.customer[1:] != rows.customer[:-1])
    kinds = ("visit", "view", "search", "cart", "wishlist", "login")
    return _rows(
        rows,
        time_zone,
        active_day=active_day,
        **{kind: _said(rows, "kind", (kind,)) for kind in kinds},
        referral=_said(rows, "kind", ("referral", "share")),
        seconds=np.where(_said(rows, "kind", ("visit",)), _filled(rows.columns["duration_seconds"]), 0),
        timed=_said(rows, "kind", ("visit",)) & ~_empty(rows.columns["duration_seconds"]),
    )


def _contacts(facts: Facts, time_zone: str) -> Rows:
    """Return the contacts carried out; one that was withheld for the control group never reached the customer."""
    carried_out = facts.keep(~_said(facts, "arm", ("control",)))
    return _rows(carried_out, time_zone)


def _tickets(facts: Facts, time_zone: str) -> Rows:
    return _rows(facts, time_zone, complaint=_said(facts, "kind", _COMPLAINTS))


def _complaints(facts: Facts, time_zone: str) -> Rows:
    return _rows(facts.keep(_said(facts, "kind", _COMPLAINTS)), time_zone)


def _hours_to(fact: str) -> RowSet:
    """Return the rows of a later fact of tickets, each at the time the ticket was opened, with the hours it took."""
    time = fact.partition(".")[2]

    def make(facts: Facts, time_zone: str) -> Rows:
        hours = np.maximum(facts.columns[time].astype(np.int64) - facts.event_at, 0) // HOUR
        return _rows(facts, time_zone, hours=hours)

    return RowSet(fact, (time,), make)


def _answers(*instruments: str) -> Callable[[Facts, str], Rows]:
    """Return a maker of the answered surveys, each at the time it was sent, with how far the score is up its scale."""

    def make(facts: Facts, time_zone: str) -> Rows:
        rows = facts.keep(_said(facts, "instrument", instruments)) if instruments else facts
        low, high = (_ends(rows, name, which) for which, name in enumerate(("scale_min", "scale_max")))
        score, scaled = rows.columns["score"], high > low
        share = np.divide(score - low, high - low, out=np.full(len(score), np.nan), where=scaled)
        rows, share = rows.keep(~np.isnan(share)), share[~np.isnan(share)]
        points = np.rint(np.clip(share, 0, 1) * _POINTS)
        return _rows(rows, time_zone, points=points, low=points < _POINTS / 2)

    return make


def _ends(facts: Facts, column: str, which: int) -> npt.NDArray[np.float64]:
    """Return an end of each survey's scale: as it was told, else as its instrument has it."""
    words = facts.words["instrument"]
    usual = np.array([*(_SCALES.get(word, (np.nan, np.nan))[which] for word in words), np.nan])
    told = facts.columns[column].astype(np.float64)
    return np.where(np.isnan(told), usual[facts.columns["instrument"].astype(np.int64)], told)


def _as_they_are(facts: Facts, time_zone: str) -> Rows:
    return _rows(facts, time_zone)


_OF_ANSWERS = ("score", "instrument", "scale_min", "scale_max")

ROW_SETS: dict[str, RowSet] = {
    "orders": RowSet("orders", ("amount", "discount", "quantity", "channel", "cost"), _orders),
    "purchase_days": RowSet("orders", ("amount",), _purchase_days),
    "order_lines": RowSet("order_lines", ("amount", "discount", "category", "quantity"), _order_lines, ("product_id",)),
    "returns": RowSet("returns", ("amount",), _returns, ("reason",)),
    "acts": RowSet("interactions", ("kind", "channel", "duration_seconds"), _acts, ("category", "item", "query")),
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
    "answers": RowSet("surveys.score", _OF_ANSWERS, _answers()),
    **{f"{name}_answers": RowSet("surveys.score", _OF_ANSWERS, _answers(name)) for name in _SCALES},
    "profile_changes": RowSet("profile_changes", (), _as_they_are, ("attribute",)),
}
"""Every kind of row there is, by name."""


def _rows(facts: Facts, time_zone: str, **columns: npt.NDArray[np.generic]) -> Rows:
    day, _ = local_days(facts.event_at, time_zone)
    columns |= {name: facts.columns[name] for name in facts.words if name in facts.columns}
    columns |= {"day": day, "gap": _gaps(facts, day)}
    typed = {name: np.ascontiguousarray(column, dtype=np.int64) for name, column in columns.items()}
    return Rows(facts.offsets, facts.event_at, typed, facts.words)


def _gaps(facts: Facts, day: Integers) -> Integers:
    """Return the local days since the customer's row before, 0 at their first."""
    gap = np.zeros(len(day), dtype=np.int64)
    gap[1:] = np.where(facts.customer[1:] == facts.customer[:-1], day[1:] - day[:-1], 0)
    return gap


def _codes(facts: Facts, column: str) -> Integers:
    return facts.columns[column].astype(np.int64)


def _said(facts: Facts, column: str, words: Sequence[str]) -> Flags:
    """Tell of which rows a text column holds one of some words, in whatever case they are written."""
    among = np.array([*(word.lower() in words for word in facts.words[column]), False])  # an empty text has code -1
    return np.asarray(among[facts.columns[column].astype(np.int64)])


def _empty(column: npt.NDArray[np.generic]) -> Flags:
    return np.isnan(column) if column.dtype.kind == "f" else np.zeros(len(column), dtype=np.bool_)


def _filled(column: npt.NDArray[np.generic]) -> Integers:
    """Return a column with its empty places as zero: a discount not given is none."""
    if column.dtype.kind == "f":
        column = np.nan_to_num(column)
    return column.astype(np.int64)
