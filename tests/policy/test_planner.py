"""A plan says how many customers tell an effect from chance, and never promises what a base cannot show."""

import math

import numpy as np
import pytest

from churnml.errors import InvalidTableError, UsageError
from churnml.policy.planner import (
    Experiment,
    Spread,
    Supply,
    best_split,
    detectable_amount,
    detectable_share,
    needed_for_amount,
    needed_for_share,
    plan_amount,
    plan_share,
    power_for_amount,
    power_for_share,
    spread,
)

HALF, TENTH = Experiment(0.5), Experiment(0.1)
MANY = Supply(1_000_000, 1_000, 90)
ROUNDS = 4_000


@pytest.mark.parametrize("untreated, treated, each", [(0.30, 0.25, 1_248), (0.10, 0.05, 432), (0.5, 0.6, 385)])
def test_two_shares_take_what_the_tables_say(untreated, treated, each):
    """The usual tables, each arm with its own variance and no correction for continuity: 80 % power, 5 % two-sided."""
    assert math.ceil(needed_for_share(untreated, treated, HALF) / 2) == each


@pytest.mark.parametrize("effect_in_sd, each", [(0.2, 393), (0.5, 63), (0.8, 25)])
def test_two_means_take_what_the_tables_say(effect_in_sd, each):
    """Cohen's small, medium and large effects, by the normal approximation."""
    assert math.ceil(needed_for_amount(effect_in_sd, Spread(1, 0), HALF) / 2) == each


def told(share_control, draw, rounds=ROUNDS, customers=1_000):
    """Return the share of simulated experiments whose difference exceeds 1.96 of its own standard errors, upwards."""
    random = np.random.default_rng(7)
    control = int(customers * share_control)
    groups = draw(random, False, (rounds, control)), draw(random, True, (rounds, customers - control))
    means, errors = zip(*((each.mean(1), each.var(1, ddof=1) / each.shape[1]) for each in groups), strict=True)
    return float((np.abs(means[1] - means[0]) / np.sqrt(errors[0] + errors[1]) > HALF.z_level).mean())


@pytest.mark.parametrize("experiment", [HALF, TENTH], ids=["half", "a tenth"])
def test_a_share_is_told_as_often_as_the_power_says(experiment):
    treated = 0.3 - detectable_share(0.3, 1_000, experiment)
    found = told(experiment.control_share, lambda random, arm, shape: random.random(shape) < (treated if arm else 0.3))
    assert found == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("experiment", [HALF, TENTH], ids=["half", "a tenth"])
@pytest.mark.parametrize("correlation", [0.0, 0.7])
def test_an_amount_is_told_as_often_as_the_power_says_and_cuped_helps_by_the_correlation(experiment, correlation):
    effect = detectable_amount(1_000, Spread(10, correlation), experiment)
    left = math.sqrt(1 - correlation**2)

    def adjusted(random, arm, shape):
        before, noise = random.normal(size=shape), random.normal(size=shape)
        after = 10 * (correlation * before + left * noise) + effect * arm
        return after - 10 * correlation * before

    assert told(experiment.control_share, adjusted) == pytest.approx(0.8, abs=0.03)


def test_without_an_effect_the_level_is_told():
    assert told(0.1, lambda random, _, shape: random.normal(size=shape)) == pytest.approx(0.05, abs=0.012)


@pytest.mark.parametrize("experiment", [HALF, TENTH], ids=["half", "a tenth"])
@pytest.mark.parametrize("customers", [200, 5_000])
def test_what_is_detectable_takes_just_these_customers(experiment, customers):
    fall, amount = (
        detectable_share(0.4, customers, experiment),
        detectable_amount(customers, Spread(9, 0.3), experiment),
    )
    assert needed_for_share(0.4, 0.4 - fall, experiment) == pytest.approx(customers)
    assert needed_for_amount(amount, Spread(9, 0.3), experiment) == pytest.approx(customers)
    assert power_for_share(0.4, 0.4 - fall, customers, experiment) == pytest.approx(0.8)
    assert power_for_amount(amount, Spread(9, 0.3), customers, experiment) == pytest.approx(0.8)


def test_unequal_arms_take_more_customers():
    assert needed_for_amount(1, Spread(5, 0), TENTH) == pytest.approx(needed_for_amount(1, Spread(5, 0), HALF) / 0.36)


def test_a_plan_counts_weeks_of_drawing_and_the_days_until_the_last_outcome_is_final():
    plan = plan_amount(2, Spread(20, 0), HALF, Supply(10_000, 1_000, 90))
    assert (plan.needed, plan.treated, plan.control, plan.weeks) == (3_140, 1_570, 1_570, 4 + 13)


