"""Labels that closed: calibration against season and chance, ranking against what was promised."""

import numpy as np
import pytest

from churnml.modeling.closed import closed_at, kept, season_of

RNG = np.random.default_rng(0)
PROMISED = (0.8, 0.78, 0.82)


def logit(share):
    return np.log(share / (1 - share))


def test_season_is_how_far_rates_usually_miss_what_was_known_before():
    known = [[], [0], [0], [0]]
    assert season_of([0.5, 0.6, 0.4, 0.6], known) == pytest.approx(logit(0.6))


def test_two_misses_are_too_few_for_a_season():
    assert season_of([0.5, 0.6, 0.4], [[], [0], [0]]) is None


def at(cutoff, expected, observed, season=0.1, n=2_000):
    left = (np.arange(n) < observed * n).astype(float)
    return closed_at(cutoff, np.full(n, expected), left, season), np.full(n, expected), left


def test_a_miss_that_season_explains_is_few_deviations_and_one_it_does_not_is_many():
    assert abs(at(1, 0.30, 0.32)[0].deviations) < 1.5
    assert at(1, 0.30, 0.45)[0].deviations > 5
    assert at(1, 0.45, 0.30)[0].deviations < -5


def test_without_a_season_nothing_is_said_of_deviations():
    assert at(1, 0.3, 0.9, season=None)[0].deviations is None


def told(*closed):
    found, said, left = zip(*closed, strict=True)
    return kept(found, said[-1], left[-1], 0.1, PROMISED)


def test_an_alarm_takes_two_misses_in_a_row_to_the_same_side():
    high, fine, low = at(1, 0.3, 0.5), at(2, 0.3, 0.3), at(3, 0.5, 0.3)
    assert told(high, high).miscalibrated
    assert not told(high).miscalibrated
    assert not told(high, fine).miscalibrated
    assert not told(fine, high).miscalibrated
    assert not told(high, low).miscalibrated


def test_a_ranking_is_worse_where_the_intervals_part():
    p = RNG.random(4_000)
    good, none = (RNG.random(4_000) < p**3).astype(float), (RNG.random(4_000) < 0.4).astype(float)
    assert not kept([], p, good, None, PROMISED).ranks_worse
    assert kept([], p, none, None, PROMISED).ranks_worse
    assert not kept([], p, none, None, None).ranks_worse


def test_where_everybody_stayed_there_is_no_ranking():
    assert kept([], np.full(10, 0.1), np.zeros(10), None, PROMISED).auroc is None
