"""`churnml assign` keeps the campaign's budget, keeps controls and a hold-out, and treats nobody without consent."""

import json
from collections import Counter

import numpy as np
import pytest

from churnml.config import AssignConfig
from churnml.database import Ledger, Records, open_engine
from churnml.events.row_check import Door
from churnml.policy import load_actions
from churnml.service.access import Caller
from churnml.service.arrivals import add
from churnml.verbs.choosing import Chosen, Day
from churnml.verbs.session import Session, clock
from journeys import copied

CRM = Caller("key", "crm", frozenset({"write"}))
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
    return load_actions(journey.configs / "actions.yaml")


def treated(records):
    return [record for record in records if record["arm"] == "treated"]


def chosen(records):
    """Return those for whom an action was the best, carried out or withheld."""
    return [record for record in records if record["drawn_by"] == "choice"]


def drawn(records):
    """Return those who got their action, or nothing, by lot."""
    return [record for record in records if record["drawn_by"] == "explore"]


def test_what_is_reserved_is_the_most_it_can_cost_and_within_the_budget(journey, records, actions):
    summary = journey.said["assign"].body
    most = sum(actions[record["action"]].max_cost for record in treated(records))
    assert summary["reserved"] == pytest.approx(most, abs=1e-6)
    assert most <= summary["budget"] == 2_000


def test_the_summary_counts_the_arms(journey, records):
    summary = journey.said["assign"].body
    arms = [record["arm"] for record in records]
    assert (summary["treated"], summary["control"]) == (arms.count("treated"), arms.count("control"))
    assert sum(summary["actions"].values()) == summary["treated"]


def test_the_summary_counts_who_of_those_at_high_risk_may_be_approached(journey, records):
    open_to = [one for one in records if one["risk_band"] == "high" and one["arm"] in {"treated", "none"}]
    assert journey.said["assign"].body["high_open"] == len(open_to) > 0


def test_the_summary_still_tells_what_was_scored(journey):
    assert journey.said["assign"].body | journey.said["score"].body == journey.said["assign"].body


def test_about_a_tenth_of_the_chosen_are_controls(records):
    arms = [record["arm"] for record in chosen(records)]
    assert 0.06 < arms.count("control") / len(arms) < 0.14


def test_a_control_bears_the_action_it_was_chosen_for_and_its_propensity(records):
    controls = [record for record in chosen(records) if record["arm"] == "control"]
    assert {record["propensity"] for record in chosen(records)} == {0.9}
    assert "do_nothing" not in {record["action"] for record in controls}


def test_one_in_twenty_is_held_out_of_everything(journey, records):
    out = [record for record in records if record["arm"] == "held_out"]
    assert 0.035 < len(out) / len(records) < 0.065
    assert {(one["action"], one["propensity"], one["no_action_because"]) for one in out} == {
        ("do_nothing", 0, "held_out")
    }
    assert journey.said["assign"].body["held_out"] == len(out)


def test_some_draw_their_action_by_lot_and_their_propensity_is_that_of_the_draw(journey, records):
    lots = drawn(records)
    assert journey.said["assign"].body["explored"] == len(lots) > 0
    assert all(1 / record["propensity"] == pytest.approx(round(1 / record["propensity"])) for record in lots)
    assert {record["arm"] for record in lots if record["action"] == "do_nothing"} <= {"control"}


def test_the_ledger_keeps_what_the_records_say(journey, records):
    engine = open_engine(journey.workspace.database)
    kept = {one.customer_id: one for one in Ledger(engine).assigned("retention-2018-01")}
    engine.dispose()
    told = {record["customer_id"]: record for record in (*chosen(records), *drawn(records))}
    assert kept.keys() == told.keys()
    for customer, one in kept.items():
        record = told[customer]
        assert (one.action, one.arm, one.propensity) == (record["action"], record["arm"], record["propensity"])
        assert (one.assignment_id, one.drawn_by) == (record["assignment_id"], record["drawn_by"])


def test_who_is_left_in_peace_has_propensity_nought(records):
    peace = [record for record in records if record["arm"] == "none"]
    assert {(record["action"], record["propensity"], record["expected_net_value"]) for record in peace} <= {
        ("do_nothing", 0, 0)
    }


