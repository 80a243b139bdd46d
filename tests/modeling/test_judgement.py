"""A contest measures all methods on the same draws, says which differences are more than luck, and what they mean."""

import json

import numpy as np
import pytest

from churnml.errors import NotEnoughDataError
from churnml.modeling import metrics
from churnml.modeling.judgement import MEASURES, OURS, Judgement, contest

RNG = np.random.default_rng(3)
CHANCE = RNG.beta(1, 4, 800)
LEFT = (RNG.random(800) < CHANCE).astype(float)
FORECASTS = {OURS: CHANCE, "the same": CHANCE, "no idea": np.full(800, 0.2)}


@pytest.fixture(scope="module")
def churn():
    return contest("churn", LEFT, FORECASTS, bootstrap=100, seed=0)


@pytest.fixture(scope="module")
def judgement(churn):
    return Judgement("toy", "2020-01-01", 30, 800, {"churn": churn}, {"auroc": 0.5, "ece": 0.0, "brier": 0.01})


def test_every_figure_lies_inside_its_interval_if_it_is_a_mean(churn):
    brier = churn.ours.figures["brier"]
    assert brier.low < brier.value < brier.high
    assert brier.value == metrics.brier(LEFT, CHANCE)


def test_a_method_that_says_the_same_is_neither_better_nor_worse(churn):
    lead = churn.methods[1].lead_of_ours["auroc"]
    assert (lead.value, lead.low, lead.high) == (0, 0, 0)


def test_knowing_more_is_better_beyond_noise_whichever_way_a_metric_points(churn):
    lead = churn.methods[2].lead_of_ours
    assert lead["auroc"].low > 0
    assert lead["brier"].low > 0


def test_a_bias_is_compared_by_its_distance_from_zero():
    measure = MEASURES["value"]["bias"]
    assert measure.lead(np.array([0.01, -0.05]), np.array([-0.03, 0.02])).tolist() == pytest.approx([0.02, -0.03])


def test_the_same_seed_gives_the_same_report(judgement, churn):
    again = contest("churn", LEFT, FORECASTS, bootstrap=100, seed=0)
    other = Judgement("toy", "2020-01-01", 30, 800, {"churn": again}, judgement.goal)
    assert json.dumps(other.to_json()) == json.dumps(judgement.to_json())


def test_a_goal_is_better_worse_or_as_good_by_our_interval(churn):
    brier = churn.ours.figures["brier"]
    goals = (brier.low - 0.001, brier.value, brier.high + 0.001)
    assert [churn.verdict("brier", goal) for goal in goals] == ["worse", "as good", "better"]


def test_an_error_of_calibration_that_a_perfect_model_may_show_is_never_called_worse(churn):
    assert churn.ours.figures["ece"].value <= churn.ece_perfect_95
    assert churn.verdict("ece", 0.0) == "as good"


def test_the_gate_is_open_where_no_baseline_is_better_beyond_noise(judgement):
    assert judgement.gate() == []


def test_the_gate_names_the_baseline_that_is_better_and_on_what():
    lost = contest("churn", LEFT, {OURS: FORECASTS["no idea"], "logistic": CHANCE}, bootstrap=60, seed=0)
    reasons = Judgement("toy", "2020-01-01", 30, 800, {"churn": lost}, {}).gate()
    assert len(reasons) == 2
    assert reasons[0].startswith("logistic has a better AUROC for churn beyond noise (0.")


def test_the_riskiest_tenth_is_the_share_that_left_of_those_ranked_first():
    left = np.array([1.0] * 2 + [0.0] * 18)
    found = contest("churn", left, {OURS: np.linspace(0.9, 0.1, 20)}, bootstrap=50, seed=0)
    assert found.riskiest_tenth == 1.0


def test_a_report_holds_no_row_of_any_customer(judgement):
    assert len(json.dumps(judgement.to_json(), allow_nan=False)) < 4_000
    assert "forecast" not in repr(judgement)


def test_metrics_for_tracking_are_flat_numbers_named_by_target(judgement):
    assert judgement.metrics()["churn_auroc"] == metrics.auroc(LEFT, CHANCE)


def test_a_metric_that_hardly_any_draw_has_is_refused():
    two, draws = np.array([1.0, 0.0]), 51  # half of the draws of two customers hold one of each
    seed = next(s for s in range(20) if _both_drawn(draws, s) < draws / 2)
    with pytest.raises(NotEnoughDataError, match="must exist in half of 51 bootstrap draws"):
        contest("churn", two, {OURS: np.array([0.9, 0.1])}, bootstrap=draws, seed=seed)


def _both_drawn(draws, seed):
    rng = np.random.default_rng(seed)
    return sum(np.ptp(rng.integers(2, size=2)) for _ in range(draws))
