"""Groups described: sums that agree, figures that are not told of few, moves by the steps of the earlier day."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from churnml.events.books import open_books
from churnml.events.clock import midnight
from churnml.measures.groups import OTHERS, described
from churnml.measures.measure import Asked
from churnml.measures.migration import rfm_migration, value_risk_migration
from churnml.measures.portrait import portrait
from churnml.measures.segmentations import (
    attribute_groupings,
    rfm_grouping,
    unknown_attributes,
    value_risk_grouping,
)
from small import Tiny

MARCH, APRIL, MAY = (midnight(date(2021, month, 1), "UTC") for month in (3, 4, 5))
ASKED = Asked(APRIL, MAY, smallest=2)

TABLES = {
    "customers": """
        customer_id  occurred_at  region  birth_year
        ann          2021-01-01   north   1980
        bob          2021-01-01   north   1985
        cat          2021-01-01   south   1951
        dan          2021-04-15   west    -
        eve          2021-01-01   -       -
    """,
    "orders": """
        order_id  customer_id  occurred_at  amount
        a1        ann          2021-03-31   30
        a2        ann          2021-04-02   30
        b1        bob          2021-03-10   20
        c1        cat          2021-02-01   10
        c2        cat          2021-04-30   50
        d1        dan          2021-04-20   40
    """,
    "surveys": """
        survey_id  customer_id  occurred_at  instrument  answered_at  score  scale_min  scale_max
        1          ann          2021-04-01   csat        2021-04-02   5      1          5
        2          ann          2021-04-09   csat        2021-04-10   3      1          5
        3          bob          2021-04-09   nps         2021-04-10   5      -          -
        4          bob          2021-03-01   csat        2021-03-02   1      1          5
        5          cat          2021-04-01   csat        2021-04-02   1      1          5
    """,
}  # fmt: skip


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    tiny = Tiny.make(tmp_path_factory.mktemp("groups"))
    tiny.land(**TABLES)
    with open_books(tiny.store, MAY) as books:
        books.add(
            "scored",
            pd.DataFrame(
                {
                    "customer_id": ["ann", "bob", "cat", "eve"],
                    "segment": ["high_value_low_risk", "high_value_low_risk", None, None],
                    "band": ["low", "low", None, None],
                    "rung": ["blend", "blend", "gone", "prospect"],
                    "churn_probability": [0.1, 0.3, np.nan, np.nan],
                    "clv": [100.0, 50.0, np.nan, np.nan],
                    "value_at_risk": [10.0, 15.0, np.nan, np.nan],
                }
            ),
        )
        portrait(books, APRIL, MAY, 0.5, 365)
        yield books
    tiny.catalogue.engine.dispose()


def grouped(measure):
    return measure.frame.set_index("segment")


def test_a_group_is_told_by_what_it_did_in_the_span_and_by_means_of_scores_and_answers(books):
    regions = next(one for one in attribute_groupings(books, 20) if one.name == "segments_region")
    north = grouped(described(books, regions, Asked(APRIL, MAY, smallest=1), "2021-05-01")).loc["north"]
    assert (north["customers"], north["share"]) == (2, 0.4)
    assert (north["orders"], north["revenue"], north["margin"]) == (1, 30.0, 15.0)
    assert (north["churn_probability"], north["clv"]) == pytest.approx((0.2, 75.0))
    assert north["satisfaction"] == pytest.approx((75 + 50) / 2)
    assert north["satisfaction_low"] == pytest.approx(62.5 - 1.959964 * 12.5)  # sd 17.68 over the root of two


def test_of_a_group_that_is_too_small_only_the_number_is_told_and_that_this_is_so(books):
    regions = next(one for one in attribute_groupings(books, 20) if one.name == "segments_region")
    told = described(books, regions, ASKED, "2021-05-01")
    assert grouped(told).loc["south", ["customers", "share"]].tolist() == [1, 0.2]
    assert grouped(told).loc["south", ["orders", "revenue", "margin", "satisfaction"]].isna().all()
    assert "fewer than 2 customers" in told.remarks[-1].en


def test_whoever_has_no_score_is_in_the_cell_that_says_why(books):
    told = described(books, value_risk_grouping(), ASKED, "2021-05-01")
    assert grouped(told)["customers"].to_dict() == {
        "high_value_low_risk": 2,
        "prospect": 1,
        "gone": 1,
        "not_scored": 1,
    }


def test_the_customers_of_every_grouping_are_the_base(books):
    groupings = [rfm_grouping(365), value_risk_grouping(), *attribute_groupings(books, 1)]
    sums = {one.name: described(books, one, ASKED).frame["customers"].sum() for one in groupings}
    assert len(sums) == 4
    assert set(sums.values()) == {books.base} == {5}


def test_beyond_the_largest_places_others_are_one_group_and_the_unknown_another(books):
    regions = next(one for one in attribute_groupings(books, 1) if one.name == "segments_region")
    told = described(books, regions, ASKED)
    assert told.frame["segment"].tolist() == ["north", OTHERS, "?"]
    assert told.frame["customers"].tolist() == [2, 2, 1]


def test_ages_are_told_in_tens_ascending(books):
    ages = next(one for one in attribute_groupings(books, 20) if one.name == "segments_age")
    assert described(books, ages, ASKED).frame["segment"].tolist() == ["30–39", "40–49", "70–79", "?"]


def test_what_nobody_can_be_told_apart_by_is_named_with_what_would_tell(books):
    [remark] = unknown_attributes(books)
    assert "`city`, `gender`, `income_band`, `acquisition_channel`" in remark.en
    assert "region" not in remark.en


def test_a_grouping_can_be_told_apart_once_more(books):
    told = described(books, value_risk_grouping(), Asked(APRIL, MAY, by="region", smallest=1))
    rows = told.frame[["segment", "part", "customers"]].to_numpy().tolist()
    assert rows[:2] == [["high_value_low_risk", "north", 2], ["prospect", "?", 1]]


def test_nobody_moves_because_others_did(books):
    told = rfm_migration(books, ASKED, 365).frame
    assert set(told[["from_segment", "to_segment", "customers"]].itertuples(index=False, name=None)) == {
        ("champions", "at_risk", 1),  # ann: 29 days is as long ago as the least recent were in April
        ("need_attention", "at_risk", 1),  # bob
        ("lost", "champions", 1),  # cat
        ("not_known_yet", "loyal", 1),  # dan
        ("no_order", "no_order", 1),  # eve
    }
    assert told["share"].isna().all()  # of one customer each


def test_without_scores_of_two_days_no_move_between_cells_is_told_but_what_it_needs(books):
    told = value_risk_migration(books, ASKED, None, None)
    assert told.frame.empty
    assert "churnml score --cutoff" in told.remarks[0].en


def test_where_nobody_had_ordered_before_the_span_no_move_is_told(books):
    told = rfm_migration(books, Asked(midnight(date(2021, 1, 1), "UTC"), MAY), 365)
    assert told.frame.empty
    assert "later --from" in told.remarks[0].en
