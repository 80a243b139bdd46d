"""Drift: how far two days lie apart, against how far earlier days did."""

import numpy as np
import pytest

from churnml.modeling.drift import distance, drifts, held_against

RNG = np.random.default_rng(0)


def test_a_sample_lies_nowhere_from_itself_and_all_the_way_from_another():
    one = RNG.random(100)
    assert distance(one, one) == 0.0
    assert distance(one, one + 2) == 1.0


def test_the_distance_is_the_largest_gap_of_the_distributions():
    assert distance(np.array([1.0, 2, 3, 4]), np.array([3.0, 4, 5, 6])) == 0.5


def test_a_column_that_empties_has_moved_by_the_share_that_is_missing():
    now = np.ones(10)
    now[:4] = np.nan
    assert distance(np.ones(10), now) == pytest.approx(0.4)


def test_nobody_lies_nowhere():
    assert distance(np.zeros(0), np.ones(3)) == 0.0


@pytest.mark.parametrize(("far", "unusual"), [(0.14, False), (0.16, True)])
def test_a_distance_is_unusual_half_as_far_again_as_the_largest_usual_one(far, unusual):
    assert held_against(far, [0.09, 0.1, 0.1, 0.1]).unusual is unusual


def test_where_usual_distances_differ_the_limit_lies_five_deviations_off_their_mean():
    usual = [0.0, 0.0, 0.0, 0.2]
    assert held_against(0.4, usual).limit == pytest.approx(np.mean(usual) + 5 * np.std(usual))


def test_three_earlier_passages_are_too_few_to_say_what_is_usual():
    found = held_against(1.0, [0.0, 0.0, 0.0])
    assert (found.limit, found.unusual) == (None, False)


def world(moved):
    """Return two features and scores at six days; at the last, `moved` is added to one feature and to the scores."""
    days = list(range(6))
    calm = {day: RNG.normal(size=500) for day in days}
    other = {day: RNG.normal(size=500) + (moved if day == 5 else 0) for day in days}
    passages = [(0, 1), (1, 2), (2, 3), (3, 4)]
    return drifts({"calm": calm, "other": other}, {"calm": 0.5, "other": 0.5}, other, (4, 5), passages)


def test_what_moved_is_named_and_raises_both_alarms():
    found = world(3.0)
    assert found.features.unusual
    assert found.scores.unusual
    assert found.moved[0][0] == "other"


def test_a_calm_world_raises_none():
    found = world(0.0)
    assert not found.features.unusual
    assert not found.scores.unusual


def worded(last):
    """Return the drift of a world with one attribute, whose values at the last of six days are given."""
    days = {day: RNG.choice(["north", "south"], 400).astype(object) for day in range(5)} | {5: last}
    calm = {day: RNG.normal(size=400) for day in range(6)}
    passages = [(0, 1), (1, 2), (2, 3), (3, 4)]
    return drifts({"calm": calm}, {"calm": 1.0}, calm, (4, 5), passages, {"region": days})


def test_an_attribute_whose_shares_turned_is_an_alarm():
    found = worded(RNG.choice(["north", "south"], 400, p=[0.9, 0.1]).astype(object))
    assert found.categories.unusual
    assert not found.turned


def test_an_attribute_drawn_again_is_none():
    assert not worded(RNG.choice(["north", "south"], 400).astype(object)).categories.unusual


def test_a_new_value_is_told_by_name():
    found = worded(RNG.choice(["north", "south", "west"], 400, p=[0.45, 0.45, 0.1]).astype(object))
    assert [one.value for one in found.turned] == ["west"]


def test_without_attributes_nothing_is_said_of_them():
    assert world(0.0).categories is None
