"""MLflow knows each training run with its parameters, metrics, pictures and bundle, and nothing of any customer."""

import json
import sqlite3
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest


@pytest.fixture(scope="module")
def ask(journey):
    database = sqlite3.connect(journey.workspace.mlflow / "mlflow.db")
    yield lambda query: database.execute(query).fetchall()
    database.close()


@pytest.fixture(scope="module")
def summary(journey):
    return journey.said["train"].body


@pytest.fixture(scope="module")
def artifacts(ask):
    (address,) = ask("SELECT artifact_uri FROM runs")[0]
    return Path(unquote(urlsplit(address).path))


def test_a_training_is_one_finished_run_that_names_its_bundle(ask, summary):
    assert ask("SELECT name, status FROM runs") == [(summary["model_version"][:12], "FINISHED")]
    assert ask("SELECT value FROM tags WHERE key = 'bundle'") == [(summary["model_version"],)]


def test_the_parameters_are_the_configuration(ask):
    params = dict(ask("SELECT key, value FROM params"))
    assert params | {"rounds": "40", "max_cutoffs": "4", "seed": "0", "horizon_days": "60"} == params


def test_the_metrics_are_those_of_the_report(ask, summary):
    metrics = dict(ask("SELECT key, value FROM latest_metrics"))
    assert metrics["churn_auroc"] == summary["judged"]["churn"]["auroc"]
    assert metrics["value_rmse"] == summary["judged"]["value"]["rmse"]


def test_the_artifacts_are_four_pictures_and_the_bundle_and_nothing_else(artifacts, journey, summary):
    bundle = journey.workspace.models / summary["model_version"]
    pictures = {"calibration.png", "gain.png", "gaps.png", "importance.png"}
    kept = {path.relative_to(artifacts).as_posix() for path in artifacts.rglob("*") if path.is_file()}
    assert kept == pictures | {f"bundle/{file.name}" for file in bundle.iterdir()}


@pytest.mark.parametrize("picture", ["calibration.png", "gain.png", "gaps.png", "importance.png"])
def test_a_picture_is_one(artifacts, picture):
    content = (artifacts / picture).read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) > 5_000


def test_the_bundle_kept_is_the_bundle_promoted_byte_for_byte(artifacts, journey, summary):
    for file in (journey.workspace.models / summary["model_version"]).iterdir():
        assert (artifacts / "bundle" / file.name).read_bytes() == file.read_bytes()


def test_the_champion_of_the_registry_is_the_run_of_the_promoted_bundle(ask):
    assert ask("SELECT name, alias FROM registered_model_aliases") == [("churnml", "champion")]
    registered = ask(
        "SELECT v.run_id FROM model_versions v JOIN registered_model_aliases a "
        "ON v.name = a.name AND CAST(v.version AS TEXT) = CAST(a.version AS TEXT)"
    )
    assert registered == ask("SELECT run_uuid FROM runs")


def test_no_customer_stands_in_what_the_bundle_tells(journey, summary):
    manifest = json.loads((journey.workspace.models / summary["model_version"] / "manifest.json").read_bytes())
    assert set(manifest) == {
        "format", "code_version", "files", "inputs", "cutoffs", "cutoff", "inputs_digest", "own_features", "config",
        "judged",
    }  # fmt: skip
    longest = max(len(found) for found in _lists(manifest))
    assert longest == len(manifest["inputs"])


def _lists(body):
    """Return every list in a JSON body: a list as long as the customers would be one of them."""
    inside = body.values() if isinstance(body, dict) else body if isinstance(body, list) else ()
    return [body] * isinstance(body, list) + [found for one in inside for found in _lists(one)]
