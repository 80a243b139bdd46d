"""`churnml backtest` finds the protocols asked for and tells people what came out, goal and verdict beside it."""

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from churnml.config import BacktestConfig, parse_config
from churnml.errors import ConfigError, NotFoundError, UsageError
from churnml.modeling.judgement import OURS, Judgement, contest
from churnml.verbs.backtest import backtest, backtest_within, chosen, tables
from command import churnml

PROTOCOL = """{target: churn, horizon_days: 9, step_days: 7,
 first_cutoff: 2020-01-01, last_cutoff: 2020-02-01, test_cutoff: 2020-03-01}"""
SETTINGS = parse_config(f"protocols: {{A: {PROTOCOL}, B: {PROTOCOL}}}", BacktestConfig, "x")


@pytest.fixture(scope="module")
def shown():
    rng = np.random.default_rng(0)
    p = rng.beta(1, 4, 500)
    left = (rng.random(500) < p).astype(float)
    found = contest("churn", left, {OURS: p, "no idea": np.full(500, 0.2)}, bootstrap=50, seed=0)
    out = Console(file=io.StringIO(), width=80)
    out.print(*tables(Judgement("toy", "2020-01-01", 30, 500, {"churn": found}, {"auroc": 0.99, "ece": 0.5})))
    return out.file.getvalue()


def test_all_protocols_are_run_unless_some_are_named():
    assert list(chosen(SETTINGS, [])) == ["A", "B"]
    assert list(chosen(SETTINGS, ["B"])) == ["B"]


def test_an_unknown_protocol_is_refused_with_those_there_are():
    with pytest.raises(NotFoundError, match=r"no protocol `Z` \(known: A, B\)"):
        chosen(SETTINGS, ["Z"])


def test_without_any_protocol_there_is_nothing_to_run():
    with pytest.raises(ConfigError, match="must hold at least one protocol"):
        chosen(BacktestConfig(), [])


def test_the_table_names_the_test_and_shows_ours_first(shown):
    assert "toy: churn in 30 days at 2020-01-01, 500 customers" in shown
    assert shown.index(OURS) < shown.index("no idea")


def test_the_table_says_in_words_where_the_goal_was_missed(shown):
    assert "worse than the goal beyond noise on auroc" in shown


def test_the_table_fits_a_terminal_of_eighty_columns(shown):
    assert "…" not in shown
    assert max(len(line) for line in shown.splitlines()) <= 80


@pytest.mark.parametrize("kind", ["html", "json"])
def test_a_report_that_would_be_markdown_under_another_name_is_refused_before_anything_is_trained(kind):
    for run in (
        lambda reports: backtest(None, reports=reports),
        lambda reports: backtest_within(None, [14], reports=reports),
    ):
        with pytest.raises(
            UsageError, match=rf"written as Markdown without --origins, got found\.{kind}; name it \.md"
        ):
            run([Path(f"found.{kind}")])


@pytest.mark.parametrize("days", [0, -3, 3_651])
def test_another_horizon_is_a_number_of_days(days):
    with pytest.raises(UsageError, match=f"--within must be a number of days from 1 to 3,650, got {days}"):
        backtest_within(None, [14, days])


def test_one_kind_of_backtest_is_run_at_a_time(tmp_path):
    said = churnml("backtest", "--origins", "3", "--within", "14", "--workspace", tmp_path)
    assert said.code == 2
    told = "--origins, --protocol, --within, --conversion and --categories are five kinds of backtest; give one"
    assert told in said.err