def test_a_plan_keeps_the_share_of_controls():
    plan = plan_share(0.3, 0.25, TENTH, MANY)
    assert plan.control / plan.needed == pytest.approx(0.1, abs=1e-3)
    assert plan.treated + plan.control == plan.needed


def test_a_base_that_is_too_small_is_never_conclusive_and_says_what_it_could_show():
    plan = plan_amount(2, Spread(20, 0), HALF, Supply(1_000, 1_000, 90))
    assert (plan.conclusive, plan.weeks, plan.needed) == (False, None, 3_140)
    assert plan.detectable == pytest.approx(2 * math.sqrt(3_139.552 / 1_000), rel=1e-3)


@pytest.mark.parametrize("plan", [plan_amount(0, Spread(20, 0), HALF, MANY), plan_share(0.3, 0.3, HALF, MANY)])
def test_no_effect_is_never_told_by_any_number(plan):
    assert (plan.needed, plan.treated, plan.control, plan.weeks) == (None, 0, 0, None)


@pytest.mark.parametrize("supply", [Supply(0, 0, 90), Supply(10_000, 0, 90)])
def test_where_nobody_comes_nothing_is_told(supply):
    assert plan_amount(2, Spread(20, 0), HALF, supply).weeks is None


def test_nobody_shows_nothing_and_a_few_not_even_a_fall_to_nought():
    assert detectable_amount(0, Spread(1, 0), HALF) is None
    assert detectable_share(0.3, 0, HALF) is None
    assert detectable_share(0.02, 50, HALF) is None


def test_an_amount_that_does_not_vary_is_told_at_once():
    assert plan_amount(1, Spread(0, 0), HALF, MANY).needed == 2


def test_a_spread_is_told_by_two_stretches():
    found = spread([1, 2, 3, 4], [2, 4, 6, 8])
    assert (found.sd, found.correlation, found.adjusted) == (
        pytest.approx(2.58, abs=0.01),
        pytest.approx(1),
        pytest.approx(0, abs=1e-6),
    )
    assert spread([1, 1, 1], [1, 2, 3]).correlation == 0


@pytest.mark.parametrize("before, after", [([1], [1]), ([1, 2], [1, 2, 3]), ([1, np.nan], [1, 2])])
def test_a_spread_of_too_little_is_refused(before, after):
    with pytest.raises(InvalidTableError, match="at least two customers in both stretches"):
        spread(before, after)


def test_where_money_binds_arms_go_by_the_root_of_what_they_cost():
    split = best_split(1_000, cost_treated=4, cost_control=1, reachable=10**6)
    assert split.control / split.treated == pytest.approx(2)
    assert 4 * split.treated + split.control == pytest.approx(1_000)


@pytest.mark.parametrize(
    "budget, treated_cost, control_cost, reachable",
    [
        (1_000, 4, 1, 10**6),
        (1_000, 4, 0, 300),
        (1_000, 4, 0, 2_000),
        (900, 1, 4, 300),
        (500, 5, 1, 300),
        (800, 0, 4, 999),
    ],
)
def test_no_other_affordable_split_tells_more(budget, treated_cost, control_cost, reachable):
    split = best_split(budget, treated_cost, control_cost, reachable)
    grid = np.linspace(0, 1, 400)[1:-1] * min(reachable, 2_000)
    treated, control = np.meshgrid(grid, grid)
    possible = (treated * treated_cost + control * control_cost <= budget) & (treated + control <= reachable)
    best = (1 / treated + 1 / control)[possible].min()
    assert 1 / split.treated + 1 / split.control <= best * (1 + 1e-9)
    assert split.treated * treated_cost + split.control * control_cost <= budget * (1 + 1e-9)
    assert split.treated + split.control <= reachable * (1 + 1e-9)


@pytest.mark.parametrize("budget, reachable", [(0, 100), (100, 0)])
def test_where_there_is_no_money_or_nobody_there_is_no_split(budget, reachable):
    assert best_split(budget, 4, 0, reachable) is None


@pytest.mark.parametrize("share, power, level", [(0, 0.8, 0.05), (0.5, 1, 0.05), (0.5, 0.8, 0), (0.5, 0.04, 0.05)])
def test_a_design_that_is_none_is_refused(share, power, level):
    with pytest.raises(UsageError, match=r"must lie between 0 and 1|must exceed the level"):
        Experiment(share, power, level)


def test_a_share_that_is_none_and_a_debt_are_refused():
    with pytest.raises(UsageError, match=r"a share must lie between 0 and 1, got 1\.2 untreated"):
        needed_for_share(1.2, 0.3, HALF)
    with pytest.raises(UsageError, match="must be at least 0"):
        best_split(-1, 1, 1, 10)
