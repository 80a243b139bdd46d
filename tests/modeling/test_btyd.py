"""BTYD: published figures, recovery of known parameters, and agreement with simulated customers."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta as beta_distribution

from churnml.errors import InvalidTableError, NotEnoughDataError
from churnml.modeling.btyd import BGNBD, GammaGamma, fit_bgnbd, fit_gamma_gamma

WEEKLY = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
LOYAL = (np.array([0.0, 1, 4, 300]), np.array([0.0, 10, 35, 38]), np.array([39.0, 39, 39, 39]))
HORIZONS = np.array([[0.0], [1], [4], [52], [5000]])


@pytest.fixture(scope="module")
def cdnow():
    """Columns frequency, recency, T (weeks) and mean spend of the CDNOW tenth: 2,357 customers over 39 weeks."""
    # The package is only where the file lies: finding it does not run it.
    spec = importlib.util.find_spec("lifetimes")
    if spec is None or spec.origin is None:
        pytest.skip("the CDNOW file comes with the development extra")
    file = Path(spec.origin).parent / "datasets" / "cdnow_customers_summary_with_transactions.csv"
    return np.loadtxt(file, delimiter=",", skiprows=1, usecols=(1, 2, 3, 4), unpack=True)


def simulated(model, n, T, seed):
    """Repeat purchase times of customers as the model's story tells it, NaN after the last, shape (n, purchases)."""
    rng = np.random.default_rng(seed)
    rate, leave = rng.gamma(model.r, 1 / model.alpha, n), rng.beta(model.a, model.b, n)
    now, alive, times = np.zeros(n), np.ones(n, dtype=bool), []
    while alive.any():
        now = now + rng.exponential(1, n) / np.maximum(rate, 1e-12)
        alive &= now <= T
        times.append(np.where(alive, now, np.nan))
        alive &= rng.random(n) > leave
    return np.column_stack(times)


def summary(times, T):
    bought = times <= T
    return bought.sum(axis=1), np.where(bought, times, 0).max(axis=1), np.full(len(times), float(T))


def alive_purchases_by_quadrature(model, h, x, T):
    """Mean of (1 - exp(-rate * leave * h)) / leave over what is known of a living customer's rate and chance."""

    def integrand(q):
        leave = beta_distribution.ppf(q, model.a, model.b + x)
        return -np.expm1(-(model.r + x) * np.log1p(leave * h / (model.alpha + T))) / leave

    return quad(integrand, 0, 1, epsabs=0, epsrel=1e-9, limit=500)[0]


def test_bgnbd_finds_the_published_parameters_of_cdnow(cdnow):
    model = fit_bgnbd(*cdnow[:3])
    assert [model.r, model.alpha, model.a, model.b] == pytest.approx([0.243, 4.414, 0.793, 2.426], abs=6e-4)


def test_bgnbd_finds_the_published_log_likelihood_of_cdnow(cdnow):
    assert fit_bgnbd(*cdnow[:3]).log_likelihood(*cdnow[:3]) == pytest.approx(-9582.4, abs=0.05)


def test_gamma_gamma_finds_the_published_parameters_of_cdnow(cdnow):
    model = fit_gamma_gamma(cdnow[0], cdnow[3])
    assert [model.p, model.q, model.v] == pytest.approx([6.25, 3.74, 15.44], abs=0.01)


def test_expected_purchases_are_the_published_ones():
    # The worked example of the paper's authors: 2 repeat purchases, the last in week 30.43 of 38.86.
    assert WEEKLY.expected_purchases(39, 2, 30.43, 38.86) == pytest.approx(1.226, abs=1e-3)


def test_bgnbd_recovers_the_parameters_customers_were_drawn_with():
    truth = BGNBD(r=0.5, alpha=20.0, a=0.8, b=2.5)
    model = fit_bgnbd(*summary(simulated(truth, 20_000, 365, seed=1), 365))
    assert [model.r, model.alpha, model.a, model.b] == pytest.approx([0.5, 20.0, 0.8, 2.5], rel=0.1)


def test_gamma_gamma_recovers_the_parameters_spend_was_drawn_with():
    rng = np.random.default_rng(2)
    x = rng.integers(1, 10, 20_000)
    mean = rng.gamma(6.0 * x, 1 / (rng.gamma(4.0, 1 / 15.0, x.size) * x))
    model = fit_gamma_gamma(x, mean)
    assert [model.p, model.q, model.v] == pytest.approx([6.0, 4.0, 15.0], rel=0.1)


