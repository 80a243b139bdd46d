"""`churnml measure plan` says after how many weeks each action's effect is told, or that this base never tells it."""

import pytest

from churnml.policy.planner import Experiment, Spread, needed_for_amount


@pytest.fixture(scope="module")
def plan(journey):
    return journey.churnml("measure plan", "--json").body


def plans(body, measured="churn"):
    return [one for action in body["actions"] for one in action["plans"] if one["measured"] == measured]


def test_every_action_but_doing_nothing_is_planned_where_it_is_open_to_somebody(plan):
    assert "do_nothing" not in {action["action"] for action in plan["actions"]}
    assert {bool(action["plans"]) for action in plan["actions"] if action["open"]} == {True}
    assert all(action["plans"] == [] for action in plan["actions"] if not action["open"])


def test_a_few_thousand_households_never_tell_a_small_effect_and_hear_what_they_could(plan):
    hopeless = [one for one in plans(plan) if not one["conclusive"]]
    assert hopeless
    for one in hopeless:
        assert one["needed"] is None or one["needed"] > one["reachable"]
        assert one["detectable"] is None or one["detectable"] > abs(one["effect"])
        assert "never conclusive at this size" in one["says"]["en"] or one["needed"] is None


def test_what_is_planned_for_margin_is_what_pays_the_cost_with_what_the_past_tells_taken_off(plan):
    spread, experiment = Spread(**plan["spread"]), Experiment(0.1)
    assert 0 < spread.correlation < 1
    for one in plans(plan, "margin"):
        assert one["because"] == "pays"
        assert one["needed"] == pytest.approx(needed_for_amount(one["effect"], spread, experiment), abs=2)


def test_a_great_effect_with_many_customers_a_week_is_told_after_weeks(journey):
    asked = ("--churn-effect", 0.05, "--margin-effect", 20, "--per-week", 1_000, "--budget", 10_000_000)
    body = journey.churnml("measure plan", *asked, "--json").body
    assert {one["because"] for kind in ("churn", "margin") for one in plans(body, kind)} == {"given"}
    for one in plans(body) + plans(body, "margin"):
        assert one["weeks"] == -(-one["needed"] // 1_000) + -(-one["days"] // 7)
        assert f"conclusive after about {one['weeks']} weeks" in one["says"]["en"]


def test_a_small_budget_reaches_fewer_and_that_is_said(journey):
    body = journey.churnml("measure plan", "--budget", 50, "--json").body
    limited = [action for action in body["actions"] if action["limited_by"] == "budget"]
    assert limited
    assert all(action["reachable"] < action["open"] for action in limited)
    assert "customers that the budget reaches" in limited[0]["plans"][0]["says"]["en"]


def test_the_share_of_controls_that_tells_most_is_advised(plan):
    advised = [action["advice"] for action in plan["actions"] if action["advice"]]
    assert advised
    assert all(0 < one["control_share"] < 1 for one in advised)
    assert "controls tell most" in advised[0]["says"]["en"]


@pytest.mark.parametrize(
    "language, words", [("en", "Margin of 90 days varies by $"), ("zh", "90 天毛利在客户间的标准差为")]
)
def test_people_read_it_in_both_languages(journey, language, words):
    said = journey.churnml("measure plan", "--language", language)
    assert words in said.err
    assert {"en": "never conclusive at this size", "zh": "以此规模永远得不出结论"}[language] in said.err


def test_every_sentence_has_no_place_left_open_and_both_languages(plan):
    said = [one["says"] for one in plans(plan) + plans(plan, "margin")]
    assert all(set(one) == {"en", "zh"} and "{" not in one["en"] + one["zh"] for one in said)


@pytest.mark.parametrize(
    "option, value, words",
    [
        ("--per-week", 0, "--per-week must be at least 1, got 0"),
        ("--churn-effect", 3, "--churn-effect is a fall of a share, between 0 and 1, got 3"),
        ("--margin-effect", -1, "--margin-effect is an amount above 0, got -1"),
        ("--power", 1.5, "`power` must lie between 0 and 1, got 1.5"),
        ("--control-share", 0, "--control-share must be"),
    ],
)
def test_what_cannot_be_planned_is_refused(journey, option, value, words):
    said = journey.churnml("measure plan", option, value)
    assert (said.code, words in said.err) == (2, True), said.err
