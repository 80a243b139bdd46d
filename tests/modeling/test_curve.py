"""Silence by any day: what the blends say at theirs, the rhythm between and beyond, never likelier for longer."""

import numpy as np
import pytest

from churnml.modeling.curve import QUANTILES, curve_days, next_order, silence

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


def drawn(n=500):
    """Return what blends of three horizons say of random customers, and a rhythm of each."""
    rng = np.random.default_rng(1)
    taught = {day: rng.random(n) ** (day / 30) for day in (7, 14, 28)}
    palive, shape = rng.random(n), rng.gamma(2.0, 0.6, n)
    return (lambda days: 1.0 - palive * (1.0 - (1 + days / 20.0) ** -shape)), taught


def test_the_day_of_the_next_order_is_the_first_within_which_the_curve_says_so_and_never_in_the_past():
    by_rhythm, taught = drawn()
    come = 1.0 - silence(by_rhythm, taught, range(1, 366))
    told = next_order(by_rhythm, taught, 365)
    for place, quantile in enumerate(QUANTILES):
        first = np.where(come[:, -1] >= quantile, 1.0 + np.argmax(come >= quantile, axis=1), np.nan)
        assert np.array_equal(told.days[:, place], first, equal_nan=True)
    assert np.isnan(told.days).any()
    assert np.nanmin(told.days) >= 1


def test_the_days_of_the_next_order_are_in_order_and_of_two_that_are_equal_one_day_holds_both():
    by_rhythm, taught = drawn()
    told = next_order(by_rhythm, taught, 365)
    told_of = ~np.isnan(told.days).any(axis=1)
    step, chance = np.diff(told.days[told_of], axis=1), told.chances[told_of]
    assert (step >= 0).all()
    assert (chance[:, :-1][step == 0] >= np.broadcast_to(QUANTILES[1:], step.shape)[step == 0]).all()
    assert (chance >= QUANTILES).all()


def test_who_orders_at_a_steady_rate_has_the_quantiles_of_an_exponential():
    told = next_order(steady, {60: steady(60)}, 365)
    exact = -np.log1p(-np.array(QUANTILES)) * np.array([[20.0], [50.0]])
    assert told.days == pytest.approx(np.ceil(exact))


def test_beyond_the_longest_day_nothing_is_told():
    told = next_order(steady, {60: steady(60)}, 30)
    assert np.isnan(told.days).tolist() == [[False, False, False], [False, True, True]]


def test_every_customer_is_told_of_the_horizon_among_the_days():
    assert curve_days(60) == (14, 30, 60, 90, 180, 365)
    assert curve_days(45) == (14, 30, 45, 60, 90, 180, 365)
