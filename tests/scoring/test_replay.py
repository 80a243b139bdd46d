"""Two records are one only if every digit of every field is."""

import pytest

from churnml.scoring.replay import Differing, differing


@pytest.mark.parametrize(("one", "other"), [(0.3, 0.1 + 0.2), (0.0, -0.0), (1, 1.0), (None, 0), ([1], [2]), ({}, [])])
def test_a_field_that_is_another_is_told(one, other):
    assert differing({"clv": one, "rung": "blend"}, {"clv": other, "rung": "blend"}) == [Differing("clv", one, other)]


def test_a_field_that_only_one_of_them_has_is_told():
    assert differing({"clv": None}, {}) == [Differing("clv", None, None)]


def test_the_order_of_keys_and_fields_left_aside_do_not_count():
    assert differing({"a": {"x": 1, "y": 2}, "run_id": 1}, {"a": {"y": 2, "x": 1}, "run_id": 2}, ["run_id"]) == []
