"""Silence by any day: blends taught a few horizons, joined by each customer's own rhythm of buying.

A blend answers for the horizon, and for a sixteenth, a quarter and a half of it. Let A(h) be minus the logarithm of the
probability that silence lasts h days: 0 at once, and what the blends say at theirs. Between two of them, and beyond the
last, A grows as it does by the buying rhythm alone, at another pace: what the blends know beyond the rhythm makes
orders more or less likely by one factor throughout an interval (piecewise proportional hazards). So silence is never
likelier for longer, and at the horizon it is the churn probability itself. docs/adr/0010 has the reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

QUANTILES = (0.25, 0.5, 0.75)
"""Of the day of the next order."""

_DAYS = (14, 30, 60, 90, 180, 365)
_EDGE = 1e-9


@dataclass(frozen=True)
class When:
    """By which day the next order comes, for each of `QUANTILES`.

    Parameters
    ----------
    days : ndarray of shape (n_rows, n_quantiles)
        The fewest whole days within which it comes with at least that probability, from 1; NaN beyond the longest that
        was asked of. Ascending along a row; for who buys nearly every day two may be the same.
    chances : ndarray of shape (n_rows, n_quantiles)
        Probability of an order within them: a whole day holds a little more than the quantile. NaN likewise.
    """

    days: Matrix
    chances: Matrix


def curve_days(horizon_days: int) -> tuple[int, ...]:
    """Return the days for which every customer is told: the same for all companies, and the horizon."""
    return tuple(sorted({*_DAYS, horizon_days}))


def silence(
    by_rhythm: Callable[[float], Matrix], taught: Mapping[int, Matrix], days: Sequence[int], agreed: float = 0.0
) -> Matrix:
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
    agreed : float, default 0
        Beyond the last day taught, how much of A the two are taken to have agreed in: the less the rhythm says until
        then, the less the pace is believed.

    Returns
    -------
    ndarray of shape (n_rows, n_days)
        Never rising along a row.

    References
    ----------
    Cox (1972), Regression models and life-tables, JRSS B 34(2), section 2: the proportional hazards. Friedman (1982),
    Piecewise exponential models for survival data with covariates, Annals of Statistics 10(1): one factor an interval.
    """
    gone, last = _gone(taught), max(taught)
    clock = {day: _clock(by_rhythm, day) for day in {*gone, *days}}
    told = [_at(day, gone, clock, agreed) for day in days]
    exact = [taught[last] if day == last else np.exp(-one) for day, one in zip(days, told, strict=True)]
    return np.minimum.accumulate(np.column_stack(exact), axis=1)


def next_order(
    by_rhythm: Callable[[Matrix], Matrix], taught: Mapping[int, Matrix], longest: int, agreed: float = 0.0
) -> When:
    """Return by which day the next order comes with each probability of `QUANTILES`, read off the same curve.

    Parameters
    ----------
    by_rhythm : callable
        Takes days of shape (n_quantiles, n_rows), returns silence by the rhythm of the same shape.
    taught, agreed
        As of `silence`.
    longest : int
        Days beyond which nothing is told.
    """
    gone = _gone(taught)
    knots = sorted(gone)
    pairs = list(pairwise(knots))
    shape = len(QUANTILES), len(gone[0])
    clock = {knot: _clock(by_rhythm, np.full(shape, float(knot)))[0] for knot in knots}
    paces = [(gone[end] - gone[begin]) / (clock[end] - clock[begin]) for begin, end in pairs]
    last = knots[-1]
    pace = np.stack([*paces, (gone[last] + agreed) / (clock[last] + agreed)])
    level, start = (np.stack([held[begin] for begin in knots]) for held in (gone, clock))
    rows = np.arange(shape[1])

    def at(days: Matrix) -> Matrix:
        place = np.searchsorted(knots[1:], days)
        return np.asarray(level[place, rows] + pace[place, rows] * (_clock(by_rhythm, days) - start[place, rows]))

    wanted = -np.log1p(-np.array(QUANTILES))[:, None]
    by, told = fewest_days(at, wanted, shape, longest)
    return When(np.where(told, by, np.nan).T, np.where(told, -np.expm1(-at(by)), np.nan).T)


def fewest_days(
    at: Callable[[Matrix], Matrix], wanted: Matrix, shape: tuple[int, int], longest: int
) -> tuple[Matrix, npt.NDArray[np.bool_]]:
    """Return the fewest whole days, from 1, at which something that never falls has reached what is wanted of it.

    Parameters
    ----------
    at : callable
        Takes days of `shape` and returns how far it has come by then.
    wanted : ndarray of shape (n_quantiles, 1)
    longest : int
        Days beyond which nothing is looked for.

    Returns
    -------
    days, reached : ndarray of `shape`
        `longest` where it is not reached by then.
    """
    before, by = np.zeros(shape), np.full(shape, float(longest))
    reached = at(by) >= wanted
    while (by - before > 1).any():
        middle = np.floor((before + by) / 2)
        come = at(middle) >= wanted
        before, by = np.where(come, before, middle), np.where(come, middle, by)
    return by, reached


def _gone(taught: Mapping[int, Matrix]) -> dict[int, Matrix]:
    """Return A at the days that were taught, and 0 at once."""
    knots = sorted(taught)
    horizon = taught[knots[-1]]
    gone = {0: np.zeros_like(horizon)} | {knot: -np.log(_inside(np.maximum(taught[knot], horizon))) for knot in knots}
    for sooner, later in reversed(list(pairwise([0, *knots]))):
        gone[sooner] = np.minimum(gone[sooner], gone[later])
    return gone


def _clock(by_rhythm: Callable[[Any], Matrix], days: Any) -> Matrix:  # Any: a number, or one for each row
    """Return minus the logarithm of silence by the rhythm; it rises with every day, if by nothing but an edge."""
    return np.asarray(-np.log(_inside(by_rhythm(days))) + _EDGE * days)


def _at(day: int, gone: Mapping[int, Matrix], clock: Mapping[int, Matrix], agreed: float) -> Matrix:
    """Return A at a day, by what it is at the days that were taught and by the rhythm's clock."""
    *before, last = sorted(gone)
    if day > last:
        pace = (gone[last] + agreed) / (clock[last] + agreed)
        return np.asarray(gone[last] + pace * (clock[day] - clock[last]))
    begin, end = next((a, b) for a, b in pairwise([*before, last]) if day <= b)
    pace = (gone[end] - gone[begin]) / (clock[end] - clock[begin])
    return np.asarray(gone[begin] + pace * (clock[day] - clock[begin]))


def _inside(share: Matrix) -> Matrix:
    return np.clip(share, _EDGE, 1.0 - _EDGE)
