"""From facts to the rows the kernel folds: the integer columns that the families ask for.

Every column of a row depends on rows before it only, never on later ones; so what a row says does not change as more
arrive. An order event alone depends on its whole day: at a cutoff within that day, see `split_pairs`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from churnml.events import Block, Facts, order_events
from churnml.events.clock import HOUR, local_days
from churnml.features.kernel import Rows, first_seen

Integers = npt.NDArray[np.int64]
WANTED = {
    "orders": ("amount", "discount", "quantity", "channel"),
    "order_lines": ("amount", "discount", "category"),
    "interactions": ("kind",),
    "contacts": ("arm",),
}
"""The columns of each table that the rows below are made of."""

_SATURDAY, _SUNDAY = 5, 6
_EVENING = 18


def rows_of(block: Block, time_zone: str) -> dict[str, Rows]:
    """Return every row set that the block's tables allow, by name."""
    makers: dict[str, Callable[[Facts], dict[str, Rows]]] = {
        "orders": lambda facts: {"orders": _orders(facts), "purchase_days": _purchase_days(facts, time_zone)},
        "order_lines": lambda facts: {"order_lines": _order_lines(facts)},
        "interactions": lambda facts: {"redemptions": _redemptions(facts, time_zone)},
        "contacts": lambda facts: {"contacts": _contacts(facts, time_zone)},
    }
    sets: dict[str, Rows] = {}
    for table, make in makers.items():
        if table in block.facts:
            sets |= make(block.facts[table])
    return sets


def _orders(facts: Facts) -> Rows:
    amount, discount = facts.columns["amount"], _filled(facts.columns["discount"])
    channel = facts.columns["channel"].astype(np.int64)
    return _rows(
        facts,
        order=np.ones(len(amount), dtype=np.int64),
        amount=amount,
        discount=discount,
        list_price=amount + discount,
        quantity=_filled(facts.columns["quantity"]),
        channel=channel,
        new_channel=first_seen(channel, facts.offsets),
    )


def split_pairs(block: Block, cutoffs: Sequence[int], time_zone: str) -> npt.NDArray[np.bool_]:
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


def _purchase_days(facts: Facts, time_zone: str) -> Rows:
    """Return one row per order event: a customer's day with a positive net amount, at the first order that was paid."""
    day, since_midnight = local_days(facts.event_at, time_zone)
    events = order_events(facts.customer, day, facts.columns["amount"])
    event, day, since_midnight = facts.keep(events), day[events], since_midnight[events]
    gap = np.zeros(len(day), dtype=np.int64)
    gap[1:] = np.where(event.customer[1:] == event.customer[:-1], day[1:] - day[:-1], 0)
    weekday = (day + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0
    return _rows(
        event,
        event=np.ones(len(day), dtype=np.int64),
        day=day,
        gap=gap,
        gap_squared=gap * gap,
        has_gap=(gap > 0).astype(np.int64),
        weekend=((weekday == _SATURDAY) | (weekday == _SUNDAY)).astype(np.int64),
        evening=(since_midnight >= _EVENING * HOUR).astype(np.int64),
    )


def _order_lines(facts: Facts) -> Rows:
    discount, category = _filled(facts.columns["discount"]), facts.columns["category"].astype(np.int64)
    return _rows(
        facts,
        line=np.ones(len(discount), dtype=np.int64),
        discounted=(discount > 0).astype(np.int64),
        category=category,
        new_category=first_seen(category, facts.offsets),
    )


def _redemptions(facts: Facts, time_zone: str) -> Rows:
    words = facts.words["kind"]
    redeemed = facts.keep(facts.columns["kind"] == (words.index("redeem") if "redeem" in words else -2))
    day, _ = local_days(redeemed.event_at, time_zone)
    return _rows(redeemed, redemption=np.ones(len(day), dtype=np.int64), day=day)


def _contacts(facts: Facts, time_zone: str) -> Rows:
    """Return the contacts carried out; one that was withheld for the control group never reached the customer."""
    words = facts.words["arm"]
    carried_out = facts.keep(facts.columns["arm"] != (words.index("control") if "control" in words else -2))
    day, _ = local_days(carried_out.event_at, time_zone)
    return _rows(carried_out, contact=np.ones(len(day), dtype=np.int64), day=day)


def _rows(facts: Facts, **columns: npt.NDArray[np.generic]) -> Rows:
    typed = {name: np.ascontiguousarray(column, dtype=np.int64) for name, column in columns.items()}
    return Rows(facts.offsets, facts.event_at, typed)


def _filled(column: npt.NDArray[np.generic]) -> Integers:
    """Return a column with its empty places as zero: a discount not given is none."""
    if column.dtype.kind == "f":
        column = np.nan_to_num(column)
    return column.astype(np.int64)
