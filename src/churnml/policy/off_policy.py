"""What a policy would have been worth, had it chosen where chance chose: asked before it is run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from churnml.errors import InvalidTableError, NotEnoughDataError
from churnml.policy.adjusting import expected
from churnml.policy.measurement import Estimate, estimate

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

FEWEST: Final = 100
_SUM: Final = 1e-6


@dataclass(frozen=True)
class Drawn:
    """Customers whose action was drawn by chance; arrays of n_cases rows.

    Parameters
    ----------
    action : ndarray of int, shape (n_cases,)
        What was drawn, a column of `propensities`; 0 is to do nothing.
    propensities : ndarray of shape (n_cases, n_actions)
        Probability of each action in that draw; 0 where it was not open.
    outcome : ndarray of shape (n_cases,)
        What came of it, net of what was done, in the currency.
    customer : ndarray of int, shape (n_cases,)
    covariates : ndarray of shape (n_cases, n_covariates)
        Known before the draw, finite.
    before : ndarray of shape (n_cases,), optional
        The same as the outcome in the time before the draw.
    """

    action: Indices
    propensities: Floats
    outcome: Floats
    customer: Indices
    covariates: Floats
    before: Floats | None = None


@dataclass(frozen=True)
class Worth:
    """What a policy is worth per case against doing nothing, by those whom chance gave what it would choose.

    Parameters
    ----------
    gain : Estimate
        Outcome under the policy less outcome when nothing is done.
    value : Estimate
        Outcome under the policy.
    effective : float
        Cases that the evidence amounts to: the squared sum of weights over the sum of their squares (Kish 1965).
    """

    gain: Estimate
    value: Estimate
    effective: float


def off_policy_value(drawn: Drawn, chosen: Indices, seed: int = 0) -> Worth:
    r"""Return the doubly robust value of a policy, from cases in which it did not choose.

    .. math:: \hat V = \frac 1n \sum_i \hat\mu_{\pi(x_i)}(x_i)
              + \frac{1\{a_i = \pi(x_i)\}}{e_{a_i}(x_i)} \left(y_i - \hat\mu_{a_i}(x_i)\right)

    The propensities are known, so it is unbiased whatever :math:`\hat\mu` is. Responses are a ridge
    regression with a mean for each action, taught by other customers.

    Parameters
    ----------
    drawn : Drawn
    chosen : ndarray of int, shape (n_cases,)
        What the policy would choose for each, by what was known before the draw.
    seed : int, default 0
        Of the folds.

    Returns
    -------
    Worth

    Raises
    ------
    InvalidTableError
        If shapes differ, an action is unknown, or propensities are missing or do not add up to 1.
    NotEnoughDataError
        If the policy chooses what could not be drawn, or the evidence amounts to fewer than 100 cases.

    References
    ----------
    Dudík, M., Langford, J. & Li, L. (2011). Doubly robust policy evaluation and learning. ICML 2011, eq. 3.
    """
    _check(drawn, chosen)
    rows, nothing, arms = np.arange(len(chosen)), np.zeros_like(chosen), drawn.propensities.shape[1]
    weight = 1 / drawn.propensities[rows, drawn.action]
    past = None if drawn.before is None else drawn.before[:, None]
    outcome, whose = drawn.outcome[:, None], drawn.customer
    means = expected(drawn.covariates, outcome, drawn.action, weight, whose, arms, seed, past)[..., 0]

    def scores(policy: Indices) -> Floats:
        surprise = np.where(drawn.action == policy, weight * (drawn.outcome - means[policy, rows]), 0.0)
        return np.asarray(means[policy, rows] + surprise)

    under, without = scores(chosen), scores(nothing)
    return Worth(estimate(under - without, drawn.customer), estimate(under, drawn.customer), _effective(drawn, chosen))


def _effective(drawn: Drawn, chosen: Indices) -> float:
    hit = drawn.action == chosen
    weight = 1 / drawn.propensities[hit, chosen[hit]]
    return float(weight.sum() ** 2 / (weight**2).sum()) if len(weight) else 0.0


def _check(drawn: Drawn, chosen: Indices) -> None:
    n, actions = drawn.propensities.shape
    if not n == len(drawn.action) == len(chosen) == len(drawn.outcome) == len(drawn.customer) == len(drawn.covariates):
        raise InvalidTableError(
            f"the value of a policy needs one row per case in every array, got {len(drawn.action)} actions drawn, {n} "
            f"propensities, {len(drawn.outcome)} outcomes and {len(chosen)} choices"
        )
    if n and not (min(drawn.action.min(), chosen.min()) >= 0 and max(drawn.action.max(), chosen.max()) < actions):
        raise InvalidTableError(f"an action must be one of {actions} columns of the propensities, got another")
    told = np.isfinite(drawn.propensities).all(axis=1) & (np.abs(drawn.propensities.sum(axis=1) - 1) <= _SUM)
    if not told.all():
        raise InvalidTableError(
            f"the value of a policy needs the probability of every action of a draw, together 1; {int((~told).sum())} "
            f"of {n} cases lack it, first row {int(np.argmin(told))}; leave out whom a rule chose, or record them"
        )
    open_to = (drawn.propensities[np.arange(n), chosen] > 0) & (drawn.propensities[:, 0] > 0)
    if not open_to.all():
        raise NotEnoughDataError(
            f"a policy can be judged only by what chance could have done, but for {int((~open_to).sum())} of {n} cases "
            "its choice, or doing nothing, was not among what was drawn from; widen exploration to these actions"
        )
    effective = _effective(drawn, chosen)
    if effective < FEWEST:
        raise NotEnoughDataError(
            f"a policy needs {FEWEST} cases that got by chance what it would choose, the evidence amounts to "
            f"{effective:.0f}; let exploration run longer"
        )
