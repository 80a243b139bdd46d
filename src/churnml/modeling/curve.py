"""Silence by any day: blends taught a few horizons, joined by each customer's own rhythm of buying.

A blend answers for the horizon, and for a quarter and a half of it. Let A(h) be minus the logarithm of the probability
that silence lasts h days: 0 at once, and what the blends say at theirs. Between two of them, and beyond the last, A
grows as it does by the buying rhythm alone, at another pace: what the blends know beyond the rhythm makes orders more
or less likely by one factor throughout an interval (piecewise proportional hazards). So silence is never likelier for
longer, and at the horizon it is the churn probability itself. docs/adr/0010 has the reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

_DAYS = (14, 30, 60, 90, 180, 365)
_EDGE = 1e-9


def curve_days(horizon_days: int) -> tuple[int, ...]:
    """Return the days for which every customer is told: the same for all companies, and the horizon."""
    return tuple(sorted({*_DAYS, horizon_days}))


def silence(by_rhythm: Callable[[float], Matrix], taught: Mapping[int, Matrix], days: Sequence[int]) -> Matrix:
    """Return the probability of no order within each number of days.

    Parameters
    ----------
    by_rhythm : callable
        Takes a number of days, returns the probability of no order within them by the rhythm of buying, of shape
        (n_rows,).
    taught : mapping of int to ndarray of shape (n_rows,)
        The same by a blend, by the days that it was taught. The longest is the horizon: where the blend of a shorter
        says less, it gives way.
    days : sequence of int
        Ascending.

    Returns
    -------
    ndarray of shape (n_rows, n_days)
        Never rising along a row.

    References
    ----------
    Cox (1972), Regression models and life-tables, JRSS B 34(2), section 2: the proportional hazards. Friedman (1982),
    Piecewise exponential models for survival data with covariates, Annals of Statistics 10(1): one factor an interval.
    """
    knots = sorted(taught)
    horizon = taught[knots[-1]]
    gone = {0: np.zeros_like(horizon)} | {knot: -np.log(_inside(np.maximum(taught[knot], horizon))) for knot in knots}
    for sooner, later in reversed(list(pairwise([0, *knots]))):
        gone[sooner] = np.minimum(gone[sooner], gone[later])
    clock = {day: _clock(by_rhythm, day) for day in {*gone, *days}}
    told = [_at(day, gone, clock) for day in days]
    exact = [horizon if day == knots[-1] else np.exp(-one) for day, one in zip(days, told, strict=True)]
    return np.minimum.accumulate(np.column_stack(exact), axis=1)


def _clock(by_rhythm: Callable[[float], Matrix], days: float) -> Matrix:
    """Return minus the logarithm of silence by the rhythm; it rises with every day, if by nothing but an edge."""
    return np.asarray(-np.log(_inside(by_rhythm(days))) + _EDGE * days)


def _at(day: int, gone: Mapping[int, Matrix], clock: Mapping[int, Matrix]) -> Matrix:
    """Return A at a day, by what it is at the days that were taught and by the rhythm's clock."""
    *before, last = sorted(gone)
    begin, end = next(((a, b) for a, b in pairwise([*before, last]) if day <= b), (0, last))
    pace = (gone[end] - gone[begin]) / (clock[end] - clock[begin])
    return np.asarray(gone[begin] + pace * (clock[day] - clock[begin]))


def _inside(share: Matrix) -> Matrix:
    return np.clip(share, _EDGE, 1.0 - _EDGE)
