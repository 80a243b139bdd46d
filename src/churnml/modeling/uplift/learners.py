"""S, T, X and DR learners by trees and by ridge, and one effect for all on the logit: one arm against the control.

Each gives the effect of the arm as a function of features, in units of the outcome. What X and DR are taught with is
predicted out of fold, so that no outcome explains itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from churnml.modeling.learners import sigmoid
from churnml.modeling.uplift.predictions import Crossed, Difference, Level, Predict, Share, Shifted, Switched, with_arm
from churnml.modeling.uplift.responses import BASES, Base, fit_logit, fit_response, fit_scores, fold_of, mean_of

Matrix = npt.NDArray[np.float64]

_FOLDS = 2
_NEWTON_STEPS = 25
_TRIFLE = 0.05


@dataclass(frozen=True)
class Pair:
    """One arm against the control.

    Parameters
    ----------
    features : ndarray of shape (n_customers, n_features)
    treated : ndarray of bool, shape (n_customers,)
    propensity : ndarray of shape (n_customers,)
        Probability of being treated, given one of the two arms.
    outcome : ndarray of shape (n_customers,)
    binary : bool
        Whether outcomes are 0 or 1.
    """

    features: Matrix
    treated: npt.NDArray[np.bool_]
    propensity: Matrix
    outcome: Matrix
    binary: bool

    def take(self, rows: npt.NDArray[np.bool_]) -> Pair:
        """Return some of the customers."""
        kept = (self.features[rows], self.treated[rows], self.propensity[rows], self.outcome[rows])
        return Pair(*kept, self.binary)


@dataclass(frozen=True)
class Fitted:
    """The learners of one arm, all taught by the same customers.

    Attributes
    ----------
    effects : mapping of str to callable
        The effect by each learner, such as `X ridge`.
    constant : callable
        The effect when it is the same for all on the logit; of amounts, on the logarithm.
    control, treated : callable
        The mean outcome without and with the arm.
    """

    effects: Mapping[str, Predict]
    constant: Predict
    control: Predict
    treated: Predict


def fit_learners(pair: Pair, seed: int) -> Fitted:
    """Return all learners, taught by one arm and the control.

    References
    ----------
    Künzel, S. R., Sekhon, J. S., Bickel, P. J. and Yu, B. (2019). Metalearners for estimating heterogeneous treatment
    effects using machine learning. PNAS 116(10), 4156-4165: S, T and X.
    Kennedy, E. H. (2023). Towards optimal doubly robust estimation of heterogeneous causal effects. Electronic Journal
    of Statistics 17(2), 3008-3049: algorithm 1.
    """
    arms = {base: _two_responses(pair, base, seed) for base in BASES}
    without, given = cross_fitted(pair, seed)
    effects: dict[str, Predict] = {}
    for base in BASES:
        effects[f"S {base}"] = _single(pair, base, seed)
        effects[f"T {base}"] = Difference(*arms[base])
        effects[f"X {base}"] = _crossed(pair, base, without, given, seed)
        scores = doubly_robust(pair.outcome, pair.treated, pair.propensity, without, given)
        effects[f"DR {base}"] = fit_scores(base, pair.features, scores, seed=seed)
    control, treated = (mean_of(*(arms[base][side] for base in BASES)) for side in (0, 1))
    scores = doubly_robust(pair.outcome, pair.treated, pair.propensity, without, given)
    return Fitted(effects, _constant(pair, float(scores.mean()), mean_of(control, treated), seed), control, treated)


def doubly_robust(
    outcome: Matrix, treated: npt.NDArray[np.bool_], propensity: Matrix, without: Matrix, given: Matrix
) -> Matrix:
    """Return a score per customer whose mean is the effect if either the propensity or the responses are right.

    Parameters
    ----------
    outcome, propensity, without, given : ndarray of shape (n_customers,)
        What came, the probability of being treated, and the mean outcome expected without and with the arm.
    treated : ndarray of bool, shape (n_customers,)

    Returns
    -------
    ndarray of shape (n_customers,)

    References
    ----------
    Robins, J. M., Rotnitzky, A. and Zhao, L. P. (1994). Estimation of regression coefficients when some regressors are
    not always observed. JASA 89(427), 846-866.
    """
    surprise = np.where(treated, (outcome - given) / propensity, -(outcome - without) / (1 - propensity))
    return np.asarray(given - without + surprise)


def cross_fitted(pair: Pair, seed: int) -> tuple[Matrix, Matrix]:
    """Return the mean outcome without and with the arm, of each customer by the others."""
    fold = fold_of(pair.treated * 2 + (pair.outcome > 0), _FOLDS, seed)
    without, given = np.empty(len(fold)), np.empty(len(fold))
    for number in range(_FOLDS):
        out = fold == number
        taught = [_two_responses(pair.take(~out), base, seed) for base in BASES]
        without[out] = mean_of(*(one[0] for one in taught))(pair.features[out])
        given[out] = mean_of(*(one[1] for one in taught))(pair.features[out])
    return without, given


def _two_responses(pair: Pair, base: Base, seed: int) -> tuple[Predict, Predict]:
    """Return the mean outcome of the control and of the treated, each taught by its own."""
    control, treated = (
        fit_response(base, pair.features[side], pair.outcome[side], binary=pair.binary, seed=seed)
        for side in (~pair.treated, pair.treated)
    )
    return control, treated


def _single(pair: Pair, base: Base, seed: int) -> Predict:
    """Return the S-learner: one response with the arm among its features."""
    crossed = base == "ridge"
    columns = with_arm(pair.features, pair.treated, crossed=crossed)
    return Switched(fit_response(base, columns, pair.outcome, binary=pair.binary, seed=seed), crossed)


def _crossed(pair: Pair, base: Base, without: Matrix, given: Matrix, seed: int) -> Predict:
    """Return the X-learner: the imputed effects of treated and of controls, weighted by who is plentiful."""
    side, share = pair.treated, float(pair.propensity.mean())
    of_treated = fit_scores(base, pair.features[side], (pair.outcome - without)[side], seed=seed)
    of_control = fit_scores(base, pair.features[~side], (given - pair.outcome)[~side], seed=seed)
    return Crossed(of_treated, of_control, share)


def _constant(pair: Pair, average: float, response: Predict, seed: int) -> Predict:
    r"""Return the effect of a shift of the logit that is the same for all; of amounts, of one of the logarithm.

    With :math:`m(x)` the logit of the outcome whatever the arm and :math:`e` the share treated, the outcome's logit is
    :math:`m(x) + c + \delta (w - e)`. Who is likelier to respond anyway, under one half, then gains more. With
    :math:`m(x)` the amount expected, the effect is :math:`\bar\psi\, m(x) / \bar m`, the average in proportion to it:
    that share is the Poisson quasi-likelihood's, which asks of amounts no more than a mean above zero. Amounts that are
    losses as often as gains have no logarithm; of them it is the average for all.

    Parameters
    ----------
    average : float
        The effect on average.
    response : callable
        The mean outcome expected, whatever the arm.

    References
    ----------
    Gourieroux, C., Monfort, A. and Trognon, A. (1984). Pseudo maximum likelihood methods: applications to Poisson
    models. Econometrica 52(3), 701-720.
    """
    if not pair.binary:
        expected = float(np.maximum(response(pair.features), 0.0).mean())
        return Share(response, average / expected) if _has_logarithm(pair.outcome) and expected > 0 else Level(average)
    marginal = mean_of(*(fit_logit(base, pair.features, pair.outcome, seed=seed) for base in BASES))
    share = float(pair.propensity.mean())
    level, shift = _shifted(marginal(pair.features), pair.treated.astype(np.float64) - share, pair.outcome)
    return Shifted(marginal, level, shift, share)


def _has_logarithm(amounts: Matrix) -> bool:
    """Return whether a share of what is expected can be told: what was lost is a trifle beside what came."""
    return float(-amounts[amounts < 0].sum()) <= _TRIFLE * float(amounts[amounts > 0].sum())


def _shifted(offset: Matrix, side: Matrix, outcome: Matrix) -> tuple[float, float]:
    """Return level and shift of a logistic regression on the arm beside an offset, by Newton's steps.

    The shift is a priori within 1 of zero, which keeps it finite where an arm has no responder.
    """
    found, design = np.zeros(2), np.column_stack([np.ones_like(side), side])
    prior = np.diag([0.0, 1.0])
    for _ in range(_NEWTON_STEPS):
        chance = sigmoid(offset + design @ found)
        slope = design.T @ (outcome - chance) - prior @ found
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + prior
        step = np.linalg.solve(curvature, slope)
        found = found + step
        if np.abs(step).max() < 1e-10:
            break
    return float(found[0]), float(found[1])
