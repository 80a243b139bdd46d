"""Everybody of the base is counted once by each measure that tells them apart, whatever it tells them apart by."""

import sqlite3

from journeys import copied

DAYS = ("--from", "2017-11-01", "--to", "2018-01-01", "--json")
_TABLES = {
    "lifecycle": {"lifecycle_flow": "end"},
    "segments": {"segments_rfm": "customers", "segments_value_risk": "customers"},
    "funnel": {"funnel_standing": "customers"},
    "strategy": {"strategy": "customers"},
}


def test_stages_segments_the_funnel_and_the_strategy_each_add_up_to_the_base(journey, tmp_path):
    own = copied(journey, tmp_path)
    with sqlite3.connect(own.workspace.database) as database:  # as of who became known after the scores
        database.execute("DELETE FROM records WHERE customer_id IN (SELECT customer_id FROM records LIMIT 60)")
    bodies = {name: own.churnml(f"measure {name}", *DAYS).body for name in _TABLES}
    sums = {
        table["name"]: sum(row[_TABLES[name][table["name"]]] or 0 for row in table["rows"])
        for name, body in bodies.items()
        for table in body["measures"]
        if table["name"] in _TABLES[name]
    }
    assert sums == dict.fromkeys(sums, bodies["strategy"]["base"])
    assert sorted(sums) == sorted(table for tables in _TABLES.values() for table in tables)
    unseen = [row for row in bodies["strategy"]["measures"][0]["rows"] if row["stage"] == "unseen"]
    assert [row["action"] for row in unseen] == [None]
    assert any("are not in these scores" in one["en"] for one in bodies["strategy"]["measures"][0]["remarks"])
