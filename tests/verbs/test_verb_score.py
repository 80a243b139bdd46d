"""`churnml score` writes a record for every customer from the champion, and refuses a damaged one."""

import json

import pytest

from churnml.database import Catalogue, Records, open_engine
from churnml.database.workspace import digest_of_file
from churnml.errors import ModelRefusedError
from churnml.scoring.champion import require_same_files
from churnml.verbs.session import Session
from command import strictly


@pytest.fixture
def records(own_journey):
    engine = open_engine(own_journey.workspace.database)
    yield Records(engine)
    engine.dispose()


@pytest.fixture
def bundle(own_journey):
    return own_journey.workspace.models / own_journey.said["train"].body["model_version"]


def test_the_summary_counts_everyone(journey):
    summary = journey.said["score"].body
    assert (summary["customers"], summary["population"]) == (2_469, sum(summary["bands"].values()))
    assert summary["model_version"] == journey.said["train"].body["model_version"]
    assert summary["cutoff"] == "2018-01-01T00:00:00+00:00"


def test_the_families_without_a_table_are_named_with_what_they_need(journey):
    summary = journey.said["score"].body
    assert summary["families_on"] == ["behavior", "engagement", "profile", "purchase"]
    assert {"satisfaction", "subscription"} <= set(summary["families_off"])


def test_a_feature_of_ones_own_that_changed_since_training_is_not_scored_with(own_journey):
    (own_journey.configs / "mine.py").write_text("FEATURES = []\n")
    (own_journey.configs / "features.yaml").write_text("files: [mine.py]\n")
    session = Session.open(own_journey.workspace.root, own_journey.configs)
    taught_with = {"mine.py": digest_of_file(own_journey.configs / "mine.py")}
    require_same_files(taught_with, session.own_features)
    with pytest.raises(ModelRefusedError, match=r"trained with the features of `mine.py` as they were then"):
        require_same_files({"mine.py": "0" * 64}, session.own_features)


def test_the_same_inputs_are_not_scored_again(own_journey, records):
    before = records.current_run()
    assert "Scoring" not in own_journey.churnml("score", "--cutoff", "2018-01-01").err
    assert records.current_run() == before


def test_an_earlier_cutoff_asked_for_again_is_what_is_served_and_each_is_held_against_the_one_before(
    own_journey, records
):
    found = []
    for cutoff in ("2017-06-01", "2018-01-01"):
        found.append(own_journey.churnml("score", "--cutoff", cutoff, "--json").body["turnover"])
        own_journey.churnml("assign")
        assert records.get(["1"])["1"]["cutoff"].startswith(cutoff)
    first, second = found
    assert (first, second["before"]["cutoff"][:10]) == (None, "2017-06-01")
    left = sum(one["customers"] for one in second["left"].values())
    assert second["stayed"]["customers"] + left == second["before"]["bands"]["high"]


def test_the_records_are_written_as_strict_json_lines(own_journey, records, tmp_path):
    own_journey.churnml("score", "--cutoff", "2018-01-01", "--out", tmp_path / "new" / "records.jsonl")
    lines = (tmp_path / "new" / "records.jsonl").read_text(encoding="utf-8").splitlines()
    assert [strictly(line) for line in lines] == records.of_run(Catalogue(records.engine).last_run("score").run_id)


@pytest.mark.parametrize("file", ["manifest.json", "model.json", "churn.txt", "stayers-change.txt"])
def test_a_damaged_champion_is_refused_and_the_old_records_still_answer(own_journey, records, bundle, file):
    before = records.get(["1"])
    content = bytearray((bundle / file).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / file).write_bytes(content)
    said = own_journey.churnml("score", "--cutoff", "2018-01-01")
    assert said.code == 4
    assert "is damaged or was changed; it was not opened" in said.err
    assert records.get(["1"]) == before


def test_with_json_a_refusal_is_json_on_standard_output(own_journey, bundle):
    (bundle / "churn.txt").unlink()
    said = own_journey.churnml("score", "--json")
    assert (said.code, said.body["error"]["code"]) == (4, "model_refused")


def test_a_feature_that_went_off_is_named(own_journey):
    config = own_journey.configs / "workspace.yaml"
    config.write_text(config.read_text().split("attributes:")[0])
    said = own_journey.churnml("score")
    assert said.code == 4
    assert "was trained with the feature `" in said.err
    assert "which is off in this workspace now" in said.err


def test_a_cutoff_when_nobody_is_left_is_refused(own_journey, records):
    before = records.current_run()
    said = own_journey.churnml("score", "--cutoff", "2030-01-01")
    assert said.code == 3
    assert "scoring needs a customer who ordered in the 90 days before 2030-01-01" in said.err
    assert records.current_run() == before


def test_before_any_training_the_way_is_told(own_journey):
    engine = open_engine(own_journey.workspace.database)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM aliases")
        connection.exec_driver_sql("UPDATE runs SET state = 'failed' WHERE verb = 'train'")
    engine.dispose()
    said = own_journey.churnml("score")
    assert said.code == 2
    assert "run `churnml train` first" in said.err


def test_where_no_model_was_promoted_the_reason_is_told(own_journey):
    engine = open_engine(own_journey.workspace.database)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM aliases")
        connection.exec_driver_sql(
            """UPDATE runs SET summary = json_set(summary, '$.not_promoted_because', json('["BG/NBD is better"]'))"""
        )
    engine.dispose()
    assert "the last one trained was not promoted (BG/NBD is better)" in own_journey.churnml("score").err


def test_json_is_all_that_standard_output_holds(journey):
    assert json.loads(journey.said["score"].out) == journey.said["score"].body
