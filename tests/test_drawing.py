from xml.etree import ElementTree as ET

import pytest

from churnml.drawing import bar, diverging_bar, mark, stacked_bar

HOSTILE = "<script>alert(1)</script> & \"x\" 'y'"


def parsed(svg):
    return ET.fromstring(svg)  # noqa: S314  # our own drawing


def widths(svg):
    return {one.get("class"): float(one.get("width")) for one in parsed(svg).iter("rect")}


@pytest.mark.parametrize("share, width", [(0.43, 43), (0, 0), (1, 100), (-1, 0), (7, 100), (float("nan"), 0)])
def test_a_bar_is_filled_to_its_share(share, width):
    assert widths(bar(share))["fill"] == width


@pytest.mark.parametrize("draw", [lambda title: bar(0.5, title), lambda title: diverging_bar(1, 2, title)])
def test_a_title_is_escaped_and_read_aloud(draw):
    svg = parsed(draw(HOSTILE))
    assert svg.get("role") == "img"
    assert svg.find("title").text == HOSTILE


def test_without_a_title_a_drawing_is_decoration():
    assert parsed(bar(0.5)).get("aria-hidden") == "true"


def test_positive_amounts_go_right_and_negative_ones_left():
    right, left = (parsed(diverging_bar(amount, 2.0)).findall("rect")[1] for amount in (1.0, -1.0))
    assert (right.get("class"), right.get("x"), right.get("width")) == ("raises", "50", "25")
    assert (left.get("class"), left.get("x"), left.get("width")) == ("lowers", "25", "25")


def test_a_span_of_zero_draws_no_length():
    assert widths(diverging_bar(0.0, 0.0))["raises"] == 0


def test_the_parts_of_a_stacked_bar_share_its_width():
    assert widths(stacked_bar([("a", 1), ("b", 3), ("c", 0)])) == {"a": 24.4, "b": 74.4, "c": 0}


def test_a_stacked_bar_of_nothing_is_empty():
    assert sum(widths(stacked_bar([("a", 0), ("b", 0)])).values()) == 0


def test_marks_differ_by_shape_and_take_the_colour_of_the_text():
    drawn = {mark(shape) for shape in ("triangle", "diamond", "circle", "shield")}
    assert len(drawn) == 4
    assert all('fill="currentColor"' in one for one in drawn)


def test_no_drawing_carries_a_style_of_its_own():
    assert "style" not in bar(0.5, "x") + diverging_bar(1, 2) + mark("circle") + stacked_bar([("a", 1)])
