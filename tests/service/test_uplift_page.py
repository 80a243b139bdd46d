"""The page of what uplift found says in both languages what the JSON says, and runs nothing that stands in it."""

import pytest

from churnml.service.pages.reports.uplift import uplift_page

GROUPS = [
    {"customers": 40, "effect": [-0.02, -0.03, -0.01], "sleeping": True},
    {"customers": 60, "effect": [0.05, 0.04, 0.06], "sleeping": False},
]
OUTCOME = {
    "average": [0.022, 0.01, 0.034],
    "order": [0.0175, 0.01, 0.025],
    "gain_over_one_effect_for_all": [0.017, 0.01, 0.024],
    "gain_in_sequence": [0.016, 0.01, 0.022],
    "order_proven": True,
    "groups": GROUPS,
    "sleeping_customers": 40,
    "curve": {"share": [0.0, 0.5, 1.0], "gain": [0.0, 0.025, 0.022]},
}
MAIL = {
    "label": {"en": "Mail <b>", "zh": "邮件"},
    "evidence": "order",
    "no_evidence_because": "",
    "treated": 500,
    "controls": 480,
    "not_by_chance": 20,
    "outcomes": {"margin": OUTCOME, "stayed": OUTCOME},
    "says": [{"en": "Mail helps.", "zh": "邮件有效。"}],
}
CALL = MAIL | {"label": {"en": "Call", "zh": "致电"}, "evidence": "none", "no_evidence_because": "few", "outcomes": {}}
TIER = CALL | {"label": {"en": "Tier", "zh": "等级"}, "treated": 0, "controls": 0, "not_by_chance": 0}
BODY = {
    "known_by": "2020-06-10",
    "currency": "EUR",
    "effect_horizon_days": 30,
    "decisions": 1_000,
    "still_open": 12,
    "actions": {"mail": MAIL, "call": CALL, "tier": TIER},
}


@pytest.fixture(scope="module")
def page():
    return uplift_page(BODY, "en")


def test_a_known_action_shows_its_effect_per_thousand_its_curve_and_its_groups(page):
    assert "22.0 (10.0 to 34.0)" in page
    assert page.count('class="chart"') == 2
    assert page.count("-20.0 (-30.0 to -10.0)") == 4  # told in a cell and by the drawing beside it, for two outcomes


def test_an_action_without_evidence_says_why_and_one_never_tried_is_an_assumption(page):
    assert "too few were drawn by chance" in page
    assert "Never tried yet, so their effects are assumptions: Tier" in page


def test_nothing_in_a_name_becomes_a_tag(page):
    assert "Mail &lt;b&gt;" in page
    assert "<b>" not in page.split("<main")[1]


def test_chinese_is_chinese():
    page = uplift_page(BODY, "zh")
    assert "各项行动在 30 天内对谁有效" in page
    assert "22.0（10.0 至 34.0）" in page
    assert "随机分配的客户太少" in page