def test_an_action_is_named_and_scripted_in_both_languages(records, actions):
    for record in records:
        action, offered = actions[record["action"]], (record["next_category"] or {}).get("category")
        assert record["action_label"] == action.label.model_dump()
        assert record["action_script"] == action.script_about(offered)
        assert set(record["action_label"]) == set(record["action_script"]) == {"en", "zh"}
        assert "{" not in "".join(record["action_script"].values())


def test_an_action_suits_the_customer_it_is_chosen_for(records, actions):
    for record in treated(records):
        action = actions[record["action"]]
        raising = [reason["group"] for reason in record["reasons"] if reason["direction"] == "raises"]
        assert record["risk_band"] in action.bands
        assert not action.reasons or raising[0] in action.reasons
        assert not action.stages or record["lifecycle_stage"] in action.stages
        assert not action.segments or record["segment"] in action.segments
        assert not action.sectors or "retail" in action.sectors


def test_who_gets_nothing_is_told_why_and_who_gets_something_is_not(journey, records):
    summary = journey.said["assign"].body
    because = Counter(record["no_action_because"] for record in records if record["arm"] in {"none", "held_out"})
    assert None not in because
    assert because.items() <= summary["no_action_because"].items()
    assert {record["no_action_because"] for record in records if record["arm"] in {"treated", "control"}} == {None}


def test_what_an_action_costs_follows_what_each_usually_buys(records, actions):
    for record in treated(records):
        expected = actions[record["action"]].cost.expected(np.array([record["expected_basket"]], dtype=float))
        assert record["action_cost"] == pytest.approx(expected[0], abs=1e-4)


def test_every_effect_is_marked_as_assumed(records):
    assert {record["effect_source"] for record in treated(records)} == {"prior"}


@pytest.mark.parametrize("budget", [0, 50])
def test_no_budget_is_ever_exceeded(own_journey, budget):
    summary = own_journey.churnml("assign", "--budget", budget, "--campaign", "spring", "--json").body
    assert (summary["budget"], summary["campaign"]) == (budget, "spring")
    assert summary["reserved"] <= budget


def decisions(journey):
    return [(one["customer_id"], one["action"], one["arm"], one["assignment_id"]) for one in decided(journey)]


def test_what_a_campaign_has_assigned_stays_whatever_is_asked_next(own_journey, records):
    before = {one for one in decisions(own_journey) if one[3]}
    summary = own_journey.churnml("assign", "--budget", 2_500, "--json").body
    assert before <= set(decisions(own_journey))
    assert summary["assigned_before"] == len(before)
    assert 2_000 < summary["reserved"] <= summary["budget"] == 2_500


def test_asking_again_changes_nothing(own_journey):
    before = decisions(own_journey)
    own_journey.churnml("assign")
    assert decisions(own_journey) == before


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_a_budget_below_what_is_reserved_is_refused_and_taking_it_back_is_offered(own_journey, more):
    said = own_journey.churnml("assign", "--budget", 50, *more)
    assert said.code == 2
    assert "the budget of campaign `retention-2018-01` must cover what is taken of it" in said.err
    assert "take back what nobody has carried out with --anew" in said.err


def test_a_campaign_with_an_outcome_is_not_taken_back(own_journey, tmp_path):
    one = next(record for record in decided(own_journey) if record["arm"] == "treated")
    posted = tmp_path / "outcomes.csv"
    posted.write_text(f"assignment_id,occurred_at,kind\n{one['assignment_id']},2018-01-02T10:00:00,carried_out\n")
    assert own_journey.churnml("measure outcomes", posted).code == 0
    said, before = own_journey.churnml("assign", "--anew"), decisions(own_journey)
    assert said.code == 2
    assert "has 1 outcomes" in said.err
    assert decisions(own_journey) == before


def test_the_next_campaign_treats_controls_of_the_last_like_those_who_had_the_action(own_journey, records):
    own_journey.churnml("assign", "--campaign", "next")
    last = {record["customer_id"]: record for record in chosen(records)}
    again = [one for one in decided(own_journey) if one["customer_id"] in last and one["drawn_by"] == "choice"]
    assert not [one for one in again if one["action"] == last[one["customer_id"]]["action"]]


