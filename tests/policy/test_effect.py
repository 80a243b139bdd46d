import numpy as np
import pytest
from numpy.testing import assert_allclose

from churnml.errors import InvalidTableError
from churnml.policy import prior_effect


def test_halved_odds_turn_a_half_into_a_third(catalogue):
    effect = prior_effect(catalogue, [0.5], [120.0], [40.0])
    assert_allclose(effect.churn_change[0], [0, 1 / 3 - 1 / 2, 1 / 5 - 1 / 2])


def test_an_effect_in_money_is_value_kept_plus_orders_gained(catalogue):
    effect = prior_effect(catalogue, [0.5], [120.0], [40.0])
    assert_allclose(effect.margin_change[0], [0, 120 / 6 + 0.1 * 40, 0.3 * 120])


def test_uncertainty_in_money_follows_the_delta_method(catalogue):
    effect = prior_effect(catalogue, [0.5], [120.0], [40.0])
    assert_allclose(effect.sd[0], [0, 1 / 3 * 2 / 3 * 120 * 0.2, 0.2 * 0.8 * 120 * 0.1])


def test_the_lower_bound_lies_caution_standard_deviations_below(catalogue):
    effect = prior_effect(catalogue.model_copy(update={"caution": 2.0}), [0.5], [120.0], [40.0])
    assert_allclose(effect.lower, effect.margin_change - 2 * effect.sd)


def test_the_delta_method_agrees_with_simulated_odds_ratios(catalogue):
    ratios = 0.5 * np.exp(0.2 * np.random.default_rng(0).standard_normal(200_000))
    simulated = (120 * ratios * 0.3 / (0.7 + ratios * 0.3)).std()
    assert_allclose(prior_effect(catalogue, [0.3], [120.0], [0.0]).sd[0, 1], simulated, rtol=0.03)


def test_who_surely_stays_or_surely_leaves_is_not_moved(catalogue):
    effect = prior_effect(catalogue, [0.0, 1.0], [120.0, 120.0], [0.0, 0.0])
    assert not effect.churn_change.any()
    assert not effect.margin_change.any()


def test_doing_nothing_changes_exactly_nothing(catalogue):
    p = np.random.default_rng(0).random(1_000)
    effect = prior_effect(catalogue, p, 100 * p, 50 * p)
    assert not effect.lower[:, 0].any()


@pytest.mark.parametrize(
    "p, value, words",
    [
        ([0.2, np.nan], [1, 1], "`churn_probability` must be a finite number, got nan in row 1"),
        ([0.2, 1.2], [1, 1], r"must lie in \[0, 1\], got 1.2 in row 1"),
        ([0.2, 0.3], [1, np.inf], "`value_if_retained` must be a finite number"),
        ([0.2], [1, 1], "churn_probability 1, value_if_retained 2"),
    ],
)
def test_a_row_without_a_usable_score_is_refused(catalogue, p, value, words):
    with pytest.raises(InvalidTableError, match=words):
        prior_effect(catalogue, p, value, [1, 1])


def test_what_an_order_bears_already_is_put_back_before_the_cost_is_taken_off(catalogue):
    found = prior_effect(catalogue, [0.5], [120.0], [40.0])
    grossed = found.before(np.array([[0.0, 2.0, 0.0]]))
    assert (grossed.margin_change - found.margin_change).tolist() == [[0, 2, 0]]
    assert (grossed.lower - found.lower).tolist() == [[0, 2, 0]]
    assert grossed.sd is found.sd
