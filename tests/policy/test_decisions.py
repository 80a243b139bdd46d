"""One decision per customer: chosen or drawn by lot, carried out or withheld, each with the propensity it had."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from people import action, facts

from churnml.errors import InvalidTableError
from churnml.policy import Catalogue, Cost, Design, Effect, Facts, Prior, decide, prior_effect


@pytest.fixture
def many(catalogue):
    n_customers = 4_000
    rng = np.random.default_rng(0)
    columns = {
        "bands": rng.choice(["low", "medium", "high"], n_customers),
        "reasons": rng.choice(["purchase", "satisfaction"], n_customers),
        "churn_probability": rng.random(n_customers),
        "value_if_retained": rng.gamma(2, 60, n_customers),
        "expected_margin": rng.gamma(2, 20, n_customers),
    }
    terms = {"catalogue": catalogue, "budget": 5_000.0, "design": Design("spring", 0.2)}
    return {"facts": facts(n_customers, **columns), **terms}


def test_a_decision_is_treated_withheld_or_none(many):
    made = decide(**many)
    assert_array_equal(made.arm == "none", made.action == "do_nothing")
    assert set(made.arm) == {"treated", "control", "none"}


def test_controls_have_an_action_of_their_own_and_are_as_many_as_asked(many):
    made = decide(**many)
    coupons = made.arm[made.action == "coupon"]
    assert abs(np.mean(coupons == "control") - 0.2) < 4 * np.sqrt(0.2 * 0.8 / len(coupons))


def test_the_choice_of_an_action_does_not_depend_on_the_coin(many):
    assert_array_equal(decide(**many).action, decide(**many | {"design": Design("autumn", 0.2)}).action)


def test_propensity_is_the_chance_of_treatment(many):
    made = decide(**many)
    assert set(made.propensity[made.arm != "none"]) == {0.8}
    assert set(made.propensity[made.arm == "none"]) == {0.0}


def test_what_was_set_aside_for_controls_is_released(many):
    made = decide(**many)
    treated = made.action[made.arm == "treated"]
    assert made.reserved == 5 * np.sum(treated == "coupon") + 6 * np.sum(treated == "call")
    assert made.expected_cost == 2 * np.sum(treated == "coupon") + 6 * np.sum(treated == "call")
    assert made.reserved < made.assignment.spent <= 5_000


def test_expected_net_value_is_effect_less_cost_worked_out_by_hand(catalogue):
    made = decide(facts(1, reasons=["purchase"]), catalogue, budget=5, design=Design("s", 0.1))
    assert made.action.tolist() == ["coupon"]
    assert made.expected_net_value[0] == pytest.approx(120 / 6 + 0.1 * 40 - 2)
    assert made.effect_source.tolist() == ["prior"]


def test_who_buys_little_costs_less_and_reserves_as_much():
    share = Cost(order_share=0.1, cap=5, redemption=0.5)
    half = Catalogue(actions=(action("do_nothing"), action("coupon", "email", share, prior=Prior(orders_ratio=2))))
    made = decide(facts(3, basket=[20.0, 100.0, np.nan]), half, budget=100, design=Design("s", 0.1))
    assert made.cost.tolist() == [1, 2.5, 2.5]
    assert made.max_cost.tolist() == [5, 5, 5]


def test_without_consent_everyone_is_left_in_peace_and_each_is_told_why(many):
    made = decide(**many | {"facts": replace(many["facts"], consented=np.zeros(4_000, bool))})
    assert set(made.arm) == {"none"}
    assert made.eligibility.pairs["no_consent"] == 2 * 4_000
    assert set(made.no_action_because) == {"no_consent"}
    assert made.reserved == 0


def test_why_nothing_is_done_tells_rules_worth_and_limits_apart(catalogue):
    people = facts(3, bands=["low", "high", "high"], value_if_retained=[120, 120, 0.01], expected_margin=[40, 40, 0.01])
    made = decide(people, catalogue, budget=1, design=Design("s", 0.1))
    assert made.no_action_because.tolist() == ["risk_band", "limits", "not_worthwhile"]
    rich = decide(people, catalogue, budget=9, design=Design("s", 0.1))
    assert rich.no_action_because.tolist() == ["risk_band", None, "not_worthwhile"]


def test_a_customer_who_comes_twice_is_refused():
    numbers = {"churn_probability": [0.5, 0.5], "value_if_retained": [1, 1], "expected_margin": [1, 1]}
    with pytest.raises(InvalidTableError, match="each customer once, got `a` twice"):
        Facts(["a", "a"], bands=["low", "low"], reasons=["", ""], **numbers)


@pytest.fixture
def exploring(many):
    return many | {"design": Design("spring", 0.2, explore_share=0.3, explore_budget_share=0.5), "budget": 8_000.0}


def test_lots_give_each_open_action_and_nothing_as_often_and_say_so(exploring):
    made = decide(**exploring)
    high = made.explored.who & (made.explored.among.sum(axis=1) == 2)
    drew = np.mean(made.action[high] == "coupon")
    assert set(made.propensity[high]) == {0.5}
    assert abs(drew - 0.5) < 4 * 0.5 / np.sqrt(high.sum())


def test_who_drew_nothing_is_a_control_who_was_to_get_nothing(exploring):
    made = decide(**exploring)
    nothing = made.explored.who & (made.explored.action == 0)
    assert set(made.arm[nothing]) == {"control"}
    assert set(made.action[nothing]) == {"do_nothing"}
    assert set(made.no_action_because[nothing]) == {None}


def test_what_others_are_chosen_for_does_not_depend_on_what_the_lots_were(exploring):
    made = decide(**exploring)
    claimed = np.where(made.explored.among, exploring["catalogue"].max_costs, 0).max(axis=1).sum()
    assert made.choosing.budget == 8_000 - claimed
    assert made.assignment.spent <= made.choosing.budget
    assert not made.assignment.action[made.explored.who].any()


def test_lots_take_no_more_of_the_budget_than_their_part(exploring):
    claimed = 8_000 - decide(**exploring).choosing.budget
    assert 0 < claimed <= 4_000


def test_the_hold_out_gets_nothing_and_draws_no_lot(exploring):
    out = np.arange(4_000) < 1_000
    made = decide(**exploring | {"facts": replace(exploring["facts"], held_out=out)})
    assert set(made.arm[out]) == {"held_out"}
    assert "held_out" not in made.arm[~out]
    assert set(made.no_action_because[out]) == {"held_out"}
    assert not made.explored.who[out].any()


def test_who_was_assigned_before_and_whom_an_action_harms_get_nothing(many):
    harmed = np.ones((4_000, 3), dtype=bool)
    before = np.arange(4_000) < 1_000
    made = decide(**many | {"facts": replace(many["facts"], assigned=before, sleeping=harmed)})
    assert set(made.action) == {"do_nothing"}
    assert set(made.no_action_because[before]) == {"assigned"}
    assert "sleeping_dog" in made.no_action_because[~before]


def test_an_effect_that_was_measured_decides_in_place_of_the_prior(many, catalogue):
    people = many["facts"]
    assumed = prior_effect(catalogue, people.churn_probability, people.value_if_retained, people.expected_margin)
    nothing = np.zeros_like(assumed.lower)
    source = np.full(nothing.shape, 2, dtype=np.int8)
    made = decide(**many | {"effect": Effect(nothing, nothing, nothing, nothing, source)})
    assert set(made.action) == {"do_nothing"}
    assert set(made.effect_source) == {"measured"}