def test_what_another_run_of_the_campaign_has_assigned_meanwhile_stands(own_journey, records):
    """Two runs choose at once: the one that comes second to the ledger serves what the first has assigned."""
    before = {one for one in decisions(own_journey) if one[3]}
    session = Session.open(own_journey.workspace.root, own_journey.configs)
    config = session.load("assign", AssignConfig)
    scored = session.catalogue.last_run("score")
    day = Day.of(session, config, scored)
    second = Chosen.of(session, day, load_actions(own_journey.configs / "actions.yaml"), config, afresh=True)
    served = second.reserved(session.catalogue.start("assign", "", clock()), clock())
    told = {record["customer_id"]: record for record in served.records("second")}
    assert {(who, told[who]["action"], told[who]["arm"], told[who]["assignment_id"]) for who, *_ in before} == before


def test_what_nobody_heard_of_can_be_taken_back_and_chosen_anew(own_journey):
    first = decisions(own_journey)
    assert own_journey.churnml("assign", "--anew", "--budget", 50, "--json").body["reserved"] <= 50
    own_journey.churnml("assign", "--anew")
    assert decisions(own_journey) == first


def test_a_dry_run_tells_what_other_budgets_bring_and_reserves_nothing(own_journey):
    before = decisions(own_journey)
    summary = own_journey.churnml("assign", "--dry-run", "--campaign", "autumn", "--json").body
    values = [point["value"] for point in summary["returns"]["points"]]
    assert summary["dry_run"]
    assert values == sorted(values)
    assert values[-1] <= summary["returns"]["most"] + 1e-6
    assert decisions(own_journey) == before
    assert "What more or less would bring" in own_journey.churnml("assign", "--dry-run").err


@pytest.fixture(scope="module")
def kept(journey, tmp_path_factory):
    """A plan that a dry run kept, and the decisions before and after."""
    own = copied(journey, tmp_path_factory.mktemp("planned"))
    before = decisions(own)
    return own.churnml("assign", "--dry-run", "--keep", "--campaign", "autumn", "--json").body, before, decisions(own)


def test_a_plan_that_is_kept_reserves_nothing_and_holds_the_budget_that_is_set_as_it_would_be_done(kept):
    plan, before, after = kept
    (same,) = [one for one in plan["points"] if one["budget"] == plan["budget"]]
    assert before == after
    for name in ("reserved", "treated", "control", "explored", "shadow_price", "expected_net_value", "expected_cost"):
        assert same[name] == pytest.approx(plan[name])


def test_a_plan_keeps_within_each_budget_and_a_larger_one_is_worth_no_less(kept):
    points = kept[0]["points"]
    assert len(points) > 10
    assert all(one["reserved"] <= one["budget"] for one in points)
    cautious = [one["cautious_net_value"] for one in points]
    assert cautious[0] == 0
    assert cautious[-1] > cautious[1] > 0
    prices = [one["shadow_price"] for one in points[1:]]
    assert prices == sorted(prices, reverse=True)


def test_a_plan_says_of_each_action_what_it_takes_to_tell_its_effect(kept):
    plan = kept[0]
    names = {one["name"] for one in plan["report"]["actions"]}
    assert {one["action"] for one in plan["tests"]["actions"]} == names
    assert plan["tests"]["budget"] == plan["budget"]


def test_only_a_dry_run_is_kept(own_journey):
    said = own_journey.churnml("assign", "--keep")
    assert (said.code, "add --dry-run" in said.err) == (2, True)


def test_a_campaign_named_with_other_braces_is_refused(own_journey):
    said = own_journey.churnml("assign", "--campaign", "x-{quarter}")
    assert said.code == 2
    assert "may hold {year}, {month} and {week} and no other braces" in said.err


@pytest.mark.parametrize("budget", NO)
def test_a_budget_that_is_none_is_refused(own_journey, budget):
    said = own_journey.churnml("assign", "--budget", budget)
    assert said.code == 2
    assert f"error: --budget must be {NO[budget]}" in said.err


