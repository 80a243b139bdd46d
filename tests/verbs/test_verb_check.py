"""`churnml check`: what was found in words, in JSON and in a file, and an exit code that says it."""

import json
import re
import shutil

import pytest

from churnml.database import Workspace
from command import churnml
from memoryless import CONFIG, write_letters


@pytest.fixture(scope="module")
def configs(tmp_path_factory):
    """Return configs that suit a small market."""
    folder = tmp_path_factory.mktemp("configs")
    (folder / "train.yaml").write_text(json.dumps(CONFIG.model_dump(mode="json")))
    return folder


@pytest.fixture(scope="module")
def sound(memoryless, configs, tmp_path_factory):
    """Return what is said of a market in which nothing leaks, and the report that was written."""
    report = tmp_path_factory.mktemp("report") / "leakage.json"
    at = ("--workspace", memoryless.root, "--configs", configs, "--report", report.with_suffix(".html"))
    return churnml("check", "leakage", *at, "--json", "--report", report), report


def test_where_nothing_leaks_nothing_is_found_and_json_says_so(sound):
    done, _ = sound
    assert (done.code, done.body["sound"], done.body["findings"]) == (0, True, [])
    assert done.body["wall"]["differences"] == []


def test_json_says_that_the_alarm_was_tested(sound):
    done, _ = sound
    assert [one["days"] for one in done.body["alarm_tested"]] == [7, 30]
    assert done.body["alarm_tested"][-1]["rang"] is True


def test_the_report_holds_what_json_printed_and_no_copy_of_the_rows_is_left_behind(sound, memoryless):
    done, report = sound
    assert json.loads(report.read_text()) == done.body
    assert not list(memoryless.root.glob(".features-*"))


@pytest.fixture(scope="module")
def leaking(memoryless, configs, tmp_path_factory):
    """Return what is said of the same market after letters to those who will leave were dated back."""
    folder = tmp_path_factory.mktemp("leaking")
    own = Workspace.open(shutil.copytree(memoryless.root, folder / "workspace"))
    write_letters(own, folder / "letters.csv")
    report = folder / "report.md"
    three = [word for kind in (".md", ".html", ".json") for word in ("--report", report.with_suffix(kind))]
    at = ("--workspace", own.root, "--configs", configs, "--language", "zh", *three)
    return churnml("check", "leakage", *at), report


def test_a_table_written_afterwards_and_dated_back_turns_the_check_red(leaking):
    done, _ = leaking
    assert done.code == 4
    assert "FOUND: `days_since_contact`" in done.err
    assert "was it known before the cutoff?" in done.err
    assert "--keep FEATURE vouches for" in done.err
    assert "Leakage was found." in done.err


def test_the_page_shows_every_feature_and_what_each_clock_hid(leaking):
    _, report = leaking
    page = report.read_text()
    assert "| recency_days |" in page
    assert "| table | rows | after the cutoff | learned after it | answers emptied |" in page


def test_the_page_is_one_file_that_fetches_nothing_and_says_the_verdict_first(sound):
    _, report = sound
    page = report.with_suffix(".html").read_text()
    assert page.index("No leakage was found.") < page.index("Each feature alone")
    assert not re.search(r"<script|src=|https?://(?!www.w3.org)", page)


def test_the_page_draws_the_surest_features_with_their_meaning_and_tells_of_all_in_figures(sound):
    done, report = sound
    page = report.with_suffix(".html").read_text()
    drawn, told = page.split('<table class="figures">')[:2]
    first = done.body["alone"][0]
    assert f"<code>{first['name']}</code>" in drawn
    assert f"[{first['low']:.3f}, {first['high']:.3f}]" in drawn
    assert drawn.count('class="spot"') == 15
    assert [one["name"] for one in done.body["alone"] if f"<code>{one['name']}</code>" not in told] == []


def test_the_chinese_page_tells_what_json_tells(leaking):
    _, report = leaking
    page, body = (report.with_suffix(kind).read_text() for kind in (".html", ".json"))
    assert '<html lang="zh-CN">' in page
    assert "发现数据泄漏。" in page
    for one in json.loads(body)["found"]:
        assert f"<code>{one['feature']}</code>：" in page
    assert "距上次营销活动的天数" in page


def test_json_tells_each_finding_by_a_code_and_its_figures_beside_the_sentence(leaking):
    _, report = leaking
    body = json.loads(report.with_suffix(".json").read_text())
    assert len(body["findings"]) == len(body["found"]) > 0
    days = next(one for one in body["found"] if one["feature"] == "days_since_contact")
    assert days["code"] in {"ranks_all_but_surely", "nearly_all_stayed"}
    assert days["evidence"]["auroc_alone"] > 0.5


def test_skew_compares_features_and_the_champions_scores(journey, tmp_path):
    page = tmp_path / "skew.html"
    done = journey.churnml("check skew", "--customers", 30, "--cutoff", "2018-01-01", "--report", page)
    assert done.code == 0, done.err
    assert len(re.findall(r"of [\d,]+ values differ", page.read_text())) == 2
    assert "features of 30 customers of 2,469 at 2018-01-01, bit for bit" in done.err
    assert "Batch, training and online agree." in done.err
    assert "of them one by one as well; the greatest distance of churn_probability" in done.err


def test_skew_without_a_champion_says_that_no_score_was_compared(memoryless, configs):
    at = ("--workspace", memoryless.root, "--configs", configs)
    done = churnml("check", "skew", *at, "--customers", 5, "--json")
    assert (done.code, done.body["scores"]) == (0, None)
    assert done.body["scores_not_compared_because"].startswith("there is no champion yet")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("leakage --report x.md --report x.pdf", "--report must end in .html, .md or .json, got x.pdf; rename it"),
        ("skew --report x", "--report must end in .html, .md or .json, got x; rename it"),
        ("skew --report x.html --language fr", "--language must be en or zh, got 'fr'"),
        ("leakage --keep recency_day", "no feature `recency_day` is on in this workspace; did you mean"),
        ("leakage --cutoff soon", "--cutoff must be a date such as 2017-12-31, got 'soon'"),
        ("skew --cutoff 2016-01-01", "--cutoff must lie after the first order"),
        ("skew --customers 0", "0 is not in the range"),
    ],
)
def test_what_cannot_be_is_refused_in_words(memoryless, words, said):
    done = churnml("check", *words.split(), "--workspace", memoryless.root)
    assert done.code == 2
    assert said in done.err


def test_without_a_workspace_there_is_nothing_to_check(tmp_path):
    done = churnml("check", "leakage", "--workspace", tmp_path / "none")
    assert done.code == 2
    assert "no workspace at" in done.err


@pytest.mark.parametrize("check", ["leakage", "skew"])
def test_a_report_that_cannot_be_written_is_refused_before_the_work(journey, check):
    said = journey.churnml(f"check {check}", "--report", "/proc/report.html")
    assert said.code == 5
    assert "cannot write /proc/report.html" in said.err
    assert "\u2713" not in said.err
