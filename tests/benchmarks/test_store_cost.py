"""What the store costs is told by the slower of the two databases, less what making the records took."""

import pytest
from benchmarks.store_records import record
from benchmarks.store_report import goals, section, table

FAST = {
    "database": "sqlite",
    "records": 1_000_000,
    "bytes": 2_583,
    "written": {"cpu": 22e-6, "wall": 25e-6},
    "plain": {"cpu": 60e-6, "wall": 85e-6},
    "made": {"cpu": 5e-6, "wall": 5e-6},
    "deep_page": 1_000,
    "first": 0.002,
    "deep": 0.0022,
}
SLOW = FAST | {"database": "postgresql", "written": {"cpu": 30e-6, "wall": 40e-6}}


def test_making_the_records_is_not_counted():
    assert "| SQLite | 20.0 | 17.0 | 0.25 | 2.0 ms | 2.2 ms | 1.10 |" in table([FAST])


def test_the_slower_database_is_judged():
    assert "| seconds for a million records | ≤ 30 | 35.0 | not met |" in goals([FAST, SLOW])
    assert "| a page deep down / the first | ≤ 1.5 | 1.10 | met |" in goals([FAST, SLOW])


def test_the_section_tells_what_was_left_out():
    assert "what making them took is\n  taken off" in section([FAST, SLOW])


@pytest.mark.parametrize("number", [0, 1, 999_999])
def test_a_record_is_the_same_whenever_it_is_made(number):
    assert record(number) == record(number)
    assert record(number)["customer_id"] == f"C{number:09}"
