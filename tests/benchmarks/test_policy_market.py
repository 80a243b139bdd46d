"""Goals of a simulated market are judged by machinery that is right: regret, redraws, refusals, and what it prints."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from benchmarks.market_experiment import (
    BUDGETS,
    Judged,
    ceiling,
    drawn,
    judge,
    judge_learned,
    measured_of,
    provable,
    scores_beyond,
    slice_of,
)
from benchmarks.market_redraws import FIXED, WATCHED, WATCHED_FIXED, Coverage, binomial, coverage
from benchmarks.market_refusals import Nulls, Refusals, refusals, refused
from benchmarks.saved_market import ARMS, COSTS, RESERVES, saved_market
from saved import gross, saved

from benchmarks import policy_market
from churnml.modeling.uplift import Measured, NoEvidence
from churnml.policy import Prior, assign
from churnml.policy.learned import posterior


@pytest.fixture(scope="module")
def market():
    return saved()


@pytest.fixture(scope="module")
def limits(market):
    nobody = np.zeros(market.effects.shape, dtype=bool)
    return ceiling(market, market.effects, nobody, np.arange(len(market)))


def judged(market, limits, effects):
    everybody = np.arange(len(market))
    open_to = np.ones(effects.shape, dtype=bool)
    chosen = [assign(effects, RESERVES, open_to, budget) for budget in limits.budgets]
    asleep = np.zeros(effects.shape, dtype=bool)
    return judge(market, everybody, effects, chosen, asleep, averages=effects.mean(axis=0))


def test_the_oracles_own_policy_has_no_regret_but_the_gap_of_its_knapsack(market, limits):
    assert limits.regret(judged(market, limits, market.effects)) == pytest.approx(limits.gaps)
    assert limits.gaps.max() < 0.002


def test_doing_nothing_is_all_regret(limits):
    nothing = replace(limits.judged, values=np.zeros(len(BUDGETS)))
    assert limits.regret(nothing).tolist() == [1.0] * len(BUDGETS)


def test_effects_of_other_customers_have_regret_and_less_of_it_than_doing_nothing(market, limits):
    shuffled = judged(market, limits, np.random.default_rng(3).permutation(market.effects))
    short = limits.regret(shuffled)[:-1]  # with money for all, most get the same action anyway
    assert short.min() > 0.05
    assert short.max() < 1.0


def test_nobody_sets_aside_more_than_the_budget(market, limits):
    assert (limits.judged.spent * len(market) <= limits.budgets + 1e-6).all()
    assert (limits.judged.values <= limits.bounds + 1e-9).all()


def test_what_is_no_experiment_leaves_everybody_in_peace(market, limits):
    nobody = np.zeros(market.effects.shape, dtype=bool)
    rows, refusal = slice_of(market, 1), NoEvidence("predictable", None, {}, {})
    data = drawn(market, rows, np.random.default_rng(1))
    none = judge_learned(market, rows, data, refusal, limits, nobody, np.arange(len(market)))
    assert not none.evidence
    assert limits.regret(none).tolist() == [1.0] * len(BUDGETS)


def test_what_is_measured_moves_what_is_assumed_towards_the_truth(market):
    rows = np.arange(len(market))
    found = measured_of(market, rows, drawn(market, rows, np.random.default_rng(1)), 2)
    truth = np.log1p(gross(market)[2] / market.margin[0].mean())
    assert abs(found.orders.log_ratio - truth) < 4 * found.orders.error
    moved = np.log(posterior(Prior(orders_ratio=1.0, uncertainty=0.1), found).orders_ratio)
    assert 0 < moved < found.orders.log_ratio


def test_how_well_an_order_shows_is_what_its_slope_varies_by_over_redraws(market):
    rows, arm = np.arange(len(market)), 2
    expected, slopes, told = market.margin[0].mean(axis=0), [], []
    for number in range(300):
        data = drawn(market, rows, np.random.default_rng(number))
        scores, beyond = scores_beyond(data, expected, market.effects[:, arm] + COSTS[arm], arm)
        slopes.append(np.polyfit(beyond, scores, 1)[0])
        told.append(provable(data, expected, market.effects)[arm - 1])
    assert 1 / np.std(slopes) == pytest.approx(np.mean(told), rel=0.2)


def test_sleeping_dogs_are_counted_among_the_contacted(market, limits):
    dogs = np.zeros(market.effects.shape, dtype=bool)
    dogs[:, 2] = market.effects[:, 2] < np.median(market.effects[:, 2])
    found = ceiling(market, market.effects, dogs, np.arange(len(market))).judged
    assert (found.dogs[:2] < found.dogs_at_random[:2]).all()


def test_a_redraw_moves_arms_and_futures_and_not_the_slice(market):
    rows = slice_of(market, 1)
    one, two = (drawn(market, rows, np.random.default_rng(seed)) for seed in (1, 2))
    assert (slice_of(market, 1) == rows).all()
    assert not (one.arm == two.arm).all()
    assert one.outcome.mean() != two.outcome.mean()


def test_intervals_hold_about_as_often_as_they_say(market):
    found = coverage(market, 25, seed=0, say=lambda _: None)
    assert all(min(found.held[name]) >= 20 for name in (*FIXED, WATCHED))
    assert sum(found.held[WATCHED]) >= sum(found.held[WATCHED_FIXED])


def test_a_rules_log_is_refused_and_the_slice_tells_the_truth(market):
    found = refusals(market, seed=0)
    assert (found.as_recorded, found.as_claimed) == ("no_randomised", "predictable")
    assert refused(found.as_claimed)
    mail, truth = ARMS[1], gross(market)[1]
    assert found.naive[mail].high < truth
    assert found.weighted[mail].low < found.truth[mail] < found.weighted[mail].high


def test_binomial_intervals_are_those_of_the_tables():
    assert binomial(0, 10).high == pytest.approx(0.3085, abs=1e-4)
    assert binomial(10, 10).low == pytest.approx(0.6915, abs=1e-4)


@pytest.fixture
def found(limits):
    ranks, none = limits.judged.ranks * 0.7, limits.judged.dogs
    one = Judged(True, ranks, ranks, limits.judged.values * 0.95, none, none, none, 1)
    two = replace(one, values=limits.judged.values * 0.89, ranks=limits.judged.ranks * 0.4)
    held = {name: [950, 920, 960, 980] for name in (*FIXED, WATCHED, WATCHED_FIXED)}
    measured = dict.fromkeys(ARMS[1:], Measured(1.0, 0.5, 1.5))
    said = Refusals(500, "no_randomised", "predictable", dict.fromkeys(ARMS[1:], 1.2), measured, measured)
    return policy_market.Found(
        4,
        3,
        1,
        8,
        limits,
        (one, two),
        (one.values,) * 2,
        (two.values,) * 2,
        (ranks,),
        Coverage(1_000, held),
        Nulls(60, 4, 1),
        said,
    )


def test_every_figure_stands_beside_its_goal(found):
    shown = {line.what: line for line in policy_market.lines(found)}
    assert shown["regret, 5% of the free budget"].met
    assert not shown[f"rank correlation, {ARMS[1]}, share of its ceiling"].met
    assert [shown[f"coverage, {arm}, doubly robust"].met for arm in ARMS[1:]] == [True, False, True, False]
    assert not shown["uplift claimed without effects"].met


def test_it_says_what_is_simulated_and_what_is_not_met(found):
    printed = policy_market.table(policy_market.lines(found)) + policy_market.story(found)
    assert "simulated" in printed
    assert "| not met |" in printed
    assert policy_market.values(found).count("\n") == len(BUDGETS) + 1


def test_the_same_can_be_had_as_json(found):
    assert json.loads(json.dumps(asdict(found), default=np.ndarray.tolist))["population"] == 3


@pytest.mark.long
def test_a_market_is_found_again_on_its_morning(tmp_path):
    one, two = (saved_market(tmp_path / "shop", 150, 2, seed=1) for _ in range(2))
    assert one.margin.shape == (len(ARMS), 2, len(one))
    assert one.features.shape == (len(one), len(one.columns))
    assert (one.margin == two.margin).all()
    assert set(np.unique(one.ruled)) <= {-1, 0, 1, 2, 3, 4}


def test_a_goal_that_is_met_on_the_mean_alone_is_told_so():
    sure, open_yet = Measured(0.01, 0.0, 0.04), Measured(0.0, 0.0, 0.26)
    assert policy_market._at_most("claims", sure, 0.05).verdict == "met"
    assert policy_market._at_most("claims", open_yet, 0.05).verdict == "met on the mean, not beyond noise"
    assert policy_market._at_most("claims", Measured(0.1, 0.0, 0.3), 0.05).verdict == "not met"
