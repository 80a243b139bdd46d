import pytest
from benchmarks.watching import alarms, rate, watched

from churnml.events.simulation import Market


def test_an_alarm_that_goes_on_is_one_alarm():
    assert alarms({7: [], 14: ["help"], 21: ["help", "orders"], 28: [], 35: ["orders"]}) == [14, 35]


def test_an_alarm_at_the_first_look_counts():
    assert alarms({7: ["help"], 14: []}) == [7]


def test_the_interval_of_a_poisson_count_is_garwoods():
    assert rate(3, 2.0) == pytest.approx((1.5, 0.6187 / 2, 8.7673 / 2), rel=1e-3)


def test_no_alarm_at_all_has_an_upper_bound():
    assert rate(0, 10.0) == pytest.approx((0.0, 0.0, 0.3689), abs=1e-4)


@pytest.mark.long
def test_a_market_in_which_nothing_changes_is_watched_without_an_alarm():
    seen = watched(Market(1_000, 730, 0, "null"), trained=True)
    assert len(seen.pulse) == 40
    assert len(seen.whole) == 10
    assert alarms(seen.pulse) == alarms(seen.whole) == []
