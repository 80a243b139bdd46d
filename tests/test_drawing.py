from xml.etree import ElementTree as ET

import pytest

from churnml.drawing import bar, diverging_bar, interval, mark, scale, stacked_bar

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


def test_an_interval_lies_on_its_scale_with_its_value_and_the_lines_it_is_held_against():
    drawn = parsed(interval(0.75, (0.5, 1.0), 0.7, 0.8, [("alarm", 0.95)])).findall("rect")
    assert {one.get("class"): (float(one.get("x")), float(one.get("width"))) for one in drawn[1:]} == {
        "rule alarm": (89.9, 0.2), "span": (40, 20), "spot": (49.6, 0.8)
    }  # fmt: skip


def test_a_value_without_an_interval_has_no_span_and_one_off_the_scale_stands_at_its_end():
    assert "span" not in widths(interval(7.0, (0.0, 1.0)))
    assert parsed(interval(7.0, (0.0, 1.0))).findall("rect")[-1].get("x") == "99.6"


@pytest.mark.parametrize(
    "least, most, places",
    [(-0.03, 0.004, [-0.03, -0.02, -0.01, 0.0, 0.01]), (0.0, 6.0, [0, 1, 2, 3, 4, 5, 6]), (1.0, 1.0, [1.0, 1.0])],
)
def test_a_scale_has_round_places_around_what_it_holds(least, most, places):
    found = scale(least, most)
    assert found == pytest.approx(places, abs=1e-6)
    assert found[0] <= least <= most <= found[-1]


def test_marks_differ_by_shape_and_take_the_colour_of_the_text():
    drawn = {mark(shape) for shape in ("triangle", "diamond", "circle", "shield")}
    assert len(drawn) == 4
    assert all('fill="currentColor"' in one for one in drawn)


def test_no_drawing_carries_a_style_of_its_own():
    drawn = bar(0.5, "x") + diverging_bar(1, 2) + mark("circle") + stacked_bar([("a", 1)]) + interval(1, (0, 2))
    assert "style" not in drawn
