"""Contracts in the versions they had: who held one as it was known at a cutoff, and which ended and were continued."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from churnml.events.clock import days_later
from churnml.events.facts import NEVER, Facts, Integers


def least_later(group: Integers, turn: Sequence[Integers], value: Integers) -> Integers:
    """Return for each row the least value of the rows of its group that come after its turn, `NEVER` if none does.

    Parameters
    ----------
    group : ndarray of shape (n_rows,)
        What belongs together.
    turn : sequence of ndarray of shape (n_rows,)
        In what order the rows of a group come: by the first, then by the second, and so on; ties come together.
    value : ndarray of shape (n_rows,)
        Anything that has an order.

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    order, rows = np.lexsort((*reversed(turn), group)), len(group)
    group_opens = _changes(group[order])
    opens = np.flatnonzero(np.logical_or.reduce([group_opens, *(_changes(one[order]) for one in turn)]))
    values, rank = np.unique(value, return_inverse=True)
    # from the back: whoever enters an earlier group is below all that lies behind, so a group starts afresh
    number = np.cumsum(group_opens)
    least = np.minimum.accumulate((number * rows + rank[order])[::-1])[::-1]
    following = np.append(opens, rows)[np.searchsorted(opens, np.arange(rows), side="right")]
    inside = (following < rows) & (number[np.minimum(following, rows - 1)] == number)
    later = np.full(rows, NEVER, dtype=np.int64)
    later[order[inside]] = values[least[following[inside]] % rows]
    return later


def _changes(column: Integers) -> npt.NDArray[np.bool_]:
    """Mark each row that differs from the one before it."""
    opens = np.ones(len(column), dtype=np.bool_)
    opens[1:] = column[1:] != column[:-1]
    return opens


@dataclass(frozen=True)
class Contracts:
    """The versions of every contract of a block; it answers who held one, and who had held one.

    Parameters
    ----------
    versions : Facts
        One row a version, with its `amount` and `plan`, whether it is `paid` for and no trial, the number of its
        `contract` for this customer, when it `renews` (`NEVER` where that is not told) and from when on that is known.
        Its `known_until` is when a newer one was known, whosever: a contract that changed hands has ended for its old
        owner.
    replaced_at : ndarray of shape (n_versions,)
        When a newer version of the same customer was known.
    begins, ends : ndarray of shape (n_versions,)
        When the contract began and ended by that version, microseconds UTC; an open end is the last instant there is.
    """

    versions: Facts
    replaced_at: Integers
    begins: Integers
    ends: Integers

    def held(self, cutoffs: Sequence[int]) -> npt.NDArray[np.bool_]:
        """Return who held a paid contract at each cutoff, by what was known then; shape (n_cutoffs, n_customers).

        A contract stands as the last of its versions says that were known at the cutoff; an end that lies at the
        cutoff or after it was not seen yet. A trial is none (docs/adr/0015).
        """
        return self._whose(cutoffs, lambda cutoff: self.versions.seen(cutoff) & (self.ends >= cutoff) & self._paid)

    def begun(self, cutoffs: Sequence[int]) -> npt.NDArray[np.bool_]:
        """Return of whom some paid contract had begun before each cutoff, ended or not; shape as `held`."""

        def standing(cutoff: int) -> npt.NDArray[np.bool_]:
            learned, contract = self.versions.learned(cutoff), self.versions.columns["contract"]
            return learned & (self.replaced_at > cutoff) & np.isin(contract, contract[learned & self._paid])

        return self._whose(cutoffs, standing)

    @property
    def _paid(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.versions.columns["paid"]).astype(np.bool_)

    def _whose(self, cutoffs: Sequence[int], standing: Callable[[int], npt.NDArray[np.bool_]]) -> npt.NDArray[np.bool_]:
        found = np.zeros((len(cutoffs), len(self.versions.offsets) - 1), dtype=np.bool_)
        for place, cutoff in enumerate(cutoffs):
            rows = standing(cutoff) & (self.begins < cutoff)
            found[place, self.versions.customer[rows]] = True
        return found

    def up_to(self, last: int) -> Contracts:
        """Hide what was learned after the last cutoff, and every end at or after it."""
        rows = self.versions.learned(last)
        replaced = np.where(self.replaced_at > last, NEVER, self.replaced_at)
        ends = np.where(self.ends < last, self.ends, NEVER)
        versions = self.versions.up_to(last)
        known = versions.columns["renews_known"] <= last
        versions = replace(
            versions, columns=versions.columns | {"renews": np.where(known, versions.columns["renews"], NEVER)}
        )
        return Contracts(versions, replaced[rows], self.begins[rows], ends[rows])

    def without(self, customers: npt.NDArray[np.bool_]) -> Contracts:
        """Return the same customers, those marked true without a contract."""
        rows = ~customers[self.versions.customer]
        return Contracts(self.versions.keep(rows), self.replaced_at[rows], self.begins[rows], self.ends[rows])

    def only(self, customers: npt.NDArray[np.bool_]) -> Contracts:
        """Return those of the customers marked true."""
        rows = customers[self.versions.customer]
        return Contracts(self.versions.of(customers), self.replaced_at[rows], self.begins[rows], self.ends[rows])


