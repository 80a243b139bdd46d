"""Like with like: rows of those who left beside rows of those who stayed, in strata of equal standing, by ranks.

Who left had on the whole been a customer for less long, and whoever orders more has more to complain of; a plain
difference of means would tell of that. So rows are compared only within a stratum: the same cutoff, and what they are
matched on cut into as many classes as the rows of a cutoff allow. The figure is Cliff's delta, which no outlier moves;
what the classes are too coarse for is taken off it, and its interval takes customers, not rows, for what was drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
Strata = tuple[Values, Values]

FEWEST_STAYED = 5
"""Rows of those who stayed that a stratum must hold; of fewer, chance has no measure."""

_MOST_CLASSES = 5
_ROWS_OF_A_STRATUM = 20
_LEFT_BY_SLOPE = 20
_RADIX = 2**16


@dataclass(frozen=True)
class Matched:
    """Rows in strata that hold both who left and who stayed; arrays of shape (n_rows,).

    Parameters
    ----------
    left : ndarray of bool
        Who left in the horizon after the row's cutoff.
    customer : ndarray of int
        Which customer a row is of, 0 … ; one has as many rows as cutoffs at which they were in the population.
    stratum : ndarray of int
        0 … , or -1 where nobody of the other kind stands beside.
    on : tuple of ndarray of float
        In what they may still differ within a stratum: what they were matched on, and what else is taken off.
    """

    left: Flags
    customer: Places
    stratum: Places
    on: tuple[Values, ...] = ()

    @cached_property
    def inside(self) -> Flags:
        """Which rows are compared."""
        return np.asarray(self.stratum >= 0)

    @cached_property
    def rows(self) -> Places:
        """The places of the rows that are compared."""
        return np.flatnonzero(self.inside)

    @cached_property
    def strata(self) -> Strata:
        """How many left and stayed in each stratum."""
        return _sizes(self.stratum[self.rows], self.left[self.rows])

    @cached_property
    def in_order(self) -> Places:
        """The stratum of each row that is compared, the rows in the order of their strata."""
        return np.repeat(np.arange(len(self.strata[0])), (self.strata[0] + self.strata[1]).astype(np.intp))

    @cached_property
    def weights(self) -> Values:
        """What each row counts for: one of who left, and of who stayed as many as make up as many as left there."""
        weights, (n1, n0) = np.zeros(len(self.left)), self.strata
        share = np.divide(n1, n0, out=np.zeros(len(n1)), where=n0 > 0)
        weights[self.rows] = np.where(self.left[self.rows], 1.0, share[self.stratum[self.rows]])
        return weights

    @cached_property
    def people(self) -> int:
        """How many places of customers there are."""
        return int(self.customer.max(initial=-1)) + 1

    @cached_property
    def dominances(self) -> tuple[tuple[float, Values], ...]:
        """How far those who left still differ in what they were matched on, with what each customer adds to it."""
        return tuple(_dominance(values, self) for values in self.on)

    def customers(self, *, left: bool) -> int:
        """Return how many customers the compared rows of one kind are of."""
        return self._customers[left]

    @cached_property
    def _customers(self) -> dict[bool, int]:
        return {left: _different(self.customer[self.inside & (self.left == left)]) for left in (True, False)}

    def only(self, rows: Flags) -> Matched:
        """Return the same of some rows; a stratum that no longer holds both is dropped."""
        if rows[self.rows].all():
            return self
        return replace(self, stratum=_both(np.where(rows, self.stratum, -1), self.left))


@dataclass(frozen=True)
class Contrast:
    """How a figure of those who left stands to that of those who stayed.

    Parameters
    ----------
    left_mean, stayed_mean : float
        The latter over the strata as the left are spread over them.
    effect, low, high : float
        Cliff's delta from -1 to 1 with its 95 % interval: how much more often one who left lies above one who stayed of
        the same stratum than below. Of a yes or no it is the difference of the shares.
    error : float
        Its standard error.
    p_value : float
        Of no difference, two-sided.
    left, stayed : int
        Of how many customers.
    """

    left_mean: float
    stayed_mean: float
    effect: float
    low: float
    high: float
    error: float
    p_value: float
    left: int
    stayed: int

    @property
    def strength(self) -> float:
        """The least difference that the interval allows, 0 where it allows none: what contrasts are ranked by."""
        return float(min(abs(self.low), abs(self.high))) if self.low * self.high > 0 else 0.0


def matched(
    left: Flags,
    customer: Places,
    cutoffs: npt.NDArray[np.int64],
    on: Sequence[Values],
    taken_off: Sequence[Values] = (),
) -> Matched:
    """Put rows into strata of one cutoff and a class of each thing they are matched on.

    Parameters
    ----------
    left, customer, cutoffs : ndarray of shape (n_rows,)
    on : sequence of ndarray of shape (n_rows,)
        Each is cut at its quantiles among the rows of a cutoff, into at most five classes and so few that a stratum
        holds 20 rows on average; what is missing is a class of its own.
    taken_off : sequence of ndarray of shape (n_rows,)
        Makes no strata; what goes with it is taken off every contrast, as of what the classes are too coarse for.

    References
    ----------
    Iacus, King & Porro (2012). Causal inference without balance checking: coarsened exact matching. Political Analysis
    20(1), 1-24; the weights of `Matched` are theirs.

    Examples
    --------
    >>> left, tenure = np.array([True] + [False] * 5 + [True]), np.array([1.0] * 6 + [9.0])
    >>> matched(left, np.arange(7), np.zeros(7, np.int64), [tenure]).weights.tolist()
    [1.0, 0.4, 0.4, 0.4, 0.4, 0.4, 1.0]
    """
    _, code = np.unique(cutoffs, return_inverse=True)
    rows = np.bincount(code)[code] if len(code) else code
    for values in on:
        classes = np.clip((rows / _ROWS_OF_A_STRATUM) ** (1 / len(on)), 1, _MOST_CLASSES).astype(np.intp)
        both = code * (_MOST_CLASSES + 1) + _classes(values, cutoffs, classes) + 1  # what is missing is of class -1
        _, code = np.unique(both, return_inverse=True)
    beside = tuple(np.where(np.isnan(values), -np.inf, values) for values in (*on, *taken_off))
    return Matched(left, customer, _both(code.astype(np.intp), left), beside)


def _classes(values: Values, cutoffs: npt.NDArray[np.int64], classes: Places) -> Places:
    """Return the class of each value among those of its cutoff; equal values are in one class."""
    found = np.full(len(values), -1, dtype=np.intp)
    for cutoff in np.unique(cutoffs):
        rows = np.flatnonzero((cutoffs == cutoff) & ~np.isnan(values))
        if len(rows):
            shares = np.arange(1, classes[rows[0]]) / classes[rows[0]]
            found[rows] = np.searchsorted(np.quantile(values[rows], shares), values[rows], side="right")
    return found


def _both(stratum: Places, left: Flags) -> Places:
    """Return strata numbered anew, -1 in those that do not hold enough of both."""
    inside = stratum >= 0
    if not inside.any():
        return stratum
    n1, n0 = _sizes(stratum[inside], left[inside])
    keep = (n1 > 0) & (n0 >= FEWEST_STAYED)
    return np.where(inside & keep[np.maximum(stratum, 0)], (np.cumsum(keep) - 1)[np.maximum(stratum, 0)], -1)


def _sizes(stratum: Places, left: Flags) -> Strata:
    most = int(stratum.max(initial=-1)) + 1
    n1: Values = np.bincount(stratum, weights=left, minlength=most).astype(np.float64)
    return n1, np.bincount(stratum, minlength=most).astype(np.float64) - n1


def contrast(values: Values, among: Matched) -> Contrast | None:
    r"""Return how a figure of those who left stands to that of those who stayed, None where nothing can be compared.

    With :math:`V_i` the share of the stayed of *i*'s stratum that lie below *i*, of ties half,

    .. math:: \delta = \frac{1}{N_1} \sum_{i\ left} (2 V_i - 1)

    Its variance is the sum over customers of the squared sums of what their rows add to it (their influence), for the
    rows of one customer are not independent. Of what rows are matched on, the same deltas :math:`\delta_x` should be 0;
    as far as they are not, what goes with them is taken off:

    .. math:: \delta - C_{yx} C_{xx}^{-1} \delta_x, \qquad C_{yy} - C_{yx} C_{xx}^{-1} C_{xy}

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        NaN where missing; such rows are left out.

    References
    ----------
    Cliff, N. (1993). Dominance statistics: ordinal analyses to answer ordinal questions. Psychological Bulletin 114,
    494-509. Obuchowski, N. A. (1997). Nonparametric analysis of clustered ROC curve data. Biometrics 53, 567-578, whose
    placements these are, by stratum. Kawaguchi, A., Koch, G. G. & Wang, X. (2011). Stratified multivariate Mann-Whitney
    estimators for the comparison of two treatments with randomization based covariance adjustment. Statistics in
    Biopharmaceutical Research 3, 217-231.
    """
    values = np.ascontiguousarray(values)  # a column of a table lies scattered, and is read many times
    known = among.only(~np.isnan(values))
    if not known.inside.any():
        return None
    who_left = known.customers(left=True)
    enough = who_left >= _LEFT_BY_SLOPE * len(known.on)  # of fewer, slopes would fit what is chance
    beside = known.dominances if enough else ()
    effect, error = _adjusted(_dominance(values, known), beside)
    rows, weights = known.inside, known.weights
    left, stayed = rows & known.left, rows & ~known.left
    freedom = max(who_left - 1 - len(beside), 1)
    wide = float(stdtrit(freedom, 0.975)) * error
    return Contrast(
        float(values[left].mean()),
        float((weights[stayed] * values[stayed]).sum() / weights[stayed].sum()),
        effect,
        max(effect - wide, -1.0),
        min(effect + wide, 1.0),
        error,
        p_value(effect, error, freedom),
        who_left,
        known.customers(left=False),
    )


def _dominance(values: Values, known: Matched) -> tuple[float, Values]:
    """Return Cliff's delta within strata, and what each customer adds to it, of shape (n_customers,)."""
    rows = _sorted(values, known)
    x, left = values[rows], known.left[rows]
    (n1, n0), stratum = known.strata, known.in_order
    towards, total = 2 * _placed(x, stratum, left, n1, n0) - 1, n1.sum()
    delta = float(towards[left].sum() / total)
    within = np.bincount(stratum, weights=towards * left) / n1
    share = np.where(left, 1.0, (n1 / n0)[stratum])
    added = share / total * (towards - np.where(left, delta, within[stratum]))
    by_customer = np.bincount(known.customer[rows], weights=added, minlength=known.people)
    return delta, by_customer.astype(np.float64)


