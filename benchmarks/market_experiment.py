"""Experiments on a saved market: arms drawn anew, what comes, what is learned, and what the learned policy is worth.

A slice of the customers is drawn by chance; all that is judged is judged on the others, whom the experiment only tells
of by what they have in common with the slice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from benchmarks.saved_market import ARMS, COSTS, RESERVES, Saved
from churnml.modeling.uplift import NoEvidence, Randomised, Uplift, learn_uplift
from churnml.policy import Assignment, assign, load_actions
from churnml.policy.learned import MeasuredEffect, Relative, log_ratio, posterior
from churnml.policy.measurement import Trial, doubly_robust

Matrix = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

SHARE: Final = 0.3
DOG: Final = -0.01
"""A sleeping dog's chance to stay falls by more than a point."""

BUDGETS: Final = (0.05, 0.2, 0.5, 1.0)
"""Of what the observable oracle would set aside if nothing held it back."""


def slice_of(saved: Saved, seed: int) -> Codes:
    """Return the customers of the slice, three in ten; the same for every redraw."""
    return np.flatnonzero(np.random.default_rng([seed, 0]).random(len(saved)) < SHARE)


def drawn(saved: Saved, rows: Codes, rng: np.random.Generator) -> Randomised:
    """Return an experiment among some customers: an arm each, all alike likely, and the margin that came."""
    arm = rng.integers(len(ARMS), size=len(rows))
    margin, _ = saved.came(rows, arm, rng)
    return Randomised(saved.features[rows], arm, even(len(rows)), margin, ARMS)


def even(customers: int) -> Matrix:
    """Return equal propensities of all arms."""
    return np.full((customers, len(ARMS)), 1 / len(ARMS))


def learn(data: Randomised, seed: int) -> Uplift | NoEvidence:
    """Return what an experiment taught, by the door that everybody's experiments go through."""
    costs = COSTS[1:].tolist()
    return learn_uplift(data.features, data.arm, data.propensities, data.outcome, data.arms, costs=costs, seed=seed)


@dataclass(frozen=True)
class Judged:
    """How a learned policy did among customers outside the slice.

    Parameters
    ----------
    evidence : bool
        Whether the experiment was taken for one.
    ranks : ndarray of shape (n_arms - 1,)
        Spearman correlation of each action's effect with its truth.
    averages : ndarray of shape (n_arms - 1,)
        The average effects that were learned, before costs.
    values, spent, dogs, dogs_at_random : ndarray of shape (n_budgets,)
        True value per customer; budget set aside per customer; share of sleeping dogs among the contacted, and what it
        would be if the same actions went to as many at random.
    orders : int
        Actions of which it was proven whom they help more.
    """

    evidence: bool
    ranks: Matrix
    averages: Matrix
    values: Matrix
    spent: Matrix
    dogs: Matrix
    dogs_at_random: Matrix
    orders: int


@dataclass(frozen=True)
class Ceiling:
    """The observable oracle among the same customers.

    Parameters
    ----------
    budgets : ndarray of shape (n_budgets,)
        In the currency, for all of them together.
    bounds, gaps : ndarray of shape (n_budgets,)
        The dual bound per customer: by its own effects no choice is worth more; and how far its choice is from it.
    judged : Judged
    """

    budgets: Matrix
    bounds: Matrix
    gaps: Matrix
    judged: Judged

    def regret(self, judged: Judged) -> Matrix:
        """Return the share of the oracle's true value that a policy leaves, by budget; 1 for doing nothing.

        What the oracle's choice lacks to the dual bound, a thousandth or less, is put on top of its value: so its own
        policy has a regret of that gap, and no choice by its effects could have less than none.
        """
        return 1 - judged.values * (1 - self.gaps) / self.judged.values


