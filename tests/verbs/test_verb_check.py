"""`churnml check`: what was found in words, in JSON and in a file, and an exit code that says it."""

import json

import pytest

from command import churnml


@pytest.fixture(scope="module")
def leakage(journey, tmp_path_factory):
    report = tmp_path_factory.mktemp("report") / "leakage.json"
    return journey.churnml("check leakage", "--json", "--report", report), report


def test_the_complete_journey_has_no_leakage_and_its_second_clock_nothing_to_hide(leakage):
    done, _ = leakage
    assert (done.code, done.body["sound"], done.body["findings"]) == (0, True, [])
    assert done.body["wall"]["differences"] == []
    assert sum(one["late"] for one in done.body["wall"]["hidden"].values()) == 0


def test_json_says_that_the_alarm_was_tested(leakage):
    done, _ = leakage
    assert [(one["days"], one["rang"]) for one in done.body["alarm_tested"]] == [(7, True), (60, True)]


def test_the_report_holds_what_json_printed_and_nothing_is_left_behind(leakage, journey):
    done, report = leakage
    assert json.loads(report.read_text()) == done.body
    assert not list(journey.workspace.root.glob(".features-*"))


def test_skew_compares_features_and_the_champions_scores(journey):
    done = journey.churnml("check skew", "--customers", 30, "--cutoff", "2018-01-01")
    assert done.code == 0, done.err
    assert "features of 30 customers of 2,469 at 2018-01-01, bit for bit" in done.err
    assert "Batch, training and online agree." in done.err
    assert "of them one by one as well; the greatest distance of churn_probability" in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("leakage --report x.pdf", "--report must end in .json or .md, got x.pdf"),
        ("leakage --keep recency_day", "no feature `recency_day` is on in this workspace; did you mean"),
        ("leakage --cutoff soon", "--cutoff must be a date such as 2017-12-31, got 'soon'"),
        ("skew --cutoff 2016-01-01", "--cutoff must lie after the first order"),
        ("skew --customers 0", "0 is not in the range"),
    ],
)
def test_what_cannot_be_is_refused_in_words(journey, words, said):
    done = journey.churnml(f"check {words}")
    assert done.code == 2
    assert said in done.err


def test_without_a_workspace_there_is_nothing_to_check(tmp_path):
    done = churnml("check", "leakage", "--workspace", tmp_path / "none")
    assert done.code == 2
    assert "no workspace at" in done.err
