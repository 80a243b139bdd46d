from xml.etree import ElementTree as ET

import pytest

from churnml.flows import Move, Stage, Stand, flow, funnel

HOSTILE = "<script>alert(1)</script> & \"x\" 'y'"
NAMES, KINDS = {"new": "New", "gone": "Gone"}, {"new": "fresh", "gone": "lost"}
STANDS = [Stand("May", {"new": 6, "gone": 4}), Stand("June", {"new": 2, "gone": 8})]
MOVES = [
    Move(0, "new", "gone", 4, "4 of 6"), Move(0, "new", "new", 2, "2 of 6"), Move(0, "gone", "gone", 4, "4 of 4"),
]  # fmt: skip
UNIT = (260 - 2 * 5) / 10


def parsed(svg):
    return ET.fromstring(svg)  # noqa: S314  # our own drawing


def of_class(svg, name):
    return [one for one in parsed(svg).iter() if name in (one.get("class") or "").split()]


def test_bars_are_as_high_as_their_numbers():
    bars = list(parsed(flow(NAMES, KINDS, STANDS, MOVES, "t")).iter("rect"))
    assert [float(one.get("height")) for one in bars] == [6 * UNIT, 4 * UNIT, 2 * UNIT, 8 * UNIT]


def test_bands_leave_a_bar_and_arrive_at_one_in_the_order_of_the_stages():
    stay, leave, gone = (one.get("d") for one in of_class(flow(NAMES, KINDS, STANDS, MOVES, "t"), "move"))
    assert stay.startswith("M122.0 24.0C")
    assert leave.startswith(f"M122.0 {24 + 2 * UNIT:.1f}C")
    assert f" {24 + 2 * UNIT + 5:.1f}V" in leave
    assert f" {24 + 2 * UNIT + 5 + 4 * UNIT:.1f}V" in gone


def test_a_key_has_the_colour_of_its_kind_as_a_bar_and_as_a_move():
    drawn = flow(NAMES, KINDS, STANDS, MOVES, "t")
    assert [one.get("class") for one in parsed(drawn).iter("rect")] == ["fresh", "lost"] * 2
    assert [one.get("class") for one in of_class(drawn, "move")] == ["move fresh"] * 2 + ["move lost"]


def test_a_stage_where_nobody_is_has_no_label():
    drawn = flow(
        NAMES, KINDS, [Stand("May", {"new": 3}), Stand("June", {"gone": 3})], [Move(0, "new", "gone", 3, "all")], "t"
    )
    assert [one.text for one in of_class(drawn, "label")] == ["New", "Gone"]


def test_a_funnel_is_as_wide_as_the_share_that_reached_each_stage():
    drawn = funnel([Stage("Seen", 1.0, "100%"), Stage("Paid", 0.25, "25%", "25%", narrowest=True)], "t")
    assert [float(one.get("width")) for one in of_class(drawn, "stage")] == [380.0, 95.0]
    assert len(of_class(drawn, "narrowest")) == len(of_class(drawn, "narrowing")) == 1


def test_a_stage_that_is_not_told_has_no_width():
    assert [float(one.get("width")) for one in of_class(funnel([Stage("Seen", None, "–")], "t"), "stage")] == [1.0]


@pytest.mark.parametrize(
    "drawn",
    [
        flow(
            {"new": HOSTILE},
            {"new": HOSTILE},
            [Stand(HOSTILE, {"new": 1})] * 2,
            [Move(0, "new", "new", 1, HOSTILE)],
            HOSTILE,
        ),
        funnel([Stage(HOSTILE, 0.5, HOSTILE, HOSTILE)], HOSTILE),
    ],
)
def test_what_a_chart_says_is_text_and_it_has_no_style_of_its_own(drawn):
    svg = parsed(drawn)
    assert svg.get("role") == "img"
    assert svg.find("title").text == HOSTILE
    assert not list(svg.iter("script"))
    assert not [one for one in svg.iter() if one.get("style")]
