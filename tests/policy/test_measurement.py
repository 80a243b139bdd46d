"""Differences between treated and controls: plain, CUPED and doubly robust, held against closed forms."""

from dataclasses import replace

import numpy as np
import pytest
from trials import trial

from churnml.errors import InvalidTableError
from churnml.policy.adjusting import expected
from churnml.policy.measurement import Trial, cuped, difference, doubly_robust, estimate


def regression(outcome, columns, weight):
    root = np.sqrt(weight)
    return np.linalg.lstsq(root[:, None] * np.column_stack(columns), root * outcome, rcond=None)[0]


def test_the_plain_effect_is_the_difference_of_the_two_means():
    some = trial(effect=0.4)
    y = some.outcomes[:, 0]
    found = difference(some).effect()
    assert found.value == pytest.approx(y[some.treated].mean() - y[~some.treated].mean())


def test_the_plain_error_is_that_of_two_independent_means():
    some = trial(n=2_000)
    y, arm = some.outcomes[:, 0], some.treated
    textbook = np.sqrt(y[arm].var() / arm.sum() + y[~arm].var() / (~arm).sum())
    assert difference(some).effect().error == pytest.approx(textbook, rel=1e-3)


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_cuped_is_the_coefficient_of_the_arm_in_a_regression_on_the_arm_and_the_past(share):
    some = trial(effect=0.4, share=share)
    weight = np.where(some.treated, 1 / share, 1 / (1 - share)) ** 2
    slopes = regression(some.outcomes[:, 0], [np.ones(len(some)), some.treated, some.before[:, 0]], weight)
    assert cuped(some).effect().value == pytest.approx(slopes[1])


def test_a_past_that_says_nothing_leaves_the_plain_difference():
    some = trial()
    some = replace(some, before=np.ones_like(some.before))
    assert cuped(some).effect() == difference(some).effect()


def test_the_past_makes_the_effect_surer_and_more_covariates_surer_still():
    some = trial(n=4_000, explains=3.0)
    errors = [how(some).effect().error for how in (difference, cuped, doubly_robust)]
    assert errors == sorted(errors, reverse=True)
    assert errors[2] < 0.5 * errors[0]


def test_where_covariates_explain_everything_the_doubly_robust_effect_is_exact():
    rng = np.random.default_rng(0)
    x, arm = rng.normal(size=(300, 2)), rng.random(300) < 0.7
    outcome = (1 + x @ [2.0, -1.0] + 0.5 * arm)[:, None]
    exact = Trial(arm, np.full(300, 0.7), outcome, np.arange(300), x, np.zeros((300, 1)))
    assert doubly_robust(exact).effect().value == pytest.approx(0.5, abs=2e-3)


def test_without_covariates_the_doubly_robust_scores_are_those_of_the_means_of_other_folds():
    some = trial(n=200)
    plain = replace(some, covariates=np.zeros((200, 0)), before=np.zeros_like(some.before))
    (_, given), scores = said_by_others(plain), doubly_robust(plain)
    by_hand = given + np.where(plain.treated, 2.0, 0.0)[:, None] * (plain.outcomes - given)
    np.testing.assert_allclose(scores.treated, by_hand)
    assert len(np.unique(given[:, 0])) == 5


def said_by_others(some):
    weight = np.where(some.treated, 1 / some.propensity, 1 / (1 - some.propensity))
    return expected(some.covariates, some.outcomes, some.treated.astype(int), weight, some.customer, 2, 0, some.before)


def test_with_few_cases_and_many_covariates_of_noise_the_adjustment_costs_next_to_nothing():
    some = trial(n=200)
    noise = replace(some, covariates=np.random.default_rng(0).normal(size=(200, 150)))
    assert doubly_robust(noise).effect().error < 1.05 * difference(some).effect().error


def test_unequal_propensities_do_not_mistake_who_was_drawn_more_often_for_an_effect():
    share = np.where(np.arange(20_000) % 2, 0.9, 0.5)
    some = trial(n=20_000, share=share)
    rich = replace(some, outcomes=some.outcomes + 10 * (share > 0.6)[:, None])
    found = difference(rich).effect()
    assert abs(found.value) < 4 * found.error
    assert abs(rich.outcomes[rich.treated].mean() - rich.outcomes[~rich.treated].mean()) > 1


def test_a_customer_who_comes_twice_with_the_same_counts_once():
    scores, who = np.random.default_rng(0).normal(size=100), np.arange(100)
    once, twice = estimate(scores, who), estimate(np.tile(scores, 2), np.tile(who, 2))
    assert twice.error == pytest.approx(once.error)


def test_the_effect_of_a_segment_is_read_off_the_scores_of_all():
    scores = doubly_robust(trial())
    half = np.arange(400) < 200
    whole = scores.effect().value
    assert whole == pytest.approx((scores.effect(0, half).value + scores.effect(0, ~half).value) / 2)


def test_no_customers_own_outcome_teaches_what_is_expected_of_them():
    some = trial(per_customer=2)
    odd = replace(some, outcomes=some.outcomes + 1e6 * (some.customer == 7)[:, None])
    (_, usual), (_, changed) = said_by_others(some), said_by_others(odd)
    np.testing.assert_array_equal(usual[some.customer == 7], changed[some.customer == 7])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"propensity": np.ones(400)}, "both excluded, got 1 in row 0"),
        ({"outcomes": np.full((400, 2), np.nan)}, "`outcomes` must be finite"),
        ({"customer": np.arange(3)}, "one row per case"),
    ],
)
def test_what_is_no_trial_is_refused_by_name(change, words):
    with pytest.raises(InvalidTableError, match=words):
        replace(trial(), **change)


@pytest.mark.parametrize(
    ("how", "redraws"),
    [(difference, 200), (cuped, 200), (doubly_robust, 60)]
    + [pytest.param(how, 1_000, marks=pytest.mark.long) for how in (difference, cuped, doubly_robust)],
)
def test_the_interval_at_the_planned_end_covers_the_truth_in_93_to_97_of_100_redraws(how, redraws):
    hits = 0
    for seed in range(redraws):
        low, high = how(trial(n=600, effect=0.3, seed=seed, share=0.7, per_customer=2)).effect().fixed()
        hits += low <= 0.3 <= high
    # with few redraws, two standard errors of the share itself are granted
    slack = 0.0 if redraws >= 1_000 else 2 * np.sqrt(0.05 * 0.95 / redraws)
    assert 0.93 - slack <= hits / redraws <= 0.97 + slack
