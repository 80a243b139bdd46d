"""Churn: probabilities, weights learned out of time, and bands that are worth money."""

import numpy as np
import pytest

from churnml.errors import NotEnoughDataError
from churnml.events.clock import DAY
from churnml.modeling import metrics
from churnml.modeling.churn import band_thresholds, fit_churn


def fit(trained, churned, rolling, rounds=10):
    stack = trained.snapshots
    matrix = trained.model.design.matrix(stack.table, stack.rhythm)
    return fit_churn(matrix, stack.rhythm[:, 0], churned, stack.table.cutoffs, rolling, rounds=rounds, seed=0)


def test_a_churn_probability_is_a_probability_and_no_two_thirds_are_alike(trained, population):
    found = trained.model.forecast(population, 365).churn_probability
    assert ((found > 0) & (found < 1)).all()
    assert len(np.unique(found)) > 2 * len(found) // 3


def test_the_blend_ranks_later_customers_far_better_than_chance(trained, population, market):
    left, _ = market.labels(population)
    assert metrics.auroc(left, trained.model.forecast(population, 365).churn_probability) > 0.7


def test_weights_are_learned_on_the_judging_cutoffs_only(trained):
    judged = trained.snapshots.table.cutoffs[trained.churn_fit.judged]
    assert np.unique(judged).tolist() == [210 * DAY, 240 * DAY]


def test_without_an_origin_the_weights_are_equal(trained):
    assert fit(trained, trained.snapshots.churned, []).model.weights == (1 / 3, 1 / 3, 1 / 3)


def test_an_origin_whose_teachers_saw_too_few_leave_is_left_out(trained):
    stack = trained.snapshots
    none_early = stack.churned & (stack.table.cutoffs > 180 * DAY)
    found = fit(trained, none_early, [([150 * DAY, 180 * DAY], 210 * DAY)])
    assert (len(found.judged), found.model.weights) == (0, (1 / 3, 1 / 3, 1 / 3))


def test_too_few_churners_are_refused_with_what_is_needed_and_what_was_found(trained):
    few = np.zeros_like(trained.snapshots.churned)
    few[:12] = True
    with pytest.raises(NotEnoughDataError) as caught:
        fit(trained, few, [])
    assert "needs 30 customers who left and 30 who stayed" in str(caught.value)
    assert f"found 12 and {len(few) - 12}; bring more history" in str(caught.value)


def test_the_medium_band_begins_where_contacting_pays_at_the_mean_acceptance():
    # of 100 churners 30 accept, each worth 200 less 10; a stayer costs 10; everyone costs 1 to contact
    p = band_thresholds()[0]
    assert p * 0.3 * (200 - 10) - (1 - p) * 10 - 1 == pytest.approx(0, abs=1e-9)


def test_the_high_band_begins_later_where_it_pays_even_to_a_pessimist():
    medium, high = band_thresholds()
    assert medium == pytest.approx(11 / 67)
    assert medium < high < 0.5
