"""Rows in memory stand behind the same wall as landed ones: a customer has the same features, to the last bit."""

import numpy as np
import pytest

import worlds
from churnml.events import TABLES, history
from churnml.events.held_rows import held_store, refusing_profiling, repeated
from churnml.events.of_customers import of_customers
from churnml.events.row_check import Door, check_row
from churnml.features import build, build_block, catalogue
from churnml.features.table import reads
from raw_history import raw_history
from small import NOW

CUTOFFS = [worlds.instant(day) for day in (60, 120)]


@pytest.fixture(scope="module")
def features(world_store):
    return catalogue(world_store.tables)


@pytest.fixture(scope="module")
def night(world_store, features):
    """The features of everyone, as a nightly run computes them."""
    return build(world_store, features, CUTOFFS, 90)


def typed(store, customers):
    rows = raw_history(store, customers)
    return {name: [check_row(TABLES[name], row, Door(), NOW) for row in some] for name, some in rows.items()}


def rows_of(table, customers):
    """Return the rows of some customers in a feature table, by customer and cutoff."""
    wanted = [row for row, customer in enumerate(table.customer_ids) if customer in customers]
    keys = [(table.customer_ids[row], int(table.cutoffs[row])) for row in wanted]
    return {key: table.values[row].tobytes() for key, row in zip(keys, wanted, strict=True)}


def asked(store, features):
    block = history(store, 0, CUTOFFS, reads(features))
    return build_block(block, features, CUTOFFS, 90, "UTC")


@pytest.mark.parametrize("some", [slice(0, 1), slice(3, 9), slice(0, None, 7)])
def test_a_customer_in_a_request_has_the_features_of_the_night_bit_for_bit(world_store, features, night, some):
    customers = sorted(set(night.customer_ids))[some]
    held = held_store(typed(world_store, customers), world_store.tables, "UTC", max(world_store.landings.values()))
    found = rows_of(asked(held, features), customers)
    assert found == rows_of(night, customers)
    assert found


def test_some_customers_read_alone_have_the_features_of_the_night_bit_for_bit(world_store, features, night):
    customers = sorted(set(night.customer_ids))[::5]
    assert rows_of(asked(of_customers(world_store, customers), features), customers) == rows_of(night, customers)


def test_rows_of_a_request_may_come_in_any_order(world_store, features):
    customers = [str(one) for one in sorted(set(build(world_store, features, CUTOFFS, 90).customer_ids))[:5]]
    told = typed(world_store, customers)
    turned = {name: rows[::-1] for name, rows in told.items()}
    stores = [held_store(rows, world_store.tables, "UTC", NOW) for rows in (told, turned)]
    first, second = (asked(store, features) for store in stores)
    assert np.array_equal(first.values, second.values, equal_nan=True)


TICKET = {"ticket_id": "t", "customer_id": "a", "occurred_at": 5}


def test_the_same_row_twice_counts_once():
    assert repeated(TABLES["tickets"], [TICKET, dict(TICKET)]) == ([TICKET], None)


def test_a_row_that_tells_what_was_learned_since_stands_beside_the_first():
    answered = TICKET | {"resolved_at": 9, "ingested_at": 10}
    assert repeated(TABLES["tickets"], [TICKET, answered]) == ([TICKET, answered], None)


def test_two_rows_of_one_key_that_differ_contradict_each_other():
    order = {"order_id": "o", "customer_id": "a", "occurred_at": 5, "amount": 1}
    assert repeated(TABLES["orders"], [order, order | {"amount": 2}])[1] == (1, "amount")


def test_the_latest_word_on_profiling_counts_and_of_two_at_once_the_refusal():
    said = {"customer_id": "a", "purpose": "profiling", "occurred_at": 5, "granted": True}
    refused = said | {"granted": False}
    assert refusing_profiling([said, refused]) == {"a"}
    assert refusing_profiling([refused, said | {"occurred_at": 6}]) == frozenset()
