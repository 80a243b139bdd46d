"""Chance without a stream: each draw is a function of whom and what it is for."""

import numpy as np
import pytest
from scipy import stats

from churnml.events.simulation.chance import exponential, keys_of, normal, poisson, uniform

KEYS = keys_of(3, np.arange(40_000))


@pytest.mark.parametrize("when", [5, np.arange(40_000) % 7])
def test_uniform_numbers_are_uniform_over_customers(when):
    drawn = uniform(KEYS, "coin", when)
    assert ((drawn > 0) & (drawn < 1)).all()
    assert stats.kstest(drawn, "uniform").pvalue > 1e-3


def test_uniform_numbers_of_one_customer_are_uniform_over_days():
    drawn = np.array([uniform(KEYS[:3], "coin", day) for day in range(4_000)])
    for one in drawn.T:
        assert stats.kstest(one, "uniform").pvalue > 1e-3


@pytest.mark.parametrize(
    "one, other",
    [
        ((KEYS, "coin", 1), (KEYS, "coin", 2)),
        ((KEYS, "coin", 1), (KEYS, "die", 1)),
        ((KEYS, "coin", 1), (keys_of(4, np.arange(40_000)), "coin", 1)),
        ((KEYS, "coin", 1), (keys_of(3, np.arange(40_000), 1), "coin", 1)),
        ((KEYS[1:], "coin", 1), (KEYS[:-1], "coin", 1)),
    ],
    ids=["days", "processes", "seeds", "futures", "neighbours"],
)
def test_draws_for_different_things_are_unrelated(one, other):
    assert abs(stats.spearmanr(uniform(*one), uniform(*other)).statistic) < 4 / np.sqrt(40_000)


def test_a_draw_does_not_depend_on_who_else_is_drawn():
    assert uniform(KEYS, "coin", 9)[17:40].tolist() == uniform(KEYS[17:40], "coin", 9).tolist()


def test_normal_and_exponential_numbers_have_their_distribution():
    assert stats.kstest(normal(KEYS, "height", 0), "norm").pvalue > 1e-3
    assert stats.kstest(exponential(KEYS, "wait", 0), "expon").pvalue > 1e-3


@pytest.mark.parametrize("mean", [0.0, 0.02, 0.7, 4.0])
def test_poisson_counts_have_their_mean_and_variance(mean):
    counts = poisson(uniform(KEYS, "calls", 0), np.full(len(KEYS), mean))
    assert counts.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / len(KEYS)) + 1e-12)
    assert counts.var() == pytest.approx(mean, rel=0.05, abs=1e-12)


def test_of_one_chance_a_larger_mean_never_gives_fewer_events():
    chance = uniform(KEYS, "calls", 0)
    few, more = (poisson(chance, np.full(len(KEYS), mean)) for mean in (0.5, 0.8))
    assert (more >= few).all()


def test_the_recorded_life_is_number_0_whoever_else_is_redrawn_beside_it():
    numbers = np.arange(4)
    mixed = keys_of(3, numbers, np.array([0, 1, 0, 2]))
    assert mixed[[0, 2]].tolist() == keys_of(3, numbers)[[0, 2]].tolist()
    assert mixed[1] == keys_of(3, numbers, 1)[1]
