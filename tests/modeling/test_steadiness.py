"""The last rolling origin is held against those before it: a loss beyond noise is refused, luck is not."""

from types import SimpleNamespace

import numpy as np
import pytest

from churnml.config import TrainConfig
from churnml.modeling import gates as asking
from churnml.modeling.churn import ChurnFit, ChurnModel
from churnml.modeling.steadiness import steadiness

MODEL = ChurnModel(None, None, None, (0.0, 0.0, 1.0), 0.0)


def folds(*signal, seed=0, n=800):
    """Return a fit judged at as many origins; at each the logit tells as much of the label as `signal` says."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(len(signal), n))
    left = rng.random(truth.shape) < 1 / (1 + np.exp(1.5 - truth))
    said = np.array(signal)[:, None] * truth + rng.normal(size=truth.shape)
    logits = np.column_stack([np.zeros((left.size, 2)), said.ravel()])
    ids = np.tile(np.arange(n).astype(str).astype(object), len(signal))
    table = SimpleNamespace(cutoffs=np.repeat(np.arange(len(signal)), n), customer_ids=ids)
    fit = ChurnFit(MODEL, np.arange(left.size), logits)
    return SimpleNamespace(churn_fit=fit, snapshots=SimpleNamespace(table=table, churned=left.ravel()))


def gate(trained, **settings):
    return asking._stability(trained, TrainConfig(bootstrap=100, **settings))


def test_a_last_origin_at_which_nothing_is_told_any_more_is_refused_with_both_figures():
    found = gate(folds(2.0, 2.0, 0.0))
    assert not found.passed
    assert found.found.startswith("AUROC 0.5")
    assert "does not lose more than 0.050 of AUROC" in found.rule


def test_an_origin_as_good_as_those_before_passes():
    assert gate(folds(1.0, 1.0, 1.0)).passed


def test_a_loss_that_is_allowed_passes():
    assert gate(folds(2.0, 2.0, 0.0), max_auroc_drop=0.5).passed


def test_a_last_origin_that_is_better_passes():
    assert gate(folds(0.2, 0.2, 2.0)).passed


@pytest.mark.long
def test_of_two_hundred_models_that_did_not_change_hardly_one_is_refused():
    assert sum(not gate(folds(1.0, 1.0, 1.0, seed=seed, n=300)).passed for seed in range(200)) <= 2


@pytest.mark.parametrize("signal", [(1.0,), ()])
def test_with_too_few_origins_it_is_not_asked(signal):
    found = gate(folds(*signal))
    assert (found.passed, found.asked) == (True, False)
    assert found.found.startswith("not asked, for it takes the last rolling origin and one before it")


def test_an_origin_at_which_hardly_anyone_left_is_not_asked():
    trained = folds(1.0, 1.0)
    trained.snapshots.churned[800:] = False
    assert "each with 30 who left" in steadiness(trained, 50, 0)