def test_the_unit_of_time_does_not_matter(cdnow):
    x, tx, T = cdnow[:3]
    weekly, daily = fit_bgnbd(x, tx, T), fit_bgnbd(x, tx * 7, T * 7)
    assert daily.alpha / 7 == pytest.approx(weekly.alpha, rel=1e-5)
    assert daily.p_no_purchase(70, x, tx * 7, T * 7) == pytest.approx(weekly.p_no_purchase(10, x, tx, T), rel=1e-5)


def test_a_weight_of_two_is_two_customers(cdnow):
    x, tx, T = (column[:300] for column in cdnow[:3])
    doubled = fit_bgnbd(np.tile(x, 2), np.tile(tx, 2), np.tile(T, 2))
    weighted = fit_bgnbd(x, tx, T, weights=np.full(300, 2.0))
    assert list(weighted.to_dict().values()) == pytest.approx(list(doubled.to_dict().values()), rel=1e-5)


def test_no_neighbour_of_the_fit_is_likelier(cdnow):
    best = fit_bgnbd(*cdnow[:3])
    for name, value in best.to_dict().items():
        for factor in (0.97, 1.03):
            aside = BGNBD.from_dict(best.to_dict() | {name: value * factor})
            assert aside.log_likelihood(*cdnow[:3]) < best.log_likelihood(*cdnow[:3])


def test_a_customer_who_never_came_back_is_alive_by_construction():
    assert WEEKLY.p_alive([0], [0], [1000]) == [1]


def test_long_silence_makes_a_frequent_buyer_less_likely_alive():
    alive = WEEKLY.p_alive(np.full(3, 10), [38, 30, 10], np.full(3, 39))
    assert alive[0] > alive[1] > alive[2]


def test_p_alive_is_the_published_ratio():
    x, tx, T = 2, 30.43, 38.86
    ratio = 0.793 / (2.426 + x - 1) * ((4.414 + T) / (4.414 + tx)) ** (0.243 + x)
    assert WEEKLY.p_alive(x, tx, T) == pytest.approx(1 / (1 + ratio))


def test_p_no_purchase_starts_at_one_and_falls_with_the_horizon():
    p = WEEKLY.p_no_purchase(HORIZONS, *LOYAL)
    assert p[0] == pytest.approx(1)
    assert (np.diff(p, axis=0) <= 0).all()
    assert ((p >= 0) & (p <= 1)).all()


def test_p_no_purchase_ends_at_the_chance_of_being_gone():
    x, tx, T = LOYAL
    assert WEEKLY.p_no_purchase(1e200, x, tx, T) == pytest.approx(1 - WEEKLY.p_alive(x, tx, T))


def test_expected_purchases_start_at_zero_and_rise_with_the_horizon():
    expected = WEEKLY.expected_purchases(HORIZONS, *LOYAL)
    assert expected[0] == pytest.approx(0, abs=1e-9)
    assert (np.diff(expected, axis=0) > 0).all()


def test_forecasts_agree_with_simulated_customers():
    model = BGNBD(r=0.8, alpha=20.0, a=0.8, b=2.5)
    times = simulated(model, 60_000, 160, seed=3)
    history = summary(times, 100)
    later = (times > 100).sum(axis=1)
    for x in (0, 1, 4):
        alike = history[0] == x
        rows = [column[alike] for column in history]
        assert model.p_no_purchase(60, *rows).mean() == pytest.approx(np.mean(later[alike] == 0), abs=0.02)
        assert model.expected_purchases(60, *rows).mean() == pytest.approx(later[alike].mean(), rel=0.06)


@pytest.mark.parametrize("a", [0.3, 0.8, 1.0, 1.0 + 1e-7, 3.0, 80.0])
@pytest.mark.parametrize("x", [0, 3, 400])
@pytest.mark.parametrize("h", [0.5, 400.0])
def test_expected_purchases_agree_with_quadrature(a, x, h):
    model = BGNBD(r=0.4, alpha=5.0, a=a, b=2.4)
    slow = model.p_alive(x, 50, 60) * alive_purchases_by_quadrature(model, h, x, 60)
    assert model.expected_purchases(h, x, 50, 60) == pytest.approx(slow, rel=1e-5)


