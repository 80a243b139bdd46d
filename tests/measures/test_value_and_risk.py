"""A segment is a cell of the grid of value and risk, whoever else is asked about."""

from typing import get_args

import numpy as np

from churnml.measures import SEGMENTS, TIERS, Segment, segments, value_tiers


def test_thirds_begin_and_end_where_the_model_says():
    assert value_tiers([-5, 2.9, 3, 6, 6.1], (3, 6)).tolist() == ["low", "low", "mid", "mid", "high"]


def test_a_customers_third_does_not_depend_on_who_else_is_asked_about():
    values = np.array([1.0, 4.0, 9.0, 2.0])
    alone = [value_tiers([value], (3, 6))[0] for value in values]
    assert value_tiers(values, (3, 6)).tolist() == alone


def test_where_all_are_worth_the_same_all_are_in_the_middle():
    assert set(value_tiers(np.full(5, 7.0), (7.0, 7.0))) == {"mid"}


def test_every_cell_of_the_grid_has_a_name_in_both_languages():
    grid = [(tier, band) for tier in TIERS for band in ("low", "medium", "high")]
    cells = segments([tier for tier, _ in grid], [band for _, band in grid])
    assert set(cells) == set(SEGMENTS) == set(get_args(Segment))
    for text in SEGMENTS.values():
        assert text.en.isascii()
        assert any("\u4e00" <= letter <= "\u9fff" for letter in text.zh)


def test_nobody_is_in_no_segment():
    assert segments([], []).shape == (0,)
