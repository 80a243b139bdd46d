"""`churnml monitor` gives one verdict on the champion, with its reason, from what came after it was made."""

import pytest

from command import churnml
from journeys import copied

CHAMPION_AT, LATER = "2017-09-01", "2018-01-01"
QUICK = (
    "{rounds: 20, step_days: 30, max_cutoffs: 2, folds: 1, bootstrap: 50, bounds_rows: 1000, value: {rounds: 20}, "
    "categories: {most: 20}}"
)


@pytest.fixture(scope="module")
def watched(journey, tmp_path_factory):
    """Return a journey whose champion is of September, with the model of the year's end as challenger."""
    own = copied(journey, tmp_path_factory.mktemp("watched"))
    (own.configs / "train.yaml").write_text(QUICK)
    said = own.churnml("train", "--cutoff", CHAMPION_AT, "--json")
    assert said.code == 0, said.err
    own.churnml("promote", said.body["model_version"], "--despite", "to be watched", "--json")
    return own


@pytest.fixture(scope="module")
def seen(watched):
    return watched.churnml("monitor", "--cutoff", LATER, "--json")


def test_the_verdict_stands_with_what_it_rests_on(seen):
    body = seen.body
    assert (body["made_for"], body["now"]) == (CHAMPION_AT, LATER)
    assert seen.code == (0 if body["verdict"] == "fine" else 6)
    assert bool(body["reasons"]) is (body["verdict"] != "fine")


def test_attributes_in_words_are_held_against_earlier_days(seen):
    categories = seen.body["drift"]["categories"]
    assert 0 < categories["distance"] < 0.1
    assert seen.body["drift"]["turned"] == []


def test_labels_that_closed_are_told_by_cutoff_from_the_models_own_on(seen):
    closed = seen.body["closed_labels"]
    assert [one["cutoff"] for one in closed["cutoffs"]] == [CHAMPION_AT, "2017-10-01", "2017-10-31"]
    assert all(0 < one["observed"] < 0.2 for one in closed["cutoffs"])
    assert closed["auroc"][1] < closed["auroc"][0] < closed["auroc"][2]
    assert closed["next_closes"] > LATER


def test_the_challenger_is_asked_in_the_shadow(seen, journey):
    shadow = seen.body["challenger"]
    assert shadow["model_version"] == journey.said["train"].body["model_version"]
    assert 0.5 < shadow["rank_correlation"] <= 1
    assert shadow["on_closed_labels"] is None


def test_on_its_own_day_nothing_has_come_since(watched):
    body = watched.churnml("monitor", "--cutoff", CHAMPION_AT, "--json").body
    assert body["drift"] is None
    assert body["closed_labels"]["cutoffs"] == []


def test_people_read_a_verdict_and_its_reasons(watched):
    said = watched.churnml("monitor", "--cutoff", LATER)
    assert "model " in said.err
    assert "drift: features" in said.err
    assert "pulse: it takes four weeks since the model was made, and six months and a quarter before" in said.err
    assert f"closed labels at {CHAMPION_AT}: " in said.err
    assert "in the shadow" in said.err


def test_a_day_before_the_model_was_made_is_refused(watched):
    said = watched.churnml("monitor", "--cutoff", "2017-08-01")
    assert said.code == 2
    assert "is watched from the cutoff it was made for, 2017-09-01, got --cutoff 2017-08-01" in said.err


def test_a_day_beyond_the_data_is_refused(watched):
    said = watched.churnml("monitor", "--cutoff", "2099-01-01")
    assert said.code == 2
    assert "must not lie beyond what has landed" in said.err


def test_without_a_champion_the_way_to_one_is_told(complete_journey):
    said = churnml("monitor", "--workspace", complete_journey.root)
    assert said.code == 2
    assert "run `churnml train` first" in said.err
