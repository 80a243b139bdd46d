"""What another unit of budget brings: the best choice at budgets around the one that is set, as a curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.policy.assignment import assign

MULTIPLES = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
"""The budgets of the curve, in multiples of the one that is set."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BudgetCurve:
    """The most that can be had at each budget, smallest budget first; arrays of shape (n_budgets,).

    Attributes
    ----------
    budget : ndarray
        In currency units, 0 first.
    spent : ndarray
        What the choice sets aside of it.
    value : ndarray
        What the choice is worth, net of cost, in currency units.
    marginal : ndarray
        What one more unit of budget would bring: the shadow price, 0 where all that pays is bought.
    bound : ndarray
        What no choice within the budget can exceed.
    enough : float
        What setting aside for everything that pays takes, in currency units: a larger budget brings nothing more.
    most : float
        What all of it is worth, net of cost.
    """

    budget: Floats
    spent: Floats
    value: Floats
    marginal: Floats
    bound: Floats
    enough: float
    most: float


def marginal_returns(
    net_value: ArrayLike,
    reserve_cost: ArrayLike,
    eligible: ArrayLike,
    budget: float,
    capacities: ArrayLike | None = None,
    multiples: Sequence[float] = MULTIPLES,
) -> BudgetCurve:
    """Return what the best choice is worth at budgets around one.

    Parameters
    ----------
    net_value, reserve_cost, eligible, capacities
        As in `assign`.
    budget : float
        The budget that is set, in currency units.
    multiples : sequence of float
        The budgets to try, in multiples of it.

    Returns
    -------
    BudgetCurve
        With a first point at 0, where nothing that costs is bought.

    Raises
    ------
    InvalidTableError, UsageError
        As in `assign`.

    Notes
    -----
    Every point is an assignment of its own, capacities kept, not a slope drawn on from one: with capacities that bind,
    the price of the budget falls in steps.
    """
    budgets = np.unique([0.0, *(budget * multiple for multiple in multiples)])
    found = [assign(net_value, reserve_cost, eligible, float(one), capacities) for one in budgets]
    everything = assign(net_value, reserve_cost, eligible, np.inf, capacities)
    return BudgetCurve(
        budgets,
        np.array([one.spent for one in found]),
        np.array([one.value for one in found]),
        np.array([one.shadow_price for one in found]),
        np.array([one.dual_bound for one in found]),
        everything.spent,
        everything.value,
    )
