"""The season: what a year before tells, how far it is believed, and that nothing is made of chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnml.events.clock import DAY
from churnml.modeling.learners import sigmoid
from churnml.modeling.season import YEAR, Season, fit_season, fit_value_season

STEP, HORIZON, EXPECTED = 20, 60, -1.0
LAST = 1100


def misses_of(season, days, rows=3_000, seed=0):
    """Return cutoffs, expected and silent of a rhythm that says the same for all, missing by `season(day)`."""
    rng = np.random.default_rng(seed)
    cutoffs = np.repeat(np.array(days) * DAY, rows)
    expected = np.full(len(cutoffs), sigmoid(np.array([EXPECTED]))[0])
    true = sigmoid(EXPECTED + np.array([season(day) for day in days]))
    return cutoffs, expected, rng.random(len(cutoffs)) < np.repeat(true, rows)


def yearly(day):
    return 0.4 * np.sin(2 * np.pi * day / 364)


def taught_before(day):
    return [at * DAY for at in range(day - 300, day - 90, 14)]


def fitted(season, days, now, **options):
    return fit_season(*misses_of(season, days, **options), taught_before(now), HORIZON)


def test_a_season_that_comes_every_year_is_carried_over_nearly_whole():
    now = LAST
    season = fitted(yearly, range(120, LAST - 90, STEP), now)
    taught = np.mean([yearly(at / DAY) for at in taught_before(now)])
    assert season.belief > 0.85
    moved = season.shift(np.array([now * DAY]))[0]
    assert moved == pytest.approx(yearly(now) - taught, abs=0.12)


def test_where_years_disagree_little_is_carried_over():
    rng = np.random.default_rng(3)
    levels = {}

    def unlike(day):
        return levels.setdefault(day // 60, rng.normal(0, 0.4))

    assert fitted(unlike, range(120, LAST - 90, STEP), LAST).belief < 0.35


def test_chance_alone_is_no_season():
    for seed in range(5):
        season = fitted(lambda _day: 0.0, range(120, LAST - 90, STEP), LAST, rows=200, seed=seed)
        assert abs(season.shift(np.array([LAST * DAY]))[0]) < 0.08


def test_one_year_is_believed_in_part():
    now = 520  # the year before is known, and nothing yet that it could be held against
    season = fitted(yearly, range(120, now - 90, STEP), now)
    assert 0.5 < season.belief < 0.8


def test_without_a_year_before_nothing_is_added():
    season = fitted(yearly, range(120, 400, STEP), 490)
    assert season.shift(np.array([470 * DAY])).tolist() == [0.0]  # day 106 lies before the first miss


def test_years_before_count_alike():
    season = Season((0, 10 * YEAR), (0.0, 10.0), (5 * YEAR,), 1.0)
    # the misses rise by one a year: of the three years before, the middle one
    assert season.year_before(np.array([6 * YEAR])).tolist() == [4.0]


def test_a_cutoff_that_taught_and_has_no_year_before_counts_by_its_own_miss():
    season = Season((0, YEAR), (0.0, 0.4), (YEAR // 2,), 1.0)
    # a year before the cutoff asked nothing was missed, at the one that taught .2
    assert season.shift(np.array([YEAR]))[0] == pytest.approx(-0.2)


def test_the_shift_is_no_more_than_a_unit_of_logit():
    season = Season((0, YEAR), (9.0, -9.0), (YEAR,), 1.0)
    assert season.shift(np.array([2 * YEAR]))[0] == -1.0
    assert season.shift(np.array([YEAR]))[0] == 0.0


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=40), st.integers(0, 2_000), st.floats(0, 1))
def test_every_cutoff_has_a_shift_that_is_a_number(misses, day, belief):
    cutoffs = tuple(20 * DAY * place for place in range(len(misses)))
    season = Season(cutoffs, tuple(misses), (cutoffs[-1],), belief)
    moved = season.shift(np.array([day * DAY, 0]))
    assert np.isfinite(moved).all()
    assert np.abs(moved).max() <= 1.0


def test_a_season_in_a_bundle_is_the_same_season():
    season = fitted(yearly, range(120, LAST - 90, STEP), LAST)
    held = {"cutoffs": list(season.cutoffs), "misses": list(season.misses), "taught": list(season.taught)}
    assert Season.from_dict(held | {"belief": season.belief}) == season


def margins_of(season, days, rows=2_000, seed=0):
    """Return cutoffs, expected and margins that came, whose sums miss by `season(day)` on the logarithm."""
    rng = np.random.default_rng(seed)
    cutoffs = np.repeat(np.array(days) * DAY, rows)
    expected = rng.gamma(2.0, 10.0, len(cutoffs))
    level = np.exp(np.repeat([season(day) for day in days], rows))
    return cutoffs, expected, expected * level * rng.gamma(0.5, 2.0, len(cutoffs))


def test_a_season_of_the_margin_is_carried_over_too_and_chance_is_not():
    taught = taught_before(LAST)
    season = fit_value_season(*margins_of(yearly, range(120, LAST - 90, STEP)), taught, HORIZON)
    wanted = yearly(LAST) - np.mean([yearly(at / DAY) for at in taught])
    assert season.shift(np.array([LAST * DAY]))[0] == pytest.approx(wanted, abs=0.12)
    calm = fit_value_season(*margins_of(lambda _day: 0.0, range(120, LAST - 90, STEP), rows=200), taught, HORIZON)
    assert abs(calm.shift(np.array([LAST * DAY]))[0]) < 0.08


def test_over_a_year_the_season_adds_what_the_cutoffs_that_taught_lacked_of_its_mean():
    season = fitted(yearly, range(120, LAST - 90, STEP), LAST)
    lacked = -np.mean([yearly(at / DAY) for at in taught_before(LAST)])
    assert season.over_a_year() == pytest.approx(season.belief * lacked, abs=0.08)
    assert fitted(yearly, range(120, 400, STEP), 490).over_a_year() == 0.0


def test_where_nothing_came_at_a_cutoff_the_margin_has_no_season():
    cutoffs, expected, came = margins_of(yearly, range(120, 520, STEP))
    assert fit_value_season(cutoffs, expected, np.where(cutoffs == cutoffs[0], 0.0, came), [0], HORIZON) is None
