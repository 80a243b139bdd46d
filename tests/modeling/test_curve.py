"""Silence by any day: what the blends say at theirs, the rhythm between and beyond, never likelier for longer."""

import numpy as np
import pytest

from churnml.modeling.curve import curve_days, silence

ANYONE = np.array([0.5, 0.9])


def steady(days):
    """Return the silence of two customers who order once in 20 and once in 50 days, on average."""
    return np.exp(-days / np.array([20.0, 50.0]))


def test_at_the_days_that_were_taught_it_is_what_the_blends_say():
    taught = {15: np.array([0.8, 0.97]), 60: ANYONE}
    assert silence(steady, taught, [15, 60]) == pytest.approx(np.column_stack([taught[15], taught[60]]), abs=1e-12)
    assert (silence(steady, taught, [15, 60])[:, 1] == ANYONE).all()


def test_where_orders_come_at_a_steady_rate_twice_the_days_square_it_and_half_of_them_take_the_root():
    told = silence(steady, {60: ANYONE}, [30, 60, 120])
    assert told == pytest.approx(np.column_stack([np.sqrt(ANYONE), ANYONE, ANYONE**2]), abs=1e-6)


def test_between_two_days_that_were_taught_the_pace_is_that_of_their_interval():
    (told,) = silence(
        lambda days: np.exp(-np.array([days / 20.0])), {20: np.array([0.9]), 60: np.array([0.1])}, [10, 40]
    )
    assert told == pytest.approx([np.sqrt(0.9), np.sqrt(0.9 * 0.1)], abs=1e-6)


def test_a_blend_of_fewer_days_that_says_less_than_the_horizons_gives_way():
    told = silence(steady, {30: np.array([0.4, 0.95]), 60: ANYONE}, [30, 60])
    assert told == pytest.approx(np.array([[0.5, 0.5], [0.95, 0.9]]), abs=1e-6)


def test_it_never_rises_and_stays_a_probability_whatever_is_said():
    rng = np.random.default_rng(0)
    extremes = np.array([0.0, 1e-300, 1e-12, 0.5, 1.0 - 1e-12, 1.0])
    taught = {day: np.concatenate([rng.permutation(extremes), rng.random(500)]) for day in (7, 14, 28)}
    palive = np.concatenate([extremes, rng.random(500)])
    told = silence(lambda days: 1.0 - palive * (1.0 - 0.98**days), taught, range(1, 400))
    assert ((told >= 0.0) & (told <= 1.0)).all()
    assert (np.diff(told, axis=1) <= 0.0).all()


def test_every_customer_is_told_of_the_horizon_among_the_days():
    assert curve_days(60) == (14, 30, 60, 90, 180, 365)
    assert curve_days(45) == (14, 30, 45, 60, 90, 180, 365)
