"""The points of the plots, against slow readings of their definition."""

import numpy as np
import pytest

from churnml.modeling.curves import curves, gain, tenths
from churnml.modeling.judgement import OURS
from churnml.modeling.pool import Pool

RNG = np.random.default_rng(6)
P, SPENT = RNG.beta(1, 3, 200), RNG.gamma(2.0, 20.0, 200)
LEFT = (RNG.random(200) < P).astype(float)
POOL = Pool(np.arange(200), np.zeros(200, int), LEFT, SPENT, {OURS: P}, {OURS: SPENT * 1.1})


def test_tenths_are_of_equal_size_in_the_order_of_the_forecast():
    assert tenths(np.arange(20.0)[::-1]).tolist() == [9 - k // 2 for k in range(20)]


def test_gain_is_the_share_of_leavers_among_the_top():
    top = np.argsort(-P)[:50]
    assert gain(LEFT, P, np.array([0.25]))[0] == pytest.approx(LEFT[top].sum() / LEFT.sum())


def test_calibration_compares_the_mean_said_with_what_came_in_each_tenth():
    first = curves(POOL, bootstrap=50, seed=0)["calibration"][0]
    least = np.argsort(P)[:20]
    assert (first["rows"], first["observed"][0]) == (20, LEFT[least].mean())
    assert first["predicted"] == pytest.approx(P[least].mean())


def test_the_error_of_value_is_told_by_tenths_of_what_was_predicted():
    last = curves(POOL, bootstrap=50, seed=0)["value_tenths"][-1]
    assert last["mae"] == pytest.approx(np.sort(SPENT)[-20:].mean() * 0.1)
