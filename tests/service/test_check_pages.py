"""The pages of `churnml check`: made from the same data as the words, harmless whatever the data hold."""

import re
from dataclasses import fields, replace

import pytest

from churnml.events.cutting import Hidden
from churnml.modeling.alone import Alone
from churnml.modeling.comparison import CUSTOMERS, Difference
from churnml.modeling.delays import Delay, Delays
from churnml.modeling.leakage import Leakage, Planted, Wall
from churnml.modeling.leakage_findings import NotEnoughHistory
from churnml.modeling.suspect import _WHERE, _WHY, Suspect
from churnml.scoring.skew import ScoreSkew, Skew
from churnml.scoring.skew_findings import ChampionRefused, NobodyToScore, NoChampion
from churnml.service.pages.reports.leakage import leakage_report_page
from churnml.service.pages.reports.skew import skew_report_page
from churnml.wording import LANGUAGES, Text

HOSTILE = "<script>alert('`x`')</script>"
MEANINGS = {"recency_days": Text("days since the last order", "距最近一次下单的天数"), "mine": Text(HOSTILE, HOSTILE)}
EVIDENCE = {"auroc_alone": 0.97, "auroc_missing": 0.8, "rows": 60.0, "share": 0.1, "unique_share": 1.0}


def alone(name, auroc, alarm=""):
    sure = Suspect(name, "almost equals the label", "ranks_all_but_surely", EVIDENCE, left_out=True) if alarm else None
    return Alone(name, auroc, auroc - 0.02, auroc + 0.02, "leave", 0.0, 0.5, alarm, sure)


QUIET, RED = alone("recency_days", 0.7), alone("recency_days", 0.97, "red")
PLANTED = Planted(30, 200, alone("orders in the next 30 days", 1.0, "red"))
DAY = Delay("orders", 1, -0.005, -0.012, 0.002)
DELAYS = Delays(0.8, 0.75, 0.85, 300, 900, 3, False, (DAY, replace(DAY, days=7)))
WALL = Wall(400, 90, {"orders": Hidden(1_000, 200, 10, 3)}, ())
SOUND = Leakage(0, "2023-05-01", 30, 300, 80, 300, WALL, (QUIET,), (PLANTED,), DELAYS)
OTHER = Difference("mine", 7, HOSTILE, None, HOSTILE)
AGREED = Skew("2023-05-01", 30, 400, 90, 3, (), (), ScoreSkew("0123456789abcdef", 30, 30, {"clv": 0.0}, ""))


@pytest.mark.parametrize(
    ("language", "verdict", "reason"),
    [
        ("en", "No leakage was found.", "All 90 features of 400 customers are the same to the last bit"),
        ("zh", "未发现数据泄漏。", "400 位客户的全部 90 个特征，在有未来数据和没有未来数据时逐位相同"),
    ],
)
def test_the_verdict_stands_on_top_with_its_reason(language, verdict, reason):
    page = leakage_report_page(SOUND, MEANINGS, language)
    assert page.index(f"<h1>{verdict}</h1>") < page.index(reason) < page.index("<table")


def test_a_question_is_no_leak_and_is_told_in_the_verdict():
    asked = replace(SOUND, delays=replace(DELAYS, costs=(Delay("orders", 1, -0.05, -0.07, -0.03),)))
    page = leakage_report_page(asked, MEANINGS, "en")
    assert "No leakage was found." in page
    assert "questions that only you can answer: 1" in page
    assert "<code>orders</code>: learned a day later, it would cost 0.050 of AUROC (0.030 to 0.070)" in page


def test_a_feature_is_told_with_its_meaning_in_the_language_of_the_page():
    found = replace(SOUND, alone=(RED,))
    assert "距最近一次下单的天数<br><code>recency_days</code>" in leakage_report_page(found, MEANINGS, "zh")
    assert "<code>recency_days</code>：单凭它给流失者排序" in leakage_report_page(found, MEANINGS, "zh")


def test_the_picture_has_lines_where_a_feature_is_asked_about_and_where_the_alarm_rings():
    page = leakage_report_page(SOUND, MEANINGS, "en")
    lines = dict(re.findall(r'<rect class="rule (\w+)" x="([\d.]+)" width="0.2"', page.split("The wall</h2>")[-2]))
    assert {name: (float(x) + 0.1) * 0.006 + 0.4 for name, x in lines.items()} == pytest.approx(
        {"plain": 0.5, "asked": 0.85, "alarm": 0.95}, abs=1e-3
    )


