"""The pulse counts what was known when each month ended, customer by customer."""

from datetime import date

import numpy as np
import pytest

from churnml.events.clock import midnight
from churnml.modeling.pulse import SIGNALS, pulse, signals_of
from churnml.modeling.unrest import unrest

CUSTOMERS = """
customer_id occurred_at
a           2020-01-01
b           2020-01-01
"""
ORDERS = """
customer_id occurred_at order_id amount
a           2020-03-01  1        10
a           2020-05-10  2        10
b           2020-05-12  3        10
b           2020-05-20  4        10
"""
INTERACTIONS = """
customer_id occurred_at kind  ingested_at
a           2020-05-11  visit 2020-05-11
a           2020-05-11  help  2020-05-11
b           2020-05-13  visit 2020-05-13
b           2020-05-14  visit 2020-05-14
b           2020-05-14  help  2020-07-01
"""
END = midnight(date(2020, 6, 1), "UTC")


@pytest.fixture
def store(make_tiny):
    tiny = make_tiny()
    tiny.land(customers=CUSTOMERS, orders=ORDERS, interactions=INTERACTIONS)
    return tiny.store


def of(store, name):
    """Return one signal over the month before June."""
    return pulse(store, signals_of(store), [END], np.ones((1, 1), dtype=bool))[name][0]


def test_signals_of_tables_that_have_not_landed_are_not_told(store):
    assert [one.name for one in signals_of(store)] == ["help", "orders", "visits"]


def test_what_was_learned_after_a_month_is_not_counted_in_it(store):
    said = of(store, "help")
    assert (said.part, said.whole) == (1, 3)


def test_the_squares_are_of_customers_and_not_of_acts(store):
    said = of(store, "help")
    assert (said.squares, said.products, said.whole_squares) == (1, 1, 1 + 4)


def test_orders_are_counted_of_those_who_had_bought_in_the_quarter_before_the_month(store):
    said = of(store, "orders")
    assert (said.part, said.whole) == (1, 1)


def test_each_signal_bears_a_name_of_its_own():
    assert len({one.name for one in SIGNALS}) == len(SIGNALS)


def test_a_short_history_says_nothing_yet(store):
    assert unrest(store, END, midnight(date(2020, 8, 1), "UTC")) is None
