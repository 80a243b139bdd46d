"""What was measured takes the place of what was assumed, as far as it is sure; and what is better stopped.

An effect is believed on the scale on which it was assumed: the logarithm of the odds ratio of churn, and of the ratio
of margins. There prior and measurement are two normal guesses of one number, and each counts by its precision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.policy.actions import DO_NOTHING, Catalogue, Prior
from churnml.policy.measurement import Scores, estimate
from churnml.policy.verdicts import Judged

Floats = npt.NDArray[np.float64]

_EDGE = 1e-3


@dataclass(frozen=True)
class Relative:
    """The logarithm of a ratio, and its standard error."""

    log_ratio: float
    error: float


@dataclass(frozen=True)
class MeasuredEffect:
    """What an experiment says of an action, relative to doing nothing.

    Parameters
    ----------
    churn_odds : Relative
        Odds of churn, treated over untreated.
    orders : Relative or None
        Margin within the window, treated over untreated; None where the untreated brought none to be a share of.
    net : float
        Change of margin less cost per treated case, in the currency.
    net_low, net_high : float
        Its interval that counts now, always-valid or at the planned end.
    cases : int
    """

    churn_odds: Relative
    orders: Relative | None
    net: float
    net_low: float
    net_high: float
    cases: int

    def to_json(self) -> dict[str, Any]:  # Any: JSON
        """Return plain data, as a run keeps it."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> MeasuredEffect:  # Any: JSON
        """Return what `to_json` wrote."""
        orders = told["orders"]
        ratios = {"churn_odds": Relative(**told["churn_odds"]), "orders": orders and Relative(**orders)}
        return cls(**{**told, **ratios})


def measured_effect(scores: Scores, net: float, judged: Judged, *, margin: int, churn: int) -> MeasuredEffect:
    """Return what scores say of an action, on the scale of priors.

    Parameters
    ----------
    scores : Scores
        Of one action.
    net : float
        Change of margin less cost per treated case.
    judged : Judged
        The verdict on it.
    margin, churn : int
        Which outcome is the margin, and which the churn.
    """
    odds, ratio = log_odds_ratio(scores, churn), log_ratio(scores, margin)
    return MeasuredEffect(odds, ratio, net, judged.low, judged.high, len(scores.customer))


def log_odds_ratio(scores: Scores, outcome: int) -> Relative:
    r"""Return the log odds ratio of an outcome between 0 and 1, with its error by the delta method.

    .. math:: \log\mathrm{OR} = \mathrm{logit}\, p_1 - \mathrm{logit}\, p_0, \qquad
              \frac{\psi_1 - p_1}{p_1 (1 - p_1)} - \frac{\psi_0 - p_0}{p_0 (1 - p_0)}

    is what each case adds to it. Adjusted means of few cases may leave [0, 1]; they are held a thousandth inside.
    """
    shares = [float(np.clip(side[:, outcome].mean(), _EDGE, 1 - _EDGE)) for side in (scores.treated, scores.control)]
    logits = [float(np.log(share / (1 - share))) for share in shares]
    given, without = (
        (side[:, outcome] - side[:, outcome].mean()) / (share * (1 - share))
        for side, share in zip((scores.treated, scores.control), shares, strict=True)
    )
    return Relative(logits[0] - logits[1], estimate(given - without, scores.customer).error)


def log_ratio(scores: Scores, outcome: int) -> Relative | None:
    """Return the log ratio of two means, with its error by the delta method; None unless both lie above zero.

    A mean whose interval holds zero is nothing to be a share of either: the delta method fails there.
    """
    sides = [estimate(side[:, outcome], scores.customer) for side in (scores.treated, scores.control)]
    if min(side.fixed()[0] for side in sides) <= 0:
        return None
    given, without = sides
    parts = scores.treated[:, outcome] / given.value - scores.control[:, outcome] / without.value
    return Relative(float(np.log(given.value / without.value)), estimate(parts, scores.customer).error)


def posterior(prior: Prior, measured: MeasuredEffect) -> Prior:
    r"""Return the prior as the measurement leaves it: both counted by their precision.

    .. math:: m = \frac{m_0 / \sigma_0^2 + \hat m / s^2}{1 / \sigma_0^2 + 1 / s^2}, \qquad
              \sigma^2 = \frac{1}{1 / \sigma_0^2 + 1 / s^2}

    for the log odds ratio of churn, and for the log ratio of orders with the same :math:`\sigma_0`, since the catalogue
    states one uncertainty. A prior without uncertainty stays what it is; a measurement without error takes its place.
    What is claimed plays no part in this: a measurement that is not yet conclusive moves the prior little.

    Parameters
    ----------
    prior : Prior
        What was assumed.
    measured : MeasuredEffect

    Returns
    -------
    Prior
        `uncertainty` is that of the log odds ratio, `orders_uncertainty` that of the log orders ratio.

    References
    ----------
    Gelman, A. et al. (2013). Bayesian Data Analysis, 3rd ed., eq. 2.10-2.12: the normal mean with known variance.

    Examples
    --------
    >>> found = MeasuredEffect(Relative(np.log(0.6), 0.1), None, 1.0, 0.0, 2.0, 500)
    >>> round(posterior(Prior(churn_odds_ratio=1.0, uncertainty=0.1), found).churn_odds_ratio, 3)
    0.775
    """
    odds, spread = _weighed(float(np.log(prior.churn_odds_ratio)), prior.uncertainty, measured.churn_odds)
    orders, doubt = float(np.log(prior.orders_ratio)), prior.orders_uncertainty
    if measured.orders is not None:
        orders, doubt = _weighed(orders, prior.uncertainty, measured.orders)
    learned = {"churn_odds_ratio": float(np.exp(odds)), "orders_ratio": float(np.exp(orders)), "uncertainty": spread}
    return prior.model_copy(update=learned | {"orders_uncertainty": doubt})


def _weighed(assumed: float, spread: float, seen: Relative) -> tuple[float, float]:
    if spread <= 0 or not np.isfinite(seen.error):
        return assumed, spread
    if seen.error <= 0:
        return seen.log_ratio, 0.0
    own, its = 1 / spread**2, 1 / seen.error**2
    return (own * assumed + its * seen.log_ratio) / (own + its), float(1 / np.sqrt(own + its))


def weight_of_margin(prior: Prior, measured: MeasuredEffect) -> float:
    """Return how much of the orders ratio that `posterior` gives is the measurement, from 0 to 1."""
    if measured.orders is None or prior.uncertainty <= 0 or not np.isfinite(measured.orders.error):
        return 0.0
    return prior.uncertainty**2 / (prior.uncertainty**2 + measured.orders.error**2)


def learned_priors(catalogue: Catalogue, measured: Mapping[str, MeasuredEffect]) -> dict[str, Prior]:
    """Return the prior of every action of a catalogue, measured where it was measured.

    `effect_source` of those in `measured` is `measured`. Doing nothing is no effect by definition, whatever is given.
    """
    return {
        action.name: posterior(action.prior, measured[action.name])
        if action.name in measured and action.name != DO_NOTHING
        else action.prior
        for action in catalogue.actions
    }


def propose_stop(verdicts: Mapping[str, Judged]) -> tuple[str, ...]:
    """Return the actions that are better stopped: claimed to bring less than they cost, or to harm.

    They are proposed, never stopped by themselves: whoever runs the campaign decides.
    """
    return tuple(name for name, judged in verdicts.items() if judged.kind in {"loses", "harms"})
