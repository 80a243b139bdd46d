"""A measure has the pictures that its name asks for, and none where columns are missing or nothing was told."""

import re

import pytest
import sample_measures as sample
from sample_measures import HOSTILE

from churnml.measures import STAGES
from churnml.service.pages.measures.figures import moments, short
from churnml.service.pages.measures.pictures import pictures


def drawn(measure, language="en"):
    return pictures(measure.to_json(), "USD", language)


def count(picture, name):
    return len(re.findall(rf'class="{name}[ "]', picture.svg))


@pytest.mark.parametrize(
    "measure, marks, many",
    [
        (sample.segments(), "column", [1]),
        (sample.transitions(), "move", [3, 0]),
        (sample.transitions(), "field", [0, 4]),
        (sample.kpis(), "line", [1, 2]),
        (sample.drivers(), "spot", [2]),
        (sample.days(), "point", [1]),
        (sample.days(), "shade", [1]),
        (sample.days(), "band", [1]),
        (sample.indices(), "whisker", [7]),
        (sample.indices("rhythm_season", "month"), "column", [7]),
        (sample.funnel(), "stage", [2]),
        (sample.last_weeks(), "band", [1]),
    ],
)
def test_each_measure_is_drawn_as_its_name_asks(measure, marks, many):
    assert [count(one, marks) for one in drawn(measure)] == many


def test_the_stages_of_every_month_stand_beside_each_other():
    (picture,) = drawn(sample.stages())
    assert re.findall(r'<rect class="stage-(\w+)"', picture.svg) == [*STAGES] * 3
    assert ">Jan 2017<" in picture.svg
    assert ">New<" in picture.svg


def test_of_many_months_seven_at_most_have_a_label_and_the_last_always_has():
    days = [f"{year}-{month:02d}-01" for year in (2016, 2017) for month in range(1, 13)]
    labels = [label for label in moments(days, "en") if label]
    assert len(labels) == 6
    assert labels[-1] == "Dec 2017"
    assert len([one for one in moments(days[:13], "zh") if one]) == 7


@pytest.mark.parametrize("drawing", range(3))
def test_a_stage_has_one_colour_in_every_picture(drawing):
    (picture,), (moves, _) = drawn(sample.stages()), drawn(sample.transitions())
    (stays,) = drawn(sample.stays())
    svg = (picture.svg, moves.svg, stays.svg)[drawing]
    assert "stage-new" in svg
    assert "stage-mature" in svg
    assert not set(re.findall(r"stage-(\w+)", svg)) - set(STAGES)


def test_who_was_not_known_yet_is_drawn_as_no_stage_of_a_life():
    told = sample.transitions().to_json()
    told["rows"][0]["from_stage"] = "not_known"
    assert 'class="move stage-none"' in pictures(told, "USD", "en")[0].svg


@pytest.mark.parametrize(
    "language, caption, tick",
    [("en", "Half left after (days)", ">50 days<"), ("zh", "半数离开所需时间（天）", ">50 天<")],
)
def test_lengths_of_time_bear_their_unit_in_the_heading_and_on_the_axis(language, caption, tick):
    (picture,) = drawn(sample.stays(), language)
    assert picture.caption == caption
    assert tick in picture.svg


def test_a_figure_of_each_row_is_told_in_the_unit_that_the_row_names():
    basket, churn = drawn(sample.kpis())
    assert (basket.caption, churn.caption) == ("basket", "churn_rate (dots: target)")
    assert ">$21<" in basket.svg
    assert "%<" in churn.svg


def test_the_stage_at_which_a_funnel_narrows_most_is_marked():
    told = sample.funnel().to_json()
    told["rows"][1]["narrowest"] = "narrowest"
    assert [count(one, "stage narrowest") for one in pictures(told, "USD", "en")] == [1]


def test_by_parts_each_figure_of_the_last_period_has_its_interval_by_part():
    basket, churn = drawn(sample.kpis(("north", "south")))
    assert (count(basket, "spot"), count(churn, "spot")) == (2, 2)
    assert "north · $23.00 ($22.90 to $23.10)" in basket.svg


def test_value_against_risk_is_a_grid_of_nine_fields():
    rows = [("high_value_high_risk", 10, 0.25), ("low_value_low_risk", 30, 0.75), ("prospect", 5, 0.1)]
    (picture,) = drawn(sample.segments("segments_value_risk", rows))
    assert count(picture, "field") == 9
    assert count(picture, "field untold") == 7
    assert "75.0%" in picture.svg


@pytest.mark.parametrize("part", ["north", "south"])
def test_each_part_has_a_picture_of_its_own(part):
    told = sample.segments().to_json()
    told["columns"]["part"] = told["columns"]["segment"]
    told["rows"] = [row | {"part": one} for one in ("north", "south") for row in told["rows"]]
    assert f"Share: {part}" in {one.caption for one in pictures(told, "USD", "en")}


def test_a_measure_without_rows_or_without_a_column_or_of_another_name_has_no_picture():
    told = sample.drivers().to_json()
    less = told | {"columns": {"feature": told["columns"]["feature"]}}
    assert [pictures(one, "USD", "en") for one in (told | {"rows": []}, less, told | {"name": "stated"})] == [[]] * 3


@pytest.mark.parametrize("make", [sample.segments, sample.stages, sample.drivers, sample.kpis, sample.funnel])
def test_pictures_speak_chinese_and_no_word_of_the_data_becomes_a_tag(make):
    for picture in drawn(make(), "zh"):
        assert HOSTILE not in picture.svg
    assert drawn(sample.stages(), "zh")[0].svg.count("新客户") == 2


@pytest.mark.parametrize("days, told", [(("2017-01-31", "2017-02-28"), "Jan 2017"), (("2017-01-31",) * 2, "Jan 2017")])
def test_ends_of_months_are_told_as_months(days, told):
    assert short(days[0], "en", days) == told


def test_the_last_of_many_months_may_end_early_and_is_told_whole():
    ends = ["2017-01-31", "2017-02-28", "2017-03-15"]
    assert [short(day, "en", ends) for day in ends] == ["Jan 2017", "Feb 2017", "Mar 15, 2017"]


def test_other_days_are_told_whole():
    assert short("2017-01-02", "en", ["2017-01-02", "2017-01-31"]) == "Jan 2, 2017"


def test_measures_that_are_several_of_a_kind_are_drawn_alike():
    symptoms = sample.drivers().to_json() | {"name": "drivers_symptoms"}
    assert [count(one, "spot") for one in pictures(symptoms, "USD", "en")] == [2]
