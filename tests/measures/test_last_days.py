"""The weeks before a cutoff: a count per hundred customers, who stayed weighted as the left are spread."""

import pytest
from leaving import rows_of, told

from churnml.events.books import open_books
from churnml.events.clock import DAY
from churnml.measures.last_days import ALIKE, last_days, lay_compared
from small import NOW, Tiny

ROWS = """
customer cutoff     stood  weight
ann      2021-03-01 left   1
bob      2021-03-01 left   1
eve      2021-03-01 stayed 0.5
kim      2021-03-01 stayed 1.5
"""
ALIKE_ROWS = ROWS.replace("0.5", "0.8").replace("1.5", "1.2")
CUSTOMERS = "customer_id occurred_at\nann 2020-01-01\nbob 2020-01-01\neve 2020-01-01\nkim 2020-01-01"
ORDERS = """
order_id customer_id occurred_at         amount
1        ann         2021-02-28T23:59:59 10
2        ann         2021-02-22T00:00:00 10
3        ann         2021-02-21T12:00:00 10
4        eve         2021-02-25T12:00:00 10
5        kim         2021-03-01T00:00:00 10
6        bob         2020-11-30T12:00:00 10
7        bob         2020-11-29T12:00:00 10
"""
TICKETS = """
ticket_id customer_id occurred_at         kind
1         eve         2021-02-25T12:00:00 question
"""
SURVEYS = """
survey_id customer_id occurred_at instrument answered_at score comment
1         ann         2021-02-20  nps        2021-02-23  2     -
2         bob         2021-02-20  csat       2021-02-24  5     -
3         kim         2021-02-20  csat       2021-03-02  1     -
"""


@pytest.fixture(scope="module")
def weeks(tmp_path_factory):
    """Return the row of a week by what it counts."""
    tiny = Tiny.make(tmp_path_factory.mktemp("weeks"))
    tiny.land(customers=CUSTOMERS, orders=ORDERS, surveys=SURVEYS, tickets=TICKETS)
    frame, among = rows_of(ROWS)
    alike, of_tenure = rows_of(ALIKE_ROWS)
    with open_books(tiny.store, NOW - NOW % DAY) as books:
        lay_compared(books, frame)
        lay_compared(books, alike, ALIKE)
        measure = last_days(books, among, of_tenure, told())
    return {(row["measure"], row["weeks_before"]): row for row in measure.to_json()["rows"]}, measure


def test_a_week_counts_its_seven_days_and_none_of_the_cutoff(weeks):
    assert weeks[0]["orders", 1]["left"] == 100  # two of ann's, among two customers
    assert weeks[0]["orders", 2]["left"] == 50
    assert weeks[0]["orders", 13]["left"] == 50  # of bob's the one 91 days before


def test_who_stayed_counts_by_weight_for_orders_by_that_of_tenure_alone(weeks):
    assert weeks[0]["orders", 1]["stayed"] == 100 * 0.8 / 2
    assert weeks[0]["tickets", 1]["stayed"] == 100 * 0.5 / 2


def test_satisfaction_is_the_mean_of_the_answers_of_a_week_on_one_scale(weeks):
    assert weeks[0]["satisfaction", 1]["left"] == pytest.approx((20 + 100) / 2)
    assert weeks[0]["satisfaction", 1]["stayed"] is None
    assert weeks[0]["satisfaction", 2]["left"] is None


def test_tables_that_have_not_landed_are_named(weeks):
    assert "contacts, interactions, returns." in weeks[1].remarks[0].en


def test_complaints_are_followed_by_whichever_of_their_names(tiny):
    tickets = "ticket_id customer_id occurred_at kind\n1 ann 2021-02-25 Complaint\n2 bob 2021-02-26 incident"
    tiny.land(customers=CUSTOMERS, orders=ORDERS, tickets=tickets)
    frame, among = rows_of(ROWS)
    with open_books(tiny.store, NOW - NOW % DAY) as books:
        lay_compared(books, frame)
        lay_compared(books, frame, ALIKE)
        found = last_days(books, among, among, told()).frame.set_index(["measure", "weeks_before"])
    assert found.loc[("complaints", 1), "left"] == 100


def test_few_customers_are_not_shown(tiny):
    tiny.land(customers=CUSTOMERS, orders=ORDERS)
    frame, among = rows_of(ROWS)
    with open_books(tiny.store, NOW - NOW % DAY) as books:
        lay_compared(books, frame)
        lay_compared(books, frame, ALIKE)
        measure = last_days(books, among, among, told(smallest=3))
    assert measure.frame[["left", "stayed"]].isna().all(axis=None)
