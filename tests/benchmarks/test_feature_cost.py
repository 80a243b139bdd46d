"""What the section on features says of what was measured."""

import pytest
from benchmarks.cost import Cost
from benchmarks.report import COLUMNS, Measured, World

from benchmarks import report

WORLD = World(rows=5_000_000, customers=100_000, features=100)
CPU = dict(zip(COLUMNS, (1, 2, 6, 8, 3, 18, 24, 4, 72, 40, 96), strict=True))
FOUND = {name: Measured(Cost(cpu, cpu, 280, 0), Cost(cpu / 10, cpu, 158, 0)) for name, cpu in CPU.items()}


def test_each_is_told_against_the_raw_scan_and_against_churnml_at_as_many_cutoffs():
    assert "| churnml, 12 cutoffs | 4.0 | 4.0 |  |  |" in report.table(FOUND)
    assert "| Polars tuned, 12 cutoffs | 40.0 | 40.0 | 10.00 | 1.00 |" in report.table(FOUND)


def test_growth_is_told_over_rows_and_over_cutoffs():
    assert "| Polars | 1.00 | 1.00 | 1.00 | 1.00 |" in report.growth(FOUND)


@pytest.mark.parametrize(
    "line",
    [
        "| CPU at 1 cutoff / raw scan | 2.00 | 2.00 | met |",
        "| CPU at 12 cutoffs / raw scan | 3.50 | 4.00 | not met |",
        "| CPU of each further cutoff / raw scan | 0.15 | 0.18 | not met |",
        "| CPU at 12 cutoffs / Polars | 0.12 | 0.06 | met |",
        "| memory beside the answer, of 10 times the rows / of the rows | 1.50 | 1.33 | met |",
    ],
)
def test_a_goal_stands_beside_what_was_found(line):
    assert line in report.goals(FOUND, WORLD)


def test_the_section_holds_all_three_tables():
    section = report.section(FOUND, WORLD)
    assert all(part in section for part in (report.table(FOUND), report.growth(FOUND), report.goals(FOUND, WORLD)))
