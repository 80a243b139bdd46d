"""Equal histories counted once: real tables shrink, and every pass of a likelihood with them.

Times are kept as places in a short list of the times that occur, for a few hundred different days make the times of
any number of customers, and a logarithm for each of the days does for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numba
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_EXACT = 2.0**62
SAMPLES = (1_500, 15_000)
"""Rows of the samples on which a search begins."""


@dataclass(frozen=True, eq=False)
class Histories:
    """Distinct histories in ascending order of frequency, then recency, then age.

    Parameters
    ----------
    x : ndarray of shape (n_distinct,)
        Repeat purchases.
    last, age : ndarray of int, shape (n_distinct,)
        Time of the last purchase and age, as places in `times`.
    times : ndarray of shape (n_times,)
        The times that occur.
    share : ndarray of shape (n_distinct,)
        Of all customers, adding up to 1.
    """

    x: FloatArray
    last: Integers
    age: Integers
    times: FloatArray
    share: FloatArray

    @cached_property
    def tx(self) -> FloatArray:
        """Time of the last purchase, shape (n_distinct,)."""
        return self.times[self.last]

    @cached_property
    def T(self) -> FloatArray:  # noqa: N802  # the field's own name
        """Age, shape (n_distinct,)."""
        return self.times[self.age]

    @cached_property
    def by_frequency(self) -> tuple[FloatArray, FloatArray]:
        """The frequencies that occur, and the share of customers of each."""
        starts = np.flatnonzero(np.diff(self.x, prepend=-1.0))
        return self.x[starts], np.add.reduceat(self.share, starts)

    def ladder(self) -> list[Histories]:
        """Return a small sample, a larger one, and all: a search comes near at little cost and ends where it should.

        Of few histories only all are returned.
        """
        return [*(self._sample(size) for size in SAMPLES if size < len(self.x)), self]

    def _sample(self, size: int) -> Histories:
        """Return a systematic sample in proportion to shares: a history for each mark their running total passes."""
        marks = (np.arange(size) + 0.5) / size
        rows = np.minimum(np.searchsorted(np.cumsum(self.share), marks), len(self.x) - 1)
        rows, counts = np.unique(rows, return_counts=True)
        return _listed(self.x[rows], self.tx[rows], self.T[rows], counts / size)


def histories(weights: FloatArray, x: FloatArray, tx: FloatArray, T: FloatArray, scale: float) -> Histories:
    """Return the distinct histories of customers of positive weight, time divided by `scale`."""
    if not (weights > 0).all():
        known = weights > 0
        weights, x, tx, T = weights[known], x[known], tx[known], T[known]
    packed = _packed(x, tx, T)
    if packed is None or np.ptp(weights) > 0:
        order, first = _grouped(x, tx, T)
        rows = order[first]
        total = np.add.reduceat(weights[order], first)
        return _listed(x[rows], tx[rows] / scale, T[rows] / scale, total / total.sum())
    packed.sort()
    days, size = int(T.max()) + 1, int(tx.max()) + 1
    frequency, last, age, counts = _runs(packed, size, days)
    return Histories(frequency, last, age, np.arange(days) / scale, counts / len(packed))


def for_distinct(answer: Callable[..., FloatArray], *columns: FloatArray) -> FloatArray:
    """Return `answer(*columns)`, computed once for rows that are equal; the answer has a row for each of them."""
    if len(columns[0]) == 0:
        return answer(*columns)
    order, first = _grouped(*columns)
    group = np.empty(len(order), dtype=np.intp)
    group[order] = np.repeat(np.arange(len(first)), np.diff(first, append=len(order)))
    return answer(*(column[order[first]] for column in columns))[group]


def _listed(x: FloatArray, tx: FloatArray, T: FloatArray, share: FloatArray) -> Histories:
    times, places = np.unique(np.concatenate([tx, T]), return_inverse=True)
    return Histories(x, places[: len(x)], places[len(x) :], times, share)


def _grouped(*columns: FloatArray) -> tuple[Integers, Integers]:
    """Return an order that puts equal rows side by side, the first column leading, and where each group begins."""
    packed = _packed(*columns)
    if packed is not None:
        order = np.argsort(packed, kind="stable")
        changes = np.diff(packed[order]) != 0
    else:
        order = np.lexsort(columns[::-1])
        changes = np.logical_or.reduce([np.diff(column[order]) != 0 for column in columns])
    return order, np.flatnonzero(np.concatenate([[True], changes]))


def _packed(*columns: FloatArray) -> Integers | None:
    """Return each row as one integer in the order of rows, None if not all values are whole numbers.

    Counts and days are, and sorting integers is several times faster than sorting rows.
    """
    sizes = [float(column.max()) + 1 for column in columns]
    if not float(np.prod(sizes)) < _EXACT:
        return None
    packed = np.zeros(len(columns[0]), dtype=np.int64)
    whole = all(_append(packed, column, int(size)) for column, size in zip(columns, sizes, strict=True))
    return packed if whole else None


@numba.njit(cache=True, nogil=True)
def _append(packed: Integers, column: FloatArray, size: int) -> bool:
    for i in range(len(column)):
        value = int(column[i])
        if value != column[i]:
            return False
        packed[i] = packed[i] * size + value
    return True


@numba.njit(cache=True, nogil=True)
def _runs(packed: Integers, size: int, days: int) -> tuple[FloatArray, Integers, Integers, FloatArray]:
    """Return frequency, last, age and count of each run of equal integers, taken apart again."""
    n = len(packed)
    frequency, last, age, counts = np.empty(n), np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n)
    run = -1
    for i in range(n):
        if i == 0 or packed[i] != packed[i - 1]:
            run += 1
            before = packed[i] // days
            age[run] = packed[i] - before * days
            frequency[run] = before // size
            last[run] = before % size
            counts[run] = 0
        counts[run] += 1
    run += 1
    return frequency[:run], last[:run], age[:run], counts[:run]
