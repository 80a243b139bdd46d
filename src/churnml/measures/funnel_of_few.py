"""The furthest stage of the funnel of a few customers in memory, where a database would take longer than all else.

How far somebody got asks only how often each sign was seen, not when. That is counted from the block that features are
made of. Signs of contracts, and of what came to be known later, are left to SQL over the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from churnml.config import FunnelRules
from churnml.events import Block, Store, current
from churnml.events.books import open_books
from churnml.events.clock import local_days
from churnml.events.order_events import order_events
from churnml.events.schema import TABLES
from churnml.measures.funnel import furthest_of_each
from churnml.measures.funnel_stages import FunnelStage, Sign

Counts = npt.NDArray[np.int64]


def columns_asked(stages: Sequence[FunnelStage]) -> dict[str, tuple[str, ...]]:
    """Return what `history` has to read for these stages, columns by table."""
    asked: dict[str, dict[str, None]] = {}
    for sign in _signs(stages):
        if sign.table == "orders":
            asked.setdefault("orders", {})["amount"] = None
        elif sign.table != "customers" and _is_plain(sign):
            asked.setdefault(sign.table, {}).update(dict.fromkeys(sign.where))
    return {name: tuple(columns) for name, columns in asked.items()}


def furthest_of_few(
    store: Store, block: Block, cutoff: int, stages: Sequence[FunnelStage], rules: FunnelRules
) -> dict[str, FunnelStage]:
    """Return the furthest stage that each customer of a block has reached, of those who reached any.

    Parameters
    ----------
    store : Store
        Whose rows the block holds.
    block : Block
        With the columns of `columns_asked`.
    cutoff : int
        Microseconds UTC.
    stages : sequence of FunnelStage
        The company's, of which anybody has reached each; none where there is no funnel.
    rules : FunnelRules
        What skipping one means.
    """
    if not stages:
        return {}
    if not all(_is_plain(sign) for sign in _signs(stages) if sign.table in store.tables):
        with open_books(store, cutoff) as books:
            return furthest_of_each(books, stages, rules)
    seen = np.array([_seen(block, store, cutoff, stage) for stage in stages])
    known = current(block.facts["customers"], [cutoff])[0] >= 0
    if block.refused is not None:
        known &= ~block.refused
    if rules.skipped == "counted":  # a later stage counts for those before it
        seen = np.logical_or.accumulate(seen[::-1], axis=0)[::-1]
    furthest = np.logical_and.accumulate(seen, axis=0).sum(axis=0)
    told = zip(block.customer_ids[known], furthest[known].tolist(), strict=True)
    return {customer: stages[place - 1] for customer, place in told if place}


def _signs(stages: Sequence[FunnelStage]) -> list[Sign]:
    return [sign for stage in stages for sign in stage.signs]


def _is_plain(sign: Sign) -> bool:
    """Tell whether a sign can be counted from a block: one of plain rows, by words that are known with them."""
    if sign.table in {"customers", "orders"}:
        return not sign.where
    first = TABLES[sign.table].first_facts
    wanted = [one for value in sign.where.values() for one in (value if isinstance(value, tuple) else (value,))]
    words = all(isinstance(one, str) for one in wanted) and all(name in first for name in sign.where)
    return words and sign.table not in {"subscriptions", "contacts"}


def _seen(block: Block, store: Store, cutoff: int, stage: FunnelStage) -> npt.NDArray[np.bool_]:
    """Return of which customers of a block a stage was seen; shape (n_customers,)."""
    seen = np.zeros(len(block.customer_ids), dtype=np.bool_)
    for sign in stage.signs:
        if sign.table in store.tables:
            seen |= _times(block, store, cutoff, sign) >= sign.at_least
    return seen


def _times(block: Block, store: Store, cutoff: int, sign: Sign) -> Counts:
    """Return how often a sign was seen of each customer."""
    if sign.table == "customers":
        return np.asarray(current(block.facts["customers"], [cutoff])[0] >= 0, dtype=np.int64)
    facts = block.facts[sign.table].known_by(cutoff)
    if sign.table == "orders":
        day, amount = local_days(facts.event_at, store.time_zone)[0], facts.columns["amount"].astype(np.int64)
        meant = order_events(facts.customer, day, amount)
    else:
        meant = np.ones(len(facts.event_at), dtype=np.bool_)
        for name, wanted in sign.where.items():
            words = {wanted} if isinstance(wanted, str) else set(wanted if isinstance(wanted, tuple) else ())
            codes = [code for code, word in enumerate(facts.words[name]) if word in words]
            meant &= np.isin(facts.columns[name], codes)
    return np.asarray(np.bincount(facts.customer[meant], minlength=len(block.customer_ids)), dtype=np.int64)
