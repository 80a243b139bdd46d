"""The interval of an AUROC without redrawing: where it must lie, and how often it holds the truth."""

import numpy as np
import pytest

from churnml.modeling import metrics


def sample(n=300, seed=0, shift=1.0, rate=0.3):
    """Return who left, and a score that is higher by `shift` for them; its true AUROC is Phi(shift / sqrt 2)."""
    rng = np.random.default_rng(seed)
    left = rng.random(n) < rate
    return left.astype(float), rng.normal(shift * left, 1.0)


def test_the_figure_is_the_auroc_ties_included():
    y, p = sample()
    assert metrics.auroc_interval(y, np.round(p))[0] == pytest.approx(metrics.auroc(y, np.round(p)), abs=1e-12)


@pytest.mark.parametrize("shift, truth", [(0.0, 0.5), (1.0, 0.7602499), (2.5, 0.9614502)])
def test_nineteen_intervals_in_twenty_hold_the_truth(shift, truth):
    intervals = [metrics.auroc_interval(*sample(200, seed, shift))[1:] for seed in range(600)]
    assert 0.93 <= np.mean([low <= truth <= high for low, high in intervals]) <= 0.975


def test_the_interval_is_about_that_of_redrawn_customers():
    y, p = sample(1_000)
    assert metrics.auroc_interval(y, p)[1:] == pytest.approx(metrics.bootstrap(metrics.auroc, y, p), abs=0.006)


def test_the_interval_of_a_difference_is_about_that_of_redrawn_customers():
    y, p = sample(1_000)
    other = p + np.random.default_rng(1).normal(0, 0.5, p.size)
    redrawn = metrics.paired_difference(metrics.auroc, y, p, other)
    assert metrics.auroc_difference(y, p, other) == pytest.approx(redrawn, abs=0.004)


def test_a_forecast_is_no_better_than_itself():
    y, p = sample()
    assert metrics.auroc_difference(y, p, p) == (0.0, 0.0, 0.0)


def test_a_perfect_order_of_few_is_not_certain():
    assert metrics.auroc_interval([0, 0, 0, 0, 0, 1, 1, 1, 1, 1], np.arange(10)) == pytest.approx((1.0, 0.4, 1.0))
    assert metrics.auroc_interval([1, 1, 1, 1, 1, 0, 0, 0, 0, 0], np.arange(10)) == pytest.approx((0.0, 0.0, 0.6))


def test_the_better_for_one_class_only_is_still_within_its_bounds():
    _, low, high = metrics.auroc_interval([0, 1, 1, 1], [0.3, 0.2, 0.9, 0.9])
    assert 0 <= low <= high <= 1
