"""The command line speaks to people on standard error, to machines on standard output, and ends with a code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from churnml import __version__
from churnml.cli import app
from churnml.measures.names import MEASURES
from churnml.modeling.bundle import load_bundle, save_bundle
from command import churnml, strictly

VERBS = ("demo", "ingest", "features", "train", "score", "assign", "backtest", "serve")
NEEDING = ["train", "score", "assign", "backtest", "serve", "features export x.parquet", "features list"]
AGAIN = Path(__file__).parent / "train_again.py"


def test_the_version_is_told():
    assert churnml("--version").out == f"churnml {__version__}\n"


@pytest.mark.parametrize("verb", VERBS)
def test_help_names_every_verb_and_each_explains_itself(verb):
    assert verb in churnml("--help").out
    said = churnml(verb, "--help")
    assert (said.code, said.err) == (0, "")
    assert len(said.out.splitlines()) > 4


def test_all_measures_of_the_customer_base_and_the_report_take_the_same_options():
    command = typer.main.get_command(app)
    asked = {name: options(command.commands["measure"].commands[name]) for name in MEASURES}
    assert asked["lifecycle"] == {**asked["kpis"], "customer": ["--customer"]}
    assert {**options(command.commands["report"]), "report": ["--report"]} == {**asked["kpis"], "out": ["--out"]}
    assert [name for name in MEASURES if name != "lifecycle" and asked[name] != asked["kpis"]] == []
    assert asked["kpis"]["begin"] == ["--from"]


def options(command):
    return {one.name: one.opts for one in command.params}


def test_an_unknown_verb_is_an_error_of_usage():
    said = churnml("tarin")
    assert said.code == 2
    assert "No such command 'tarin'" in said.err


@pytest.mark.parametrize("verb", NEEDING)
def test_without_a_workspace_the_way_to_one_is_told(tmp_path, verb):
    said = churnml(*verb.split(), "--workspace", tmp_path / "none", "--configs", tmp_path)
    assert said.code == 2
    assert f"no workspace at {tmp_path}/none; `churnml ingest` or `churnml demo` makes one there" in said.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", ["train", "score --cutoff 2020-01-01", "features export x.parquet"])
def test_with_customers_alone_the_missing_table_is_named(tmp_path, verb):
    (tmp_path / "customers.csv").write_text("customer_id,occurred_at\n1,2020-01-01\n")
    at = ["--workspace", tmp_path / "w", "--configs", tmp_path]
    assert churnml("ingest", tmp_path / "customers.csv", "-t", "customers", *at).code == 0
    said = churnml(*verb.split(), *at)
    assert said.code in {2, 3}
    assert "orders" in said.err or "churnml train" in said.err


def test_scores_are_wanted_before_actions(own_journey):
    folder = own_journey.workspace.root
    (folder / "churnml.db").unlink()
    (folder.parent / "customers.csv").write_text("customer_id,occurred_at\n1,2020-01-01\n")
    own_journey.churnml(f"ingest {folder.parent}/customers.csv -t customers")
    said = own_journey.churnml("assign")
    assert said.code == 2
    assert "nothing is scored yet in this workspace; run `churnml score` first" in said.err


@pytest.mark.parametrize("name, key, verb", [
    ("workspace", "time_zon", "train"), ("train", "seeds", "train"), ("score", "reason", "score"),
    ("assign", "budgets", "assign"), ("backtest", "protocol", "backtest"), ("serve", "prot", "serve"),
])  # fmt: skip
def test_a_misspelt_key_of_any_file_is_refused_with_the_nearest(own_journey, name, key, verb):
    (own_journey.configs / f"{name}.yaml").write_text(f"{key}: 1")
    said = own_journey.churnml(verb)
    assert said.code == 2
    assert f"{name}.yaml: unknown key `{key}`; did you mean `" in said.err


def test_with_json_an_error_is_json_on_standard_output_and_words_on_the_other(tmp_path):
    said = churnml("train", "-w", tmp_path / "none", "--json")
    assert said.body["error"]["code"] == "not_found"
    assert said.body["error"]["message"] in said.err


@pytest.mark.parametrize("verb", ["train", "score", "assign"])
def test_with_json_standard_output_is_strict_json_and_nothing_else(journey, verb):
    said = journey.said[verb]
    assert said.code == 0
    assert isinstance(strictly(said.out), dict)
    assert "✓" in said.err


def test_a_fresh_process_trains_the_same_bundle_and_gives_the_same_scores(journey, tmp_path):
    """Another hash seed, zone, language and folder; the facts are left out, for they name the code's own digest."""
    world = {"PYTHONHASHSEED": "4242", "TZ": "Pacific/Kiritimati", "LANG": "zh_CN.GB18030", "LC_ALL": "zh_CN.GB18030"}
    command = [sys.executable, AGAIN, journey.workspace.root, journey.configs, tmp_path]
    done = subprocess.run(command, env=os.environ | world, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    again = json.loads(done.stdout)
    model, _ = load_bundle(journey.workspace.models / journey.said["train"].body["model_version"])
    assert again["bundle"] == save_bundle(model, {}, tmp_path / "here")
    assert again["value_at_risk"] == journey.said["score"].body["value_at_risk"]
    assert again["expected_churners"] == journey.said["score"].body["expected_churners"]


@pytest.mark.parametrize("verb", ["serve", "demo"])
@pytest.mark.parametrize("port", [99999, -1])
def test_a_port_that_there_is_none_is_an_error_of_usage_before_anything_is_done(tmp_path, verb, port):
    (tmp_path / "workspace").mkdir()
    said = churnml(verb, "--workspace", tmp_path / "workspace", f"--port={port}")
    assert (said.code, said.err) == (2, f"error: `--port` must be 0 to 65535, got {port}; 0 takes a free one")


@pytest.mark.parametrize("words", [["ingest", "--table", "orders"], ["ingest", "--sources"]])
def test_a_file_that_may_not_be_read_is_told_in_our_words(tmp_path, monkeypatch, words):
    def forbidden(path, *_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / "o.csv").write_text("order_id\n1\n")
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    monkeypatch.setattr(Path, "open", forbidden)
    monkeypatch.setattr(Path, "read_text", forbidden)
    said = churnml(*words, tmp_path / "o.csv", "--check", "--workspace", tmp_path / "w", "--configs", tmp_path / "c")
    assert (said.code, said.err.startswith("error: ")) == (2, True)
    assert "o.csv must be readable, found that we may not read it; give this user the right to (chmod +r)" in said.err