@dataclass(frozen=True)
class Terms:
    """When each contract began and ended for each of its customers, by all that is known.

    Parameters
    ----------
    customer : ndarray of shape (n_contracts,)
        As a position in the block.
    begins, ends : ndarray of shape (n_contracts,)
        Microseconds UTC, `ends` the later; `NEVER` where it has not ended yet.
    paid_from : ndarray of shape (n_contracts,)
        From when on it was paid for; `NEVER` where it never was.
    """

    customer: Integers
    begins: Integers
    ends: Integers
    paid_from: Integers

    def begun(self, cutoffs: Sequence[int], horizon_days: int, n_customers: int, time_zone: str) -> Integers:
        """Return how many contracts each customer began to pay for in the horizon; shape (n_cutoffs, n_customers)."""
        counts = np.zeros((len(cutoffs), n_customers), dtype=np.int64)
        for place, cutoff in enumerate(cutoffs):
            last = min(days_later(cutoff, horizon_days, time_zone), NEVER)
            rows = (self.paid_from >= cutoff) & (self.paid_from < np.minimum(self.ends, last))
            np.add.at(counts[place], self.customer[rows], 1)
        return counts

    def ended(
        self, cutoffs: Sequence[int], horizon_days: int, grace_days: int, n_customers: int, time_zone: str
    ) -> tuple[Integers, Integers, Integers]:
        """Return how many paid contracts ended in the horizon, how many of these another one continued, and who left.

        Another does that is paid for, has begun before the grace period after the end is over, and outlasts the end: a
        new one, and one that the customer holds beside it.

        Returns
        -------
        ended, continued : ndarray of shape (n_cutoffs, n_customers)
        left_day : ndarray of shape (n_cutoffs, n_customers)
            Whole days from the cutoff to the first end that none continued, -1 where there is none.
        """
        counts = np.zeros((2, len(cutoffs), n_customers), dtype=np.int64)
        first = np.full((len(cutoffs), n_customers), NEVER, dtype=np.int64)
        paid = self.paid_from < self.ends
        other_begins = least_later(self.customer, [self.ends], np.where(paid, self.begins, NEVER))
        for place, cutoff in enumerate(cutoffs):
            last = days_later(cutoff, horizon_days, time_zone)
            rows = np.flatnonzero(paid & (self.ends >= cutoff) & (self.ends < last))
            grace = [days_later(end, grace_days, time_zone) for end in self.ends[rows].tolist()]
            continued = other_begins[rows] < np.array(grace, dtype=np.int64)
            np.add.at(counts[0, place], self.customer[rows], 1)
            np.add.at(counts[1, place], self.customer[rows], continued)
            gone = rows[~continued]
            midnights = [days_later(cutoff, day + 1, time_zone) for day in range(horizon_days)]
            day = np.searchsorted(np.array(midnights, dtype=np.int64), self.ends[gone], "right")
            np.minimum.at(first[place], self.customer[gone], day)
        return counts[0], counts[1], np.where(first < NEVER, first, -1)
