"""The whole estimate: learners cross-fitted, stacked, accepted or not, and the policy that follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from churnml.modeling.uplift.learners import Fitted, Pair, fit_learners
from churnml.modeling.uplift.levels import one_sided, two_sided
from churnml.modeling.uplift.order import Measured, mean_interval, qini, qini_gain
from churnml.modeling.uplift.proof import order_proof
from churnml.modeling.uplift.randomised import Matrix, Randomised
from churnml.modeling.uplift.responses import fold_of
from churnml.modeling.uplift.sleeping import Group, groups, sleeping_dogs
from churnml.modeling.uplift.stack import stack_weights, stacked

FOLDS = 4


@dataclass(frozen=True)
class ArmUplift:
    """What is known of one arm against the control.

    Attributes
    ----------
    name : str
    average : Measured
        The average effect; with the other claims of all arms it errs once in twenty (`levels.py`).
    order : Measured
        Qini of the effect in use, out of fold, 95 %.
    gain : Measured
        Qini of the stack less that of the constant effect, out of fold, 95 %.
    proof : Measured
        Qini of the mean of the learners less that of the constant effect, each fold by the folds before it.
    accepted : bool
        Whether the stack is used: `gain` and `proof` lie above zero with their whole intervals.
    groups : tuple of Group
        Tenths by effect, lowest first, and what the arm did among them.
    weights : ndarray of shape (n_learners,)
        Of the stack, taught by all customers.
    fitted : Fitted
        The learners, taught by all customers.
    """

    name: str
    average: Measured
    order: Measured
    gain: Measured
    proof: Measured
    accepted: bool
    groups: tuple[Group, ...]
    weights: Matrix
    fitted: Fitted

    def effect(self, features: Matrix) -> Matrix:
        """Return the effect of the arm, of shape (n_customers,)."""
        constant = self.fitted.constant(features)
        if not self.accepted:
            return constant
        said = np.column_stack([learner(features) for learner in self.fitted.effects.values()])
        return stacked(said, constant, self.weights)

    def sleeping(self, features: Matrix) -> npt.NDArray[np.bool_]:
        """Return who is better left alone, of shape (n_customers,): the effect on their like lies below zero."""
        return sleeping_dogs(self.groups, self.effect(features))

    @property
    def claims(self) -> bool:
        """Whether anything is claimed: an effect on average, an order of customers, or harm to some."""
        return not self.average.low <= 0 <= self.average.high or self.accepted or any(g.sleeping for g in self.groups)


@dataclass(frozen=True)
class Uplift:
    """Effects of all arms, and whom to give which.

    Attributes
    ----------
    arms : tuple of ArmUplift
        All but the control.
    costs : ndarray of shape (n_arms,)
        What giving each arm to one customer costs, in units of the outcome; 0 for the control.
    best : int
        The single arm worth most when everybody gets it; 0 is the control.
    gain : Measured
        Value of choosing by customer less that of the best single arm, out of fold, per customer.
    scores, effects : ndarray of shape (n_customers, n_arms)
        Doubly robust outcome of each customer under each arm, and the effects in use less costs, out of fold. Without
        rows where it was loaded: what is saved holds nothing of single customers.
    """

    arms: tuple[ArmUplift, ...]
    costs: Matrix
    best: int
    gain: Measured
    scores: Matrix
    effects: Matrix

    @property
    def personal(self) -> bool:
        """Whether arms are chosen by customer: that is worth more with the whole interval."""
        return self.gain.low > 0

    def effect(self, features: Matrix) -> Matrix:
        """Return the effect of each arm, of shape (n_customers, n_arms), 0 for the control."""
        return np.column_stack([np.zeros(len(features)), *(arm.effect(features) for arm in self.arms)])

    @property
    def claims(self) -> bool:
        """Whether anything is claimed of any arm, or of choosing by customer."""
        return self.personal or any(arm.claims for arm in self.arms)

    def choose(self, features: Matrix) -> npt.NDArray[np.intp]:
        """Return the arm of each customer, of shape (n_customers,).

        It is the best single one, unless choosing by customer is proven to be worth more. Nobody gets an arm that
        harms their like.
        """
        effect = self.effect(features)
        harmed = [sleeping_dogs(arm.groups, effect[:, number]) for number, arm in enumerate(self.arms, start=1)]
        allowed = ~np.column_stack([np.zeros(len(features), dtype=np.bool_), *harmed])
        if self.personal:
            return np.asarray(np.argmax(np.where(allowed, effect - self.costs, -np.inf), axis=1))
        return np.where(allowed[:, self.best], self.best, 0)


def pair_of(data: Randomised, arm: int) -> Pair:
    """Return one arm against the control."""
    rows = (data.arm == 0) | (data.arm == arm)
    share = data.propensities[rows, arm] / (data.propensities[rows, arm] + data.propensities[rows, 0])
    return Pair(data.features[rows], data.arm[rows] == arm, share, data.outcome[rows], data.binary)


def arm_scores(data: Randomised, responses: Matrix) -> Matrix:
    """Return the doubly robust outcome of each customer under each arm, of shape (n_customers, n_arms).

    The mean of a column is what that arm for everybody would bring, if the propensities are right, whatever the
    responses; good responses make it less noisy.

    References
    ----------
    Athey, S. and Wager, S. (2021). Policy learning with observational data. Econometrica 89(1), 133-161.
    """
    drawn = data.arm[:, None] == np.arange(len(data.arms))
    return np.asarray(responses + np.where(drawn, (data.outcome[:, None] - responses) / data.propensities, 0.0))


def fit_uplift(
    data: Randomised, *, costs: Sequence[float] | None = None, seed: int = 0, experiments: int = 1
) -> Uplift:
    """Return the effects of every arm and the policy that follows.

    Learners are cross-fitted over four folds; each arm's stack is used only where it orders customers better than the
    constant effect, out of fold, by the lower end of a paired interval, and where learners do so in sequence. Arms
    are chosen by customer only where that is worth more than the best single arm, by the same rule.

    Parameters
    ----------
    data : Randomised
        Customers whose arm was drawn by chance; `randomisation` says whether it was.
    costs : sequence of float, optional
        Cost of each arm but the control, in units of the outcome; by default nothing.
    seed : int, default 0
    experiments : int, default 1
        How many are looked at together; the error of all claims is shared among them.

    Returns
    -------
    Uplift

    References
    ----------
    Nie, X. and Wager, S. (2021). Quasi-oracle estimation of heterogeneous treatment effects. Biometrika 108(2),
    299-319: stacking learners on the loss of the effect, held near a constant.
    """
    with threadpool_limits(limits=1, user_api="blas"):  # the same bits, and no threads that wait on tiny matrices
        return _estimated(data, np.array([0.0, *(costs or [0.0] * (len(data.arms) - 1))]), seed, experiments)


def _estimated(data: Randomised, prices: Matrix, seed: int, experiments: int) -> Uplift:
    fold, said, constant, responses = _cross_fitted(data, seed)
    scores = arm_scores(data, responses)
    arms, effects = [], [np.zeros(len(data))]
    for number in range(1, len(data.arms)):
        looks = experiments * (len(data.arms) - 1)
        found, used = _arm(data, number, fold, said[number - 1], constant[number - 1], scores, seed, looks)
        arms.append(found)
        effects.append(used - prices[number])
    net = np.column_stack(effects)
    best = int(np.argmax(scores.mean(axis=0) - prices))
    worth = _worth(scores - prices, net, best, experiments)
    return Uplift(tuple(arms), prices, best, worth, scores, net)


def _cross_fitted(data: Randomised, seed: int) -> tuple[npt.NDArray[np.intp], list[Matrix], list[Matrix], Matrix]:
    """Return each customer's fold, what learners taught by the others say of each arm, and the mean outcomes."""
    fold = fold_of(data.arm * 2 + (data.outcome > 0), FOLDS, seed)
    n_arms = len(data.arms)
    said: list[Matrix] = [np.empty(0)] * (n_arms - 1)
    constant = [np.empty(len(data)) for _ in range(1, n_arms)]
    responses = np.zeros((len(data), n_arms))
    for number in range(FOLDS):
        out = fold == number
        for arm in range(1, n_arms):
            fitted = fit_learners(pair_of(data.take(~out), arm), seed)
            if not said[arm - 1].size:
                said[arm - 1] = np.empty((len(data), len(fitted.effects)))
            rows = data.features[out]
            said[arm - 1][out] = np.column_stack([learner(rows) for learner in fitted.effects.values()])
            constant[arm - 1][out] = fitted.constant(rows)
            responses[out, arm] = fitted.treated(rows)
            responses[out, 0] += fitted.control(rows) / (n_arms - 1)
    return fold, said, constant, responses


