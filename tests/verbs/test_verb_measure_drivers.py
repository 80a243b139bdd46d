"""`churnml measure drivers`: the tables of the Complete Journey, and what is said where nothing can be compared."""

import pytest

from journeys import Journey, copied


@pytest.fixture(scope="module")
def said(journey):
    """Return what is said of the Complete Journey by income, by name of the measure."""
    done = journey.churnml("measure drivers", "--by", "income_band", "--json")
    assert done.code == 0, done.err
    return {measure["name"]: measure for measure in done.body["measures"]}


def test_circumstances_come_first_and_symptoms_apart(said):
    assert [*said] == [
        "drivers",
        "drivers_traits",
        "drivers_symptoms",
        "drivers_by_part",
        "stated_reasons",
        "last_days",
    ]
    groups = [{row["group"] for row in said[name]["rows"]} for name in ("drivers", "drivers_symptoms")]
    assert not groups[0] & groups[1]


def test_fewer_orders_show_that_one_is_leaving(said):
    (frequency,) = (row for row in said["drivers_symptoms"]["rows"] if row["group"] == "frequency")
    assert frequency["direction"] == "lower"
    assert frequency["left_mean"] < frequency["stayed_mean"]


def test_leaving_is_what_the_model_in_service_forecasts_whatever_train_yaml_says_by_now(journey, tmp_path):
    own = copied(journey, tmp_path)
    (own.configs / "train.yaml").write_text("horizon_days: 30\n")
    first = own.churnml("measure drivers", "--from", "2017-08-01", "--json").body["measures"][0]
    assert "no order in the 60 days after a month start" in first["population"]["en"]
    assert any("what the model in service" in remark["en"] for remark in first["remarks"])


def test_what_would_tell_more_is_named(said):
    assert "satisfaction (needs surveys or tickets or returns)" in str(said["drivers"]["remarks"])
    assert "满意度（需要 surveys 或 tickets 或 returns）" in str(said["drivers"]["remarks"])
    assert "`surveys`" in str(said["stated_reasons"]["remarks"])


def test_every_figure_lies_within_its_interval(said):
    for name in ("drivers", "drivers_symptoms", "drivers_by_part"):
        assert all(row["low"] <= row["effect"] <= row["high"] for row in said[name]["rows"])


def test_the_last_days_have_thirteen_weeks_of_each_thing(said):
    rows = said["last_days"]["rows"]
    assert [row["weeks_before"] for row in rows if row["measure"] == "orders"] == list(range(13, 0, -1))


def test_a_span_without_a_horizon_that_is_over_is_refused(journey):
    done = journey.churnml("measure drivers", "--from", "2017-12-01")
    assert done.code == 3
    assert "whose horizon of 60 days" in done.err


def test_where_nobody_stands_beside_who_left_that_is_said(tiny):
    orders = [
        f"{who} {who}{month} 2020-{month:02}-05 20" for who in "abcd" for month in range(1, 13 if who < "c" else 6)
    ]
    tiny.land(
        customers="customer_id occurred_at\n" + "\n".join(f"{who} 2020-01-01" for who in "abcd"),
        orders="\n".join(["customer_id order_id occurred_at amount", *orders]),
    )
    done = Journey(tiny.workspace, tiny.folder, {}).churnml("measure drivers")
    assert done.code == 3, done.err
    assert "drivers need who left beside at least 5 who stayed" in done.err.replace("\n", " ")


def test_stages_at_the_end_part_nobody_for_they_say_who_left(journey):
    done = journey.churnml("measure drivers", "--from", "2017-10-01", "--by", "stage", "--json")
    measures = {measure["name"]: measure for measure in done.body["measures"]}
    assert "drivers_by_part" not in measures
    assert "Not told by stage" in str(measures["drivers"]["remarks"])
