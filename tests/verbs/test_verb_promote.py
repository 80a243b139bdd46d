"""`churnml promote` makes a model champion that has passed every gate; `churnml rollback` goes back, step by step."""

import sqlite3

import pytest

from churnml.database import Catalogue, open_engine
from churnml.modeling.bundle import load_bundle, save_bundle
from churnml.modeling.tracking import Entry, Ledger, track
from churnml.verbs.session import clock
from journeys import copied

REFUSED = ["ECE 0.200 (the rule: it is not above 0.050)"]


@pytest.fixture(scope="module")
def pair(journey, tmp_path_factory):
    """Return the trained journey with a second model that a gate refused; a test leaves the champion as it was."""
    copy = copied(journey, tmp_path_factory.mktemp("pair"))
    models = copy.workspace.models
    model, _ = load_bundle(models / journey.said["train"].body["model_version"])
    second = save_bundle(model, {"cutoff": "of another day"}, models)
    known = Catalogue(open_engine(copy.workspace.database))
    run = known.start("train", "other inputs", clock())
    known.finish(run, clock(), {"not_promoted_because": REFUSED}, bundle=second)
    known.engine.dispose()
    track(Ledger.of(copy.workspace.mlflow), Entry(second[:12], tags={"bundle": second}, bundle=models / second))
    copy.said["second"] = second
    return copy


@pytest.fixture
def catalogue(pair):
    catalogue = Catalogue(open_engine(pair.workspace.database))
    yield catalogue
    catalogue.engine.dispose()


@pytest.fixture
def first(journey):
    return journey.said["train"].body["model_version"]


@pytest.fixture
def second(pair):
    return pair.said["second"]


def test_training_tells_every_gate(journey):
    asked = journey.said["train"].body["gates"]
    assert [gate["name"] for gate in asked] == ["baselines", "calibration", "suspects", "bounds", "stability"]
    assert all(gate["passed"] for gate in asked)


def test_what_a_gate_refused_is_not_promoted_and_the_gate_is_told(pair, catalogue, first, second):
    said = pair.churnml("promote")
    assert said.code == 4
    assert f"model {second[:12]} must pass every gate, and did not: ECE 0.200" in said.err
    assert '--despite "…"' in said.err
    assert catalogue.alias("champion") == first


def test_whoever_knows_better_says_why_and_can_go_back(pair, catalogue, first, second):
    moved = pair.churnml("promote", second[:8], "--despite", "the season was odd", "--json").body
    assert (moved["before"], moved["model_version"], moved["moved"]) == (first, second, True)
    assert catalogue.moves("champion")[-1].why == "the season was odd"
    assert _registered(pair) == second
    back = pair.churnml("rollback")
    assert f"champion: model {first[:12]}, was {second[:12]} (rolled back)" in back.err
    assert catalogue.alias("champion") == _registered(pair) == first


def _registered(journey):
    """Return the bundle that the alias of MLflow's registry points at."""
    database = sqlite3.connect(journey.workspace.mlflow / "mlflow.db")
    query = (
        "SELECT t.value FROM registered_model_aliases a JOIN model_versions v ON v.name = a.name AND "
        "CAST(v.version AS TEXT) = CAST(a.version AS TEXT) JOIN tags t ON t.run_uuid = v.run_id AND t.key = 'bundle'"
    )
    (found,) = database.execute(query).fetchall()
    database.close()
    return found[0]


def test_before_a_second_champion_there_is_no_way_back(journey):
    said = journey.churnml("rollback")
    assert said.code == 2
    assert "the champion can go back to a model it was before, found none" in said.err


def test_the_champion_stays_where_it_is_asked_for_again(pair, catalogue, first):
    before = catalogue.moves("champion")
    said = pair.churnml("promote", first)
    assert f"model {first[:12]} is the champion already" in said.err
    assert catalogue.moves("champion") == before


def test_an_unknown_model_is_told_with_those_there_are(pair, first, second):
    said = pair.churnml("promote", "zzz")
    assert said.code == 2
    assert (
        f"no model `zzz` was trained in this workspace (known, latest first: {second[:12]}, {first[:12]})" in said.err
    )


def test_a_damaged_bundle_is_not_promoted(own_journey, first):
    model = own_journey.workspace.models / first / "model.json"
    model.write_bytes(model.read_bytes().replace(b"design", b"dosign"))
    said = own_journey.churnml("promote", first)
    assert said.code == 4
    assert "is damaged or was changed" in said.err


def test_feature_tables_have_a_champion_of_their_own(pair):
    said = pair.churnml("rollback", "--of-feature-tables")
    assert said.code == 2
    assert "the feature table champion can go back to a model it was before, found none" in said.err
