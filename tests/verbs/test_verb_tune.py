"""`churnml tune` searches out of time, keeps the last origin apart, goes on after a stop, and says if it found none."""

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from churnml.config import TrainConfig, ValueSettings, parse_config
from churnml.database import Workspace
from churnml.modeling import search as searching
from churnml.modeling import tuning as preparing
from churnml.modeling.search import search
from churnml.modeling.train import train
from churnml.modeling.tuning import Teaching, gain, prepared, settings_of, with_settings
from churnml.verbs.features import of_session
from churnml.verbs.session import Session
from churnml.verbs.settings_file import rewritten, written
from churnml.verbs.tune import _write, told
from journeys import Journey

YEAR_END = "2018-01-01"
QUICK = TrainConfig(
    rounds=20, step_days=28, max_cutoffs=6, folds=1, horizon_days=30, bootstrap=50, value=ValueSettings(rounds=10)
)
SMALL = "{rounds: 20, step_days: 28, max_cutoffs: 6, folds: 1, horizon_days: 30, bootstrap: 50, value: {rounds: 10}}"
TRIALS = 3


@pytest.fixture(scope="module")
def prepared_once():
    """Have the ground of a cutoff prepared once in this file, for it takes longer than what is tried on it."""
    found = {}

    def once(store, catalogue, now, *more):
        if now not in found:
            found[now] = prepared(store, catalogue, now, *more)
        return found[now]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preparing, "prepared", once)
        yield once


@pytest.fixture(scope="module")
def tuning(complete_journey, prepared_once, tmp_path_factory):
    """Return the Complete Journey with a small search done on it."""
    folder = tmp_path_factory.mktemp("tuned")
    shutil.copytree(complete_journey.root, folder / "workspace")
    (folder / "configs").mkdir()
    (folder / "configs" / "train.yaml").write_text(SMALL)
    journey = Journey(Workspace.open(folder / "workspace"), folder / "configs", {})
    out = ("--out", folder / "found.yaml")
    journey.said["tune"] = journey.churnml("tune", "--trials", TRIALS, "--cutoff", YEAR_END, *out, "--json")
    return journey


@pytest.fixture(scope="module")
def body(tuning):
    return tuning.said["tune"].body


@pytest.fixture(scope="module")
def ground(complete_journey, prepared_once, tmp_path_factory):
    session = Session.open(complete_journey.root, tmp_path_factory.mktemp("configs"))
    found = prepared_once(session.store, of_session(session), session.cutoff(YEAR_END), QUICK, 0.25)
    yield found, session
    session.catalogue.engine.dispose()


def test_the_first_trial_is_the_settings_in_force(body):
    assert body["trials"][0]["settings"] == settings_of(QUICK, body["searched"])


def test_the_best_is_judged_once_and_never_at_an_origin_that_chose_it(body):
    assert body["last_origin"] not in body["origins"]
    assert all(day < body["last_origin"] for day in body["origins"])
    assert len(body["trials"]) == TRIALS


def test_the_best_has_the_least_log_loss_of_those_judged_at_all_origins(body):
    whole = [one for one in body["trials"] if one["judged_at_all_origins"]]
    assert body["best_trial"] == min(whole, key=lambda one: one["mean"]["log_loss"])["trial"]


def test_what_is_no_better_beyond_noise_is_said_and_not_written(tuning, body):
    gains = body["at_last_origin"]["better_by"]
    assert body["better_beyond_noise"] == (gains["log_loss"][1] > 0 and all(one[2] >= 0 for one in gains.values()))
    without = body | {"better_beyond_noise": False}
    assert told(without).endswith("that is nothing beyond noise; configs/train.yaml stays as it is")
    assert (tuning.configs / "train.yaml").read_text() == SMALL


def test_what_is_better_is_written_between_the_comments_of_the_settings(tuning, body, tmp_path):
    shutil.copy(Path(__file__).parents[2] / "configs" / "train.yaml", tmp_path)
    session = Session.open(tuning.workspace.root, tmp_path)
    files = _write(session, body | {"better_beyond_noise": True}, write=True, out=None)
    assert files == [str(tmp_path / "train.yaml")]
    text = (tmp_path / "train.yaml").read_text()
    assert settings_of(parse_config(text, TrainConfig, "train.yaml"), body["searched"]) == body["settings_found"]
    assert "# rolling origins that learn the weights of the blend" in text


def test_the_settings_found_are_written_as_yaml_that_train_reads(tuning, body):
    text = (tuning.configs.parent / "found.yaml").read_text()
    found = parse_config(text, TrainConfig, "found.yaml")
    assert settings_of(found, body["searched"]) == body["settings_found"]


def test_a_search_done_before_is_not_done_again(tuning, body, monkeypatch):
    monkeypatch.setattr(searching, "_tried", lambda *_: pytest.fail("a trial was made again"))
    again = tuning.churnml("tune", "--trials", TRIALS, "--cutoff", YEAR_END, "--json").body
    assert again["trials"] == body["trials"]


