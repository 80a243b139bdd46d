"""`churnml measure segments` on the Complete Journey: what it tells, and that its sums agree."""

import pytest


@pytest.fixture(scope="module")
def said(journey):
    said = journey.churnml("measure segments", "--json")
    assert said.code == 0, said.err
    return {one["name"]: one for one in said.body["measures"]} | {"base": said.body["base"]}


def test_customers_of_every_grouping_are_the_base(said):
    groupings = [one for name, one in said.items() if name != "base" and "migration" not in name]
    assert {sum(row["customers"] for row in one["rows"]) for one in groupings} == {said["base"]}


def test_champions_are_worth_more_than_the_lost(said):
    revenue = {row["segment"]: row["revenue"] / row["customers"] for row in said["segments_rfm"]["rows"]}
    assert revenue["champions"] > 5 * revenue["lost"]


def test_cells_of_value_and_risk_are_those_of_the_records(said):
    churn = {row["segment"]: row["churn_probability"] for row in said["segments_value_risk"]["rows"]}
    assert churn["low_value_high_risk"] > churn["low_value_medium_risk"] > churn["low_value_low_risk"]


def test_kpis_and_others_can_be_told_apart_by_a_group(journey):
    said = journey.churnml("measure segments", "--by", "band", "--json")
    assert {row["part"] for row in said.body["measures"][0]["rows"]} == {"low", "medium", "high", "gone"}