def ceiling(saved: Saved, oracle: Matrix, dogs: Flags, rows: Codes) -> Ceiling:
    """Return what the observable oracle does with some customers, and the budgets that follow from what it would do.

    Parameters
    ----------
    oracle : ndarray of shape (n_customers, n_arms)
        From `observable_effects`, of all customers, as `dogs`.
    """
    effects, nobody = oracle[rows], np.zeros((len(rows), len(ARMS)), dtype=np.bool_)
    most = float(RESERVES[np.argmax(effects, axis=1)].sum())
    budgets = np.array(BUDGETS) * most
    chosen = [assign(effects, RESERVES, ~nobody, budget) for budget in budgets]
    told = judge(saved, rows, effects, chosen, dogs, averages=(saved.effects + COSTS)[rows].mean(axis=0))
    bounds = np.array([one.dual_bound for one in chosen]) / len(rows)
    return Ceiling(budgets, bounds, np.array([one.gap for one in chosen]), told)


def judge_learned(
    saved: Saved, inside: Codes, data: Randomised, found: Uplift | NoEvidence, limits: Ceiling, dogs: Flags, rows: Codes
) -> Judged:
    """Return how the product's policy does with what an experiment taught; without evidence nothing is done.

    As `churnml assign` does: an action of which an order of customers was proven has each customer's own effect, the
    others have what was assumed of them, moved by what was measured.
    """
    if isinstance(found, NoEvidence):
        none, unknown = np.zeros(len(BUDGETS)), np.zeros(len(ARMS) - 1)
        return Judged(False, unknown, unknown, none, none, none, none, 0)
    features = saved.features[rows]
    closed = np.column_stack([np.zeros(len(rows), dtype=np.bool_), *(arm.sleeping(features) for arm in found.arms)])
    gross = believed(saved, inside, data, found, features)
    chosen = [assign(gross - found.costs, RESERVES, ~closed, budget) for budget in limits.budgets]
    orders = sum(arm.accepted for arm in found.arms)
    return judge(saved, rows, gross - found.costs, chosen, dogs, averages=gross.mean(axis=0), orders=orders)


def believed(saved: Saved, inside: Codes, data: Randomised, found: Uplift, features: Matrix) -> Matrix:
    """Return the effect of each arm on margin, before costs, that the product acts by; (n_customers, n_arms)."""
    effects, margin = np.zeros((len(features), len(ARMS))), expected_margin(found, features)
    priors = {action.name: action.prior for action in load_actions().actions}
    for number, arm in enumerate(found.arms, start=1):
        if arm.accepted:
            effects[:, number] = arm.effect(features)
            continue
        measured = measured_of(saved, inside, data, number)
        effects[:, number] = (posterior(priors[arm.name], measured).orders_ratio - 1) * margin
    return effects


def expected_margin(found: Uplift, features: Matrix) -> Matrix:
    """Return what is expected of each customer who is left in peace, at least 0."""
    return np.asarray(np.maximum(np.mean([arm.fitted.control(features) for arm in found.arms], axis=0), 0.0))


def measured_of(saved: Saved, inside: Codes, data: Randomised, arm: int) -> MeasuredEffect:
    """Return the ratio of margins that an experiment shows of an arm; what it says of staying is not asked."""
    both = (data.arm == 0) | (data.arm == arm)
    rows, came = inside[both], data.outcome[both]
    treated, half = data.arm[both] == arm, np.full(len(rows), 0.5)
    trial = Trial(treated, half, came[:, None], rows, saved.known[rows], saved.before[rows, None])
    scores = doubly_robust(trial)
    return MeasuredEffect(Relative(0.0, np.inf), log_ratio(scores, 0), 0.0, -np.inf, np.inf, len(rows))


def if_averages_were_known(saved: Saved, found: Uplift | NoEvidence, limits: Ceiling, rows: Codes) -> Matrix:
    """Return the true value per customer, by budget, of true average effects in proportion to what is expected of each.

    What it lacks to the oracle is what nobody was told about who gains more; what a learned policy lacks to it is the
    noise of averages.
    """
    if isinstance(found, NoEvidence):
        return np.zeros(len(BUDGETS))
    truth, features = saved.effects[rows], saved.features[rows]
    expected = expected_margin(found, features)
    effects = np.outer(expected / expected.mean(), truth.mean(axis=0) + COSTS) - COSTS
    open_to, every = np.ones(effects.shape, dtype=np.bool_), np.arange(len(rows))
    chosen = [assign(effects, RESERVES, open_to, budget).action for budget in limits.budgets]
    return np.array([truth[every, action].mean() for action in chosen])


