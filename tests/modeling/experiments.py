"""Experiments whose true effects are known, for the tests of uplift."""

import numpy as np

from churnml.modeling.uplift import Randomised

ARMS = ("control", "call")


def effect_of(features):
    """Return the true effect of the linear experiment."""
    return 0.3 + features[:, 1]


def linear(n=2_400, seed=0, share=0.4):
    """Return an experiment with amounts: a line of the first feature, and an effect on a line of the second."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 4))
    treated = rng.random(n) < share
    outcome = features[:, 0] + treated * effect_of(features) + rng.normal(size=n)
    return Randomised(features, treated.astype(np.intp), chances(n, share), outcome, ARMS)


def amounts(n, seed, ratio=1.0):
    """Return an experiment with amounts spent, far more by some, and the same ratio of them by the arm for all."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 4))
    treated = rng.random(n) < 0.5
    outcome = spent(features) * np.where(treated, ratio, 1.0) * rng.gamma(2.0, 0.5, n)
    return Randomised(features, treated.astype(np.intp), chances(n, 0.5), outcome, ARMS)


def spent(features):
    """Return the amount expected without the arm."""
    return np.exp(2 + features[:, 0])


def visits(n, seed, shift=0.0, arms=ARMS):
    """Return an experiment with visits or none, and the same shift of the logit by every arm but the control."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 4))
    arm = rng.integers(len(arms), size=n)
    logit = -1.0 + features[:, 0] + shift * (arm > 0)
    outcome = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(float)
    return Randomised(features, arm, np.full((n, len(arms)), 1 / len(arms)), outcome, arms)


def chances(n, share):
    """Return the propensities of two arms, of which the second has `share`."""
    return np.column_stack([np.full(n, 1 - share), np.full(n, share)])