def _arm(
    data: Randomised,
    number: int,
    fold: npt.NDArray[np.intp],
    said: Matrix,
    constant: Matrix,
    scores: Matrix,
    seed: int,
    looks: int,
) -> tuple[ArmUplift, Matrix]:
    """Return what is known of an arm, one of so many looked at, and its effect on each customer out of fold."""
    own, constant = scores[:, number] - scores[:, 0], _one_for_all(constant, fold)
    stack = np.empty(len(own))
    for one in range(FOLDS):
        out = fold == one
        stack[out] = stacked(said[out], constant[out], stack_weights(own[~out], said[~out], constant[~out]))
    pair, both = pair_of(data, number), (data.arm == 0) | (data.arm == number)
    gain = qini_gain(own, stack, constant)
    proof = order_proof(pair, fold[both], own, data.features, fold, level=one_sided(looks), seed=seed)
    accepted = min(gain.low, proof.low) > 0
    used = stack if accepted else constant
    found = ArmUplift(
        data.arms[number],
        mean_interval(own, two_sided(looks)),
        qini(own, used),
        gain,
        proof,
        accepted,
        groups(own, used, arms=looks),
        stack_weights(own, said, constant),
        fit_learners(pair, seed),
    )
    return found, used


def _one_for_all(constant: Matrix, fold: npt.NDArray[np.intp]) -> Matrix:
    """Return an effect that is the same for all as one number; others as they are.

    Out of fold it is another number in each, lower where the fold itself did well, for it was learned without. That is
    no order of customers, least of all the reverse of the truth that it looks like.
    """
    flat = all(np.ptp(constant[fold == one]) == 0 for one in np.unique(fold))
    return np.full(len(constant), constant.mean()) if flat else constant


def _worth(net_scores: Matrix, net_effects: Matrix, best: int, experiments: int) -> Measured:
    """Return the value of choosing by customer less that of the best single arm."""
    chosen = np.argmax(net_effects, axis=1)
    rows = np.arange(len(chosen))
    return mean_interval(net_scores[rows, chosen] - net_scores[:, best], one_sided(experiments))
