"""Attributes in words: how far shares moved, and which values came or went beyond chance."""

import numpy as np
import pytest

from churnml.modeling.shares import share_distance, shares, turned

RNG = np.random.default_rng(0)


def texts(*values):
    return np.array(values, dtype=object)


def test_the_distance_is_the_share_of_customers_who_would_have_to_change():
    assert share_distance(texts("a", "a", "b", "b"), texts("a", "b", "b", "b")) == pytest.approx(0.25)


def test_what_is_not_known_is_a_value_like_others():
    assert shares(texts("a", None, None, "b")) == {"a": 0.25, "b": 0.25, None: 0.5}
    assert share_distance(texts("a", "a"), texts("a", None)) == pytest.approx(0.5)


def test_nobody_lies_nowhere_in_words_either():
    assert share_distance(texts(), texts("a")) == 0.0


def test_the_order_of_customers_does_not_matter():
    before, now = RNG.choice(["a", "b", "c"], (2, 300)).astype(object)
    assert share_distance(before, now) == share_distance(RNG.permutation(before), RNG.permutation(now))


def test_a_value_that_many_bear_and_nobody_did_has_come():
    before, now = texts(*["north"] * 200), texts(*["north"] * 180, *["west"] * 20)
    (one,) = turned("region", before, now)
    assert (one.attribute, one.value, one.share, one.came) == ("region", "west", 0.1, True)


def test_a_value_that_many_bore_and_nobody_does_has_gone():
    (one,) = turned("region", texts(*["north"] * 180, *["west"] * 20), texts(*["north"] * 200))
    assert (one.value, one.came) == ("west", False)


def test_a_value_that_one_in_two_hundred_bears_may_be_missing_by_chance():
    assert turned("region", texts(*["north"] * 200), texts(*["north"] * 199, "west")) == ()


def test_values_that_are_no_longer_known_have_all_gone():
    gone = turned("region", texts(*["north"] * 50, *["west"] * 50), texts(*[None] * 100))
    assert {one.value for one in gone} == {"north", "west"}