def test_without_consent_nobody_is_treated(own_journey):
    config = own_journey.configs / "workspace.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace("consent: assumed", "consent: required"))
    summary = own_journey.churnml("assign", "--campaign", "spring", "--json").body
    assert (summary["treated"], summary["control"], summary["reserved"]) == (0, 0, 0)
    assert summary["exclusions"]["no_consent"] > 2_000
    assert {record["action"] for record in decided(own_journey)} == {"do_nothing"}
    assert {record["no_action_because"] for record in decided(own_journey)} == {"no_consent", "held_out"}
    said = own_journey.churnml("assign", "--campaign", "spring")
    assert "no action: nothing is open to any of" in said.err
    assert "by `no_consent`. They have not agreed" in said.err


def test_the_report_holds_what_the_command_prints(own_journey, tmp_path):
    files = [tmp_path / "chosen.html", tmp_path / "chosen.json"]
    said = own_journey.churnml("assign", "--report", files[0], "--report", files[1], "--language", "zh", "--json").body
    assert json.loads(files[1].read_text(encoding="utf-8")) == said
    page = files[0].read_text(encoding="utf-8")
    assert "谁获得哪项行动" in page
    assert f"应联系 {said['treated']:,} 位客户" in page


def test_the_sums_of_the_report_are_those_of_the_records(journey, records):
    report = journey.said["assign"].body["report"]
    for action in report["actions"]:
        arms = Counter(record["arm"] for record in records if record["action"] == action["name"])
        assert (arms["treated"], arms["control"]) == (action["treated"], action["control"])
        assert action["open_to"] + sum(action["closed_by"].values()) == len(records)


def test_a_report_of_another_kind_is_refused_before_anything_is_chosen(own_journey, tmp_path):
    said = own_journey.churnml("assign", "--report", tmp_path / "chosen.pdf")
    assert said.code == 2
    assert "--report must end in .html or .json with `assign`, got chosen.pdf" in said.err


def test_a_budget_below_the_cheapest_open_action_says_what_that_costs(own_journey):
    said = own_journey.churnml("assign", "--budget", 0.01, "--campaign", "spring")
    assert said.code == 0
    assert "0.01 USD are left of the budget of 0.01, below 0.02, the least that an action open to somebody" in said.err


def test_a_reason_that_no_feature_has_is_refused_with_the_nearest(own_journey):
    file = own_journey.configs / "actions.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("[rhythm, frequency,", "[rythm, frequency,"), "utf-8")
    said = own_journey.churnml("assign")
    assert said.code == 2
    assert "got `rythm`; did you mean `rhythm`?" in said.err


def test_an_action_without_chinese_is_refused(own_journey):
    file = own_journey.configs / "actions.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(", zh: 感谢信", ""), encoding="utf-8")
    said = own_journey.churnml("assign")
    assert said.code == 2
    assert "label.zh" in said.err


def test_who_told_the_service_not_to_be_approached_is_not_in_this_campaign_nor_in_the_next(own_journey, records):
    session = Session.open(own_journey.workspace.root, own_journey.configs)
    (whom,) = [one["customer_id"] for one in treated(records) if one["action"] != "do_nothing"][:1]
    said = {"customer_id": whom, "occurred_at": "2017-01-01", "purpose": "marketing", "granted": False}
    with session.catalogue.engine.begin() as connection:
        add(connection, CRM, "consents", [said], door=Door(), now=clock())
    assert shown(own_journey, whom) == (None, "treated", "no_consent")
    own_journey.churnml("assign")
    assert shown(own_journey, whom) == (None, "treated", "no_consent")
    summary = own_journey.churnml("assign", "--campaign", "spring", "--json").body
    assert shown(own_journey, whom)[2] == "no_consent"
    assert summary["no_action_because"]["no_consent"] == 1


def shown(journey, customer):
    """Return what is done about one customer now: action, arm, and why none."""
    (one,) = [one for one in decided(journey) if one["customer_id"] == customer]
    return one["action"], one["arm"], one["no_action_because"]
