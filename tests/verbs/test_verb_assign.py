"""`churnml assign` keeps the budget, holds a control group out, and treats nobody without consent."""

import pytest
import yaml

from churnml.database import Records, open_engine

NO = {"nan": "a finite number, got nan", "inf": "a finite number, got inf", "-5": "at least 0, got -5"}


def decided(journey):
    """Return the current records of the population."""
    engine = open_engine(journey.workspace.database)
    records = Records(engine)
    found = [one for one in records.of_run(records.current_run()) if one["churn_probability"] is not None]
    engine.dispose()
    return found


@pytest.fixture(scope="module")
def records(journey):
    return decided(journey)


@pytest.fixture(scope="module")
def actions(journey):
    catalogue = yaml.safe_load((journey.configs / "actions.yaml").read_text(encoding="utf-8"))
    return {action["name"]: action for action in catalogue["actions"]}


def treated(records):
    return [record for record in records if record["arm"] == "treated"]


def test_what_is_reserved_is_the_most_it_can_cost_and_within_the_budget(journey, records, actions):
    summary = journey.said["assign"].body
    most = sum(actions[record["action"]]["max_cost"] for record in treated(records))
    assert summary["reserved"] == pytest.approx(most, abs=1e-6)
    assert most <= summary["budget"] == 2_000


def test_the_summary_counts_the_arms(journey, records):
    summary = journey.said["assign"].body
    arms = [record["arm"] for record in records]
    assert (summary["treated"], summary["control"]) == (arms.count("treated"), arms.count("control"))
    assert sum(summary["actions"].values()) == summary["treated"]


def test_the_summary_still_tells_what_was_scored(journey):
    assert journey.said["assign"].body | journey.said["score"].body == journey.said["assign"].body


def test_about_a_tenth_of_the_chosen_are_held_out(records):
    arms = [record["arm"] for record in records]
    assert 0.07 < arms.count("control") / (arms.count("control") + arms.count("treated")) < 0.13


def test_a_control_bears_the_action_it_was_chosen_for_and_its_propensity(records):
    controls = [record for record in records if record["arm"] == "control"]
    assert {record["propensity"] for record in controls} == {0.9}
    assert "do_nothing" not in {record["action"] for record in controls}


def test_who_is_left_in_peace_has_propensity_nought(records):
    peace = [record for record in records if record["action"] == "do_nothing"]
    assert {(record["arm"], record["propensity"], record["expected_net_value"]) for record in peace} <= {("none", 0, 0)}


def test_an_action_is_named_and_scripted_in_both_languages(records, actions):
    for record in records:
        action = actions[record["action"]]
        assert (record["action_label"], record["action_script"]) == (action["label"], action["script"])
        assert set(record["action_label"]) == {"en", "zh"}


def test_an_action_suits_the_band_and_the_reason_it_is_meant_for(records, actions):
    for record in treated(records):
        action = actions[record["action"]]
        raising = [reason["group"] for reason in record["reasons"] if reason["direction"] == "raises"]
        assert record["risk_band"] in action.get("bands", ["low", "medium", "high"])
        assert "reasons" not in action or raising[0] in action["reasons"]


def test_every_effect_is_marked_as_assumed(records):
    assert {record["effect_source"] for record in treated(records)} == {"prior"}


@pytest.mark.parametrize("budget", [0, 3.99, 50, 100_000])
def test_no_budget_is_ever_exceeded(own_journey, budget):
    summary = own_journey.churnml("assign", "--budget", budget, "--json").body
    assert summary["budget"] == budget
    assert summary["reserved"] <= budget


def test_a_budget_asked_for_again_is_what_is_served(own_journey, records):
    for budget, same in ((50, False), (2_000, True)):
        own_journey.churnml("assign", "--budget", budget)
        kept = [(one["customer_id"], one["action"], one["arm"]) for one in decided(own_journey)]
        assert (kept == [(one["customer_id"], one["action"], one["arm"]) for one in records]) is same


@pytest.mark.parametrize("budget", NO)
def test_a_budget_that_is_none_is_refused(own_journey, budget):
    said = own_journey.churnml("assign", "--budget", budget)
    assert said.code == 2
    assert f"error: --budget must be {NO[budget]}" in said.err


def test_without_consent_nobody_is_treated(own_journey):
    config = own_journey.configs / "workspace.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace("consent: assumed", "consent: required"))
    summary = own_journey.churnml("assign", "--json").body
    assert (summary["treated"], summary["control"], summary["reserved"]) == (0, 0, 0)
    assert summary["exclusions"]["no_consent"] > 2_000
    assert {record["action"] for record in decided(own_journey)} == {"do_nothing"}


def test_an_action_without_chinese_is_refused(own_journey):
    file = own_journey.configs / "actions.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(", zh: 感谢信", ""), encoding="utf-8")
    said = own_journey.churnml("assign")
    assert said.code == 2
    assert "label.zh" in said.err
