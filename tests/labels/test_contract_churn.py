"""Churn by contracts: whose contract ended in the horizon, and was not gone on with."""

import numpy as np
import pytest

from churnml.events.clock import DAY
from churnml.labels import Outcomes, churned, churned_within, margin

JAN_10 = 18_271 * DAY  # 2020-01-10, midnight UTC
CUSTOMERS = "customer_id occurred_at\n" + "\n".join(f"{who} 2020-01-01" for who in "abcdefg")
CONTRACTS = """
subscription_id customer_id occurred_at amount ended_at plan
s1 a 2020-01-01 30 - -
s2 b 2020-01-01 30 2020-01-15 -
s3 c 2020-01-01 30 2020-01-15 -
s4 c 2020-01-20 30 - -
s5 d 2020-01-01 30 2020-01-15 -
s6 d 2020-02-20 30 - -
s7 e 2020-01-01 30 2020-01-15 -
s8 e 2020-01-02 30 - -
s9 f 2020-01-01 0 2020-01-15 trial
t1 g 2020-01-01 30 2020-01-15 -
t2 g 2020-01-16 0 - trial
"""


@pytest.fixture
def landed(tiny):
    tiny.land(customers=CUSTOMERS, subscriptions=CONTRACTS)
    return tiny.store


def of(store, who, days=10, **known):
    found = Outcomes.read(store, [JAN_10], days, **known)
    return found.at(np.array(list(who), dtype=object), np.full(len(who), JAN_10))


def test_a_contract_that_ended_in_the_horizon_and_none_went_on_with_is_churn(landed):
    assert churned(of(landed, "ab"), "contracts").tolist() == [False, True]


def test_a_contract_begun_within_the_grace_period_goes_on_with_it_and_a_later_one_comes_back(landed):
    assert churned(of(landed, "cd"), "contracts").tolist() == [False, True]
    assert churned(of(landed, "cd", grace_days=3), "contracts").tolist() == [True, True]
    assert churned(of(landed, "cd", grace_days=40), "contracts").tolist() == [False, False]


def test_one_that_is_held_beside_it_goes_on_with_it_and_a_trial_does_not(landed):
    assert churned(of(landed, "eg"), "contracts").tolist() == [False, True]


def test_the_end_of_a_trial_is_nobodys_churn(landed):
    assert churned(of(landed, "f"), "contracts").tolist() == [False]


def test_churn_within_fewer_days_counts_the_ends_in_them(landed):
    outcome = of(landed, "b", days=30)
    assert [churned_within(outcome, days, "contracts")[0] for days in (5, 6, 30)] == [False, True, True]


def test_an_end_that_was_learned_later_does_not_teach(landed):
    assert churned(of(landed, "b", known_by=JAN_10 + 3 * DAY), "contracts").tolist() == [False]


def test_without_orders_money_is_what_contracts_cost_day_by_day_until_they_end(landed):
    monthly = 30 / (365.25 / 12)
    told = margin(of(landed, "abf"), 0.5)
    np.testing.assert_allclose(told, [10 * monthly / 2, 5 * monthly / 2, 0.0], atol=1e-3)


def test_a_new_price_counts_from_its_day_on(tiny):
    contracts = "subscription_id customer_id occurred_at amount period\ns1 a 2020-01-01 7 week\ns1 a 2020-01-14 14 week"
    tiny.land(customers=CUSTOMERS, subscriptions=contracts)
    np.testing.assert_allclose(margin(of(tiny.store, "a"), 1.0), [4 * 1 + 6 * 2])


def test_a_price_that_was_learned_later_does_not_teach(tiny):
    head = "subscription_id customer_id occurred_at ingested_at amount period\n"
    contracts = head + "s1 a 2020-01-01 2020-01-02 7 week\ns1 a 2020-01-12 2020-03-01 14 week"
    tiny.land(customers=CUSTOMERS, subscriptions=contracts)
    told = [margin(of(tiny.store, "a", known_by=known), 1.0)[0] for known in (JAN_10 + 20 * DAY, None)]
    np.testing.assert_allclose(told, [10 * 1, 2 * 1 + 8 * 2])