def test_each_trial_is_a_run_inside_the_runs_of_mlflow(tuning):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{tuning.workspace.mlflow / 'mlflow.db'}")
    runs = client.search_runs([client.get_experiment_by_name("churnml").experiment_id])
    outer = next(run for run in runs if run.data.tags.get("kind") == "tuning")
    inner = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == outer.info.run_id]
    assert len(inner) == TRIALS
    assert "trees.num_leaves" in inner[0].data.params


def test_without_optuna_it_says_how_to_get_it(tuning, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    said = tuning.churnml("tune")
    assert said.code == 5
    assert "pip install 'churnml[tune]'" in said.err


@pytest.mark.parametrize(("words", "rule"), [
    (("--trials", 0), "--trials must be at least 1, got 0"),
    (("--minutes", 0), "--minutes must be more than 0, got 0"),
])  # fmt: skip
def test_no_trials_and_no_time_are_refused(tuning, words, rule):
    said = tuning.churnml("tune", *words)
    assert (said.code, rule in said.err) == (2, True)


def test_history_that_does_not_reach_is_told_with_what_would(tuning):
    said = tuning.churnml("tune", "--cutoff", "2017-06-01")
    assert said.code == 3
    assert "history" in said.err


def test_a_trial_is_judged_as_a_training_at_that_day_would_have_been(ground):
    found, session = ground
    cutoffs = np.unique(found.cutoffs).tolist()
    now = session.cutoff(found.last)
    trained = train(session.store, of_session(session), cutoffs, now, QUICK, 0.25)
    asked = trained.snapshots.base_at_now.take(trained.snapshots.base_at_now.modelled)
    forecast = trained.model.forecast(asked, 30).churn_probability
    assert Teaching(found, QUICK).at_last().tobytes() == forecast.tobytes()


def test_no_trial_is_taught_by_a_label_that_was_not_final_at_its_origin(ground):
    found, _ = ground
    month = 30 * 86_400_000_000
    assert all(max(teach) + month <= judge for teach, judge in found.judged)


def test_an_interrupted_search_keeps_the_best_so_far(ground, tmp_path, monkeypatch):
    tried = searching._tried

    def interrupted(trial, *more):
        if trial.number == 1:
            raise KeyboardInterrupt
        return tried(trial, *more)

    monkeypatch.setattr(searching, "_tried", interrupted)
    found = search(ground[0], QUICK, trials=4, minutes=None, journal=tmp_path / "j.log")
    assert (len(found.trials), found.best.number, found.stopped) == (1, 0, "it was interrupted")
    monkeypatch.setattr(searching, "_tried", tried)
    assert len(search(ground[0], QUICK, trials=2, minutes=None, journal=tmp_path / "j.log").trials) == 2


def test_a_search_without_time_judges_nothing_and_says_so(ground, tmp_path):
    assert search(ground[0], QUICK, trials=4, minutes=1e-9, journal=tmp_path / "j.log") is None


def test_settings_that_do_harm_are_found_out_at_the_last_origin(ground):
    found, _ = ground
    harmful = with_settings(QUICK, {"trees.learning_rate": 1.0, "trees.lambda_l2": 0.0, "blend.shrinkage": 0.0001})
    good, bad = (Teaching(found, one).at_last() for one in (QUICK, harmful))
    worse = np.clip(good + 0.2, 0, 1)
    assert not gain(found, good, worse, bootstrap=100, seed=0).beyond_noise
    assert gain(found, worse, good, bootstrap=100, seed=0).beyond_noise
    assert good.tobytes() != bad.tobytes()


COMMENTED = """# what is learned
rounds: 300             # boosting rounds
trees:                  # of churn
  num_leaves: 7         # few
seed: 3
"""


def test_settings_are_changed_where_they_stand_and_comments_stay():
    text = rewritten(COMMENTED, {"rounds": 80, "trees.num_leaves": 5, "trees.lambda_l2": 3.5, "ridge.variance": 0.01})
    assert "rounds: 80             # boosting rounds" in text
    assert "  num_leaves: 5         # few" in text
    assert text.startswith("# what is learned\n")
    assert yaml.safe_load(text) == {
        "rounds": 80, "seed": 3, "trees": {"num_leaves": 5, "lambda_l2": 3.5}, "ridge": {"variance": 0.01}
    }  # fmt: skip


def test_a_file_that_is_one_line_is_written_anew():
    text = rewritten("{rounds: 40, trees: {num_leaves: 3}}", {"trees.lambda_l2": 2.0})
    assert yaml.safe_load(text) == {"rounds": 40, "trees": {"num_leaves": 3, "lambda_l2": 2.0}}


def test_settings_as_yaml_nest():
    assert written({"rounds": 5, "trees.num_leaves": 3}) == "rounds: 5\ntrees:\n  num_leaves: 3\n"


def test_the_journal_is_text_and_names_no_customer(tuning):
    (journal,) = (tuning.workspace.root / "tuning").iterdir()
    lines = journal.read_text().splitlines()
    assert lines
    assert all(isinstance(json.loads(line), dict) for line in lines)