def _sorted(values: Values, known: Matched) -> Places:
    """Return the compared rows by stratum, and within it by value."""
    by_value = known.rows[np.argsort(values[known.rows])]  # not stable: equal values count the same
    stratum = known.stratum[by_value]
    if len(known.strata[0]) <= _RADIX:
        stratum = stratum.astype(np.uint16)  # NumPy sorts these by counting
    return np.asarray(by_value[np.argsort(stratum, kind="stable")])


def _adjusted(own: tuple[float, Values], beside: Sequence[tuple[float, Values]]) -> tuple[float, float]:
    """Return a delta less what goes with the deltas beside it, and its standard error."""
    added = np.column_stack([own[1], *(one for _, one in beside)])
    people = int(np.count_nonzero(added.any(axis=1)))
    spread = added.T @ added * people / max(people - 1, 1)
    slopes = np.linalg.lstsq(spread[1:, 1:], spread[1:, 0], rcond=1e-8)[0] if len(beside) else np.zeros(0)
    effect = own[0] - float(slopes @ np.array([delta for delta, _ in beside]))
    return min(max(effect, -1.0), 1.0), float(np.sqrt(max(spread[0, 0] - slopes @ spread[1:, 0], 0.0)))


def _different(customer: Places) -> int:
    return int(np.count_nonzero(np.bincount(customer)))


