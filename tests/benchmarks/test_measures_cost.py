"""What measures cost is told in raw scans, the opening of the books among it; what was left out is said."""

import pytest
from benchmarks.measures_report import goals, section, table


def cost(cpu):
    return {"cpu": cpu, "wall": cpu / 2, "memory": 10.0, "peak": 300.0}


FOUND = {
    "rows": 5_100_000, "customers": 100_000, "columns": 40, "scan": cost(2.0), "opening": cost(1.0),
    "measures": {"rhythm": cost(2.0), "kpis": cost(6.0)}, "left_out": {},
}  # fmt: skip


def test_all_of_it_is_the_opening_and_every_measure():
    assert "| all of it | 9.00 s | 4.50 | | |" in table(FOUND)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({}, "| 4.50 | met |"),
        ({"opening": cost(3.0)}, "| 5.50 | not met |"),
        ({"left_out": {"lifecycle": "no model"}}, "| 4.50 | met by these; 1 left out |"),
    ],
)
def test_the_goal_is_met_only_by_all_measures(other, told):
    assert told in goals(FOUND | other)


def test_the_section_says_what_was_left_out_and_why():
    assert "Left out: `lifecycle` (no model)." in section(FOUND | {"left_out": {"lifecycle": "no model"}})