def test_a_feature_that_tells_more_by_its_parts_than_by_its_order_shows_both():
    hidden = replace(SOUND, alone=(replace(RED, auroc=0.8, low=0.78, high=0.82),))
    page = leakage_report_page(hidden, MEANINGS, "en")
    order, parts = (float(re.search(rf'class="{name}" x="([\d.]+)"', page)[1]) for name in ("spot", "also"))
    assert order < parts
    assert "<b>0.800</b> <small>[0.780, 0.820]</small><br><small>by parts 0.970</small>" in page
    assert 'class="also"' not in leakage_report_page(replace(SOUND, alone=(RED,)), MEANINGS, "en")


def test_where_delays_were_not_measured_the_page_says_why():
    short = replace(SOUND, delays=NotEnoughHistory("2023-05-01", 30, 14, 200, 100))
    assert "Not measured: before 2023-05-01, a horizon of 30 days, final 14 days later, needs 200 days" in (
        leakage_report_page(short, MEANINGS, "en")
    )
    assert "未能测量：预测期为 30 天（另需 14 天标签才最终确定）" in leakage_report_page(short, MEANINGS, "zh")


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_and_values_from_the_data_stay_text(language):
    leak = replace(SOUND, wall=replace(WALL, differences=(OTHER,)), alone=(replace(QUIET, name="mine"),))
    skewed = replace(AGREED, in_training=(OTHER,), online=(OTHER,))
    for page in (leakage_report_page(leak, MEANINGS, language), skew_report_page(skewed, MEANINGS, language)):
        assert "<script" not in page
        assert page.count("&lt;script&gt;") >= 3
        assert "<code>mine</code>" in page


def test_features_that_someone_vouches_for_are_named_and_repeated_in_the_command():
    page = leakage_report_page(replace(SOUND, kept=("recency_days",)), MEANINGS, "zh")
    assert "因而不报警的特征：<code>recency_days</code>" in page
    assert "churnml check leakage --cutoff 2023-05-01 --horizon-days 30 --keep recency_days" in page


def test_the_page_of_skew_says_how_many_values_were_compared_on_which_way_and_what_differed():
    page = skew_report_page(replace(AGREED, online=(replace(OTHER, name="recency_days"),)), MEANINGS, "en")
    assert page.count("of 2,700 values differ") == 2
    assert "everyone, at 3 cutoffs in one pass" in page
    told = re.findall(r'<td class="amount[a-z -]*">([\d,]+)</td>', page)
    assert told[:6] == ["2,700", "0", "0", "2,700", "7", "1"]


def test_a_score_that_is_off_stands_right_of_the_line_it_must_not_cross():
    far = replace(AGREED, scores=replace(AGREED.scores, worst={"clv": 3e-9}, customer_id="ann"))
    page = skew_report_page(far, MEANINGS, "zh")
    line, spot = (float(re.search(rf'class="{name}" x="([\d.]+)"', page)[1]) for name in ("rule alarm", "spot"))
    assert line < spot < 100
    assert "客户“ann”单独评分时，<code>clv</code> 与批量评分相差 3e-09；最多允许 1e-12" in page


@pytest.mark.parametrize("why", [NoChampion(), NobodyToScore(), ChampionRefused(f"model {HOSTILE}")])
@pytest.mark.parametrize("language", LANGUAGES)
def test_where_scores_were_not_compared_the_page_says_why(why, language):
    page = skew_report_page(replace(AGREED, scores=why), MEANINGS, language)
    assert {"en": "Not compared: ", "zh": "未作比较："}[language] in page
    assert "<script" not in page


def test_customers_who_are_there_only_by_one_way_are_told_as_such():
    lost = (Difference(CUSTOMERS, 2, "ann", 30.0, 28.0),)
    assert [one.said() for one in replace(AGREED, online=lost).findings] == [
        "2 customers are there only in the batch or only online, such as 'ann'; 30 in the batch, 28 online"
    ]
    leak = replace(SOUND, wall=replace(WALL, differences=lost))
    assert "the customers themselves are others" in leakage_report_page(leak, MEANINGS, "en").lower()


@pytest.mark.parametrize("sign", _WHY)
@pytest.mark.parametrize("where", _WHERE)
def test_every_sign_of_a_suspect_is_said_in_both_languages(sign, where):
    one = Suspect("x", "tells much alone", sign, EVIDENCE, left_out=False, where=where, note="no table")
    english, chinese = one.said("en"), one.said("zh")
    assert "{" not in english + chinese
    assert english == chinese or not re.search("[a-z]", chinese.replace("AUROC", ""))


@pytest.mark.parametrize("kind", ["leak", "skew"])
def test_every_finding_is_plain_data_with_a_code_and_what_it_is_about(kind):
    leak = replace(SOUND, wall=replace(WALL, differences=(OTHER,)), alone=(RED,))
    found = leak.findings if kind == "leak" else replace(AGREED, in_training=(OTHER,)).findings
    for one in found:
        assert one.to_json()["code"]
        assert one.about == f"`{getattr(one, fields(one)[0].name)}`"
