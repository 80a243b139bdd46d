"""What fits are measured on, and the section that says what they cost."""

import numpy as np
from benchmarks.fit_report import SIZES, Measured
from benchmarks.measure_fit import measure
from benchmarks.rhythm_world import customers

from benchmarks import fit_report

FOUND = {
    (name, size): Measured(cpu, 2 * cpu, {"r": r})
    for name, cpus, r in (("churnml", (0.01, 0.1), 0.5), ("lifetimes", (0.04, 3.0), 0.500005))
    for size, cpu in zip(SIZES, cpus, strict=True)
}


def test_customers_are_the_same_for_the_same_seed_and_told_in_whole_days():
    one, other = customers(2_000, seed=3), customers(2_000, seed=3)
    assert all((a == b).all() for a, b in zip(one, other, strict=True))
    assert all((column % 1 == 0).all() for column in one[:3])
    assert ((one[0] > 0) == (one[1] > 0)).all()


def test_a_measurement_tells_what_was_found_beside_what_it_cost():
    found = measure("churnml", 2_000)
    assert set(found["parameters"]) == {"r", "alpha", "a", "b", "p", "q", "v"}
    assert found["cost"]["cpu"] > 0
    assert np.isfinite(list(found["parameters"].values())).all()


def test_cost_is_told_as_so_many_times_ours():
    assert "| 200,000 | 0.100 s | 3.000 s | 30.0 | 30.0 | 1e-05 |" in fit_report.table(FOUND)


def test_goals_met_and_missed_are_called_so():
    goals = fit_report.goals(FOUND)
    assert "at 2,357 customers | 3 | 4.0 | met |" in goals
    assert "at 200,000 customers | 10 | 30.0 | met |" in goals
    assert "at 200,000 customers | 50 | 30.0 | not met |" in goals
    assert "| 1e-04 | 1e-05 | met |" in goals
