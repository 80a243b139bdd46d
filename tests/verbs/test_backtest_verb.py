"""`churnml backtest` finds the protocols asked for and tells people what came out, goal and verdict beside it."""

import io

import numpy as np
import pytest
from rich.console import Console

from churnml.config import BacktestConfig, parse_config
from churnml.errors import ConfigError, NotFoundError
from churnml.modeling.judgement import OURS, Judgement, contest
from churnml.verbs.backtest import chosen, tables

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
