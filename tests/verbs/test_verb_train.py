"""`churnml train` saves a judged model, promotes it, and is not repeated without need; it says no in words."""

import pytest

from churnml.database import Catalogue, open_engine


@pytest.fixture
def catalogue(own_journey):
    catalogue = Catalogue(open_engine(own_journey.workspace.database))
    yield catalogue
    catalogue.engine.dispose()


def test_the_summary_is_strict_json_and_names_the_bundle(journey):
    summary = journey.said["train"].body
    assert (journey.workspace.models / summary["model_version"] / "manifest.json").is_file()
    assert summary["training_cutoffs"] == 4
    assert summary["snapshots"] > 4_000


def test_a_base_that_is_large_enough_stands_on_the_highest_rung(journey):
    summary = journey.said["train"].body
    assert (summary["rung"], summary["rung_because"], summary["not_judged_because"]) == ("blend", "", "")


def test_progress_goes_to_standard_error(journey):
    assert "✓ Training on every cutoff whose label is final" in journey.said["train"].err
    assert "✓" not in journey.said["train"].out


def test_the_weights_of_the_blend_are_a_mixture(journey):
    weights = journey.said["train"].body["weights"]
    assert set(weights) == {"trees", "ridge", "rhythm"}
    assert min(weights.values()) >= 0


def test_the_report_stands_beside_its_baselines_with_intervals(journey):
    judged = journey.said["train"].body["judged"]
    assert judged["cutoff"] == "2017-11-02"
    for target, metric in (("churn", "auroc"), ("value", "rmse")):
        low, high = judged[target]["intervals"][metric]
        assert low <= judged[target][metric] <= high
        assert len(judged[target]["baselines"]) >= 3


def test_no_baseline_is_better_beyond_noise(journey):
    assert journey.said["train"].body["not_promoted_because"] == []


def test_what_was_promoted_is_the_champion(journey, catalogue):
    assert catalogue.alias("champion") == journey.said["train"].body["model_version"]


def test_the_horizon_is_told_beside_the_gaps_between_orders(journey):
    horizon = journey.said["train"].body["horizon"]
    assert horizon["says"].startswith("horizon 60 days, as set: 1.1% of the gaps between orders are longer; read off")
    assert horizon["suggested"]["days"] == 14
    assert horizon["suggested"]["curve"][0] == [0, 1.0]


def test_the_same_inputs_are_not_trained_again(own_journey, catalogue):
    before = catalogue.last_run("train")
    again = own_journey.churnml("train", "--cutoff", "2018-01-01")
    assert "Training" not in again.err
    assert f"model {before.bundle[:12]} from 4 cutoffs, promoted to champion" in again.err
    assert catalogue.last_run("train") == before


NO = [
    (
        ["--horizon-days", "0"],
        "--horizon-days must be at least 1, got 0",
        2,
    ),
    (["--cutoff", "soon"], "--cutoff must be a date such as 2017-12-31, got 'soon'", 2),
    (["--cutoff", "2016-05-01"], "--cutoff must lie after the first order, on 2017-01-01, got 2016-05-01", 2),
    (["--cutoff", "2017-01-10"], "training needs 14 days of history to tell a silence from a pause, found 8", 3),
    (["--cutoff", "2030-01-01"], "a test at 2029-11-02 needs orders for 60 days", 3),
]


@pytest.mark.parametrize("words, told, code", NO)
def test_what_cannot_be_trained_is_refused_with_words(own_journey, words, told, code):
    said = own_journey.churnml("train", *words)
    assert said.code == code
    assert told in said.err


def test_a_misspelt_key_is_refused_with_the_nearest(own_journey):
    (own_journey.configs / "train.yaml").write_text("round: 50")
    said = own_journey.churnml("train")
    assert said.code == 2
    assert "unknown key `round`; did you mean `rounds`?" in said.err


def test_a_refused_training_leaves_champion_and_runs_as_they_were(own_journey, catalogue):
    before = catalogue.alias("champion"), catalogue.last_run("train")
    own_journey.churnml("train", "--cutoff", "2030-01-01")
    assert (catalogue.alias("champion"), catalogue.last_run("train")) == before
