"""`churnml check bundle` says what a saved model is, or refuses it with the rule that it breaks."""

import pytest

from churnml.modeling import bounds as asking


@pytest.fixture(scope="module")
def found(journey):
    return journey.churnml("check bundle", "--rows", 500, "--json")


def test_the_champion_is_whole_and_told(found, journey):
    assert found.code == 0
    body = found.body
    assert body["model_version"] == journey.said["train"].body["model_version"]
    assert (body["kind"], body["random_rows"]) == ("landed tables", 500)
    assert body["signed"] == "not checked: no key is set"
    assert body["bytes"]["model.json"] > 1_000


def test_each_step_is_told_as_it_is_done(found):
    steps = ("Comparing every digest, parsing nothing", "in a process of its own", "Asking it of random rows")
    assert all(step in found.err for step in steps)


def test_a_damaged_bundle_is_refused_before_it_is_parsed(own_journey, found):
    trees = own_journey.workspace.models / found.body["model_version"] / "churn.txt"
    trees.write_bytes(trees.read_bytes()[:-5])
    said = own_journey.churnml("check bundle", found.body["model_version"][:9])
    assert said.code == 4
    assert "is damaged or was changed; it was not opened. The rule broken: churn.txt is as written" in said.err
    assert "Parsing" not in said.err


def test_an_impossible_answer_is_refused_with_the_rule(journey, monkeypatch):
    def rules(_, table):
        yield "no tenure is long", table.column("tenure_days") > 0, table.column("tenure_days")

    monkeypatch.setattr(asking, "_rules", rules)
    monkeypatch.setattr("churnml.modeling.bundle.try_bundle", lambda _, **_files: None)
    said = journey.churnml("check bundle", "--rows", 10)
    assert said.code == 4
    assert "gives impossible answers: no tenure is long, found" in said.err


def test_an_unknown_bundle_is_told_with_those_there_are(journey, found):
    said = journey.churnml("check bundle", "zz")
    assert said.code == 2
    assert f"(there are: {found.body['model_version'][:12]})" in said.err
