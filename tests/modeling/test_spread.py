"""What may come around a forecast: nine of ten within, by value band, and a median that halves."""

import numpy as np
import pytest

from churnml.modeling.coverage import Told, coverage
from churnml.modeling.spread import Range, Spread, fit_spread, unseen_forecasts


def world(rows, seed):
    """Return forecasts and margins: small customers bring nothing half the time, large ones never."""
    rng = np.random.default_rng(seed)
    forecast = rng.lognormal(4, 1, rows)
    nothing = rng.random(rows) < np.clip(0.8 - 0.15 * np.log(forecast), 0, 1)
    return forecast, np.where(nothing, 0.0, forecast * rng.lognormal(0.0, 0.4, rows))


@pytest.fixture(scope="module")
def spread():
    return fit_spread(*world(20_000, 0))


def test_nine_of_ten_new_customers_lie_within_in_every_fifth(spread):
    forecast, margin = world(20_000, 1)
    found = coverage([Told(forecast, spread.around(forecast), margin)])
    assert all(one.kept for one in found.fifths), found.fifths
    assert 0.88 <= found.covered <= 0.95, "those who bring nothing lie within too"


def test_half_of_new_customers_bring_less_than_the_median_where_none_bring_nothing(spread):
    forecast, margin = world(20_000, 2)
    large = forecast > np.quantile(forecast, 0.8)
    assert (margin < spread.around(forecast).median)[large].mean() == pytest.approx(0.5, abs=0.03)


def test_the_range_is_in_order_and_never_negative_even_where_nothing_is_expected(spread):
    found = spread.around(np.array([0.0, 1e-12, 1.0, 1e3, 1e12]))
    assert (found.low >= 0).all()
    assert (found.low <= found.median).all()
    assert (found.median <= found.high).all()
    assert found.high[0] > 0


def test_a_hundredfold_of_the_currency_is_a_hundredfold_of_the_range(spread):
    forecast, margin = world(20_000, 0)
    hundred = fit_spread(100 * forecast, 100 * margin).around(100 * forecast)
    np.testing.assert_allclose(hundred.high, 100 * spread.around(forecast).high)


def test_more_that_came_back_than_was_bought_counts_as_nothing():
    forecast = np.full(100, 10.0)
    assert fit_spread(forecast, np.full(100, -5.0)).around(forecast).high.max() == 0.0


def test_with_few_customers_the_bounds_are_the_widest_that_were_seen():
    found = fit_spread(np.ones(5), np.array([0.5, 0.8, 1.0, 1.5, 3.0])).around(np.ones(1))
    assert (found.low[0], found.median[0], found.high[0]) == (0.0, 1.0, 3.0)


def test_customers_who_are_all_alike_share_one_band():
    assert len(fit_spread(np.full(2_000, 7.0), np.arange(2_000.0)).centres) == 1


def test_a_spread_survives_json(spread):
    told = {name: getattr(spread, name) for name in ("floor", "centres", "low", "median", "high")}
    assert Spread.from_dict(told) == spread


def test_a_customer_is_forecast_by_models_that_never_saw_them():
    rng = np.random.default_rng(0)
    rows, margin = rng.random((600, 3)), rng.random(600)
    ids = np.repeat(np.arange(200), 3).astype(object)
    other = np.where(ids == 7, 1e6, margin)
    before, after = (unseen_forecasts(rows, one, np.zeros(600), ids, seed=0) for one in (margin, other))
    assert (before[ids == 7] == after[ids == 7]).all()
    assert not (before == after).all()


def test_coverage_tells_a_promise_kept_from_one_broken_and_forgives_where_many_bring_nothing():
    truth, forecast = np.tile(np.arange(10.0), 100), np.repeat(np.arange(5.0), 200)

    def kept(high, truth):
        return {one.kept for one in coverage([Told(forecast, Range(truth * 0, truth, truth * 0 + high), truth)]).fifths}

    assert kept(9.0, truth) == {True}
    assert kept(4.0, truth) == {False}
    assert kept(11.0, truth + 1) == {False}


def test_coverage_of_two_cutoffs_counts_both_and_takes_the_chance_of_one():
    told = Told(np.arange(500.0), Range(np.zeros(500), np.ones(500), np.full(500, 2.0)), np.ones(500))
    one, two = coverage([told]), coverage([told, told])
    assert (two.fifths[0].rows, two.fifths[0].tolerance) == (200, one.fifths[0].tolerance)
    assert two.median_mae == 0.0
