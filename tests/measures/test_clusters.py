"""Groups that customers form: found where they are, none where they are not, and the same names from year to year."""

import numpy as np
import pytest

from churnml.measures.clusters import kept_names, overlaps, stable_groups
from churnml.measures.habits import Habit
from churnml.measures.kept_groups import group_labels
from churnml.wording import Text

ASKED = {"most": 4, "draws": 5, "agreement": 0.8, "seed": 0}


def blobs(places, each=50, seed=1):
    random = np.random.default_rng(seed)
    return np.concatenate([random.normal(place, 0.3, size=(each, len(place))) for place in places])


def test_groups_that_are_there_are_found_as_many_as_there_are():
    found = stable_groups(blobs([(0, 0, 0), (3, 0, 0), (0, 3, 3)]), **ASKED)
    assert len(found.centres) == 3
    assert next(one for one in found.trials if one.groups == 3).agreement == pytest.approx(1.0)


def test_the_members_of_a_group_are_given_the_same_place():
    values = blobs([(0, 0), (4, 4)])
    labels = stable_groups(values, **ASKED).labels(values)
    assert (len(set(labels[:50])), len(set(labels[50:])), len(set(labels))) == (1, 1, 2)


def test_a_round_cloud_has_no_groups():
    found = stable_groups(np.random.default_rng(2).normal(size=(300, 5)), **ASKED)
    assert found.centres.shape == (0, 5)
    assert all(one.agreement < 0.8 for one in found.trials)


def test_a_long_cloud_is_cut_stably_and_still_has_no_groups():
    random = np.random.default_rng(3)
    found = stable_groups(random.normal(size=(300, 1)) + 0.3 * random.normal(size=(300, 4)), **ASKED)
    in_two = found.trials[0]
    assert in_two.agreement > 0.8
    assert not in_two.tighter
    assert len(found.centres) == 0


def test_a_column_that_is_the_same_for_all_changes_nothing():
    values = blobs([(0, 0), (4, 4)])
    wider = np.column_stack([values, np.full(len(values), 7.0)])
    assert len(stable_groups(wider, **ASKED).centres) == len(stable_groups(values, **ASKED).centres) == 2


def test_overlap_is_what_two_groups_share_of_what_either_has():
    shared = overlaps(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), 2, 2)
    assert shared.tolist() == [[2 / 3, 1 / 4], [0.0, 1 / 2]]


def test_a_group_that_goes_on_keeps_its_name_and_one_that_shares_half_or_less_does_not():
    old = np.array([0] * 10 + [1] * 10)
    new = np.array([2] * 9 + [0] * 1 + [0] * 5 + [1] * 5)
    assert kept_names(old, new, ("a", "b"), 3, ("c", "d", "e")) == ("c", "d", "a")


HABITS = tuple(
    Habit.of(key) for key in ("activity", "daypart=evening", "channel=app", "category=outdoor", "word=outdoor")
)


def test_a_group_is_called_by_what_sets_it_apart_what_it_does_much_of_first():
    [name, other] = group_labels(HABITS, np.array([[-2.0, 0.6, 1.5, 0.0, 0.0], [0.1, 0.2, 0.3, 0.9, 1.0]]))
    assert name == Text("By app, in the evening, little active", "常用App、晚间活跃、活跃度低")
    assert other == Text("Searches “outdoor”", "搜索“outdoor”")  # the category of the same word says nothing more


def test_a_group_that_nothing_sets_apart_is_called_so_and_no_two_are_called_alike():
    names = group_labels(HABITS, np.zeros((2, 5)))
    assert [name.en for name in names] == ["Like most (1)", "Like most (2)"]
    alike = np.array([[2.0, 1.9, 1.8, 0.7, 0.0], [2.0, 1.9, 1.8, -0.7, 0.0]])
    assert [name.en for name in group_labels(HABITS, alike)] == [
        "Very active, in the evening, by app, outdoor",
        "Very active, in the evening, by app, little outdoor",
    ]
