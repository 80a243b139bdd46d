"""The lowest rung: what a silence is worth where not even a rhythm of buying can be learned.

A customer who usually orders every g days and has been silent for s days places no order in the next h days with odds
(g + s) to h: the longer the silence beside the usual gap, the likelier it goes on. Where labels exist, one number, the
pace, stretches these odds until they come out right on the whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from churnml.modeling.btyd import Rfm
from churnml.modeling.learners import sigmoid

Matrix = npt.NDArray[np.float64]

_YEAR_DAYS = 365
_SHORTEST_GAP_DAYS = 1.0
_WIDEST = 30.0
_TWO_SIDED_90 = 1.6448536269514722
_PRIOR = 2.0
"""Customers as if seen before, one who left and one who stayed, of whom the rule would have said one half."""


@dataclass(frozen=True)
class RecencyRule:
    """The rule; as a model of buying it is a wait with rate Gamma(1, pace (g + s)), the same for a lifetime.

    Parameters
    ----------
    gap_days : float
        Days of acquaintance per further order day, over the whole base; a customer's usual gap is the mean of their
        own gaps and one of these.
    pace : float
        1 before labels are seen.
    doubt : float
        Standard deviation of the logarithm of the pace.

    References
    ----------
    Lomax (1954), Business failures, JASA 49(268): the waiting time whose odds these are.
    """

    gap_days: float
    pace: float
    doubt: float

    def p_alive(self, rfm: Rfm) -> Matrix:
        """Return the probability of any order within a year; the rule knows no other way of being still a customer."""
        return 1.0 - self.p_no_order(rfm, _YEAR_DAYS)

    def p_no_order(self, rfm: Rfm, days: float) -> Matrix:
        """Return the probability that each customer buys nothing in the days after the cutoff."""
        wait = self._wait(rfm)
        return np.asarray(wait / (wait + days))

    def p_no_order_by(self, rfm: Rfm, days: Matrix) -> Matrix:
        """Return the same, each customer asked of days of their own; shape (n_questions, n_customers)."""
        wait = self._wait(rfm)
        return np.asarray(wait / (wait + days))

    def expected_orders(self, rfm: Rfm, days: float) -> Matrix:
        """Return the expected purchase days of each customer in the days after the cutoff."""
        return np.asarray(days / self._wait(rfm))

    def discounted_orders(self, rfm: Rfm, discount: float, days: float = np.inf) -> Matrix:
        """Return the expected purchase days, each discounted to the cutoff by a continuous rate per day."""
        worth = -np.expm1(-discount * days) / discount if discount > 0 else days
        return np.asarray(worth / self._wait(rfm))

    def between(self, rfm: Rfm, days: float) -> tuple[Matrix, Matrix]:
        """Return between what, for nine of ten, the probability of no order lies; two of shape (n_customers,)."""
        logit = np.log(self._wait(rfm) / days)
        return sigmoid(logit - _TWO_SIDED_90 * self.doubt), sigmoid(logit + _TWO_SIDED_90 * self.doubt)

    def drawn_orders(self, rfm: Rfm, days: float, rng: np.random.Generator) -> Matrix:
        """Return purchase days in the days after the cutoff, drawn once for each customer."""
        wait = self._wait(rfm) * np.exp(self.doubt * rng.standard_normal())
        return np.asarray(rng.poisson(days * rng.exponential(1.0, len(rfm)) / wait), dtype=np.float64)

    def _wait(self, rfm: Rfm) -> Matrix:
        usual = (self.gap_days + rfm.recency) / (1.0 + rfm.frequency)
        return np.asarray(self.pace * (usual + rfm.T - rfm.recency))


def fit_rule(rfm: Rfm) -> RecencyRule:
    """Return the rule for a base, before labels are seen; any customer who has ordered is enough."""
    gap = float(rfm.T.sum() / (rfm.frequency.sum() + 1.0))
    return RecencyRule(max(gap, _SHORTEST_GAP_DAYS), 1.0, float(1 / np.sqrt(_PRIOR / 4)))


def calibrated(rule: RecencyRule, logits: Matrix, churned: npt.NDArray[np.bool_], customers: int) -> RecencyRule:
    """Return the rule with the pace that makes it come out right on the whole, and how sure that is.

    Parameters
    ----------
    logits : ndarray of shape (n_rows,)
        What the rule said, at a pace of 1, at cutoffs whose labels are final.
    churned : ndarray of shape (n_rows,)
        What came.
    customers : int
        How many different ones the rows are of; several rows of one customer are no more than one.
    """
    if not len(logits):
        return rule
    each = customers / len(logits)

    def surplus(shift: float) -> float:
        said = each * float((sigmoid(logits + shift) - churned).sum())
        return said + _PRIOR * (float(sigmoid(np.array(shift))) - 0.5)

    shift = float(brentq(surplus, -_WIDEST, _WIDEST))
    chance, even = sigmoid(logits + shift), float(sigmoid(np.array(shift)))
    told = each * float((chance * (1 - chance)).sum()) + _PRIOR * even * (1 - even)
    return RecencyRule(rule.gap_days, float(np.exp(shift)), float(1 / np.sqrt(told)))
