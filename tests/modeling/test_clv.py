"""Value: never negative, in the currency it came in, and longer horizons never worth less."""

from itertools import pairwise

import numpy as np
import pytest

from churnml.modeling import metrics
from churnml.modeling.btyd import BGNBD, Rfm, daily_discount
from churnml.modeling.clv import anchor_of, days_worth, fit_value, orders_if_staying, tails

RHYTHM = BGNBD.from_parameters(r=0.243, alpha=30.9, a=0.793, b=2.426)
RFM = Rfm(frequency=[0, 2, 40], recency=[0, 213, 270], T=[272, 272, 272])


@pytest.fixture(scope="module")
def lesson():
    rng = np.random.default_rng(1)
    rows = rng.gamma(1.0, 50.0, (400, 3))
    margin = rows[:, 0] * rng.gamma(10, 0.1, 400) * (rng.random(400) < 0.7)
    return rows, margin


def test_a_value_is_never_negative_and_near_the_total_that_came(lesson):
    rows, margin = lesson
    found = fit_value(rows, margin, rows[:, 0], seed=0).predict(rows, rows[:, 0])
    assert (found >= 0).all()
    assert metrics.bias(margin, found) == pytest.approx(0, abs=0.15)


def test_who_spent_much_is_forecast_to_spend_much(lesson):
    rows, margin = lesson
    found = fit_value(rows, margin, rows[:, 0], seed=0).predict(rows, rows[:, 0])
    assert metrics.gini_normalised(margin, found) > 0.6


def test_margins_in_another_currency_give_the_same_forecasts_in_it(lesson):
    rows, margin = lesson
    one = fit_value(rows, margin, rows[:, 0], seed=0).predict(rows, rows[:, 0])
    hundred = fit_value(rows, 100 * margin, 100 * rows[:, 0], seed=0).predict(rows, 100 * rows[:, 0])
    assert hundred == pytest.approx(100 * one, rel=1e-3, abs=1e-3)


def test_losses_are_learned_from_and_do_not_break_the_fit(lesson):
    rows, margin = lesson
    found = fit_value(rows, margin - 5.0, rows[:, 0], seed=0).predict(rows, rows[:, 0])
    assert np.isfinite(found).all()


def test_the_anchor_stretches_the_last_90_days_to_the_horizon():
    assert anchor_of(np.array([90.0]), 30, 0.25).tolist() == [7.5]


def test_within_the_horizon_a_stayer_has_no_tail_and_the_silent_nothing():
    for days in (30, 60):
        staying, silent = tails(RHYTHM, days, 60, RFM)
        assert (staying.tolist(), silent.tolist()) == ([1.0, 1.0, 1.0], [0.0, 0.0, 0.0])


def test_the_tail_of_a_stayer_grows_with_the_days_counted_and_stays_below_proportion():
    grown = [tails(RHYTHM, days, 60, RFM)[0] for days in (60, 180, 365)]
    assert all((later > earlier).all() for earlier, later in pairwise(grown))
    assert (grown[-1] < 365 / 60).all()


def test_who_falls_silent_may_come_back_but_brings_less_than_who_stays():
    staying, silent = tails(RHYTHM, 365, 60, RFM)
    assert ((silent > 0) & (silent < staying)).all()


def test_stayers_and_silent_together_place_the_orders_the_rhythm_expects():
    staying, silent = tails(RHYTHM, 365, 60, RFM)
    silence, near = RHYTHM.p_no_order(RFM, 60), RHYTHM.expected_orders(RFM, 60)
    of_stayers = near / (1 - silence)  # in the horizon
    expected = (1 - silence) * staying * of_stayers + silence * silent * of_stayers
    np.testing.assert_allclose(expected, RHYTHM.expected_orders(RFM, 365), rtol=1e-9)


def test_a_discount_of_nothing_leaves_the_tails_as_they_are_to_the_bit():
    for found, plain in zip(tails(RHYTHM, 365, 60, RFM, 0.0), tails(RHYTHM, 365, 60, RFM), strict=True):
        assert found.tobytes() == plain.tobytes()


@pytest.mark.parametrize("days", [30, 60, 61, 365, 3_650])
def test_a_higher_rate_never_leaves_a_greater_tail(days):
    told = [tails(RHYTHM, days, 60, RFM, rate) for rate in (0.0, 1e-6, 0.05, 0.1, 0.5, 5.0)]
    for low, high in pairwise(told):
        assert all((more <= less).all() for less, more in zip(low, high, strict=True))


def test_more_days_never_leave_a_smaller_tail_at_any_rate():
    for rate in (0.0, 0.1, 2.0):
        grown = [tails(RHYTHM, days, 60, RFM, rate) for days in (30, 60, 61, 90, 365, 3_650)]
        assert all((b[0] >= a[0]).all() and (b[1] >= a[1]).all() for a, b in pairwise(grown))


def test_discounted_tails_place_the_discounted_orders_that_the_rhythm_expects():
    staying, silent = tails(RHYTHM, 365, 60, RFM, 0.1)
    silence, near = RHYTHM.p_no_order(RFM, 60), RHYTHM.expected_orders(RFM, 60)
    expected = staying * near + silence * silent * near / (1 - silence)
    np.testing.assert_allclose(expected, RHYTHM.discounted_orders(RFM, daily_discount(0.1), 365), rtol=1e-9)


def test_a_year_of_days_at_ten_per_cent_is_worth_the_annuity_of_it():
    assert days_worth(365, 0.1) == pytest.approx((1 - 1 / 1.1) / daily_discount(0.1))
    assert days_worth(365, 0.0) == 365


def test_one_who_stays_places_an_order_or_more():
    assert (orders_if_staying(RHYTHM, 60, RFM) >= 1).all()
    assert orders_if_staying(RHYTHM, 60, RFM)[2] == pytest.approx(RHYTHM.expected_orders(RFM, 60)[2], rel=0.1)
