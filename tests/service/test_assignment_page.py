"""The report of an assignment: who gets what at which cost, why others get nothing, harmless whatever it holds."""

import re
from dataclasses import asdict

import pytest

from churnml.policy import BECAUSE, RULES
from churnml.service.pages.reports.assignment import assignment_page

HOSTILE = "<script>alert('`x`')</script>"


def worded(name):
    return {"name": asdict(BECAUSE[name].name), "meaning": asdict(BECAUSE[name].meaning)}


def action(name, label, **changes):
    sums = {"open_to": 40, "closed_by": {"no_consent": 60}, "treated": 9, "control": 1, "expected_cost": 12.5}
    money = {"reserved": 45.0, "expected_net_value": 99.0, "capacity": None, "place_price": 0.0}
    return {"name": name, "label": {"en": label, "zh": label}, "channel": "email"} | sums | money | changes


def summary(**changes):
    report = {
        "actions": [
            action("coupon", HOSTILE),
            action("call", "Call", channel="phone", capacity=10, place_price=3.5),
            action("visit", "Visit", closed_by={"sector": 100}, open_to=0),
        ],
        "no_action_because": [
            {"because": "no_consent", "customers": 55, **worded("no_consent")},
            {"because": "limits", "customers": 5, **worded("limits")},
        ],
        "rules": [{"rule": rule, "pairs": 0, **worded(rule)} for rule in RULES],
        "limits": {"shadow_price": 1.25, "dual_bound": 100.0, "value": 99.0, "gap": 0.01},
    }
    told = {"cutoff": "2018-01-01T00:00:00+00:00", "time_zone": "UTC", "currency": "USD", "sector": "retail"}
    counts = {"customers": 120, "population": 100, "treated": 18, "control": 2, "effect_source": "prior"}
    campaign = {"campaign": "spring", "held_out": 0, "explored": 0}
    money = {"budget": 100.0, "reserved": 90.0, "expected_cost": 25.0, "expected_net_value": 198.0}
    return told | counts | campaign | money | {"report": report} | changes


def text(page):
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


@pytest.mark.parametrize(
    ("language", "verdict", "why"),
    [
        ("en", "18 customers are to be approached; from 2 more", "No consent 55 They have not agreed"),
        ("zh", "应联系 18 位客户；另有 2 位客户", "未同意联系 55 客户未同意"),
    ],
)
def test_the_page_says_what_is_done_and_why_others_get_nothing(language, verdict, why):
    said = text(assignment_page(summary(), language))
    assert verdict in said
    assert why in said


def test_what_is_chosen_stands_with_its_money_and_its_places():
    said = text(assignment_page(summary(), "en"))
    assert "Call by telephone 40 9 1 $12.50 $45.00 $99.00 10 $3.50" in said


def test_actions_for_others_are_counted_and_left_out():
    said = text(assignment_page(summary(), "en"))
    assert "Visit" not in said
    assert "1 action is meant for other kinds of business" in said


def test_only_rules_that_closed_something_have_a_column():
    said = text(assignment_page(summary(), "en"))
    assert "action No consent open to" in said
    assert "Too soon again" not in said


def test_where_nothing_is_done_the_page_says_so():
    assert "Nothing is done for anybody" in assignment_page(summary(treated=0, control=0), "en")


def test_an_assumed_effect_is_called_an_assumption():
    assert "assumptions until a control group has measured them" in assignment_page(summary(), "en")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_needs_nothing_beside_it_and_runs_nothing(language):
    page = assignment_page(summary(), language)
    assert "<script" not in page
    assert not re.search(r"(src|href)=\"(?!data:)", page)


def test_no_english_sentence_is_left_in_the_chinese_page():
    assert not re.findall(r"[A-Za-z]+ [a-z]+ [a-z]+", text(assignment_page(summary(), "zh")))


RETURNS = {
    "points": [
        {"budget": 0.0, "reserved": 0.0, "value": 0.0, "marginal": 0.0},
        {"budget": 100.0, "reserved": 95.0, "value": 180.0, "marginal": 1.25},
    ],
    "enough": 140.0,
    "most": 230.0,
}


@pytest.mark.parametrize(("language", "words"), [("en", "$140 would buy it"), ("zh", "所需预算为 US$140")])
def test_what_other_budgets_would_bring_is_drawn_and_told(language, words):
    page = assignment_page(summary(returns=RETURNS), language)
    assert words in text(page)
    assert page.count('<polyline class="line') == 2


def test_no_curve_is_drawn_where_nothing_pays():
    page = assignment_page(summary(returns=RETURNS | {"most": 0.0}), "en")
    assert "What other budgets would bring" not in page


def test_the_hold_out_and_the_lots_are_told():
    assert "130 customers are held out of every campaign; 29 draw" in text(
        assignment_page(summary(held_out=130, explored=29), "en")
    )
