"""What `assign` makes of the records: whose actions are open, when a contract renews, what may be offered as new."""

import math

import pytest

from churnml.config import AssignConfig
from churnml.verbs.deciding import _days_to_renewal, offered_category, sector_of


@pytest.mark.parametrize(
    "configured, churn_by, expected",
    [
        ("auto", "orders", "retail"),
        ("auto", "contracts", "subscription"),
        ("b2b", "contracts", "b2b"),
        ("finance", "orders", "finance"),
    ],
)
def test_whose_actions_are_open_follows_what_leaving_is_unless_it_is_said(configured, churn_by, expected):
    assert sector_of(AssignConfig(sector=configured), [{"churn_by": churn_by}]) == expected


def test_records_of_earlier_versions_are_those_of_a_shop():
    assert sector_of(AssignConfig(), [{}]) == "retail"


def test_days_to_renewal_are_counted_from_the_day_of_the_cutoff_in_its_zone():
    record = {"cutoff": "2018-01-01T00:00:00+08:00", "renews_on": "2018-01-31"}
    assert _days_to_renewal(record) == 30
    assert math.isnan(_days_to_renewal(record | {"renews_on": None}))


def test_only_a_category_that_is_not_bought_yet_is_offered_as_another_one():
    assert offered_category({"next_category": {"category": "tea", "kind": "cross_sell"}}) == "tea"
    assert offered_category({"next_category": {"category": "tea", "kind": "replenish"}}) is None
    assert offered_category({"next_category": None}) is offered_category({}) is None
