"""Beside the truth: what is right holds, what is off is found, and a perfect model's error is told at any size."""

import numpy as np
import pytest

from churnml.errors import InvalidTableError
from churnml.modeling import metrics
from churnml.modeling.learners import sigmoid
from churnml.modeling.truth import GOAL, chances, worth


def world(n, seed=0):
    """Return what a perfect model of what is seen says, and true chances that know more."""
    rng = np.random.default_rng(seed)
    said = sigmoid(rng.normal(-1.5, 1.0, n))
    # true chances spread around what is said with a mean of exactly that
    return said, rng.beta(8 * said, 8 * (1 - said))


def asked(said, true):
    return chances([30], 60, said[:, None], said[:, None], true[:, None], seed=0)[0]


def test_a_model_that_is_right_on_average_is_within_a_perfect_models_error_nineteen_times_in_twenty():
    within = [asked(*world(1_000, seed)) for seed in range(60)]
    assert sum(one.ece <= one.perfect_95 for one in within) / 60 >= 0.85


def test_a_perfect_models_error_falls_with_the_root_of_the_customers():
    few, many = (asked(*world(n)).perfect_95 for n in (1_000, 16_000))
    assert few / many == pytest.approx(4, rel=0.15)


def test_what_is_off_by_two_points_does_not_hold():
    said, true = world(16_000)
    found = asked(np.clip(said + 0.02, 0, 1), true)
    assert not found.holds
    assert found.ece == pytest.approx(0.02, abs=0.003)


def test_with_few_customers_what_a_perfect_model_may_show_holds():
    found = asked(*world(400))
    assert found.perfect_95 > GOAL
    assert found.holds


def test_beyond_the_horizon_is_told_apart():
    said, true = (np.column_stack([one, one]) for one in world(500))
    assert [one.taught for one in chances([60, 90], 60, said, said, true, seed=0)] == [True, False]


def test_the_expected_log_loss_is_least_for_the_truth():
    said, true = world(2_000)
    assert asked(true, true).log_loss < asked(said, true).log_loss


def test_a_forecast_a_tenth_too_high_is_biased_by_a_tenth_and_orders_as_well():
    true = np.random.default_rng(0).gamma(2.0, 10.0, 500)
    found = worth(60, 1.1 * true, true)
    assert (found.bias, found.gini) == (pytest.approx(0.1), pytest.approx(1.0))


def test_true_probabilities_outside_0_and_1_are_refused():
    with pytest.raises(InvalidTableError, match=r"1\.2"):
        metrics.ece_of_chances([0.1, 1.2], [0.1, 0.2])
