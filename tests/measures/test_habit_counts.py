"""Acts counted into their places: by sort, by field, and of as many customers at a time as there is room for."""

from datetime import date

import numpy as np
import pytest

from churnml.events.books import open_books
from churnml.events.clock import midnight
from churnml.measures import habit_counts as counting
from churnml.measures.habit_counts import habit_counts
from small import Tiny

ACTS = "SELECT customer_id, kind, channel FROM interactions"
TABLES = {
    "customers": """
        customer_id  occurred_at
        ann          2021-01-01
        bob          2021-01-01
        eve          2021-01-01
    """,
    "orders": """
        customer_id  occurred_at  order_id  amount
        eve          2021-03-01   1         10
    """,
    "interactions": """
        customer_id  occurred_at           kind    channel
        ann          2021-03-01T20:00:00Z  visit   app
        ann          2021-03-06T09:00:00Z  visit   -
        bob          2021-03-08T09:00:00Z  search  web
    """,
}  # fmt: skip


@pytest.fixture
def books(tmp_path):
    tiny = Tiny.make(tmp_path)
    tiny.land(**TABLES)
    with open_books(tiny.store, midnight(date(2021, 4, 1), "UTC")) as books:
        yield books
    tiny.catalogue.engine.dispose()


def test_an_act_counts_for_its_sort_and_for_every_field_that_says_anything(books):
    who, done = habit_counts(books, ACTS, ("kind", "channel"), {"kind": ["visit"], "channel": ["app", "web"]}, {})
    order = np.argsort(done["kind"].of_each[:, 0])[::-1]  # ann first, whatever their numbers
    assert len(who) == 2  # eve did nothing
    assert done["kind"].of_each[order].tolist() == [[2], [0]]
    assert done["kind"].of_all[order].tolist() == [2, 1]
    assert done["channel"].of_each[order].tolist() == [[1, 0], [0, 1]]
    assert done["channel"].of_all[order].tolist() == [1, 1]


def test_counts_are_the_same_however_many_customers_there_is_room_for(books, monkeypatch):
    asked = (books, ACTS, ("kind",), {"kind": ["visit", "search"]}, {})
    whole = habit_counts(*asked)[1]["kind"].of_each
    monkeypatch.setattr(counting, "_ROOM", 1)
    assert habit_counts(*asked)[1]["kind"].of_each.tolist() == whole.tolist()
