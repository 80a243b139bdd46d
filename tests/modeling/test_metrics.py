"""Metrics: by hand on tiny tables, by their invariances, and against slower ways to the same figure."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta as beta_distribution

from churnml.errors import InvalidTableError, NotEnoughDataError
from churnml.modeling import metrics

CHURNED = np.array([0, 0, 1, 1])
SCORE = np.array([0.1, 0.4, 0.35, 0.8])
RANKED = [metrics.auroc, metrics.auprc, metrics.empc]
PROBABILITY = [metrics.brier, metrics.log_loss, metrics.ece]


def sample(n=400, seed=0):
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 6, n)
    return (rng.random(n) < p).astype(int), p


def test_auroc_counts_the_pairs_in_the_right_order():
    assert metrics.auroc(CHURNED, SCORE) == 3 / 4


def test_auroc_counts_a_tie_as_half_a_pair():
    assert metrics.auroc([0, 1], [0.5, 0.5]) == 0.5


def test_auprc_is_the_mean_precision_at_each_churner():
    assert metrics.auprc(CHURNED, SCORE) == pytest.approx((1 + 2 / 3) / 2)


def test_brier_is_the_mean_squared_distance():
    assert metrics.brier([1, 0], [0.8, 0.4]) == pytest.approx((0.04 + 0.16) / 2)


def test_log_loss_is_the_mean_surprise_and_finite_for_certain_errors():
    assert metrics.log_loss([1, 0], [0.5, 0.75]) == pytest.approx((np.log(2) + np.log(4)) / 2)
    assert np.isfinite(metrics.log_loss([1], [0.0]))


def test_ece_is_the_weighted_gap_between_forecast_and_churn_rate():
    assert metrics.ece([0, 1, 1, 1], [0.2, 0.2, 0.9, 0.9], n_bins=2) == pytest.approx((0.3 + 0.1) / 2)


def test_ece_bins_hold_equally_many_customers():
    p = np.linspace(0.01, 0.99, 100)
    y = (np.arange(100) % 10 == 0).astype(int)
    gaps = [abs(p[i : i + 10].mean() - y[i : i + 10].mean()) for i in range(0, 100, 10)]
    assert metrics.ece(y, p) == pytest.approx(np.mean(gaps))


def test_ece_does_not_depend_on_the_order_of_tied_rows():
    y, p = sample()
    tied = np.round(p, 1)
    assert metrics.ece(y[::-1], tied[::-1]) == pytest.approx(metrics.ece(y, tied))


def test_a_perfect_model_stays_below_its_95th_percentile_nineteen_times_in_twenty():
    rng = np.random.default_rng(1)
    p = rng.beta(1, 6, 400)
    limit = metrics.ece_perfect_95(p)
    below = np.mean([metrics.ece((rng.random(400) < p).astype(int), p) <= limit for _ in range(400)])
    assert 0.92 <= below <= 0.98


def brute_force_empc(y, p):
    thresholds = [np.inf, *np.unique(p)]
    kept = np.array([np.mean((p >= t) & (y == 1)) for t in thresholds])
    wasted = np.array([np.mean((p >= t) & (y == 0)) for t in thresholds])

    def best(gamma):
        profit = (gamma * (200 - 10) - 1) * kept - (10 + 1) * wasted
        return profit.max() * beta_distribution.pdf(gamma, 6, 14)

    return sum(quad(best, i / 50, (i + 1) / 50)[0] for i in range(50))


@pytest.mark.parametrize("decimals", [1, 8])
def test_empc_is_the_profit_of_the_best_threshold_averaged_over_acceptance(decimals):
    y, p = sample(60, seed=2)
    p = np.round(p, decimals)
    assert metrics.empc(y, p) == pytest.approx(brute_force_empc(y, p), rel=1e-6)


def test_empc_of_a_perfect_order_contacts_each_churner_who_may_pay_for_it():
    # 1 of 2 churns; contacting pays for gamma above 1 / 190, practically always: (190 * 0.3 - 1) / 2.
    assert metrics.empc([0, 1], [0.1, 0.9]) == pytest.approx((190 * 0.3 - 1) / 2, abs=1e-6)


def test_empc_is_never_negative_since_nobody_need_be_contacted():
    assert 0 <= metrics.empc([1] + [0] * 999, np.zeros(1000)) < 1e-6


@pytest.mark.parametrize("metric", RANKED)
def test_ranking_metrics_see_only_the_order(metric):
    y, p = sample()
    assert metric(y, p**3 * 100 - 7) == pytest.approx(metric(y, p))


@pytest.mark.parametrize("metric", [*RANKED, *PROBABILITY])
def test_the_order_of_rows_does_not_matter(metric):
    y, p = sample()
    shuffled = np.random.default_rng(5).permutation(y.size)
    assert metric(y[shuffled], p[shuffled]) == pytest.approx(metric(y, p))


@pytest.mark.parametrize("metric", RANKED)
@pytest.mark.parametrize("y", [[0, 0, 0], [1, 1, 1]])
def test_one_class_alone_is_refused(metric, y):
    with pytest.raises(InvalidTableError, match=r"must hold churners and stayers, got . churners among 3 customers"):
        metric(y, [0.1, 0.2, 0.3])


@pytest.mark.parametrize(
    ("y", "p", "words"),
    [
        ([0, 1], [0.5, 1.5], r"`p` must be in \[0, 1\], got 1.5 in row 1"),
        ([0, 2], [0.5, 0.5], r"`y` must be 1 \(churned\) or 0 \(stayed\), got 2 in row 1"),
        ([0, 1], [np.nan, 0.5], "`p` must be a number, got nan in row 0"),
        ([0, 1], [0.5], r"of one length, got \(2,\), \(1,\)"),
        ([], [], "not empty"),
    ],
)
def test_unusable_columns_are_refused_in_words(y, p, words):
    with pytest.raises(InvalidTableError, match=words):
        metrics.brier(y, p)


def test_mae_and_rmse_are_in_the_unit_of_the_truth():
    assert metrics.mae([0, 10], [3, 6]) == 3.5
    assert metrics.rmse([0, 10], [3, 6]) == pytest.approx(np.sqrt(12.5))


def test_spearman_correlates_ranks():
    assert metrics.spearman([1, 2, 3], [10, 100, 50]) == pytest.approx(0.5)


def test_gini_is_one_for_the_true_order_and_minus_one_for_its_reverse():
    assert metrics.gini_normalised([5, 0, 1], [50, 10, 20]) == pytest.approx(1)
    assert metrics.gini_normalised([5, 0, 1], [-50, -10, -20]) == pytest.approx(-1)


def test_gini_of_ties_is_the_mean_over_their_orders():
    orders = [metrics.gini_normalised([5, 0, 1], p) for p in ([2, 1, 3], [3, 1, 2])]
    assert metrics.gini_normalised([5, 0, 1], [2, 1, 2]) == pytest.approx(np.mean(orders))


def test_gini_is_the_ratio_of_areas_between_lorenz_curve_and_diagonal():
    rng = np.random.default_rng(3)
    y, p = rng.gamma(1, 50, 30), rng.random(30)
    areas = [np.sum(np.cumsum(y[np.argsort(-by)]) / y.sum() - np.arange(1, 31) / 30) for by in (p, y)]
    assert metrics.gini_normalised(y, p) == pytest.approx(areas[0] / areas[1])


@pytest.mark.parametrize("metric", [metrics.spearman, metrics.gini_normalised])
def test_a_constant_forecast_ranks_nobody(metric):
    assert metric([5, 0, 1], [7, 7, 7]) == 0


@pytest.mark.parametrize("metric", [metrics.spearman, metrics.gini_normalised])
def test_a_constant_truth_cannot_be_ranked(metric):
    with pytest.raises(InvalidTableError, match="`y` must differ between customers to be ranked, got 4 for all 3"):
        metric([4, 4, 4], [1, 2, 3])


def test_bias_is_the_share_by_which_the_total_is_missed():
    assert metrics.bias([40, 60], [45, 50]) == pytest.approx(-0.05)


def test_bias_of_nothing_is_refused():
    with pytest.raises(InvalidTableError, match="true total, which must not be 0"):
        metrics.bias([0, 0], [1, 2])


@pytest.mark.parametrize("name", ["auroc", "brier", "ece", "empc", "spearman", "bias"])
def test_a_metric_is_a_plain_float(name):
    assert json.dumps(getattr(metrics, name)(CHURNED, SCORE))


def test_the_bootstrap_interval_of_a_mean_is_the_textbook_one():
    y = np.random.default_rng(4).normal(size=400)
    low, high = metrics.bootstrap(lambda truth: float(truth.mean()), y, n=2000)
    error = 1.96 * y.std() / 20
    assert (low, high) == pytest.approx((y.mean() - error, y.mean() + error), abs=0.01)


def test_a_customer_with_many_rows_is_redrawn_as_one():
    y = np.random.default_rng(4).normal(size=100)
    once = metrics.bootstrap(lambda truth: float(truth.mean()), y, n=200)
    repeated = metrics.bootstrap(
        lambda truth: float(truth.mean()), np.tile(y, 5), n=200, customers=np.tile(np.arange(100), 5)
    )
    assert repeated == pytest.approx(once)


def test_the_same_seed_gives_the_same_interval():
    y, p = sample()
    assert metrics.bootstrap(metrics.auroc, y, p, n=20, seed=7) == metrics.bootstrap(metrics.auroc, y, p, n=20, seed=7)


def test_a_forecast_does_not_differ_from_itself():
    y, p = sample()
    assert metrics.paired_difference(metrics.auroc, y, p, p, n=20) == (0, 0, 0)


def test_a_paired_difference_is_first_less_second_within_its_interval():
    y, p = sample()
    noisy = p + np.random.default_rng(8).normal(scale=0.1, size=p.size)
    difference, low, high = metrics.paired_difference(metrics.auroc, y, p, noisy, n=100)
    assert difference == metrics.auroc(y, p) - metrics.auroc(y, noisy)
    assert low < difference < high


def test_draws_without_a_churner_are_left_out():
    low, high = metrics.bootstrap(metrics.auroc, [1, 0, 0, 0, 0], [0.9, 0.1, 0.2, 0.3, 0.4], n=100)
    assert (low, high) == (1, 1)


def test_an_interval_is_refused_where_the_metric_hardly_exists():
    with pytest.raises(NotEnoughDataError, match="must exist in half of 50 bootstrap draws"):
        metrics.bootstrap(metrics.auroc, [0, 0, 0], [0.1, 0.2, 0.3], n=50)
