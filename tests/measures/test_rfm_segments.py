"""RFM: scores by fifths with ties together, one segment for each cell, and the steps of an earlier day kept."""

from datetime import date

import pytest

from churnml.events.books import open_books
from churnml.events.clock import midnight
from churnml.measures.rfm import GRID, RFM_SEGMENTS, rfm_cuts, rfm_table
from small import Tiny

MARCH = midnight(date(2021, 3, 1), "UTC")
APRIL = midnight(date(2021, 4, 1), "UTC")

CUSTOMERS = """
    customer_id  occurred_at
    ann          2021-01-01
    bob          2021-01-01
    cat          2021-01-01
    dan          2021-01-01
    eve          2021-01-01
    fay          2021-01-01
"""
ORDERS = """
    order_id  customer_id  occurred_at  amount
    a1        ann          2021-02-28   100
    a2        ann          2021-02-20   100
    a3        ann          2021-02-10   100
    b1        bob          2021-02-20    50
    b2        bob          2021-02-01    50
    c1        cat          2021-02-10    60
    d1        dan          2021-02-01    20
    e1        eve          2021-01-10    10
    d2        dan          2021-03-31   500
"""


@pytest.fixture(scope="module")
def landed(tmp_path_factory):
    tiny = Tiny.make(tmp_path_factory.mktemp("rfm"))
    tiny.land(customers=CUSTOMERS, orders=ORDERS)
    yield tiny
    tiny.catalogue.engine.dispose()


def rows(books, table, columns):
    query = f"SELECT customer_id, {columns} FROM {table} ORDER BY customer_id"
    return books.connection.execute(query).fetchall()


def test_each_fifth_has_a_score_and_customers_with_the_same_value_share_the_middle_of_theirs(landed):
    with open_books(landed.store, MARCH) as books:
        found = rows(books, rfm_table(books, MARCH, 365), "recency_days, frequency, monetary // 10000, r, f, m")
    assert found == [
        ("ann", 1, 3, 300, 5, 5, 5),
        ("bob", 9, 2, 100, 4, 4, 4),
        ("cat", 19, 1, 60, 3, 2, 3),  # once, as dan and eve: the middle of places 1 to 3 of 5 lies in the second fifth
        ("dan", 28, 1, 20, 2, 2, 2),
        ("eve", 50, 1, 10, 1, 2, 1),
        ("fay", None, None, None, None, None, None),
    ]


def test_a_cell_has_one_name_and_who_never_ordered_another(landed):
    with open_books(landed.store, MARCH) as books:
        found = dict(rows(books, rfm_table(books, MARCH, 365), "rfm"))
    assert found == {
        "ann": "champions",
        "bob": "loyal",
        "cat": "need_attention",
        "dan": "hibernating",
        "eve": "lost",
        "fay": "no_order",
    }


def test_where_all_are_alike_all_are_in_the_middle(tiny):
    tiny.land(
        customers="customer_id occurred_at\nann 2021-01-01\nbob 2021-01-01",
        orders="order_id customer_id occurred_at amount\n1 ann 2021-02-01 5\n2 bob 2021-02-01 5",
    )
    with open_books(tiny.store, MARCH) as books:
        assert rows(books, rfm_table(books, MARCH, 365), "r, f, m, rfm") == [
            ("ann", 3, 3, 3, "need_attention"),
            ("bob", 3, 3, 3, "need_attention"),
        ]


def test_a_later_day_is_scored_by_the_steps_of_an_earlier_one(landed):
    with open_books(landed.store, APRIL) as books:
        cuts = rfm_cuts(books, MARCH, 365)
        found = rows(books, rfm_table(books, APRIL, 365, MARCH), "recency_days, r, f, m, rfm")
    assert cuts.recency == (28, 19, 9, 1)
    assert found[0] == ("ann", 32, 1, 5, 5, "cannot_lose")
    assert found[3] == ("dan", 1, 5, 4, 5, "champions")


def test_orders_before_the_window_count_for_recency_alone(landed):
    with open_books(landed.store, MARCH) as books:
        found = rows(books, rfm_table(books, MARCH, 10), "recency_days, frequency, monetary // 10000")
    assert found[2] == ("cat", 19, 0, 0)


def test_every_cell_of_the_grid_has_a_segment_that_is_worded_and_every_segment_a_cell():
    cells = [segment for row in GRID for segment in row]
    assert len(cells) == 25
    assert {*cells, "no_order"} == set(RFM_SEGMENTS)
