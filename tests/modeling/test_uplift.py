"""Uplift finds effects that are there, claims none that are not, and is never worth less than one arm for all."""

from dataclasses import replace

import numpy as np
import pytest
from experiments import amounts, effect_of, linear, spent, visits
from scipy.stats import binom

from churnml.modeling.uplift import fit_uplift
from churnml.modeling.uplift.estimate import arm_scores, pair_of
from churnml.modeling.uplift.learners import doubly_robust, fit_learners
from churnml.modeling.uplift.order import mean_interval
from churnml.modeling.uplift.proof import order_proof
from churnml.modeling.uplift.stack import stack_weights, stacked
from churnml.modeling.uplift.words import average_told, order_told, policy_told, sleeping_told


@pytest.fixture(scope="module")
def found():
    return fit_uplift(linear())


@pytest.fixture(scope="module")
def nothing():
    return fit_uplift(visits(600, seed=0))


@pytest.fixture
def unseen():
    return np.random.default_rng(9).normal(size=(1_000, 4))


def test_a_linear_effect_is_recovered(found, unseen):
    truth, said = effect_of(unseen), found.effect(unseen)[:, 1]
    assert found.arms[0].accepted
    assert np.corrcoef(truth, said)[0, 1] > 0.9
    assert abs((said - truth).mean()) < 0.15


def test_the_average_effect_lies_within_its_interval(found):
    average = found.arms[0].average
    assert average.low < 0.3 < average.high
    assert average.low > 0


def test_those_whom_an_arm_harms_are_named_and_left_alone(found, unseen):
    asleep = found.arms[0].sleeping(unseen)
    assert asleep.mean() > 0.1
    assert (effect_of(unseen)[asleep] < 0).mean() > 0.9
    assert (found.choose(unseen)[asleep] == 0).all()


def test_choosing_by_customer_is_proven_worth_more_where_it_is(found, unseen):
    assert found.personal
    chosen = found.choose(unseen)
    assert (effect_of(unseen) * chosen).mean() > max(0.0, effect_of(unseen).mean()) + 0.2


def test_where_choosing_is_not_proven_all_get_the_best_single_arm(nothing, unseen):
    assert not nothing.personal
    assert set(nothing.choose(unseen)) == {nothing.best}


def test_an_arm_that_costs_more_than_it_brings_is_not_chosen():
    assert fit_uplift(linear(300), costs=[10.0]).best == 0


def test_no_effect_no_claim(nothing):
    assert not nothing.claims


def test_a_proof_in_sequence_judges_no_fold_by_what_it_taught():
    data = linear(300)
    pair, fold, scores = pair_of(data, 1), np.arange(300) % 4, data.outcome
    last = replace(pair, outcome=np.where(fold == 3, 1e6, pair.outcome))
    first = np.where(fold == 0, 1e6, scores)
    proofs = [
        order_proof(one, fold, judged, data.features, fold, level=0.95, seed=0)
        for one, judged in ((pair, scores), (last, scores), (pair, first))
    ]
    assert proofs[0] == proofs[1] == proofs[2]


def test_an_order_that_is_there_is_proven_and_one_that_is_not_is_not(found, nothing):
    assert found.arms[0].proof.low > 0
    assert nothing.arms[0].proof.low < 0


@pytest.mark.long
def test_without_effects_at_most_one_in_twenty_experiments_makes_a_claim():
    claims = sum(fit_uplift(visits(900, seed=seed), seed=seed).claims for seed in range(200))
    assert claims <= binom.ppf(0.975, 200, 0.05)


def test_each_of_several_arms_has_its_own_effect(unseen):
    arms = fit_uplift(visits(420, seed=1, shift=2.0, arms=("control", "mail", "call")))
    assert [arm.name for arm in arms.arms] == ["mail", "call"]
    assert (arms.effect(unseen)[:, 1:] > 0).mean() > 0.95


