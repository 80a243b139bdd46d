"""What training costs is told beside the trees inside it, of the same run."""

import pytest
from benchmarks.measure_models import Clock

from benchmarks import model_report

FOUND = {
    "snapshots": 1_000, "columns": 90, "fits": 20, "train": 30.0, "fits_alone": 20.0, "blend": 2.0, "trees": 1.0,
    "scored": 8.0,
}  # fmt: skip


def test_a_goal_is_met_at_its_bound_and_not_beyond():
    assert "≤ 1.5 | 1.50 | met" in model_report.goals(FOUND)
    assert "≤ 1.5 | 1.55 | not met" in model_report.goals(FOUND | {"train": 31.0})
    assert "≥ 1 | 0.50 | not met" in model_report.goals(FOUND)


def test_the_section_says_what_was_measured():
    assert "20 fits of trees, 1,000 snapshots of 90 columns" in model_report.section(FOUND)


def test_a_clock_counts_calls_and_time_and_lets_errors_through():
    clock = Clock(lambda n: sum(range(n)))
    assert clock(300_000) == 44_999_850_000
    with pytest.raises(TypeError):
        clock("no number")
    assert clock.calls == 2
    assert clock.seconds > 0