def test_expected_purchases_are_smooth_where_the_formula_is_zero_by_zero():
    at, aside = (BGNBD(r=0.4, alpha=5.0, a=0.3, b=b).expected_purchases(30, 0, 0, 60) for b in (0.7, 0.7001))
    assert at == pytest.approx(aside, rel=1e-3)


@pytest.mark.parametrize("a", [0.0001, 100.0])
def test_forecasts_stay_finite_at_the_bounds_of_a_degenerate_fit(a):
    model = BGNBD(r=1000.0, alpha=1e4, a=a, b=1e4)
    assert np.isfinite(model.expected_purchases(HORIZONS, *LOYAL)).all()
    assert np.isfinite(model.p_no_purchase(HORIZONS, *LOYAL)).all()


def test_a_population_that_never_leaves_is_fitted_all_the_same():
    truth = BGNBD(r=2.0, alpha=60.0, a=1e-9, b=1.0)
    x, tx, T = summary(simulated(truth, 2000, 300, seed=4), 300)
    model = fit_bgnbd(x, tx, T)
    assert model.r / model.alpha == pytest.approx(2 / 60, rel=0.1)
    assert model.p_alive(x, tx, T).min() > 0.99


def test_spend_is_shrunk_less_the_more_was_seen():
    model = GammaGamma(p=6.25, q=3.74, v=15.44)
    spend = model.expected_spend([1, 5, 50], [100.0, 100.0, 100.0])
    assert 6.25 * 15.44 / 2.74 < spend[0] < spend[1] < spend[2] < 100


def test_spend_of_a_one_time_buyer_is_the_population_mean():
    model = GammaGamma(p=6.25, q=3.74, v=15.44)
    assert model.expected_spend([0, 0], [np.nan, 7.0]) == pytest.approx(6.25 * 15.44 / 2.74)


def test_one_time_buyers_say_nothing_about_spend(cdnow):
    x, spend = cdnow[0], np.where(cdnow[0] > 0, cdnow[3], np.nan)
    assert fit_gamma_gamma(x, spend) == fit_gamma_gamma(x[x > 0], spend[x > 0])


@pytest.mark.parametrize("model", [WEEKLY, GammaGamma(p=6.25, q=3.74, v=15.44)])
def test_a_model_survives_json(model):
    assert type(model).from_dict(json.loads(json.dumps(model.to_dict()))) == model


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        (1, 99.0, r"row 7: `recency` must not exceed `T`, got recency 99, T 40 \(1 such rows\)"),
        (0, -1.0, "row 7: `frequency` must be a number of at least 0, got frequency -1"),
        (0, 1.5, "row 7: `frequency` must be a whole number, got frequency 1.5"),
        (2, np.nan, "row 7: `T` must be a number of at least 0, got T nan"),
    ],
)
def test_the_first_bad_row_is_named(column, value, words):
    table = [np.full(20, 3.0), np.full(20, 30.0), np.full(20, 40.0)]
    table[column][7] = value
    with pytest.raises(InvalidTableError, match=words):
        fit_bgnbd(*table)


def test_columns_of_different_length_are_refused():
    with pytest.raises(InvalidTableError, match="of one length, got frequency"):
        fit_gamma_gamma(np.ones(20), np.ones(19))


def test_a_repeat_purchase_without_spend_is_refused():
    with pytest.raises(InvalidTableError, match="row 0: `monetary_value` must be above 0 where `frequency` is"):
        fit_gamma_gamma(np.ones(20), np.zeros(20))


def test_too_few_customers_are_not_fitted():
    with pytest.raises(NotEnoughDataError, match=r"BG/NBD needs at least 10 customers.*got 3 and 3"):
        fit_bgnbd([1, 2, 3], [5, 6, 7], [9, 9, 9])


def test_nobody_coming_back_is_not_fitted():
    with pytest.raises(NotEnoughDataError, match="with a repeat purchase, got 20 and 0"):
        fit_bgnbd(np.zeros(20), np.zeros(20), np.full(20, 30.0))


def test_gamma_gamma_needs_ten_who_came_back():
    with pytest.raises(NotEnoughDataError, match=r"Gamma-Gamma needs.*got 20 and 4"):
        fit_gamma_gamma([1] * 4 + [0] * 16, [9.0] * 4 + [0.0] * 16)
