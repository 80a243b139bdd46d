"""`churnml measure rhythm`: the verb, on the Complete Journey."""

import pytest


@pytest.fixture(scope="module")
def said(journey):
    """Return what the verb tells of the year."""
    said = journey.churnml("measure rhythm", "--from", "2017-01-01", "--to", "2018-01-01", "--json")
    assert said.code == 0, said.err
    return {one["name"]: one for one in said.body["measures"]}


def test_christmas_is_found_and_named_by_its_day_without_an_order(said):
    assert [row["orders"] for row in said["rhythm_days"]["rows"] if row["day"] == "2017-12-25"] == [0]
    quiet = [row for row in said["rhythm_unusual"]["rows"] if row["begin"] == "2017-12-25"]
    assert quiet
    assert quiet[0]["ratio"] < 0.5
    assert quiet[0]["name"] == "partly_silent"


def test_every_order_of_a_day_has_an_hour(said):
    assert len(said["rhythm_days"]["rows"]) == 365
    weeks = said["rhythm_days"]["rows"][-364:]
    assert sum(row["orders"] for row in said["rhythm_hour"]["rows"]) == sum(row["orders"] for row in weeks)
    assert sum(row["orders"] for row in said["rhythm_weekday"]["rows"]) == sum(row["orders"] for row in weeks)
