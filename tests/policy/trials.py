"""Experiments with known effects, for the tests of measurement."""

from __future__ import annotations

import numpy as np

from churnml.policy.measurement import Trial


def trial(n=400, effect=0.0, seed=0, share=0.5, explains=1.0, per_customer=1, cost=0.0):
    """Return a trial on skewed amounts that the past partly explains; outcomes are net and gross of a cost."""
    rng = np.random.default_rng(seed)
    customer = np.repeat(np.arange(-(-n // per_customer)), per_customer)[:n]
    habit = rng.gamma(2.0, 1.0, customer.max() + 1)[customer]
    before, noise = habit * rng.gamma(4.0, 0.25, n), rng.gamma(1.0, 1.0, n)
    treated = rng.random(n) < share
    gross = explains * habit + noise + effect * treated
    outcomes = np.column_stack([gross - cost * treated, gross])
    covariates = np.column_stack([habit, rng.normal(size=(n, 3))])
    propensity = np.broadcast_to(np.asarray(share, dtype=float), n).copy()
    return Trial(treated, propensity, outcomes, customer, covariates, np.column_stack([before, before]))
