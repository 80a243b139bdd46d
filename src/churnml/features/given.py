"""What is told at each cutoff at once and needs no folding: the cutoff itself, the customer, their contracts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from churnml.events import Block, current
from churnml.events.clock import DAY, local_days
from churnml.events.facts import NEVER, Facts
from churnml.events.renewals import every_days, period_days
from churnml.features.declare import MISSING

Integers = npt.NDArray[np.int64]
Given = dict[str, Integers]

FEE_DAYS = 30
"""Of how many days `fee` is the price."""


def _cutoff(block: Block, cutoffs: Sequence[int], time_zone: str) -> Given:
    day, _ = local_days(np.array(cutoffs, dtype=np.int64), time_zone)
    return {"day": np.broadcast_to(day[:, None], (len(cutoffs), len(block.customer_ids)))}


def _customer(block: Block, cutoffs: Sequence[int], time_zone: str) -> Given:
    """Return the day of the first contact and what winning the customer cost, as the latest version known says.

    Of those who refuse to be profiled nothing is said.
    """
    facts = block.facts["customers"]
    row = current(facts, cutoffs)
    day, _ = local_days(facts.event_at, time_zone)
    cost = np.asarray(facts.columns["acquisition_cost"])
    told = ~np.isnan(cost) if cost.dtype.kind == "f" else np.ones(len(cost), dtype=np.bool_)
    cost = np.where(told, np.nan_to_num(cost), MISSING).astype(np.int64)
    known = row >= 0 if block.refused is None else (row >= 0) & ~block.refused
    return {"day": np.where(known, day[row], MISSING), "acquisition_cost": np.where(known, cost[row], MISSING)}


def _contracts(block: Block, cutoffs: Sequence[int], time_zone: str) -> Given:
    """Return what the contracts of each customer come to at each cutoff, by what was known then.

    Of several running contracts the amounts are added up, the oldest says since when, the next to renew says when,
    and the last of them as well; the one that renews least often says how often.
    """
    shape = (len(cutoffs), len(block.customer_ids))
    counted = ("held", "lapsed", "amount", "fee", "first_amount", "plan_changes", "price_rises")
    told = {name: np.zeros(shape, dtype=np.int64) for name in counted}
    told |= {
        name: np.full(shape, MISSING, dtype=np.int64)
        for name in ("begun_day", "renews_in", "renews_last", "every", "paid_day")
    }
    contracts = block.contracts
    if contracts is None:
        return told
    versions, begun_day = contracts.versions, local_days(contracts.begins, time_zone)[0]
    paid_day = np.maximum(begun_day, local_days(versions.event_at, time_zone)[0])
    for place, cutoff in enumerate(cutoffs):
        stands = versions.seen(cutoff) & (contracts.begins < cutoff)
        held, lapsed = stands & (contracts.ends >= cutoff), stands & (contracts.ends < cutoff)
        owner = versions.customer
        np.add.at(told["held"][place], owner[held], 1)
        np.add.at(told["lapsed"][place], owner[lapsed], 1)
        np.add.at(told["amount"][place], owner[held], versions.columns["amount"].astype(np.int64)[held])
        _least(told["begun_day"][place], owner[held], begun_day[held])
        paying = versions.learned(cutoff) & (contracts.begins < cutoff) & (versions.columns["paid"] > 0)
        _least(told["paid_day"][place], owner[paying], paid_day[paying])
        renews = np.where(versions.columns["renews_known"] <= cutoff, versions.columns["renews"], NEVER)
        due = held & (renews >= cutoff) & (renews < NEVER)
        _least(told["renews_in"][place], owner[due], (renews[due] - cutoff) // DAY)
        _most(told["renews_last"][place], owner[due], (renews[due] - cutoff) // DAY)
        _pace(versions, cutoff, held, renews, told["every"][place], told["fee"][place])
        _changes(versions, versions.learned(cutoff), held, {name: told[name][place] for name in counted[4:]})
    return told


def _pace(
    versions: Facts, cutoff: int, held: npt.NDArray[np.bool_], renews: Integers, every_out: Integers, fee: Integers
) -> None:
    """Tell every how many days the running contracts that are paid for renew, and what 30 days of them cost."""
    contract = np.asarray(versions.columns["contract"], dtype=np.int64)
    nominal = np.asarray(versions.columns["nominal"], dtype=np.float64)
    every = every_days(contract, versions.learned(cutoff), versions.event_at, renews, nominal)
    paid = held & (np.asarray(versions.columns["paid"], dtype=np.int64) > 0)
    per_day = np.asarray(versions.columns["amount"]).astype(np.float64) / period_days(every, nominal)
    np.add.at(fee, versions.customer[paid], np.rint(FEE_DAYS * per_day[paid]).astype(np.int64))
    _most(every_out, versions.customer[paid], np.rint(every[paid]).astype(np.int64))


def _least(out: Integers, owner: Integers, values: Integers) -> None:
    least = np.full(len(out), NEVER, dtype=np.int64)
    np.minimum.at(least, owner, values)
    out[:] = np.where(least < NEVER, least, MISSING)


def _most(out: Integers, owner: Integers, values: Integers) -> None:
    most = np.full(len(out), -1, dtype=np.int64)
    np.maximum.at(most, owner, values)
    out[:] = np.where(most >= 0, most, MISSING)


def _changes(versions: Facts, learned: npt.NDArray[np.bool_], held: npt.NDArray[np.bool_], out: Given) -> None:
    """Count, of contracts that run, how often the plan changed and the price rose, and what was paid at first."""
    contract = np.asarray(versions.columns["contract"])
    running = np.isin(contract, contract[held]) & learned
    told = versions.event_at if versions.known_at is None else versions.known_at
    rows = np.flatnonzero(running)
    rows = rows[np.lexsort((told[rows], versions.event_at[rows], contract[rows], versions.customer[rows]))]
    amount, plan = (np.asarray(versions.columns[name])[rows].astype(np.int64) for name in ("amount", "plan"))
    owner, same = versions.customer[rows], np.zeros(len(rows), dtype=np.bool_)
    same[1:] = (contract[rows][1:] == contract[rows][:-1]) & (owner[1:] == owner[:-1])
    before = np.maximum(np.arange(len(rows)) - 1, 0)
    np.add.at(out["first_amount"], owner[~same], amount[~same])
    np.add.at(out["plan_changes"], owner, same & (plan != plan[before]) & (plan >= 0) & (plan[before] >= 0))
    np.add.at(out["price_rises"], owner, same & (amount > amount[before]))


GIVEN: Mapping[str, Callable[[Block, Sequence[int], str], Given]] = {
    "cutoff": _cutoff,
    "customers": _customer,
    "contracts": _contracts,
}
"""What may stand in an aggregate's `rows` beside the row sets, and what its columns are."""

GIVEN_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "cutoff": ("day",),
    "customers": ("day", "acquisition_cost"),
    "contracts": (
        "held", "lapsed", "amount", "fee", "first_amount", "plan_changes", "price_rises", "begun_day", "renews_in",
        "renews_last", "every", "paid_day",
    ),
}  # fmt: skip
"""The columns of each."""
