"""Circumstances, traits and symptoms stand apart; of each group the strongest stands for its others."""

import numpy as np
import pytest
from leaving import told

from churnml.events import TABLES, Standing
from churnml.features import Catalogue, FeatureTable, catalogue
from churnml.measures.compared import Compared
from churnml.measures.differences import differences, strongest
from churnml.measures.driver_words import FAMILIES, GROUPS, place_of
from churnml.measures.drivers import drivers
from churnml.measures.drivers_by_part import drivers_by_part
from churnml.measures.matching import Matched

N = 400
NAMES = ("tenure_days", "orders_90d", "recency_days", "complaints_90d", "complaints_365d", "returns_365d")


def compared(**columns):
    """Return rows of 400 customers of whom the first hundred left; columns that are not given say nothing."""
    rng, left = np.random.default_rng(0), np.arange(N) < 100
    values = np.column_stack([columns.get(name, rng.poisson(3, N)).astype(np.float64) for name in NAMES])
    words = {"region": columns.get("region", np.array(["north", "south"] * (N // 2), dtype=np.object_))}
    ids = np.array([f"c{number}" for number in range(N)], dtype=np.object_)
    table = FeatureTable(
        ids, np.zeros(N, dtype=np.int64), np.full(N, Standing.POPULATION, dtype=np.int8), NAMES, values, words
    )
    alike = Matched(left, np.arange(N), np.zeros(N, dtype=np.intp))
    return Compared(table, left, alike, alike, 1.0)


@pytest.fixture(scope="module")
def known():
    """Return the features of the table."""
    everything = catalogue(["customers", "orders", "tickets", "returns"]).features
    return Catalogue(tuple(one for one in everything if one.name in {*NAMES, "region"}), {})


@pytest.fixture(scope="module")
def complaining():
    """Return rows in which who left complained more, and had not ordered for longer."""
    rng, left = np.random.default_rng(1), np.arange(N) < 100
    complaints = rng.poisson(np.where(left, 3, 1))
    return compared(
        complaints_90d=complaints,
        complaints_365d=complaints + rng.poisson(1, N),
        recency_days=rng.poisson(np.where(left, 60, 20)),
    )


def rows_by_group(measure):
    return {row["group"]: row for row in measure.to_json()["rows"]}


def test_the_strongest_of_a_group_stands_for_its_others(complaining, known):
    rows = rows_by_group(drivers(complaining, differences(complaining, known, 10), told())[0])
    assert (rows["complaints"]["feature"], rows["complaints"]["others"]) == ("complaints_90d", 1)
    assert rows["complaints"]["direction"] == "higher"


def test_what_must_fall_before_leaving_is_told_as_its_symptom(complaining, known):
    circumstances, _, symptoms = drivers(complaining, differences(complaining, known, 10), told())
    assert {*circumstances.frame["group"]} == {"complaints", "returns"}
    assert {*symptoms.frame["group"]} == {"rhythm", "frequency"}
    assert "only an experiment tells" in circumstances.remarks[0].en


def test_what_says_nothing_is_not_claimed(complaining, known):
    rows = rows_by_group(drivers(complaining, differences(complaining, known, 10), told())[0])
    assert rows["returns"]["direction"] == "unclear"
    assert rows["returns"]["low"] < 0 < rows["returns"]["high"]


def test_a_word_of_an_attribute_is_compared_by_its_share(known):
    region = np.array(["north"] * 80 + ["south"] * 320, dtype=np.object_)
    found = differences(compared(region=region), known, 10)
    (north,) = (one for one in found if one.name == "region=north")
    assert (north.kind, north.contrast.left_mean, north.contrast.stayed_mean) == ("trait", 0.8, 0.0)
    assert north.meaning.en.endswith(": north")


def test_a_feature_known_of_few_is_left_out(known):
    few = np.where(np.arange(N) < 9, 1.0, np.where(np.arange(N) < 100, np.nan, 0.0))
    assert "returns_365d" not in {one.name for one in differences(compared(returns_365d=few), known, 10)}


def test_a_part_in_which_complaints_go_with_leaving_is_told_from_the_others(known):
    rng, left, west = np.random.default_rng(2), np.arange(N) < 100, np.arange(N) % 2 == 0
    rows = compared(complaints_90d=rng.poisson(np.where(left & west, 4, 1)))
    found = [one for one in differences(rows, known, 10) if one.name == "complaints_90d"]
    measure = drivers_by_part(rows, found, told(10), ["west" if one else "east" for one in west])
    assert dict(zip(measure.frame["part"], measure.frame["differs"], strict=True)) == {
        "west": "stronger",
        "east": "weaker",
    }


def test_a_part_of_few_who_left_is_not_told(complaining, known):
    part = ["tiny" if number < 9 else "all others" for number in range(N)]
    measure = drivers_by_part(complaining, differences(complaining, known, 10), told(10), part)
    assert "tiny" not in {*measure.frame["part"]}
    assert measure.remarks[0].en.startswith("1 parts are not shown")


def test_the_list_begins_with_what_is_claimed(complaining, known):
    frame = drivers(complaining, differences(complaining, known, 10), told())[0].frame
    assert frame["direction"].tolist() == ["higher", "unclear"]
    assert strongest(differences(complaining, known, 10), "circumstance")[0].name == "complaints_90d"


def test_every_group_and_family_is_worded():
    places = [place_of(feature) for feature in catalogue(TABLES).features]
    assert {group for group, _ in places} <= {*GROUPS}
    assert {feature.family for feature in catalogue(TABLES).features} <= {*FAMILIES}
