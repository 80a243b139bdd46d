"""A row in a request is judged as the same row in a file is: SQL and Python are held against each other."""

import json
import random

import pytest

from churnml.events import TABLES
from churnml.events.row_check import Broken, Door, check_row, check_rows
from small import NOW

ODD = {
    "instant": [
        "2020-02-30", "2020-03-31", "2020-03-31 14:05", "2020-03-31T14:05:00Z", "2020-03-31 14:05:00 +02:00",
        "2020/3/1 1:02:03.1234567", "2020-03-31 24:00:00", "2020-03-31 24:00:01", "2020-03-31 10:61:00", "1899-12-31",
        "2021-03-28 02:30:00", "2021-10-31 02:30:00", "2020-03-31 14:05:00-0930", "2020-03/31", "gestern", 1585663500,
        "2020-03-31 14:05:00+99:00", "2022-06-01", "2020-03-31 14:05:00 UTC", "2020-03-31 ", "2020-03-31X14:05:00",
    ],
    "money": [
        "12.34", 12.34, 12, "-5", "1e3", ".5", "5.", "1_000", "1,5", "0.00005", "-0.00005", 0.1, "99999999999999999",
        "922337203685477.5808", "-922337203685477.5808", " 5 ", "+5", "", "1e400", "5e", "0x10", True, "1e-5", "€5",
    ],
    "integer": ["3", 3, 3.0, 3.5, "3.", "+4", "-1", "1e3", "9223372036854775807", "9223372036854775808", "x", "007"],
    "number": ["0.5", 1, "1e400", "-3", ".", "1e2", "nan", "inf", " 1", "5.5e-3", "1.2.3"],
    "boolean": ["true", True, False, "T", "no", "0", 1, "2", "ja", ""],
    "json": ['{"a": "b"}', {"a": "b", "c": {"d": 1}}, "[]", "{", '"x"', {}, "null"],
    "text": ["a", "", "00123", 123, 1.5, True, ["a"], {"a": 1}, "ü€", "csat", "nps", "control", "month", "week"],
}  # fmt: skip


def rows_of(table, seed, count=250):
    """Return rows of a table: each with a few odd values among sound ones, keyed apart."""
    chance = random.Random(seed)  # noqa: S311
    sound = {
        "instant": "2020-03-31 14:05:00", "money": "12.50", "integer": 2, "number": 0.5, "boolean": True,
        "json": {"a": "b"}, "text": "word",
    }  # fmt: skip
    among = {column.name: column.among for column in table.columns if column.among}
    rows = []
    for number in range(count):
        row = {column.name: sound[column.kind] for column in table.columns if chance.random() < 0.7 or column.required}
        row |= {name: chance.choice(words) for name, words in among.items() if name in row}
        row |= {
            name: f"{name} {number}" for name in table.key if table.column(name).kind == "text" and name not in among
        }
        for column in chance.sample(table.columns, 2):
            if chance.random() < 0.5:
                row[column.name] = chance.choice([*ODD[column.kind], None])
        rows.append(row)
    return rows


OF_SEVERAL = {"must not name two different rows", "must be a customer of the table `customers`"}


@pytest.mark.parametrize("name", TABLES)
def test_a_row_in_a_request_is_judged_as_the_same_row_in_a_file_is(make_tiny, name):
    zone = "Europe/Berlin"
    table, tiny = TABLES[name], make_tiny(time_zone=zone)
    rows = rows_of(table, f"{name} {zone}")
    lines, aside = "".join(json.dumps(row) + "\n" for row in rows), tiny.folder / "aside.jsonl"
    tiny.ingest(name, tiny.file("rows.jsonl", lines), rows_file=aside, check_only=True)
    found = [json.loads(line) for line in aside.read_text().splitlines()]
    found = [row for row in found if row["kind"] == "quarantine" and row["rule"] not in OF_SEVERAL]
    judged = enumerate(check_rows(table, rows, Door(zone, "EUR"), NOW))
    told = {n + 1: (one.column, one.rule) for n, one in judged if isinstance(one, Broken)}
    assert told == {row["row"]: (row["column"], row["rule"]) for row in found}


@pytest.mark.parametrize("name", TABLES)
def test_a_row_among_others_is_judged_as_it_is_alone(name):
    rows, door = rows_of(TABLES[name], f"{name} alone"), Door("Europe/Berlin", "EUR")
    assert check_rows(TABLES[name], rows, door, NOW) == [check_row(TABLES[name], row, door, NOW) for row in rows]
