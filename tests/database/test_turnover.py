"""Who came to high risk between two runs and who left it, of a few customers who are told one by one."""

import pytest

from churnml.database import Catalogue, Records, open_engine
from churnml.database.turnover import Group, turnover

DAY = 86_400_000_000
BEFORE = 100 * DAY  # 1970-04-11
ORDERED, SILENT = "1970-04-11T00:00:00+00:00", "1970-04-10T23:59:59+00:00"
WAS = [
    ("stays", "high", 10.0, SILENT),
    ("buys", "high", 20.0, SILENT),
    ("calms", "high", 30.0, SILENT),
    ("leaves", "high", 40.0, SILENT),
    ("erased", "high", 50.0, SILENT),
    ("rises", "medium", 5.0, SILENT),
    ("returns", None, None, SILENT),
    ("rests", "low", 1.0, SILENT),
]
NOW = [
    ("stays", "high", 11.0, ORDERED),
    ("buys", "low", 2.0, ORDERED),
    ("calms", "medium", 3.0, SILENT),
    ("leaves", None, None, SILENT),
    ("rises", "high", 6.0, SILENT),
    ("returns", "high", 7.0, ORDERED),
    ("comes", "high", 8.0, ORDERED),
    ("rests", "low", 1.0, ORDERED),
]


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request, tmp_path):
    made = open_engine(
        request.getfixturevalue("postgres").new_database() if request.param == "postgresql" else tmp_path / "one.db"
    )
    yield made
    made.dispose()


def run_of(engine, people):
    run_id = Catalogue(engine).start("score", "inputs", 1)
    names = ("customer_id", "risk_band", "value_at_risk", "last_order_on")
    Records(engine).write(run_id, [dict(zip(names, one, strict=True)) | {"reasons": []} for one in people])
    return run_id


def test_everybody_who_is_or_was_at_high_risk_is_counted_once_with_what_they_are_worth(engine):
    before, now = run_of(engine, WAS), run_of(engine, NOW)
    with engine.connect() as connection:
        found = turnover(connection, now, before, BEFORE)
    assert found.stayed == Group(1, 11.0)
    assert found.came == {"lower": Group(1, 6.0), "new": Group(2, 15.0)}
    assert found.left == {"ordered": Group(1, 20.0), "lower": Group(1, 30.0), "unscored": Group(2, 90.0)}


def test_where_nobody_is_at_high_risk_nothing_is_counted(engine):
    before, now = run_of(engine, WAS[-1:]), run_of(engine, NOW[-1:])
    with engine.connect() as connection:
        found = turnover(connection, now, before, BEFORE)
    assert {found.stayed, *found.came.values(), *found.left.values()} == {Group()}
