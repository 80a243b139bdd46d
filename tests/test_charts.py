from xml.etree import ElementTree as ET

import pytest

from churnml.charts import Cell, Mark, Span, columns, course, cut, dots, grid
from churnml.drawing import Line

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script> & \"x\" 'y'"
TICKS = [(0.0, "0"), (1.0, "1")]
TWO = [Mark("Monday", 0.5, 0.4, 0.6, "0.5"), Mark("Tuesday", None, said="too few")]


def parsed(svg):
    return ET.fromstring(svg)  # noqa: S314  # our own drawing


def of_class(svg, name):
    return [one for one in parsed(svg).iter() if name in (one.get("class") or "").split()]


def charts(text=HOSTILE):
    return {
        "columns": columns([Mark(text, 0.5, 0.1, 0.9, text)], text, [(0.0, text), (1.0, text)], 0.5),
        "dots": dots([Mark(text, 0.5, 0.1, 0.9, text)], text, [(0.0, text), (1.0, text)], 0.5),
        "course": course(
            [Line("ours", [(0, 0), (1, 1)], [(0, 1), (0, 1)])],
            text,
            [(0.0, text), (1.0, text)],
            TICKS,
            [Span(0.2, 0.4, text)],
            [(0.5, 0.5, text)],
        ),
        "grid": grid([text], [text], [[Cell(0.5, text)]], text),
    }


@pytest.mark.parametrize("name", charts())
def test_a_chart_is_an_image_with_a_title_and_its_text_is_text(name):
    svg = parsed(charts()[name])
    assert svg.get("role") == "img"
    assert svg.find("title").text == HOSTILE
    assert not list(svg.iter("script"))


@pytest.mark.parametrize("name", charts())
def test_no_chart_carries_a_style_of_its_own(name):
    assert "style" not in charts("x")[name]


def test_a_column_is_as_high_as_its_value_and_one_that_is_not_told_is_not_there():
    (column,) = of_class(columns(TWO, "t", TICKS), "column")
    assert float(column.get("height")) == 85.0
    assert len(of_class(columns(TWO, "t", TICKS), "whisker")) == 1


def test_columns_grow_from_the_rule_to_either_side():
    marks = [Mark("a", 0.75), Mark("b", 0.25)]
    above, below = of_class(columns(marks, "t", TICKS, rule=0.5), "column")
    assert float(above.get("y")) + float(above.get("height")) == float(below.get("y")) == 97.0


def test_of_many_columns_only_some_are_labelled():
    many = [Mark(str(hour), 0.5) for hour in range(24)]
    assert len(of_class(columns(many, "t", TICKS), "tick")) == len(TICKS) + 12


def test_a_spot_lies_on_the_scale_and_beyond_it_at_the_end():
    middle, end = of_class(dots([Mark("a", 0.5), Mark("b", 7.0)], "t", TICKS), "spot")
    assert (float(middle.get("cx")), float(end.get("cx"))) == (414.0, 568.8)


def test_bars_are_lengths_from_the_rule():
    right, left = of_class(dots([Mark("a", 1.0), Mark("b", -1.0)], "t", [(-1, ""), (1, "")], 0.0, bars=True), "column")
    assert (right.get("x"), left.get("x"), left.get("width")) == ("414.0", "259.2", "154.8")


def test_every_mark_says_its_figure_when_it_is_pointed_at():
    assert [one.text for one in parsed(dots(TWO, "t", TICKS)).iter("title")] == [
        "t",
        "Monday · 0.5",
        "Tuesday · too few",
    ]


def test_a_course_shades_the_stretches_that_have_names():
    drawn = course([Line("ours", [(0, 0), (1, 1)])], "t", TICKS, TICKS, [Span(0.5, 2.0, "Spring", "odd")])
    (shade,) = of_class(drawn, "odd")
    assert (float(shade.get("x")), float(shade.get("width"))) == (389.0, 319.0)
    assert "<title>Spring</title>" in drawn


def test_the_stronger_a_field_the_darker_and_one_untold_is_empty():
    drawn = of_class(grid(["a"], ["x", "y", "z"], [[Cell(0.0, "0%"), Cell(1.0, "99%"), Cell(None, "–")]], "t"), "field")
    assert [one.get("fill-opacity") for one in drawn] == ["0.06", "1.00", None]
    assert "untold" in drawn[2].get("class")


def test_a_label_that_does_not_fit_is_cut_and_shows_what_is_invisible():
    assert cut("Quarterly newsletter", 66) == "Quarterly…"
    assert cut("潜在客户与新客户", 50) == "潜在客…"
    assert cut("a\u202eb", 60) == "a\ufffdb"
