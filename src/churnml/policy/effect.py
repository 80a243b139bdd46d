"""What an action would change for a customer, in churn probability and in money."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.errors import InvalidTableError
from churnml.policy.actions import Catalogue

SOURCES = ("definition", "prior", "measured", "uplift")
"""Where an effect can come from: doing nothing changes nothing; assumed; measured on average; learned by customer."""


@dataclass(frozen=True)
class Effect:
    """Expected change against doing nothing, one row per customer and one column per action.

    Attributes
    ----------
    churn_change : ndarray of shape (n_customers, n_actions)
        Change of the churn probability; below zero is good.
    margin_change : ndarray of shape (n_customers, n_actions)
        Expected change of margin before the cost of the action, in currency units.
    sd : ndarray of shape (n_customers, n_actions)
        Standard deviation of `margin_change`, in currency units.
    lower : ndarray of shape (n_customers, n_actions)
        `margin_change` less `caution` standard deviations; what actions are compared by.
    source : ndarray of int8, shape (n_customers, n_actions)
        Where each comes from, a place in `SOURCES`.
    """

    churn_change: NDArray[np.float64]
    margin_change: NDArray[np.float64]
    sd: NDArray[np.float64]
    lower: NDArray[np.float64]
    source: NDArray[np.int8]

    def before(self, cost: NDArray[np.float64]) -> Effect:
        """Return the effect before a cost that its margin bears already, shape (n_customers, n_actions).

        A margin that was measured is that of orders from which coupons were taken off; a cost counts once.
        """
        return replace(self, margin_change=self.margin_change + cost, lower=self.lower + cost)


def prior_effect(
    catalogue: Catalogue, churn_probability: ArrayLike, value_if_retained: ArrayLike, expected_margin: ArrayLike
) -> Effect:
    r"""Return the effect that the catalogue's priors imply for each customer.

    With churn probability :math:`p`, odds ratio :math:`\theta` and orders ratio :math:`\rho` of an action,

    .. math::

        p' &= \frac{\theta p}{1 - p + \theta p} \\
        \Delta &= (p - p')\, V + (\rho - 1)\, M \\
        \mathrm{var}(\Delta) &\approx (p' (1 - p')\, V\, \sigma)^2 + (\rho\, M\, \tau)^2

    where :math:`V` is the value if retained, :math:`M` the expected margin, and :math:`\sigma` and :math:`\tau` the
    standard deviations of :math:`\log\theta` and :math:`\log\rho`. The last line is the delta method, since
    :math:`dp'/d\log\theta = p'(1 - p')`; the two are taken as independent.

    Parameters
    ----------
    catalogue : Catalogue
        The actions with their priors, and `caution`.
    churn_probability : array-like of shape (n_customers,)
        Probability of churning under business as usual, in [0, 1].
    value_if_retained : array-like of shape (n_customers,)
        Margin expected beyond the horizon from one who stays, in currency units.
    expected_margin : array-like of shape (n_customers,)
        Margin expected within the horizon under business as usual, in currency units.

    Returns
    -------
    Effect

    Raises
    ------
    InvalidTableError
        If the lengths differ, a value is missing or infinite, or a probability lies outside [0, 1].
    """
    p, value, margin = _checked(churn_probability, value_if_retained, expected_margin)
    priors = [action.prior for action in catalogue.actions]
    odds_ratio = np.array([prior.churn_odds_ratio for prior in priors])
    orders_ratio = np.array([prior.orders_ratio for prior in priors])
    uncertainty = np.array([prior.uncertainty for prior in priors])

    treated = odds_ratio * p / (1 - p + odds_ratio * p)
    # Written as a product rather than as treated - p, so that an odds ratio of 1 changes exactly nothing.
    churn_change = (odds_ratio - 1) * p * (1 - p) / (1 - p + odds_ratio * p)
    margin_change = -churn_change * value + (orders_ratio - 1) * margin
    by_churn = treated * (1 - treated) * np.abs(value) * uncertainty
    by_orders = orders_ratio * np.abs(margin) * np.array([prior.orders_uncertainty for prior in priors])
    sd = np.where(by_orders > 0, np.hypot(by_churn, by_orders), by_churn)
    told = np.array([SOURCES.index(action.effect_source) for action in catalogue.actions], dtype=np.int8)
    source = np.broadcast_to(told, margin_change.shape)
    return Effect(churn_change, margin_change, sd, margin_change - catalogue.caution * sd, source)


def _checked(*columns: ArrayLike) -> list[NDArray[np.float64]]:
    """Return the three columns as (n_customers, 1), or refuse them."""
    names = ("churn_probability", "value_if_retained", "expected_margin")
    arrays = [np.asarray(column, dtype=np.float64).reshape(-1, 1) for column in columns]
    if len({len(array) for array in arrays}) > 1:
        found = ", ".join(f"{name} {len(array)}" for name, array in zip(names, arrays, strict=True))
        raise InvalidTableError(f"an effect needs one entry per customer in each column, got {found}")
    for name, array in zip(names, arrays, strict=True):
        bad = np.flatnonzero(~np.isfinite(array))
        if bad.size:
            raise InvalidTableError(
                f"`{name}` must be a finite number, got {array[bad[0], 0]} in row {bad[0]}; "
                "pass only customers who have a score"
            )
    outside = np.flatnonzero((arrays[0] < 0) | (arrays[0] > 1))
    if outside.size:
        raise InvalidTableError(
            f"`churn_probability` must lie in [0, 1], got {arrays[0][outside[0], 0]:g} in row {outside[0]}"
        )
    return arrays
