"""A saved market by hand: two things known of each customer, effects that follow from them, futures with noise."""

import numpy as np
from benchmarks.saved_market import COSTS, Saved

from churnml.events.simulation import Market


def saved(customers=2_000, futures=8, seed=0, strength=1.0):
    """Return a market whose effects are known; the more a customer spends, the more an action brings."""
    rng = np.random.default_rng(seed)
    known = rng.normal(size=(customers, 2))
    usual = np.exp(3 + 0.5 * known[:, 0])
    change = strength * np.outer((0.0, 0.1, 0.4, 0.2, 0.1), usual * (1 + np.tanh(2 * known[:, 1])))
    shared = rng.gamma(4.0, 0.25, (futures, customers))
    margin = ((usual + change)[:, None, :] * shared).astype(np.float32)
    stayed = np.broadcast_to(rng.random((futures, customers)) < 0.8, margin.shape)
    ruled = np.where(known[:, 0] < -0.5, 1, 0)
    return Saved(Market(customers), ("a", "b"), known, known, usual, margin, stayed, known, ruled)


def gross(market):
    """Return true effects before costs, averaged over customers."""
    return (market.effects + COSTS).mean(axis=0)
