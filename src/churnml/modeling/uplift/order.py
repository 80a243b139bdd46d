"""How well an order of customers by effect gathers the effect: Qini and AUUC, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, rankdata

from churnml.errors import InvalidTableError

Matrix = npt.NDArray[np.float64]

_DRAWS = 200


@dataclass(frozen=True)
class Measured:
    """A figure with its interval."""

    value: float
    low: float
    high: float


def mean_interval(values: Matrix, level: float = 0.95) -> Measured:
    """Return the mean of independent values with its interval at `level`."""
    return _around(float(values.mean()), values, level)


def qini(scores: Matrix, effect: Matrix, level: float = 0.95) -> Measured:
    r"""Return the Qini of an order: what it gathers beyond chance, averaged over all shares treated, per customer.

    With :math:`\psi_i` a score whose mean is the effect and :math:`r_i` the share of customers ranked above,

    .. math:: Q = \int_0^1 V(\phi) - \phi V(1) \, d\phi = \frac 1n \sum_i \psi_i \left(\tfrac12 - r_i\right)

    where :math:`V(\phi)` is what treating the first share :math:`\phi` brings. Equal effects share their rank, so that
    no order is made of none.

    Parameters
    ----------
    scores : ndarray of shape (n_customers,)
        Doubly robust scores, or outcomes weighted by inverse propensity.
    effect : ndarray of shape (n_customers,)
        What customers are ordered by, largest first; learned without their outcomes.
    level : float, default 0.95
        Of the interval, by the projection of the statistic on single customers.

    Returns
    -------
    Measured

    References
    ----------
    Radcliffe, N. J. (2007). Using control groups to target on predicted lift. Direct Marketing Analytics Journal,
    14-21. Yadlowsky, S. et al. (2025). Evaluating treatment prioritization rules via rank-weighted average treatment
    effects. JASA 120(549), 38-51: the interval.

    Examples
    --------
    >>> round(qini(np.array([1.0, 1.0, 0.0, 0.0]), np.array([4.0, 3.0, 2.0, 1.0])).value, 3)
    0.125
    """
    value, parts = _qini_parts(scores, effect)
    return _around(value, parts, level)


def qini_gain(scores: Matrix, effect: Matrix, other: Matrix, level: float = 0.95) -> Measured:
    """Return the Qini of one order less that of another, with its paired interval; parameters as in `qini`."""
    (value, parts), (less, others) = _qini_parts(scores, effect), _qini_parts(scores, other)
    return _around(value - less, parts - others, level)


def auuc(scores: Matrix, effect: Matrix, level: float = 0.95) -> Measured:
    """Return the area under the uplift curve over its end: 0.5 is chance, above 1 an order that leaves harm out.

    Raises
    ------
    InvalidTableError
        If the whole effect may be zero, so that there is nothing to be a share of.

    Notes
    -----
    The area is the Qini and half the whole effect, so this is 1/2 + Q / V(1); its interval is by the delta method.
    """
    whole = mean_interval(scores)
    if whole.low <= 0 <= whole.high:
        raise InvalidTableError(
            f"a normalised AUUC needs a whole effect apart from 0, found {whole.value:.4g} within {whole.low:.4g} and "
            f"{whole.high:.4g}; judge the order by its Qini"
        )
    value, parts = _qini_parts(scores, effect)
    ratio = value / whole.value
    return _around(0.5 + ratio, (parts - ratio * scores) / whole.value, level)


def qini_curve(treated: npt.NDArray[np.bool_], outcome: Matrix, effect: Matrix) -> tuple[Matrix, Matrix]:
    """Return Radcliffe's Qini curve of an experiment with one propensity for all.

    Parameters
    ----------
    treated : ndarray of bool, shape (n_customers,)
    outcome, effect : ndarray of shape (n_customers,)

    Returns
    -------
    share, gain : ndarray of shape (n_effects + 1,)
        Share of customers treated, largest effect first, and outcomes gained per treated customer; a point for each
        effect that differs.
    """
    order = np.argsort(-effect, kind="stable")
    last = np.append(np.flatnonzero(np.diff(effect[order])), len(order) - 1)
    gain = _gains(treated[order], outcome[order], np.ones((1, len(order))), last)[0]
    return np.append(0.0, (last + 1) / len(order)), np.append(0.0, gain)


def qini_by_counts(treated: npt.NDArray[np.bool_], outcome: Matrix, effect: Matrix, seed: int = 0) -> Measured:
    """Return the area between Radcliffe's curve and its chord, with an interval over 200 redraws of customers.

    The classic figure, for comparison with what others print; `qini` with doubly robust scores is less noisy.
    """
    order = np.argsort(-effect, kind="stable")
    last = np.append(np.flatnonzero(np.diff(effect[order])), len(order) - 1)
    sides, came = treated[order], outcome[order]
    rng = np.random.default_rng(seed)
    value = _areas(sides, came, np.ones((1, len(order))), last)[0]
    draws = [_areas(sides, came, rng.poisson(1.0, (1, len(order))).astype(np.float64), last)[0] for _ in range(_DRAWS)]
    low, high = np.percentile(draws, [2.5, 97.5])
    return Measured(float(value), float(low), float(high))


def _areas(treated: npt.NDArray[np.bool_], outcome: Matrix, times: Matrix, last: npt.NDArray[np.intp]) -> Matrix:
    gain = np.pad(_gains(treated, outcome, times, last), ((0, 0), (1, 0)))
    share = np.pad(
        np.cumsum(times, axis=1)[:, last] / np.maximum(times.sum(axis=1, keepdims=True), 1), ((0, 0), (1, 0))
    )
    return np.asarray(np.trapezoid(gain, share, axis=1) - gain[:, -1] / 2)


def _gains(treated: npt.NDArray[np.bool_], outcome: Matrix, times: Matrix, last: npt.NDArray[np.intp]) -> Matrix:
    """Return outcomes gained up to each place, per treated customer, when customers count so many times."""
    up_to = [np.cumsum(times * part, axis=1) for part in (treated, ~treated, treated * outcome, ~treated * outcome)]
    many, few, came, anyway = (part[:, last] for part in up_to)
    # before the first control the treated have nobody to be compared with
    return np.asarray((came - anyway * many / np.maximum(few, 1)) / np.maximum(up_to[0][:, -1:], 1))


def _qini_parts(scores: Matrix, effect: Matrix) -> tuple[float, Matrix]:
    """Return the Qini, and what each customer adds to it but for a constant: as themselves, and as one of the ranks."""
    n = len(scores)
    above = (n + 1 - rankdata(effect) - 0.5) / n
    own = scores * (0.5 - above)
    _, place = np.unique(effect, return_inverse=True)
    sums = np.bincount(place, weights=scores)
    below = (np.cumsum(sums) - sums / 2)[place] / n
    return float(own.mean()), own + scores.mean() / 2 - below


def _around(value: float, parts: Matrix, level: float) -> Measured:
    wide = float(norm.ppf((1 + level) / 2) * parts.std(ddof=1) / np.sqrt(len(parts)))
    return Measured(value, value - wide, value + wide)