def if_unproven_were_used(saved: Saved, found: Uplift | NoEvidence, limits: Ceiling, rows: Codes) -> Matrix:
    """Return the true value per customer, by budget, of acting by every order that was learned, proven or not."""
    if isinstance(found, NoEvidence):
        return np.zeros(len(BUDGETS))
    truth, features = saved.effects[rows], saved.features[rows]
    learned = [replace(arm, accepted=True).effect(features) for arm in found.arms]
    effects = np.column_stack([np.zeros(len(rows)), *learned]) - COSTS
    open_to, every = np.ones(effects.shape, dtype=np.bool_), np.arange(len(rows))
    chosen = [assign(effects, RESERVES, open_to, budget).action for budget in limits.budgets]
    return np.array([truth[every, action].mean() for action in chosen])


def provable(data: Randomised, expected: Matrix, oracle: Matrix) -> Matrix:
    r"""Return at how many standard errors each arm's order would show to who was told it and asked about nothing else.

    The order is what the oracle knows beyond the average in proportion, :math:`d`. Regressed on it, the scores
    :math:`\psi` of an experiment have a slope of one, whose standard error is that of White (1980, A
    heteroskedasticity-consistent covariance matrix estimator, Econometrica 48(4)), for the order's ends vary most. No
    learner that must find the order itself sees it better.

    Parameters
    ----------
    expected : ndarray of shape (n_drawn,)
        What is expected of each customer who was drawn, if left in peace.
    oracle : ndarray of shape (n_drawn, n_arms)
        Their effects from `expected_effects`, net of costs.

    Returns
    -------
    ndarray of shape (n_arms - 1,)
    """
    return np.array([_shows(data, expected, oracle[:, arm] + COSTS[arm], arm) for arm in range(1, len(ARMS))])


def _shows(data: Randomised, expected: Matrix, effect: Matrix, arm: int) -> float:
    scores, beyond = scores_beyond(data, expected, effect, arm)
    around = beyond - beyond.mean()
    left = scores - scores.mean() - around * (around @ scores) / (around @ around)
    return float(around @ around / np.sqrt(around**2 @ left**2))


def scores_beyond(data: Randomised, expected: Matrix, effect: Matrix, arm: int) -> tuple[Matrix, Matrix]:
    """Return each customer's score of an arm against none, and what an effect says of them beyond proportion."""
    both = (data.arm == 0) | (data.arm == arm)
    usual, known = expected[both], effect[both]
    scores = (data.outcome[both] - usual) * np.where(data.arm[both] == arm, 2.0, -2.0)
    return scores, known - usual / usual.mean() * known.mean()


def judge(
    saved: Saved,
    rows: Codes,
    effects: Matrix,
    chosen: Sequence[Assignment],
    dogs: Flags,
    *,
    averages: Matrix,
    orders: int = 0,
) -> Judged:
    """Return how effects and the choices made by them stand to the truth; arrays over `rows`, `dogs` over all."""
    truth, asleep, every = saved.effects[rows], dogs[rows], np.arange(len(rows))
    contacts = [np.flatnonzero(one.action > 0) for one in chosen]
    return Judged(
        True,
        np.array([_rank(effects[:, arm], truth[:, arm]) for arm in range(1, len(ARMS))]),
        averages[1:],
        np.array([truth[every, one.action].mean() for one in chosen]),
        np.array([one.spent for one in chosen]) / len(rows),
        np.array([_mean(asleep[who, one.action[who]]) for who, one in zip(contacts, chosen, strict=True)]),
        np.array([_mean(asleep.mean(axis=0)[one.action[who]]) for who, one in zip(contacts, chosen, strict=True)]),
        orders,
    )


def _rank(effect: Matrix, truth: Matrix) -> float:
    """Return Spearman's correlation; of one effect for all it is 0, for no order is made of none."""
    return 0.0 if np.ptp(effect) == 0 else float(spearmanr(effect, truth).statistic)


def _mean(values: npt.NDArray[np.generic]) -> float:
    return float(values.mean()) if values.size else 0.0