def test_one_shift_of_the_logit_is_recovered(unseen):
    said = fit_learners(pair_of(visits(5_000, seed=4, shift=0.8), 1), seed=0).constant(unseen)
    truth = 1 / (1 + np.exp(-(unseen[:, 0] - 0.2))) - 1 / (1 + np.exp(-(unseen[:, 0] - 1.0)))
    assert abs((said - truth).mean()) < 0.04
    assert np.corrcoef(said, truth)[0, 1] > 0.8


def test_one_shift_of_the_logarithm_is_recovered_so_who_spends_more_gains_more(unseen):
    said = fit_learners(pair_of(amounts(5_000, seed=4, ratio=1.3), 1), seed=0).constant(unseen)
    truth = 0.3 * spent(unseen)
    assert said.mean() == pytest.approx(truth.mean(), rel=0.25)
    assert np.corrcoef(said, truth)[0, 1] > 0.9


def test_amounts_that_are_lost_as_often_as_gained_have_one_average_for_all(unseen):
    said = fit_learners(pair_of(linear(300), 1), seed=0).constant(unseen)
    assert len(set(said)) == 1


@pytest.mark.parametrize(("right", "wrong"), [("propensity", "responses"), ("responses", "propensity")])
def test_scores_are_unbiased_when_one_of_two_is_wrong(right, wrong):
    pair = pair_of(linear(40_000, seed=2), 1)
    x = pair.features
    without, given = (x[:, 0], x[:, 0] + effect_of(x)) if right == "responses" else (x[:, 2] - 1, x[:, 3] + 2)
    propensity = np.full(len(x), 0.8 if wrong == "propensity" else 0.4)
    scores = doubly_robust(pair.outcome, pair.treated, propensity, without, given)
    assert abs(scores.mean() - effect_of(x).mean()) < 4 * scores.std() / np.sqrt(len(scores))


def test_the_interval_of_a_value_covers_the_truth_as_often_as_it_says():
    covered = 0
    for seed in range(300):
        data = linear(400, seed)
        scores = arm_scores(data, np.zeros((400, 2)))
        interval = mean_interval(scores[:, 1] - scores[:, 0])
        covered += interval.low < 0.3 < interval.high
    assert binom.ppf(0.001, 300, 0.95) <= covered <= binom.ppf(0.999, 300, 0.95)


def test_a_learner_that_is_right_gets_the_weight_and_noise_gets_none():
    rng = np.random.default_rng(0)
    truth, noise, constant = rng.normal(size=20_000), rng.normal(size=20_000), np.zeros(20_000)
    weights = stack_weights(truth + rng.normal(size=20_000), np.column_stack([truth, -truth, noise]), constant)
    assert weights[0] > 0.95
    assert weights[1] == 0.0
    assert abs(weights[2]) < 0.05


def test_few_customers_leave_the_constant_effect_nearly_as_it_is():
    rng = np.random.default_rng(0)
    constant, said = np.full(50, 0.1), rng.normal(0.1, 0.02, size=(50, 3))
    weights = stack_weights(rng.normal(size=50), said, constant)
    assert np.abs(stacked(said, constant, weights) - constant).max() < 0.01


def test_what_was_found_is_said_in_both_languages(found, nothing):
    arm, idle = found.arms[0], nothing.arms[0]
    assert average_told(arm).en.startswith("call helps: it adds")
    assert "not yet conclusive" in average_told(idle).en
    assert "can be told" in order_told(arm).en
    assert "cannot be told" in order_told(idle).en
    assert sleeping_told(arm).zh.startswith("“call”对部分客户有害")
    assert "nobody is shown" in sleeping_told(idle).en
    assert "按客户选择" in policy_told(found).zh
    assert "not shown to be worth more" in policy_told(nothing).en


def test_one_effect_for_all_is_no_order_and_one_group():
    rng = np.random.default_rng(0)
    noise = replace(linear(800), outcome=rng.normal(size=800))
    (arm,) = fit_uplift(noise).arms
    assert (arm.order.value, len(arm.groups)) == (0.0, 1)
