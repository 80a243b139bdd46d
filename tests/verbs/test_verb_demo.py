"""`churnml demo` on a market: the whole job, with consents as they were said. On real data the sample run covers it."""

import pytest

from command import churnml


def test_a_source_that_there_is_not_is_named_with_those_there_are(tmp_path):
    done = churnml("demo", "--source", "simulate", "--workspace", tmp_path / "workspace")
    assert done.code == 2
    assert "--source must be one of completejourney, simulated, got 'simulate'; did you mean" in done.err
    assert not (tmp_path / "workspace").exists()


@pytest.mark.long
def test_the_whole_job_runs_on_a_simulated_market(tmp_path):
    where = ("--workspace", tmp_path / "workspace", "--configs", tmp_path / "configs")
    done = churnml("demo", "--source", "simulated", "--no-serve", "--json", *where)
    assert done.code == 0, done.err
    body = done.body
    assert body["customers"] == 5_000
    assert body["consent"] == "recorded"
    assert 0 < body["treated"] < body["population"]
    assert "two years of a simulated market of 5,000 customers" in done.err
