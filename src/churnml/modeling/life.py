"""Remaining life: how long someone stays a customer, until their last order or the end of their contract.

By orders, the rhythm tells it: each order may be the last, with a chance that differs from customer to customer, so who
is still there leaves at the rate of their orders times that chance. Of those whom the blend thinks likelier to order in
the horizon than the rhythm does, more are taken to be there. By contracts it is the curve of being over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import roots_sh_jacobi

from churnml.modeling.btyd import BGNBD, Rfm
from churnml.modeling.curve import QUANTILES, When, fewest_days
from churnml.modeling.posterior import Rhythms
from churnml.modeling.rhythm import Silent

Matrix = npt.NDArray[np.float64]

LONGEST_DAYS = 3650
"""Beyond ten years nobody is told when they will leave."""

_NODES = 12
_ALIKE = 400
_DRAWN = 5
"""Rhythms asked, where there are many about as likely: more would cost much and move a date by little."""
_FEWEST = 0.001


def remaining_life(rhythm: Silent, known: Rfm, churn: Matrix, horizon_days: int) -> When | None:
    """Return by which day each customer has placed their last order, for each of `curve.QUANTILES`.

    Who has placed it already with that probability has day 0. None where nothing but a rule of recency is known.

    Parameters
    ----------
    churn : ndarray of shape (n_rows,)
        The churn probability in the horizon, which may know more than the rhythm.

    References
    ----------
    Fader, Hardie & Lee (2005), "Counting your customers" the easy way, Marketing Science 24(2): of a customer who is
    there, the rate is Gamma(r + x, alpha + T) and the chance to leave Beta(a, b + x); the time to the last order is
    exponential with their product.
    """
    if not isinstance(rhythm, BGNBD | Rhythms):
        return None
    each = rhythm.each[:_DRAWN] if isinstance(rhythm, Rhythms) else (rhythm,)
    said = 1.0 - rhythm.p_no_order(known, horizon_days)
    there = np.clip(rhythm.p_alive(known) * (1.0 - churn) / np.maximum(said, _FEWEST), 0.0, 1.0)
    drawn = _drawn(each, known)
    return first_day(lambda days: 1.0 - there * _stays(drawn, known, days), LONGEST_DAYS)


def first_day(over: Callable[[Matrix], Matrix], longest: int) -> When:
    """Return the fewest whole days by which something is over with each probability of `QUANTILES`, 0 if it is now.

    Parameters
    ----------
    over : callable
        Takes days of shape (n_quantiles, 1), or (n_quantiles, n_rows), and returns the probability of being over by
        then, of shape (n_quantiles, n_rows); never falling with days.
    longest : int
        Days beyond which nothing is told.
    """
    wanted = np.array(QUANTILES)[:, None]
    now = over(np.zeros((len(QUANTILES), 1)))
    by, told = fewest_days(over, wanted, (now.shape[0], now.shape[1]), longest)
    by = np.where(now >= wanted, 0.0, by)
    return When(np.where(told, by, np.nan).T, np.where(told, over(by), np.nan).T)


@dataclass(frozen=True)
class _Drawn:
    """One rhythm, and by how many chances to leave it asks whom.

    Parameters
    ----------
    rhythm : BGNBD
        Its parameters.
    chances, weights : ndarray of shape (n_nodes, n_counts)
        By which a mean over Beta(a, b + x) is a sum.
    place : ndarray of shape (n_rows,)
        Whose are which of them: those of as many orders share theirs.
    """

    rhythm: BGNBD
    chances: Matrix
    weights: Matrix
    place: npt.NDArray[np.intp]


def _drawn(each: tuple[BGNBD, ...], known: Rfm) -> list[_Drawn]:
    counts, place = np.unique(np.minimum(np.round(known.frequency), _ALIKE), return_inverse=True)
    asked = counts.tolist()
    return [_Drawn(one, *_chances(one.a_, one.b_, asked), place) for one in each]


def _stays(drawn: list[_Drawn], known: Rfm, days: Matrix) -> Matrix:
    """Return the probability that a customer who is there still is after the days; the shape of days over rows."""
    total = np.zeros(np.broadcast_shapes(days.shape, (1, len(known))))
    for one in drawn:
        shape, ages = one.rhythm.r_ + known.frequency, one.rhythm.alpha_ + known.T
        for chances, weights in zip(one.chances, one.weights, strict=True):
            total += weights[one.place] * np.exp(-shape * np.log1p(chances[one.place] * days / ages))
    return total / len(drawn)


def _chances(a: float, b: float, counts: list[float]) -> tuple[Matrix, Matrix]:
    """Return the chances to leave and their weights of those of each number of orders."""
    told = [_nodes(round(a, 12), round(b + count, 12)) for count in counts]
    chances, weights = (np.ascontiguousarray(np.array([one[part] for one in told]).T) for part in (0, 1))
    return chances, weights


@lru_cache(maxsize=4096)
def _nodes(a: float, b: float) -> tuple[Matrix, Matrix]:
    """Return the nodes and weights of Gauss and Jacobi for a Beta(a, b)."""
    nodes, weights = roots_sh_jacobi(_NODES, a + b - 1.0, a)
    return nodes, weights / weights.sum()


__all__ = ["LONGEST_DAYS", "first_day", "remaining_life"]