def _placed(x: Values, stratum: Places, left: Flags, n1: Values, n0: Values) -> Values:
    """Return how each sorted row lies to the others of its stratum, of ties half.

    Of who left it is the share of the stayed below, of who stayed the share of the left above.
    """
    tie = np.cumsum(np.concatenate([[True], (x[1:] != x[:-1]) | (stratum[1:] != stratum[:-1])])) - 1
    of_left: Values = np.bincount(tie, weights=left).astype(np.float64)
    both = np.bincount(tie).astype(np.float64)
    below = [_below(tie, tied, stratum, sizes) for tied, sizes in ((both - of_left, n0), (of_left, n1))]
    return np.where(left, below[0], 1 - below[1])


def _below(tie: Places, tied: Values, stratum: Places, sizes: Values) -> Values:
    """Return which share of some rows, of which `tied` are in each tie and `sizes` in each stratum, lies below."""
    before = (np.cumsum(sizes) - sizes)[stratum]
    half = np.cumsum(tied) - tied / 2  # multiples of one half are exact
    return np.asarray((half[tie] - before) / sizes[stratum])


def p_value(effect: float, error: float, freedom: int) -> float:
    """Return how likely chance alone gives so much either way, by Student's t."""
    if error == 0:
        return 1.0 if effect == 0 else 0.0
    return float(2 * stdtr(freedom, -abs(effect) / error))


def q_values(p_values: Sequence[float]) -> Values:
    r"""Return the false-discovery rate at which each would be claimed.

    .. math:: q_{(i)} = \min_{j \ge i} \frac{m}{j} p_{(j)}

    References
    ----------
    Benjamini, Y. & Hochberg, Y. (1995). Controlling the false discovery rate. Journal of the Royal Statistical Society
    B 57, 289-300. That it holds for two-sided tests of figures that hang together: Reiner-Benaim, A. (2007). FDR
    control by the BH procedure for two-sided correlated tests. Biometrical Journal 49, 107-126.

    Examples
    --------
    >>> q_values([0.01, 0.5, 0.02]).round(4).tolist()
    [0.03, 0.5, 0.03]
    """
    p = np.asarray(p_values, dtype=np.float64)
    order, m = np.argsort(p), len(p)
    steps = p[order] * m / np.arange(1, m + 1)
    q = np.empty(m)
    q[order] = np.minimum.accumulate(steps[::-1])[::-1]
    return q
