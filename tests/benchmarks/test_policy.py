"""Uplift is judged on a published experiment by one command, which says where it stands beside its goals."""

import sys
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import policy
from churnml.modeling.uplift import Measured

WOMENS, MENS = policy.ARMS[1:]


@pytest.fixture
def found():
    qini = {policy.OURS: {WOMENS: Measured(7.5, 5.0, 9.0), MENS: Measured(3.49, 1.0, 6.0)}}
    gain = Measured(-0.4, -1.0, 0.2)
    return policy.Found(900, True, qini, {WOMENS: 10, MENS: 0}, {MENS: 900}, gain, gain)


def test_a_goal_is_met_at_its_bound_and_not_below(found):
    assert "| goal | 7.50 | met | 3.50 | not met |" in policy.table(found)
    assert "| ours | 7.50 (5.00 to 9.00) | 6.94 | 3.49 (1.00 to 6.00) | 2.50 |" in policy.table(found)


def test_a_policy_is_worth_less_only_if_its_whole_interval_lies_below_zero(found):
    assert ", not worth less than" in policy.policy(found)
    assert ", worth less than" in policy.policy(replace(found, policy=Measured(-2.0, -3.0, -1.0)))


def test_without_the_file_it_says_so_and_ends_well(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "argv", ["policy", "--hillstrom", str(tmp_path / "none.parquet")])
    policy.main()
    assert "skipped: there is no file" in capsys.readouterr().err


def test_the_experiment_is_read_with_equal_propensities_and_words_as_columns(tmp_path):
    n = 300
    columns = {name: [1.0, 2.0, 3.0] * (n // 3) for name in ("recency", "history", "mens", "womens", "newbie")}
    words = {"zip_code": ["Rural", "Urban"] * (n // 2), "channel": ["Web"] * n}
    rest = {"segment": list(policy.ARMS) * (n // 3), "visit": [0, 1] * (n // 2)}
    pq.write_table(pa.table(columns | words | rest), tmp_path / "mails.parquet")
    data = policy.hillstrom(tmp_path / "mails.parquet")
    assert data.features.shape == (n, 8)
    assert data.propensities[0].tolist() == [1 / 3] * 3
    assert data.arms[data.arm[1]] == WOMENS
