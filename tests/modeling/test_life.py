"""Remaining life: by when customers drawn from a known rhythm have placed their last order."""

import numpy as np
import pytest
from lives import drawn, history
from scipy.special import hyp2f1

from churnml.modeling.btyd import BGNBD, Rfm
from churnml.modeling.life import LONGEST_DAYS, _drawn, _stays, first_day, remaining_life
from churnml.modeling.posterior import Rhythms
from churnml.modeling.recency import RecencyRule, fit_rule

MODEL = BGNBD.from_parameters(r=0.9, alpha=20.0, a=0.6, b=4.0)


def life_of(known, churn=None, model=MODEL):
    said = model.p_no_order(known, 60) if churn is None else churn
    return remaining_life(model, known, said, 60)


@pytest.mark.parametrize("days", [1.0, 30.0, 365.0])
def test_who_is_there_stays_as_the_closed_form_says(days):
    known = Rfm([0, 3, 25], [0.0, 100.0, 380.0], [200.0, 200.0, 400.0])
    x, age = known.frequency, known.T + 20.0
    exact = hyp2f1(0.9 + x, 0.6, 4.6 + x, -days / age)
    np.testing.assert_allclose(_stays(_drawn((MODEL,), known), known, np.array([[days]]))[0], exact, rtol=1e-3)


def test_half_of_drawn_customers_are_gone_by_the_day_that_is_told_for_half():
    times = drawn(MODEL, 6_000, 6_000.0, seed=3)
    known = history(times, 300.0)
    last = np.nanmax(np.where(np.isnan(times), 0.0, times), axis=1)
    life = life_of(known)
    told = np.where(np.isnan(life.days), np.inf, life.days)
    for place, quantile in enumerate((0.25, 0.5, 0.75)):
        sure = (told[:, place] > 0) & (told[:, place] < LONGEST_DAYS)
        gone = last[sure] <= 300.0 + told[sure, place]
        assert gone.mean() == pytest.approx(quantile, abs=0.03)


def test_days_rise_with_the_quantile_and_fall_with_the_risk():
    known = Rfm([4] * 9, [250.0] * 9, [300.0] * 9)
    days = np.nan_to_num(life_of(known, np.linspace(0.05, 0.95, 9)).days, nan=LONGEST_DAYS)
    assert (np.diff(days, axis=1) >= 0).all()
    assert (np.diff(days, axis=0) <= 0).all()


def test_who_has_left_already_with_such_a_probability_has_no_day_left():
    known = Rfm([12], [60.0], [900.0])
    assert life_of(known).days.tolist() == [[0.0, 0.0, 0.0]]


def test_several_rhythms_tell_about_what_one_does_and_a_rule_tells_nothing():
    known = Rfm([4, 0], [250.0, 0.0], [300.0, 100.0])
    np.testing.assert_array_equal(life_of(known, model=Rhythms((MODEL, MODEL))).days, life_of(known).days)
    rule = fit_rule(known)
    assert isinstance(rule, RecencyRule)
    assert remaining_life(rule, known, np.full(2, 0.5), 60) is None


def test_the_first_day_is_the_fewest_that_reaches_the_quantile():
    over = first_day(lambda days: 1 - np.exp(-days / np.array([100.0, 1e9])), 1_000)
    assert over.days[0].tolist() == [29.0, 70.0, 139.0]
    assert np.isnan(over.days[1]).all()
