"""Segments of one's own: a condition over one customer, and nothing else."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from churnml.config import Label, OwnSegment
from churnml.errors import ConfigError
from churnml.events.books import open_books
from churnml.measures.own_segments import check_condition, members
from churnml.measures.portrait import COLUMNS, TYPES, portrait
from small import NOW, Tiny

CUSTOMERS = """
    customer_id  occurred_at  region
    ann          2021-01-01   north
    bob          2021-01-01   south
    cat          2021-01-01   -
"""
ORDERS = """
    order_id  customer_id  occurred_at  amount
    1         ann          2021-02-01   30
    2         ann          2021-02-02   30
    3         bob          2021-02-03   10
"""


@pytest.fixture(scope="module")
def laid(tmp_path_factory):
    tiny = Tiny.make(tmp_path_factory.mktemp("own"))
    tiny.land(customers=CUSTOMERS, orders=ORDERS)
    with open_books(tiny.store, NOW) as books:
        portrait(books, 0, NOW, 0.25, 365)
        yield books
    tiny.catalogue.engine.dispose()


@pytest.fixture
def books(laid):
    """Return the same books, in which no segment was laid yet."""
    laid.connection.execute("DROP TABLE IF EXISTS own_mine")
    return replace(laid, _made=laid._made - {"own_mine"})


def segment(query):
    return OwnSegment(name="mine", label=Label(en="Mine", zh="我的"), query=query)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("revenue >= 20", ["ann"]),
        ("region IN ('south') OR orders = 2 -- either", ["ann", "bob"]),
        ("NOT region LIKE 's%'", ["ann"]),  # of cat it is not known, and what is not known is not met
        ("lower(coalesce(region, 'None')) = 'none' AND recency_days IS NULL", ["cat"]),
        ("CASE WHEN orders BETWEEN 1 AND 1 THEN true ELSE false END", ["bob"]),
    ],
)
def test_who_meets_the_condition_is_in(books, query, expected):
    found = books.frame(f"SELECT customer_id FROM {members(books, segment(query))} ORDER BY customer_id")
    assert found["customer_id"].tolist() == expected


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("orders", "comes to BIGINT; compare it with something"),
        ("orders >", "syntax error"),
        ("ordres > 1", "`ordres`, which is no column; did you mean `orders`?"),
        ("region > 3", "explicit cast is required"),
        ("orders > (SELECT 1)", "found subquery"),
        ("orders > 1) UNION SELECT 1 FROM customers WHERE (true", "more than a condition"),
        ("orders > 1; SELECT 1", "syntax error"),
        ("orders > 1) LIMIT (1", "more than a condition"),
        ("orders > $secret", "more than a condition"),
        ("read_text('/etc/passwd') = region", "found the function `read_text`; there are abs,"),
        ("getenv('HOME') = region", "found the function `getenv`"),
        ("count(*) > 1", "found the function `count_star`"),
        ("row_number() OVER () = 1", "found window"),
        ("COLUMNS(*) > 1", "found star"),
    ],
)
def test_whatever_is_no_condition_over_one_customer_is_refused_by_the_name_of_its_segment(books, query, words):
    with pytest.raises(ConfigError) as told:
        members(books, segment(query))
    assert "segment `mine` in measure.yaml" in str(told.value)
    assert words in str(told.value)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("orders", "comes to BIGINT"),
        ("orders > (SELECT 1)", "found subquery"),
        ("region > 3 AND orders = 1", "explicit cast is required"),
    ],
)
def test_a_condition_is_checked_without_a_row_and_the_file_is_named_that_was_read(query, words):
    with pytest.raises(ConfigError, match=r"segment `mine` in own/measure\.yaml must be") as told:
        check_condition(segment(query), "own/measure.yaml")
    assert words in str(told.value)


def test_a_column_that_may_be_a_free_attribute_is_refused_once_these_are_known():
    asked = segment("household > 'a' AND orders > 1")
    check_condition(asked, "measure.yaml")
    check_condition(asked, "measure.yaml", ["household"])
    with pytest.raises(ConfigError, match="`household`, which is no column"):
        check_condition(asked, "measure.yaml", ["size"])


def test_columns_are_of_the_types_by_which_conditions_are_checked(books):
    found = books.connection.execute("DESCRIBE portrait").fetchall()
    assert {name: kind for name, kind, *_ in found if name != "customer_id"} == {name: TYPES[name] for name in COLUMNS}


def test_a_condition_must_be_one_without_the_brackets_around_it(books):
    with pytest.raises(ConfigError, match="must be one condition"):
        members(books, segment("revenue > 0) OR (1 = 1"))


def test_a_segment_may_not_have_the_name_of_something_else(books):
    with pytest.raises(ConfigError, match=r"`rfm`.* must have a name that nothing else has"):
        members(books, OwnSegment(name="rfm", label=Label(en="R", zh="R"), query="orders > 1"))


def test_a_portrait_tells_no_zero_where_no_table_tells_anything(books):
    ann, _, cat = books.frame("SELECT * FROM portrait ORDER BY customer_id").to_dict(orient="records")
    assert (ann["orders"], ann["revenue"], ann["margin"]) == (2, 60.0, 15.0)
    assert cat["orders"] == 0
    assert pd.isna(ann["visits"])
    assert ann["churn_probability"] is None or pd.isna(ann["churn_probability"])


def test_money_that_went_back_is_taken_off_at_the_rate_of_what_was_kept(make_tiny):
    tiny = make_tiny()
    tiny.land(
        customers=CUSTOMERS,
        orders="order_id customer_id occurred_at amount cost\n1 ann 2021-02-01 100 60\n2 ann 2021-02-02 100 -",
        returns="order_id customer_id occurred_at amount\n1 ann 2021-02-05 50",
    )
    with open_books(tiny.store, NOW) as books:
        portrait(books, 0, NOW, 0.2, 365)
        found = books.frame("SELECT revenue, margin FROM portrait WHERE customer_id = 'ann'")
    assert found.iloc[0].tolist() == pytest.approx([150.0, 40 + 20 - 50 * 0.3])


def test_a_complaint_is_one_in_whatever_case_and_by_whichever_of_its_names(make_tiny):
    tiny = make_tiny()
    kinds = enumerate(("complaint", "Complaint", "INCIDENT", "problem", "question"))
    rows = "\n".join(f"{number} ann 2021-02-0{number + 1} {kind}" for number, kind in kinds)
    tiny.land(customers=CUSTOMERS, orders=ORDERS, tickets=f"ticket_id customer_id occurred_at kind\n{rows}")
    with open_books(tiny.store, NOW) as books:
        portrait(books, 0, NOW, 0.2, 365)
        found = books.frame("SELECT tickets, complaints FROM portrait ORDER BY customer_id LIMIT 1")
    assert found.iloc[0].tolist() == [5, 4]


def test_the_page_tells_every_column_that_a_condition_may_ask():
    page = (Path(__file__).parents[2] / "docs" / "segments.md").read_text(encoding="utf-8")
    assert not [column for column, meaning in COLUMNS.items() if f"| `{column}` | {meaning} |" not in page]
