"""Which cutoffs may teach: labels that are final, in an order that moves forward in time only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnml.errors import NotEnoughDataError
from churnml.events.clock import DAY, moment
from churnml.labels import origins, training_cutoffs

SETTINGS = {"step_days": 14, "max_cutoffs": 16, "min_history_days": 90, "time_zone": "UTC"}


def in_days(instants):
    return [instant // DAY for instant in instants]


def test_cutoffs_are_counted_back_from_the_last_whose_label_is_final():
    assert in_days(training_cutoffs(0, 200 * DAY, 60, **SETTINGS)) == [98, 112, 126, 140]


def test_there_are_at_most_as_many_cutoffs_as_asked_for_the_latest():
    few = SETTINGS | {"max_cutoffs": 2}
    assert in_days(training_cutoffs(0, 200 * DAY, 60, **few)) == [126, 140]


def test_too_little_history_is_refused_with_what_is_needed_and_what_was_found():
    with pytest.raises(NotEnoughDataError) as caught:
        training_cutoffs(0, 150 * DAY, 60, **SETTINGS)
    assert "a horizon of 60 days needs 164 days of history for two training cutoffs, found 150" in str(caught.value)
    assert "shorten `horizon_days` or `min_history_days`" in str(caught.value)


def test_exactly_the_history_that_the_error_asks_for_is_enough():
    assert in_days(training_cutoffs(0, 164 * DAY, 60, **SETTINGS)) == [90, 104]


def test_cutoffs_keep_their_local_time_when_the_clocks_change():
    berlin = SETTINGS | {"time_zone": "Europe/Berlin"}
    now = training_cutoffs(0, 18_400 * DAY - 2 * 3_600_000_000, 30, **berlin)  # midnight in summer
    assert {moment(cutoff, "Europe/Berlin").hour for cutoff in now} == {0}


@given(horizon=st.integers(1, 120), step=st.integers(1, 40), folds=st.integers(1, 5), n=st.integers(2, 20))
def test_no_origin_is_taught_by_a_label_that_was_still_open(horizon, step, folds, n):
    cutoffs = [k * step * DAY for k in range(n)]
    found = origins(cutoffs, horizon, folds, "UTC")
    assert all(max(teach) + horizon * DAY <= judge for teach, judge in found)
    assert len(found) <= folds


def test_origins_are_the_latest_cutoffs_with_all_that_may_teach_them():
    cutoffs = [day * DAY for day in (0, 14, 28, 42)]
    found = origins(cutoffs, 28, 2, "UTC")
    assert [(in_days(teach), judge // DAY) for teach, judge in found] == [([0], 28), ([0, 14], 42)]


def test_without_a_label_that_closes_in_time_there_is_no_origin():
    assert origins([0, 14 * DAY], 60, 3, "UTC") == []
