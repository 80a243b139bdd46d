"""What customers said is counted once each, by keyword and in both languages, and no comment is ever shown."""

import pytest
from leaving import rows_of, told

from churnml.config import MeasureConfig
from churnml.events.books import open_books
from churnml.events.clock import DAY
from churnml.measures.last_days import lay_compared
from churnml.measures.stated import Theme, stated_reasons
from churnml.wording import Text
from small import NOW, Tiny

ROWS = """
customer cutoff     stood  weight
ann      2021-03-01 left   1
bob      2021-03-01 left   1
cat      2021-03-01 left   1
eve      2021-03-01 stayed 1
kim      2021-03-01 stayed 2
"""
CUSTOMERS = "customer_id occurred_at\n" + "\n".join(f"{who} 2020-01-01" for who in ("ann", "bob", "cat", "eve", "kim"))
ORDERS = "order_id customer_id occurred_at amount\n1 ann 2021-01-01 10"
TICKETS = """
ticket_id customer_id occurred_at kind
1         ann         2021-02-01  complaint
2         ann         2021-02-02  Complaint
3         bob         2021-02-03  question
4         bob         2020-11-29  complaint
5         eve         2021-02-03  complaint
7         ann         2021-02-04  Incident
6         kim         2021-02-03  question
"""
SURVEYS = """
survey_id,customer_id,occurred_at,instrument,answered_at,score,comment
1,ann,2021-02-01,nps,2021-02-02,1,Far too EXPENSIVE and delivered late
2,bob,2021-02-01,nps,2021-02-02,1,太贵了
3,cat,2021-02-01,nps,2021-02-02,1,nothing unlatedly done
4,eve,2021-02-01,nps,2021-02-02,9,a good price
5,kim,2021-02-01,nps,2021-02-02,9,lovely
"""
CONTRACTS = """
subscription_id customer_id occurred_at amount started_at ended_at   end_reason
1               ann         2021-01-01  10     2021-01-01 2021-04-01 moved
2               bob         2021-01-01  10     2021-01-01 2021-04-01 Moved
3               cat         2021-01-01  10     2021-01-01 2021-09-30 moved
"""
THEMES = [
    Theme("price", Text("price", "价格"), ("price", "expensive", "out of", "贵")),
    Theme("delivery", Text("delivery", "配送"), ("deliver", "late")),
]


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """Return the rows of the table by source and reason."""
    tiny = Tiny.make(tmp_path_factory.mktemp("said"))
    tiny.land(customers=CUSTOMERS, orders=ORDERS, tickets=TICKETS, subscriptions=CONTRACTS)
    tiny.ingest("surveys", tiny.file("surveys.csv", SURVEYS.lstrip()))
    measure = found(tiny)
    return {(row["source"], row["reason"]): row for row in measure.to_json()["rows"]}, measure


def found(tiny, smallest=1):
    frame, among = rows_of(ROWS)
    with open_books(tiny.store, NOW - NOW % DAY) as books:
        lay_compared(books, frame)
        return stated_reasons(books, THEMES, among, told(smallest), 0, books.at)


def test_a_customer_who_complained_twice_is_one_of_those_who_said_anything(said):
    complained = said[0]["ticket", "complaint"]
    assert (complained["customers"], complained["of"], complained["share"]) == (1, 2, 0.5)


def test_an_incident_is_a_complaint(said):
    assert {reason for source, reason in said[0] if source == "ticket"} == {"complaint", "question"}


def test_beside_it_stands_the_share_of_those_alike_who_stayed(said):
    assert said[0]["ticket", "complaint"]["stayed_share"] == pytest.approx(1 / 3)


def test_a_comment_is_of_every_theme_whose_word_begins_a_word_of_it(said):
    shares = {reason: row["customers"] for (source, reason), row in said[0].items() if source == "comment"}
    assert shares == {"price": 2, "delivery": 1, "other": 1}  # cat's "unlatedly" begins with none


def test_the_keywords_are_told_and_the_comments_are_not(said):
    assert said[0]["comment", "price"]["words"] == "expensive, 贵"
    assert "Far too" not in str(said[1].to_json())


def test_reasons_of_contracts_are_of_those_that_have_ended(said):
    assert said[0]["end_reason", "moved"]["customers"] == 2


def test_a_reason_of_few_customers_is_not_shown(tiny):
    tiny.land(customers=CUSTOMERS, orders=ORDERS, tickets=TICKETS)
    measure = found(tiny, smallest=2)
    assert measure.frame.empty
    assert "2 reasons of fewer than 2 customers" in measure.remarks[1].en


COMMENTS = """
survey_id,customer_id,occurred_at,instrument,answered_at,score,comment
1,ann,2021-02-01,nps,2021-02-02,1,Out of stock again
2,bob,2021-02-01,nps,2021-02-02,1,我不需要了
3,cat,2021-02-01,nps,2021-02-02,1,I don't need it
"""


def test_the_themes_that_come_along_are_found(tiny):
    tiny.land(customers=CUSTOMERS, orders=ORDERS)
    tiny.ingest("surveys", tiny.file("surveys.csv", COMMENTS.lstrip()))
    settings = MeasureConfig().drivers.themes
    themes = [Theme(name, Text(one.label.en, one.label.zh), one.words) for name, one in settings.items()]
    frame, among = rows_of(ROWS)
    with open_books(tiny.store, NOW - NOW % DAY) as books:
        lay_compared(books, frame)
        found_in = stated_reasons(books, themes, among, told(), 0, books.at).frame
    assert dict(zip(found_in["reason"], found_in["customers"], strict=True)) == {"need": 2, "range": 1}
