"""Outcomes and labels: half-open horizons, refunds, costs, and the rows they belong to."""

import numpy as np
import pytest

from churnml.errors import NotEnoughDataError
from churnml.events.clock import DAY
from churnml.labels import Outcomes, check_taught_by, churned, margin

JAN_10 = 18_271 * DAY  # 2020-01-10, midnight UTC
CUSTOMERS = """
customer_id occurred_at
a 2020-01-01
b 2020-01-01
c 2020-01-01
"""
ORDERS = """
order_id customer_id occurred_at amount cost
1 a 2020-01-05 10 -
2 a 2020-01-10 20 -
3 b 2020-01-20 30 -
4 c 2020-01-11 -5 -
5 c 2020-01-12 40 25
"""


@pytest.fixture
def outcomes(tiny):
    tiny.land(customers=CUSTOMERS, orders=ORDERS)
    return Outcomes.read(tiny.store, [JAN_10 + DAY, JAN_10], 10)


def at(outcomes, ids, cutoff=JAN_10):
    return outcomes.at(np.array(ids, dtype=object), np.full(len(ids), cutoff))


def test_an_order_at_the_cutoff_is_in_the_horizon_and_one_at_its_end_is_not(outcomes):
    assert churned(at(outcomes, ["a", "b"])).tolist() == [False, True]


def test_a_day_later_the_same_orders_fall_the_other_way(outcomes):
    assert churned(at(outcomes, ["a", "b"], JAN_10 + DAY)).tolist() == [True, False]


def test_a_refund_is_no_order_but_lowers_revenue(outcomes):
    found = at(outcomes, ["c"])
    assert (found.orders.tolist(), found.revenue.tolist()) == ([1], [350_000])


def test_margin_is_revenue_less_cost_where_known_and_a_rate_of_revenue_elsewhere(outcomes):
    assert margin(at(outcomes, ["a", "c"]), 0.5).tolist() == [20 * 0.5, 40 - 25 - 5 * 0.5]


def test_a_margin_rate_of_one_gives_revenue_where_no_cost_is_known(outcomes):
    assert margin(at(outcomes, ["a", "b"]), 1.0).tolist() == [20.0, 0.0]


def test_rows_may_be_asked_for_in_any_order_and_more_than_once(outcomes):
    ids, cutoffs = np.array(["b", "a", "b"], dtype=object), np.array([JAN_10 + DAY, JAN_10, JAN_10])
    assert outcomes.at(ids, cutoffs).revenue.tolist() == [300_000, 200_000, 0]


def test_the_order_in_which_cutoffs_are_read_does_not_matter(outcomes):
    assert outcomes.cutoffs.tolist() == [JAN_10, JAN_10 + DAY]


def test_a_longer_horizon_never_makes_a_churner_of_one_who_stayed(world_store):
    span = world_store.span[0] + 30 * DAY
    short, long = (Outcomes.read(world_store, [span], days) for days in (10, 40))
    assert not (churned(long) & ~churned(short)).any()


def test_what_was_learned_later_judges_but_does_not_teach(tiny):
    orders = "order_id customer_id occurred_at ingested_at amount\n1 a 2020-01-12 2020-03-01 5"
    tiny.land(customers=CUSTOMERS, orders=orders)
    told = [Outcomes.read(tiny.store, [JAN_10], 10, known_by) for known_by in (JAN_10 + 20 * DAY, None)]
    assert [churned(at(found, ["a"])).tolist() for found in told] == [[True], [False]]


def test_churn_by_orders_needs_orders_and_the_message_says_what_else_would_do(tiny):
    tiny.land(customers=CUSTOMERS, subscriptions="subscription_id customer_id occurred_at amount\ns1 a 2020-01-05 10")
    with pytest.raises(NotEnoughDataError, match=r"`orders`, found none landed; .* `churn: contracts`"):
        check_taught_by(tiny.store, "orders")
    check_taught_by(tiny.store, "contracts")
