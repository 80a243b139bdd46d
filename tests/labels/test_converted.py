"""Conversion: a first order or a first paid contract in the horizon, by what was known by then."""

import numpy as np
import pytest

from churnml.events.clock import DAY
from churnml.labels import Outcomes, converted

JAN_10 = 18_271 * DAY  # 2020-01-10, midnight UTC
CUSTOMERS = "customer_id occurred_at\n" + "\n".join(f"{who} 2020-01-01" for who in "abcdefgh")
ORDERS = """
order_id customer_id occurred_at amount
1 a 2020-01-10 20
2 b 2020-01-20 30
3 c 2020-01-11 -5
4 d 2020-01-12 15
5 d 2020-01-12 -15
"""
CONTRACTS = """
customer_id occurred_at subscription_id plan amount started_at ended_at
e 2020-01-12 s1 basic 10 2020-01-12 -
f 2020-01-12 s2 trial 0 2020-01-12 -
g 2020-01-05 s3 trial 0 2020-01-05 -
g 2020-01-15 s3 basic 10 2020-01-05 -
h 2020-01-05 s4 basic 10 2020-01-05 -
"""


@pytest.fixture
def store(tiny):
    tiny.land(customers=CUSTOMERS, orders=ORDERS, subscriptions=CONTRACTS)
    return tiny.store


def of(store, who, **known):
    found = Outcomes.read(store, [JAN_10], 10, **known)
    return converted(found.at(np.array([who], dtype=object), np.array([JAN_10])))[0]


@pytest.mark.parametrize(
    ("who", "comes", "because"),
    [
        ("a", True, "an order at the cutoff is in the horizon"),
        ("b", False, "one at its end is not"),
        ("c", False, "money that goes back is no order"),
        ("d", False, "nor is a day whose net amount is nothing"),
        ("e", True, "a paid contract is a conversion"),
        ("f", False, "a trial is none"),
        ("g", True, "a trial that is paid for is one, on that day"),
        ("h", False, "a contract that had begun before is none that begins"),
    ],
)
def test_who_becomes_a_customer_in_the_horizon(store, who, comes, because):
    assert of(store, who) == comes, because


def test_what_was_learned_later_teaches_nothing(store):
    assert [of(store, who, known_by=JAN_10 + 3 * DAY) for who in "aeg"] == [True, True, False]
