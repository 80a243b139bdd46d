"""When contracts renew: every how many days, and how each went on that was known at a cutoff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from churnml.events.clock import DAY, days_later
from churnml.events.contracts import Contracts, least_later
from churnml.events.facts import NEVER, Integers

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MONTH = 365.25 / 12
PERIODS: Mapping[str, float] = {"day": 1.0, "week": 7.0, "month": MONTH, "quarter": 3 * MONTH, "year": 12 * MONTH}
"""Days of each `period` of a contract."""

_NEAR = 0.2
_ENDS = 10
_ON_ITS_DAY = 3.0
"""Days around a renewal within which an end is one at the renewal: a failed payment is tried again for a few days."""


def every_days(contract: Integers, learned: Flags, event_at: Integers, renews: Integers, nominal: Floats) -> Floats:
    """Return every how many days the contract of each version renews, by the versions learned; shape (n_versions,).

    That is the mean time from a version to the renewal it names, a renewal on the same day of a later month as so many
    mean months. A version written between two renewals names the nearer one, so times shorter than the period that is
    paid for do not count, nor, where that is not told, times shorter than the longest. Where none counts it is that
    period; and a month where that is not told.

    Parameters
    ----------
    contract, event_at, renews : ndarray of shape (n_versions,)
        As of `Contracts.versions`.
    learned : ndarray of shape (n_versions,)
        Which versions count.
    nominal : ndarray of shape (n_versions,)
        Days of the period that is paid for, NaN where it is not told.
    """
    size = int(contract.max(initial=-1)) + 1
    named = np.flatnonzero(learned & (renews < NEVER) & (renews >= event_at + DAY))
    apart, whose = _apart(event_at[named], renews[named]), contract[named]
    longest, total, count = np.zeros(size), np.zeros(size), np.zeros(size)
    np.maximum.at(longest, whose, apart)
    least = (1.0 - _NEAR) * np.where(np.isnan(nominal[named]), longest[whose], nominal[named])
    counts = apart >= least
    np.add.at(total, whose[counts], apart[counts])
    np.add.at(count, whose[counts], 1.0)
    usual = np.where(np.isnan(nominal), MONTH, nominal)
    mean = np.divide(total, count, out=np.zeros(size), where=count > 0)[contract]
    return np.asarray(np.where(mean > 0, mean, usual))


def _apart(begin: Integers, end: Integers) -> Floats:
    """Return the days between two instants, those between the same day of two months as mean months."""
    days = (end - begin) / DAY
    first, last = (at.astype("datetime64[us]").astype("datetime64[D]") for at in (begin, end))
    months = last.astype("datetime64[M]").astype(np.int64) - first.astype("datetime64[M]").astype(np.int64)
    of_month = [(at - at.astype("datetime64[M]")).astype(np.int64) for at in (first, last)]
    return np.where((months > 0) & (of_month[0] == of_month[1]), months * MONTH, days)


def period_days(every: Floats, nominal: Floats) -> Floats:
    """Return how many days the price of a contract is for; shape as given.

    A year that is paid month by month renews every twelve periods, and months of 30 days make periods of 30: where the
    time between renewals is about a whole number of periods it tells their length.
    """
    usual = np.where(np.isnan(nominal), every, nominal)
    whole = np.maximum(np.round(every / usual), 1.0)
    exact = every / whole
    return np.asarray(np.where(np.abs(exact / usual - 1.0) <= _NEAR, exact, usual))


@dataclass(frozen=True)
class Spells:
    """Contracts that were paid for, as known at a cutoff; arrays of shape (n_contracts,).

    Parameters
    ----------
    renewed : ndarray
        How many renewals each has survived.
    seen_from : ndarray
        How many of these lay before we heard of it: one that had ended by then could not be heard of.
    left_at_renewal, left_between : ndarray
        Whether it has ended, on the day of a renewal or on another day; neither of one that runs, or that another
        contract of the customer continued.
    days : ndarray
        Days under observation.
    """

    renewed: Integers
    seen_from: Integers
    left_at_renewal: Flags
    left_between: Flags
    days: Floats

    def __len__(self) -> int:
        return len(self.renewed)


@dataclass(frozen=True)
class Runs:
    """When the paid contracts of a block ran, as known at a cutoff; arrays of shape (n_contracts,).

    Parameters
    ----------
    begins, entered, ends : ndarray
        From when on each was paid for, since when it is heard of, and when it ended; `NEVER` where it runs on.
    every : ndarray
        Days between two renewals.
    due : ndarray
        The last renewal that was named, `NEVER` where none was.
    continued : ndarray
        Whether another contract of the customer continued it.
    """

    begins: Integers
    entered: Integers
    ends: Integers
    every: Floats
    due: Integers
    continued: Flags

    @classmethod
    def of(cls, contracts: Contracts, cutoff: int, grace_days: int) -> Runs:
        """Return when contracts ran until a cutoff, by what was known then.

        Parameters
        ----------
        grace_days : int
            How long after its end another contract of the customer still continues one.
        """
        versions = contracts.versions
        learned, paying = versions.learned(cutoff), np.asarray(versions.columns["paid"]) == 1
        contract, renews, known = (
            np.asarray(versions.columns[name], dtype=np.int64) for name in ("contract", "renews", "renews_known")
        )
        renews = np.where(known <= cutoff, renews, NEVER)
        nominal = np.asarray(versions.columns["nominal"], dtype=np.float64)
        every = every_days(contract, learned, versions.event_at, renews, nominal)
        paid = np.isin(contract, contract[learned & paying])
        rows = np.flatnonzero(learned & paid & (contracts.replaced_at > cutoff) & (contracts.begins < cutoff))
        begins, entered = (one[contract[rows]] for one in _paid_since(contracts, contract, learned, paying))
        ends = np.where(contracts.ends[rows] < cutoff, contracts.ends[rows], NEVER)
        over = ends < NEVER
        other = least_later(versions.customer[rows], [ends], contracts.begins[rows])
        continued = over & (other < ends + np.where(over, grace_days * DAY, 0))
        due = np.full(int(contract.max(initial=-1)) + 1, -1, dtype=np.int64)
        named = learned & (renews < NEVER)
        np.maximum.at(due, contract[named], renews[named])
        last = due[contract[rows]]
        return cls(begins, entered, ends, every[rows], np.where(last >= 0, last, NEVER), continued)

    @classmethod
    def joined(cls, parts: Sequence[Runs]) -> Runs:
        """Return the contracts of several blocks."""
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))


def spells(runs: Runs, cutoff: int, grace_days: int) -> Spells:
    """Return how paid contracts went on until a cutoff.

    Histories that go back further than the first end that was kept are of those alone who lasted until then; what lies
    before it is not counted as observed. With fewer than ten ends it cannot be told where keeping them began. Nor is
    what lies within the grace period before the cutoff: an end may still be continued, and renewals counted without the
    ends of the same days would make leaving look rare.
    """
    closes = cutoff - grace_days * DAY
    over = runs.ends < closes
    watched = int(runs.ends[over].min()) if over.sum() >= _ENDS else int(runs.entered.min(initial=NEVER))
    entered, until = np.maximum(runs.entered, watched), np.minimum(runs.ends, closes)
    gone = over & ~runs.continued
    periods = np.maximum(until - runs.begins, 0) / DAY / runs.every
    nearest = np.round(periods)
    as_named = np.abs(until - runs.due) / DAY <= _ON_ITS_DAY
    on_day = gone & (nearest >= 1) & (as_named | (np.abs(periods - nearest) * runs.every <= _ON_ITS_DAY))
    survived = np.where(on_day, nearest - 1, np.floor(periods)).astype(np.int64)
    before = np.floor(np.maximum(entered - runs.begins, 0) / DAY / runs.every + _ON_ITS_DAY / runs.every / 2)
    seen_from = np.minimum(before.astype(np.int64), survived)
    days = np.maximum(until - np.maximum(runs.begins, entered), 0) / DAY
    return Spells(survived, seen_from, on_day, gone & ~on_day, days)


def _paid_since(contracts: Contracts, contract: Integers, learned: Flags, paying: Flags) -> tuple[Integers, Integers]:
    """Return, by contract, from when on it was paid for, and since when it is under observation."""
    versions = contracts.versions
    size = int(contract.max(initial=-1)) + 1
    first, first_paid, begun = (np.full(size, NEVER, dtype=np.int64) for _ in range(3))
    paid = learned & paying
    np.minimum.at(first, contract[learned], versions.event_at[learned])
    np.minimum.at(first_paid, contract[paid], versions.event_at[paid])
    np.minimum.at(begun, contract[learned], contracts.begins[learned])
    since = np.where(first_paid > first, np.maximum(first_paid, begun), begun)
    return since, np.maximum(first_paid, since)


@dataclass(frozen=True)
class Fees:
    """What contracts cost a day, in the stretches between their versions; arrays of shape (n_stretches,).

    Parameters
    ----------
    customer : ndarray
        As a position in the block.
    begins, ends : ndarray
        Of the stretch, microseconds UTC.
    per_day : ndarray
        In 1/10,000 of a unit of the currency.
    """

    customer: Integers
    begins: Integers
    ends: Integers
    per_day: Floats

    def due(self, cutoffs: Sequence[int], horizon_days: int, n_customers: int, time_zone: str) -> Integers:
        """Return what falls due in the horizon, day by day; shape (n_cutoffs, n_customers), in 1/10,000 unit."""
        told = np.zeros((len(cutoffs), n_customers))
        for place, cutoff in enumerate(cutoffs):
            last = days_later(cutoff, horizon_days, time_zone)
            inside = np.minimum(self.ends, last) - np.maximum(self.begins, cutoff)
            rows = np.flatnonzero(inside > 0)
            np.add.at(told[place], self.customer[rows], inside[rows] / DAY * self.per_day[rows])
        return np.rint(told).astype(np.int64)
