"""Spells without an order: how long after a cutoff the next order event came, cut into intervals.

A *spell* begins at a cutoff and ends with the next order event. It is cut at a few *interval ends*, days from the
cutoff; a customer is at risk in an interval if no order came before it. An interval that is not closed by the instant
after which nothing may be known is *censored*: it is left out, and teaches neither that an order came nor that none
did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from churnml.events.clock import days_later

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_HALVINGS = 3
_LEAST_DAYS = 2


def interval_ends(horizon_days: int, longest_days: int) -> tuple[int, ...]:
    """Return the days at which spells are cut: the horizon, its half, quarter and eighth, and its doubles.

    Orders are frequent at first and rare later, so each interval is as long as all before it.

    Parameters
    ----------
    horizon_days : int
        The horizon of the record; it is always one of them.
    longest_days : int
        The greatest end that is of use; at least the horizon is returned.

    Examples
    --------
    >>> interval_ends(60, 200)
    (8, 15, 30, 60, 120)
    >>> interval_ends(1, 3)
    (1, 2)
    """
    early = {-(-horizon_days // 2**power) for power in range(1, _HALVINGS + 1)}
    ends = sorted({end for end in early if end >= _LEAST_DAYS and end < horizon_days} | {horizon_days})
    while 2 * ends[-1] <= longest_days:
        ends.append(2 * ends[-1])
    return tuple(ends)


@dataclass(frozen=True)
class Spells:
    """The spells of some rows, cut at the same days.

    Parameters
    ----------
    ends : tuple of int
        Days from the cutoff at which the intervals end, ascending.
    first_order_day : ndarray of shape (n_rows,)
        From `events.Outcome`, looked for at least as far as the last end; -1 if none came.
    final_at : ndarray of shape (n_rows, n_intervals)
        When it is known for good whether an order came before the end of the interval; microseconds UTC.
    """

    ends: tuple[int, ...]
    first_order_day: Integers
    final_at: Integers

    @property
    def ordered(self) -> Flags:
        """Whether the first order came in each interval, of shape (n_rows, n_intervals)."""
        starts = np.array((0, *self.ends[:-1]))
        day = self.first_order_day[:, None]
        return np.asarray((day >= starts) & (day < np.array(self.ends)))

    def at_risk(self, known_by: int) -> Flags:
        """Return who was without an order when an interval began that was closed by an instant; shape as `ordered`."""
        starts, day = np.array((0, *self.ends[:-1])), self.first_order_day[:, None]
        return np.asarray(((day < 0) | (day >= starts)) & (self.final_at <= known_by))

    def silent(self, days: int) -> Flags:
        """Return who did not order within so many days, of shape (n_rows,)."""
        return np.asarray((self.first_order_day < 0) | (self.first_order_day >= days))

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Spells:
        """Return the spells of some rows."""
        return Spells(self.ends, self.first_order_day[rows], self.final_at[rows])


def final_instants(cutoffs: Integers, ends: Sequence[int], label_lag_days: int, time_zone: str) -> Integers:
    """Return from when the label of each interval is final, of shape (n_rows, n_intervals); microseconds UTC.

    Parameters
    ----------
    cutoffs : ndarray of shape (n_rows,)
        Microseconds UTC.
    ends : sequence of int
        Days from the cutoff.
    label_lag_days : int
        From `splits.label_lag`.
    """
    known, row = np.unique(cutoffs, return_inverse=True)
    final = [
        [days_later(days_later(int(cutoff), end, time_zone), label_lag_days, time_zone) for end in ends]
        for cutoff in known
    ]
    return np.array(final, dtype=np.int64).reshape(len(known), len(ends))[row]
