"""Intervals that hold at every look, and the verdicts and plans that go by them."""

import numpy as np
import pytest
from trials import trial

from churnml.policy.measurement import Estimate, difference, doubly_robust
from churnml.policy.sequences import always_valid, always_valid_p, tightest_at


def wide(n, planned=1_000):
    low, high = always_valid(Estimate(0.0, 1 / np.sqrt(n), n), planned)
    return (high - low) * np.sqrt(n)


def test_the_sequence_is_narrowest_at_the_number_planned():
    assert wide(1_000) == min(wide(n) for n in range(100, 5_000, 20))


def test_it_is_wider_than_the_interval_of_a_single_look():
    found = Estimate(1.0, 0.1, 1_000)
    assert always_valid(found, 1_000)[0] < found.fixed()[0]


def test_its_p_value_is_one_in_twenty_where_it_touches_zero():
    found = Estimate(1.0, 0.3, 700)
    half = found.value - always_valid(found, 1_000)[0]
    assert always_valid_p(Estimate(half, 0.3, 700), 1_000) == pytest.approx(0.05)


def test_before_the_first_case_it_says_nothing():
    assert always_valid(Estimate(0.0, 0.0, 0), 100) == (-np.inf, np.inf)
    assert always_valid_p(Estimate(0.0, 0.0, 0), 100) == 1.0


def test_the_tuning_solves_the_condition_of_the_least_width():
    u = 1_000 * tightest_at(1_000) ** 2 + 1
    assert np.log(u / 0.05**2) == pytest.approx(u - 1)


LOOKS = range(100, 1_301, 50)  # a look a week, at a pace of 50 a week


def misses(seed, how):
    """Return whether each kind of interval missed the truth at any weekly look."""
    some, always, fixed = trial(n=1_300, effect=0.3, seed=seed, share=0.7), False, False
    for n in LOOKS:
        found = how(some.take(np.arange(n))).effect()
        low, high = always_valid(found, 1_300)
        always |= not low <= 0.3 <= high
        fixed |= not found.fixed()[0] <= 0.3 <= found.fixed()[1]
    return always, fixed


@pytest.mark.parametrize(
    ("how", "redraws"),
    [(difference, 60), pytest.param(difference, 1_000, marks=pytest.mark.long),
     pytest.param(doubly_robust, 200, marks=pytest.mark.long)],
)  # fmt: skip
def test_over_all_weekly_looks_together_it_misses_in_at_most_one_of_twenty_and_the_fixed_one_in_far_more(how, redraws):
    always, fixed = np.mean([misses(seed, how) for seed in range(redraws)], axis=0)
    assert always <= 0.05
    assert fixed > 0.15
