"""Treatments with what was known before and what came after, read through the wall."""

import numpy as np
import pytest

from churnml.events.clock import DAY
from churnml.events.treatments import Treatments, treatments
from churnml.features import catalogue
from churnml.modeling.uplift.cases import Window, cases

PEOPLE = """
customer_id occurred_at
a 2020-01-01
b 2020-01-01
late 2020-06-01
"""
ORDERS = """
customer_id occurred_at order_id amount cost
a 2020-02-20 1 10.00 4.00
a 2020-03-05 2 30.00 10.00
a 2020-04-20 3 99.00 1.00
b 2020-02-25 4 8.00 -
b 2020-07-01 5 8.00 -
"""
RETURNS = """
customer_id occurred_at order_id return_id amount
a 2020-03-09 2 1 15.00
b 2020-03-03 4 2 8.00
"""
CONTACTS = """
customer_id occurred_at contact_id action campaign cost arm propensity
a 2020-03-01T09:00:00Z k1 mail spring 1 treated 0.5
b 2020-03-01T09:00:00Z k2 mail spring - control 0.5
a 2020-06-20 k3 mail spring 1 treated 0.5
late 2020-06-01T10:00:00Z k4 mail spring 1 treated 0.5
"""
JULY = int(np.datetime64("2020-07-02", "us").astype(np.int64))


@pytest.fixture
def found(tiny):
    tiny.land(customers=PEOPLE, orders=ORDERS, returns=RETURNS, contacts=CONTACTS)
    store = tiny.store
    return cases(store, catalogue(store.tables), treatments(store, JULY), Window(30, JULY, 0, 0.5))


def test_the_outcome_is_the_margin_of_the_window_net_of_returns(found):
    # of 30 less 10, half went back; b bought nothing in March
    assert found.outcome.tolist() == [10.0, 0.0]
    assert found.churned.tolist() == [False, True]


def test_the_margin_before_ends_at_the_cutoff_and_knows_of_no_later_return(found):
    assert found.before.tolist() == [6.0, 4.0]


def test_features_stand_at_the_midnight_before_the_contact(found):
    assert found.features[:, found.names.index("orders_all")].tolist() == [1.0, 1.0]
    assert np.nan_to_num(found.features[:, found.names.index("contacts_all")]).tolist() == [0.0, 0.0]


def test_windows_still_open_and_customers_not_known_yet_are_left_out_and_counted(found):
    assert (len(found), found.still_open, found.unknown) == (2, 1, 1)
    assert found.closed.all()


def test_a_window_closes_only_after_its_labels_are_final(tiny):
    at = np.array([JULY - 30 * DAY, JULY - 35 * DAY])
    assert Window(30, JULY, 5).closed(at, "UTC").tolist() == [False, True]


def test_the_order_of_the_treatments_is_kept_whatever_the_cutoffs(tiny):
    tiny.land(customers=PEOPLE, orders=ORDERS, returns=RETURNS, contacts=CONTACTS)
    log = treatments(tiny.store, JULY)
    turned = log.take(np.arange(len(log))[::-1])
    found = cases(tiny.store, catalogue(tiny.store.tables), turned, Window(30, JULY, 0, 0.5))
    assert found.treatments.customer_ids.tolist() == ["b", "a"]
    assert found.outcome.tolist() == [0.0, 10.0]


def test_no_treatments_give_no_cases(tiny):
    tiny.land(customers=PEOPLE, orders=ORDERS)
    found = cases(tiny.store, catalogue(tiny.store.tables), Treatments.joined([]), Window(30, JULY))
    assert (len(found), found.features.shape[0]) == (0, 0)
