"""How long until something happens, where not everybody was watched to the end."""

import numpy as np
import pytest

from churnml.measures.intervals import wilson
from churnml.measures.survival import curve, median, median_of_movers, moved_by


def test_the_curve_of_freireich_1963_is_that_of_the_textbooks():
    """Weeks of remission under 6-MP, from Freireich et al. (1963): S(6) = 0.857, S(10) = 0.753, S(23) = 0.448."""
    relapsed = {6: 3, 7: 1, 10: 1, 13: 1, 16: 1, 22: 1, 23: 1}
    open_yet = {6: 1, 9: 1, 10: 1, 11: 1, 17: 1, 19: 1, 20: 1, 25: 1, 32: 2, 34: 1, 35: 1}
    weeks = sorted({*relapsed, *open_yet})
    found = curve(weeks, [relapsed.get(one, 0) for one in weeks], [open_yet.get(one, 0) for one in weeks])
    assert (1 - found.moved[[6, 10, 23]]).round(3).tolist() == [0.857, 0.753, 0.448]
    assert np.sqrt(found.variance()[[6, 10, 23]]).round(4).tolist() == [0.0764, 0.0963, 0.1346]


def test_where_all_were_watched_to_the_end_the_interval_is_that_of_a_share():
    _, share, low, high, _ = moved_by(curve([2, 9], [30, 0], [0, 70]), 10)
    assert (share, low, high) == pytest.approx((0.3, *(float(one[0]) for one in wilson([30], [100]))))


def test_nothing_is_told_of_fewer_than_enough():
    assert moved_by(curve([0], [4], [5]), 10) is None


def test_where_nobody_waits_all_have_moved_by_the_last_day():
    assert moved_by(curve([0, 40], [95, 5], [0, 0]), 10)[:2] == (40, 1.0)


def test_where_all_have_moved_the_interval_rests_on_all_who_did():
    _, share, low, high, _ = moved_by(curve([0, 3, 40], [2000, 328, 1], [0, 0, 0]), 10)
    assert (share, low, high) == pytest.approx((1.0, *(float(one[0]) for one in wilson([2329], [2329]))))
    assert low > 0.998


def test_half_of_those_who_move_have_moved_by_the_median_whatever_others_do():
    moved = [10, 10, 10, 10, 10]
    alone = median_of_movers(curve(range(5), moved, [0] * 5), 4)
    beside = median_of_movers(curve([*range(5), 90], [*moved, 0], [*[0] * 5, 500]), 90)
    assert alone[0] == beside[0] == 2
    assert beside[1] <= 2 <= beside[2]


def test_the_interval_of_the_median_holds_it_as_often_as_it_says():
    rng, inside = np.random.default_rng(3), 0
    for _ in range(100):
        after, watched = rng.geometric(0.05, 400), rng.integers(30, 120, 400)
        days, moves = np.minimum(after, watched), after <= watched
        counts = [np.bincount(days[chosen], minlength=121) for chosen in (moves, ~moves)]
        found = curve(np.arange(121), *counts)
        day, *_ = moved_by(found, 10)
        truth = np.ceil(np.log(1 - 0.5 * (1 - 0.95**day)) / np.log(0.95))
        _, low, high = median_of_movers(found, day)
        inside += low <= truth <= high
    assert inside >= 90


def test_half_have_moved_where_the_curve_of_kaplan_and_meier_comes_down_to_one_half():
    # of ten, four move after one day; then two are seen no longer, and of four left, two move after the second
    half, low, high = median(curve([0, 1, 2, 3], [0, 4, 2, 0], [0, 2, 0, 2]))
    assert half == 2  # 0.6, then 0.6 × 1/2
    # Greenwood: 4/(10·6) = 1/15, and 1/15 + 2/(4·2) = 19/60; on the scale of log(−log S) 0.6 reaches down to 0.26
    assert (low, np.isnan(high)) == (1, True)


def test_where_more_than_half_have_not_moved_yet_no_median_is_told():
    assert np.isnan(median(curve([0, 1], [0, 2], [0, 8]))[0])
