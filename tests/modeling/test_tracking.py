"""MLflow knows each training run with its parameters, metrics, pictures and bundle, and nothing of any customer."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import urlopen

import pytest

from churnml.errors import DependencyError
from churnml.modeling.tracking import Entry, Ledger, name_champion, track
from churnml.verbs.session import Session
from churnml.verbs.tracked import champion_told, tracked

INSIDE = "SELECT run_uuid FROM tags WHERE key = 'mlflow.parentRunId'"


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
    (address,) = ask(f"SELECT artifact_uri FROM runs WHERE run_uuid NOT IN ({INSIDE})")[0]
    return Path(unquote(urlsplit(address).path))


def test_a_training_is_one_finished_run_that_names_its_bundle(ask, summary):
    outermost = ask(f"SELECT name, status FROM runs WHERE run_uuid NOT IN ({INSIDE})")
    assert outermost == [(summary["model_version"][:12], "FINISHED")]
    assert ask("SELECT value FROM tags WHERE key = 'bundle'") == [(summary["model_version"],)]


def test_the_baselines_are_runs_inside_it_with_their_figures(ask, summary):
    told = ask(
        "SELECT r.name, m.value FROM runs r JOIN latest_metrics m ON m.run_uuid = r.run_uuid "
        f"WHERE m.key = 'churn_auroc' AND r.run_uuid IN ({INSIDE})"
    )
    assert dict(told) == {name: one["auroc"] for name, one in summary["judged"]["churn"]["baselines"].items()}


def test_each_training_cutoff_has_its_population_and_its_churn_rate(ask, summary):
    steps = ask("SELECT step, value FROM metrics WHERE key = 'churn_rate_at_cutoff' ORDER BY step")
    assert len(steps) == summary["training_cutoffs"]
    assert all(0 < rate < 1 for _, rate in steps)
    (people,) = ask("SELECT SUM(value) FROM metrics WHERE key = 'population_at_cutoff'")[0]
    assert people == summary["snapshots"]


def test_the_data_are_told_by_digest_and_number_of_rows(ask, summary):
    ((digest, rows),) = ask("SELECT digest, dataset_profile FROM datasets")
    assert summary["inputs"].startswith(digest)
    assert "customers 2469" in rows


def test_the_parameters_are_the_configuration(ask):
    params = dict(ask("SELECT key, value FROM params"))
    assert params | {"rounds": "40", "max_cutoffs": "4", "seed": "0", "horizon_days": "60"} == params


def test_the_metrics_are_those_of_the_report(ask, summary):
    metrics = dict(ask(f"SELECT key, value FROM latest_metrics WHERE run_uuid NOT IN ({INSIDE})"))
    assert metrics["churn_auroc"] == summary["judged"]["churn"]["auroc"]
    assert metrics["value_rmse"] == summary["judged"]["value"]["rmse"]


def test_the_artifacts_are_four_pictures_a_card_and_the_bundle(artifacts, journey, summary):
    bundle = journey.workspace.models / summary["model_version"]
    pictures = {"calibration.png", "gain.png", "gaps.png", "importance.png"}
    kept = {path.relative_to(artifacts).as_posix() for path in artifacts.rglob("*") if path.is_file()}
    assert kept == pictures | {"MODEL_CARD.md"} | {f"bundle/{file.name}" for file in bundle.iterdir()}


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
    assert registered == ask(f"SELECT run_uuid FROM runs WHERE run_uuid NOT IN ({INSIDE})")


def test_the_card_tells_figures_gates_and_what_the_model_is_not_for(ask, artifacts, summary):
    card = (artifacts / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert f"# Model {summary['model_version'][:12]}" in card
    assert f"| churnml | {summary['judged']['churn']['auroc']:.3f} [" in card
    assert "- passed: no baseline is better out of time beyond noise; found: none is" in card
    assert "## What it is not for" in card
    assert ask("SELECT description FROM model_versions") == [(card,)]


@pytest.fixture
def away(monkeypatch):
    """Name an MLflow server where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        yield address


def test_a_server_that_is_away_is_named_with_what_to_do(away, tmp_path):
    with pytest.raises(
        DependencyError, match=rf"MLflow server at {away} must take what is tracked.*MLFLOW_TRACKING_URI"
    ):
        track(Ledger.of(tmp_path), Entry("nothing"))
    assert not list(tmp_path.iterdir())


def test_a_server_that_is_away_stops_no_work(away, own_journey):
    session = Session.open(own_journey.workspace.root, own_journey.configs)
    assert "the run was not tracked: the MLflow server at" in tracked(session, lambda: Entry("nothing"))
    assert "has not moved: the MLflow server at" in champion_told(session, "0" * 64)
    session.catalogue.engine.dispose()


@pytest.mark.long
def test_a_server_by_url_tracks_registers_and_names_the_champion(tmp_path, monkeypatch, journey, summary):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{tmp_path / 'mlflow.db'}", "--artifacts-destination", str(tmp_path)]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
    bundle = summary["model_version"]
    with subprocess.Popen(command, start_new_session=True) as server:
        try:
            _await(f"http://127.0.0.1:{port}/health")
            ledger = Ledger.of(tmp_path / "unused")
            entry = Entry("ours", metrics={"auroc": 0.8}, tags={"bundle": bundle}, parts=[Entry("inside")])
            track(ledger, replace(entry, bundle=journey.workspace.models / bundle))
            assert name_champion(ledger, bundle)
            assert not name_champion(ledger, "f" * 64)
        finally:
            os.killpg(server.pid, signal.SIGTERM)
    kept = {path.name for path in tmp_path.rglob("bundle/*")}
    assert kept == {file.name for file in (journey.workspace.models / bundle).iterdir()}


def _await(address):
    for _ in range(120):
        try:
            with urlopen(address, timeout=1):  # noqa: S310  # our own server, started above
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"nobody answers at {address}")


def test_no_customer_stands_in_what_the_bundle_tells(journey, summary):
    manifest = json.loads((journey.workspace.models / summary["model_version"] / "manifest.json").read_bytes())
    assert set(manifest) == {
        "format", "code_version", "files", "inputs", "cutoffs", "cutoff", "inputs_digest", "own_features", "config",
        "judged", "not_judged_because", "rung", "calibration", "conversion", "satisfaction", "next_category",
    }  # fmt: skip
    longest = max(len(found) for found in _lists(manifest))
    assert longest == len(manifest["inputs"])


def _lists(body):
    """Return every list in a JSON body: a list as long as the customers would be one of them."""
    inside = body.values() if isinstance(body, dict) else body if isinstance(body, list) else ()
    return [body] * isinstance(body, list) + [found for one in inside for found in _lists(one)]
