"""The learners find what is there to find; the blend leans on those that were right out of time."""

import subprocess
import sys

import lightgbm
import numpy as np
import pytest

from churnml.config import RidgeSettings, TreeSettings
from churnml.modeling.blend import blend_weights
from churnml.modeling.learners import fit_logistic, fit_ridge, fit_trees, predicted, sigmoid

BESIDE_EACH_OTHER = """
import threading, time
import numpy as np
from churnml.modeling.learners import fit_trees, predicted, tree_contributions

rng = np.random.default_rng(0)
rows, end = rng.normal(size=(3_000, 60)), time.monotonic() + 10

def fit():
    return fit_trees(rows, (rows[:, 0] > 1) * 1.0, objective="binary", rounds=20, seed=0)

def fits():
    while time.monotonic() < end:
        fit()

def asks(trees=fit()):
    while time.monotonic() < end:
        predicted(trees, rows[:300]), tree_contributions(trees, rows[:30])

threads = [threading.Thread(target=work) for work in (fits, asks, fits)]
[thread.start() for thread in threads], [thread.join() for thread in threads]
"""

RNG = np.random.default_rng(5)
LOGITS = RNG.normal(size=(2_000, 3))
CHURNED = RNG.random(2_000) < sigmoid(LOGITS[:, 0])


def test_the_learner_that_was_right_gets_most_of_the_weight():
    weights = blend_weights(LOGITS, CHURNED)
    assert weights[0] == pytest.approx(0.9, abs=0.15)
    assert max(weights[1:]) < 0.1


def test_no_weight_is_negative_even_for_a_learner_that_is_always_wrong():
    assert min(blend_weights(-LOGITS, CHURNED)) == 0.0


def test_learners_that_say_the_same_share_the_weight_equally():
    same = np.repeat(LOGITS[:, :1], 3, axis=1)
    assert np.ptp(blend_weights(same, CHURNED)) == pytest.approx(0, abs=1e-6)


def test_learners_that_are_too_timid_are_stretched_together():
    assert sum(blend_weights(np.repeat(LOGITS[:, :1] / 2, 3, axis=1), CHURNED)) > 1.5


def test_learners_that_know_nothing_keep_equal_weights():
    assert blend_weights(np.zeros((10, 3)), CHURNED[:10]) == pytest.approx([1 / 3] * 3)


def test_the_logistic_learner_is_right_on_average_and_shrinks_towards_no_effect():
    fitted = fit_logistic(LOGITS, CHURNED)
    assert sigmoid(fitted.predict(LOGITS)).mean() == pytest.approx(CHURNED.mean(), abs=1e-4)
    assert 0.3 < fitted.coefficients[0] < 1.0


def test_ridge_recovers_a_line_when_the_penalty_is_small():
    fitted = fit_ridge(LOGITS, LOGITS @ [1.0, -2.0, 0.0] + 3.0, 1e-6)
    assert [*fitted.coefficients, fitted.intercept] == pytest.approx([1, -2, 0, 3], abs=1e-6)


def test_trees_give_logits_and_the_same_bits_for_the_same_seed():
    fits = [fit_trees(LOGITS, CHURNED * 1.0, objective="binary", rounds=40, seed=1) for _ in range(2)]
    first, second = (fit.predict(LOGITS, raw_score=True) for fit in fits)
    assert first.tobytes() == second.tobytes()
    assert np.corrcoef(first, LOGITS[:, 0])[0, 1] > 0.7


def test_another_seed_gives_other_trees():
    texts = {fit_trees(LOGITS, CHURNED * 1.0, objective="binary", rounds=5, seed=s).model_to_string() for s in (1, 2)}
    assert len(texts) == 2


@pytest.mark.long
def test_trees_are_fitted_and_asked_side_by_side():
    done = subprocess.run([sys.executable, "-c", BESIDE_EACH_OTHER], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_sigmoid_does_not_overflow():
    assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]


def test_trees_with_the_default_settings_are_those_the_blend_was_judged_with():
    # the constants of before they could be set; another default would be another model under the same settings
    constants = {
        "num_leaves": 7, "feature_fraction": 0.3, "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 20.0,
        "learning_rate": 0.03, "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbose": -1,
        "objective": "binary", "seed": 1, "min_data_in_leaf": max(10, min(150, len(LOGITS) // 40)),
    }  # fmt: skip
    before = lightgbm.train(constants, lightgbm.Dataset(LOGITS, CHURNED * 1.0), 20)
    now = fit_trees(LOGITS, CHURNED * 1.0, objective="binary", rounds=20, seed=1)
    assert now.model_to_string() == before.model_to_string()


def test_each_setting_of_the_trees_changes_them():
    rows = np.random.default_rng(0).normal(size=(8_000, 6))
    left = (rows[:, 0] * rows[:, 1] > 0.3) * 1.0
    changed = {
        "num_leaves": 9, "min_leaf": 50, "feature_fraction": 0.9, "bagging_fraction": 0.5, "lambda_l2": 1.0,
        "learning_rate": 0.1,
    }  # fmt: skip
    each = [TreeSettings(), *(TreeSettings(**{name: value}) for name, value in changed.items())]
    found = [fit_trees(rows, left, objective="binary", rounds=8, seed=0, settings=one) for one in each]
    assert len({tuple(predicted(one, rows)) for one in found}) == len(each)


def test_a_ridge_of_less_variance_keeps_nearer_to_nothing():
    timid, bold = (fit_logistic(LOGITS, CHURNED, RidgeSettings(variance=one)) for one in (1e-5, 1.0))
    assert np.abs(timid.coefficients).max() < np.abs(bold.coefficients).max() / 10


def test_a_strong_shrinkage_leaves_the_weights_equal():
    assert np.ptp(blend_weights(LOGITS, CHURNED, 1e6)) < 1e-4 < np.ptp(blend_weights(LOGITS, CHURNED))
