"""Who left is held against who stayed and stood alike; chance alone is seldom claimed to be a difference."""

import numpy as np
import pytest

from churnml.measures.matching import Matched, contrast, matched, q_values

LEFT = np.array([True, True, False, False, False, False, False])


def one_stratum(left, customer=None):
    return Matched(left, np.arange(len(left)) if customer is None else customer, np.zeros(len(left), dtype=np.intp))


def test_the_effect_counts_how_often_one_who_left_lies_above_one_who_stayed_less_how_often_below():
    values = np.array([5.0, 2.0, 1.0, 2.0, 3.0, 4.0, 6.0])
    # 5 lies above four of five and below one; 2 above one, level with one, below three
    assert contrast(values, one_stratum(LEFT)).effect == pytest.approx(((4 - 1) / 5 + (1 - 3) / 5) / 2)


def test_of_a_yes_or_no_the_effect_is_the_difference_of_the_shares():
    values = np.array([1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    told = contrast(values, one_stratum(LEFT))
    assert (told.left_mean, told.stayed_mean) == (0.5, pytest.approx(0.2))
    assert told.effect == pytest.approx(0.3)


def test_who_stayed_counts_for_as_many_as_left_of_the_same_standing():
    left = np.array([True, True, True, *[False] * 5, True, *[False] * 10])
    cutoffs = np.array([1] * 8 + [2] * 11, dtype=np.int64)
    weights = matched(left, np.arange(19), cutoffs, []).weights
    assert weights[~left].tolist() == [3 / 5] * 5 + [1 / 10] * 10
    assert weights[left].tolist() == [1.0] * 4


def test_who_left_without_anybody_alike_is_left_out():
    left = np.array([True, *[False] * 4, True, *[False] * 5])
    cutoffs = np.array([1] * 5 + [2] * 6, dtype=np.int64)
    assert matched(left, np.arange(11), cutoffs, []).inside.tolist() == [False] * 5 + [True] * 6


def test_what_only_goes_with_tenure_is_no_difference():
    rng = np.random.default_rng(1)
    tenure = rng.uniform(0, 1000, 20_000)
    left = rng.random(20_000) < np.where(tenure < 500, 0.4, 0.1)
    complaints = rng.poisson(tenure / 100).astype(np.float64)
    everyone, now = np.arange(20_000), np.zeros(20_000, dtype=np.int64)
    assert contrast(complaints, matched(left, everyone, now, [])).effect < -0.3
    assert abs(contrast(complaints, matched(left, everyone, now, [tenure])).effect) < 0.02


def test_the_rows_of_one_customer_are_no_more_evidence_than_the_customer():
    rng = np.random.default_rng(2)
    values, left = rng.normal(size=400), rng.random(400) < 0.5
    once = contrast(values, one_stratum(left))
    often = contrast(np.tile(values, 4), one_stratum(np.tile(left, 4), np.tile(np.arange(400), 4)))
    assert often.effect == pytest.approx(once.effect)
    assert often.error == pytest.approx(once.error, rel=0.02)


def test_nineteen_of_twenty_intervals_hold_the_truth_where_customers_come_again():
    rng, held = np.random.default_rng(3), 0
    for _ in range(300):
        own, customer = rng.normal(size=60), np.repeat(np.arange(60), 4)
        left = np.repeat(rng.random(60) < 0.4, 4)
        told = contrast(own[customer] + rng.normal(size=240), one_stratum(left, customer))
        held += told.low <= 0 <= told.high
    assert 0.92 <= held / 300 <= 0.98


def test_where_nothing_goes_with_leaving_something_is_claimed_in_few_redraws():
    """Thirty figures that hang together, none of which tells of leaving: in one redraw of twenty something may be
    claimed, and of a hundred redraws chance makes that ten at most (binomial, 97.5 %)."""
    rng, claimed = np.random.default_rng(4), 0
    for _ in range(100):
        left = rng.random(300) < 0.2
        figures = rng.normal(size=(6, 300)).repeat(5, axis=0) + 0.5 * rng.normal(size=(30, 300))
        q = q_values([contrast(values, one_stratum(left)).p_value for values in figures])
        claimed += bool((q <= 0.05).any())
    assert claimed <= 10


def test_a_figure_known_of_nobody_who_left_is_no_contrast():
    assert contrast(np.where(LEFT, np.nan, 1.0), one_stratum(LEFT)) is None
