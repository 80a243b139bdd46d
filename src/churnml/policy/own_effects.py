"""A customer's own effect in place of the average, where an order of customers was proven."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.errors import InvalidTableError
from churnml.policy.effect import SOURCES, Effect

Matrix = NDArray[np.float64]


def with_own(
    effect: Effect,
    value_if_retained: ArrayLike,
    *,
    margin_change: Matrix,
    margin_sd: Matrix,
    churn_change: Matrix,
    churn_sd: Matrix,
    caution: float,
) -> tuple[Effect, NDArray[np.bool_]]:
    r"""Return effects in which what was proven of a customer stands in place of what holds on average.

    What an action is worth to a customer is what it adds to their margin within the window and what it adds to the
    chance that they stay, times what they are worth if they do,

    .. math:: \Delta = m - c V

    with :math:`m` the change of margin within the window, :math:`c` that of the churn probability and :math:`V` the
    value if retained, beyond it. Each of the two parts is the customer's own where an order by it was proven, and stays
    as it was where not; `effect` holds the second as its `churn_change`, and the first is what is left of its
    `margin_change`. Standard deviations of parts that were replaced add up as those of independent estimates,
    :math:`\sqrt{s_m^2 + (s_c V)^2}`; a part that stays brings that of the average, which knows them together.

    Parameters
    ----------
    effect : Effect
        By priors, or by what was measured on average.
    value_if_retained : array-like of shape (n_customers,)
        In the currency.
    margin_change, margin_sd, churn_change, churn_sd : ndarray of shape (n_customers, n_actions)
        A customer's own, NaN where none was proven.
    caution : float
        Standard deviations taken off for `lower`.

    Returns
    -------
    effect : Effect
    own : ndarray of bool, shape (n_customers, n_actions)
        Where any part is the customer's own.

    Raises
    ------
    InvalidTableError
        If shapes differ.
    """
    value = np.asarray(value_if_retained, dtype=np.float64).reshape(-1, 1)
    parts = (margin_change, margin_sd, churn_change, churn_sd)
    wrong = [part.shape for part in parts if part.shape != effect.margin_change.shape]
    if wrong or len(value) != len(effect.margin_change):
        raise InvalidTableError(
            f"own effects need a row per customer and a column per action, {effect.margin_change.shape}, got "
            f"{(wrong or [value.shape])[0]}"
        )
    by_margin, by_churn = ~np.isnan(margin_change), ~np.isnan(churn_change)
    within = effect.margin_change + effect.churn_change * value
    churn = np.where(by_churn, churn_change, effect.churn_change)
    change = np.where(by_margin, margin_change, within) - churn * value
    own_variance = np.where(by_margin, margin_sd, 0.0) ** 2 + np.where(by_churn, churn_sd * np.abs(value), 0.0) ** 2
    sd = np.sqrt(own_variance + np.where(by_margin & by_churn, 0.0, effect.sd**2))
    own = by_margin | by_churn
    # what nothing was proven of stays as it was, to the last bit
    change, sd = np.where(own, change, effect.margin_change), np.where(own, sd, effect.sd)
    source = np.where(own, np.int8(SOURCES.index("uplift")), effect.source)
    return Effect(churn, change, sd, change - caution * sd, source), own
