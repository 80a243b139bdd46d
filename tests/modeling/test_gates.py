"""A model is promoted only if it passes every gate, and each gate says its rule and what was found."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from churnml.config import TrainConfig
from churnml.features import build
from churnml.modeling import gates as asking
from churnml.modeling.bundle import load_bundle
from churnml.modeling.gates import Gate, refusals
from churnml.modeling.judgement import Judgement, contest
from churnml.verbs.features import of_session
from churnml.verbs.session import Session

RNG = np.random.default_rng(5)
TRUTH = (RNG.random(4_000) < np.linspace(0.02, 0.5, 4_000)).astype(float)
HONEST = np.linspace(0.02, 0.5, 4_000)


def judged(forecast, baseline=None):
    methods = {"churnml": forecast} | ({} if baseline is None else {"RFM table": baseline})
    found = contest("churn", TRUTH, methods, bootstrap=60, seed=0)
    return Judgement("last origin", "2024-01-01", 60, len(TRUTH), {"churn": found}, {})


def test_a_model_that_a_baseline_beats_beyond_noise_does_not_pass():
    gate = asking.beside_baselines(judged(RNG.random(4_000), HONEST))
    assert not gate.passed
    assert "RFM table has a better AUROC for churn beyond noise" in gate.found


def test_a_model_as_good_as_its_baselines_passes():
    assert asking.beside_baselines(judged(HONEST, HONEST)).passed


def test_probabilities_that_mean_what_they_say_pass():
    assert asking.calibrated(judged(HONEST), TrainConfig()).passed


def test_probabilities_twice_too_high_do_not_pass():
    gate = asking.calibrated(judged(np.minimum(2 * HONEST, 1)), TrainConfig())
    assert not gate.passed
    assert gate.found.startswith("ECE 0.2")
    assert "not above 0.050 beyond noise" in gate.rule


def test_an_error_that_a_perfect_model_may_show_passes_whatever_the_setting():
    assert asking.calibrated(judged(HONEST), TrainConfig(max_calibration_error=0.0)).passed


def test_a_refusal_tells_what_was_found_and_the_rule():
    asked = [Gate("bounds", True, "a", "b"), Gate("suspects", False, "no leak", "`x` is one")]
    assert refusals(asked) == ["`x` is one (the rule: no leak)"]


@pytest.fixture(scope="module")
def asked(journey):
    """Return a model, and the population it is asked of."""
    session = Session.open(journey.workspace.root, journey.configs)
    model, _ = load_bundle(journey.workspace.models / journey.said["train"].body["model_version"])
    base = build(session.store, of_session(session), [session.cutoff("2018-01-01")], model.population_days)
    session.catalogue.engine.dispose()
    return model, base.take(base.modelled)


@pytest.fixture
def trained(asked):
    """Return what training hands to the gates, with a label that no feature can know."""
    model, table = asked
    churned = np.random.default_rng(0).random(len(table)) < 0.3
    snapshots = SimpleNamespace(table=table, churned=churned)
    return SimpleNamespace(model=model, snapshots=snapshots, cutoffs=(int(table.cutoffs[0]),))


def test_features_that_were_known_in_time_pass(trained):
    assert asking._suspects(trained, TrainConfig()).passed


@pytest.fixture
def leaking(trained):
    """Plant the label in a feature."""
    values = trained.snapshots.table.values.copy()
    values[:, trained.snapshots.table.names.index("spend_7d")] = ~trained.snapshots.churned * 9.0
    trained.snapshots.table = replace(trained.snapshots.table, values=values)
    return trained


def test_a_feature_that_is_the_label_does_not_pass_and_is_named(leaking):
    gate = asking._suspects(leaking, TrainConfig())
    assert not gate.passed
    assert gate.found.startswith("`spend_7d` ")


def test_a_feature_someone_vouches_for_passes(leaking):
    assert asking._suspects(leaking, TrainConfig(known_in_time=("spend_7d",))).passed


def test_answers_to_random_rows_are_a_gate(trained):
    gate = asking._bounds(trained, TrainConfig(bounds_rows=1_000))
    assert (gate.passed, gate.found) == (True, "it is, of 1,000 rows")
