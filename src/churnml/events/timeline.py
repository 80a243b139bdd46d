"""What happened with one customer, as a person would tell it: their orders, visits, tickets, surveys, contacts.

It is told as it is known by now; no score is made of it. Acts that are alike on one day are one line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from churnml.database import Part
from churnml.events.clock import moment
from churnml.events.held_rows import bucket_of
from churnml.events.schema import MONEY_SCALE, TABLES

TOLD: Mapping[str, tuple[str, ...]] = {
    "orders": ("amount", "channel"),
    "returns": ("amount", "reason"),
    "interactions": ("kind", "channel"),
    "tickets": ("kind", "channel", "resolved_at"),
    "surveys": ("instrument", "score", "scale_min", "scale_max", "answered_at"),
    "subscriptions": ("plan", "amount", "period", "ended_at"),
    "contacts": ("action", "channel", "result", "arm"),
    "consents": ("purpose", "channel", "granted"),
}
"""What is told of a row of each table; what people wrote is left to where they wrote it."""
DATED = frozenset(column.name for table in TOLD for column in TABLES[table].columns if column.kind == "instant")
"""Which of these are instants."""
_ALIKE = ("interactions",)
Fact = str | float | bool | None


@dataclass(frozen=True)
class Happening:
    """Something that happened.

    Parameters
    ----------
    table : str
        Of the contract.
    occurred_at : int
        Microseconds UTC; of several, the latest.
    facts : dict
        Those of `TOLD`: money in units of the currency, instants in microseconds UTC, None where nothing is told.
    count : int
        How many alike there were on that day.
    """

    table: str
    occurred_at: int
    facts: dict[str, Fact]
    count: int = 1


def timeline(
    root: Path, parts: Iterable[Part], customer_id: str, time_zone: str, now: int, limit: int
) -> list[Happening]:
    """Return what happened with a customer, the latest first.

    Parameters
    ----------
    root : Path
        The workspace.
    parts : iterable of Part
        Those that count, of any tables.
    time_zone : str
        IANA zone of days.
    now : int
        Microseconds UTC; what was learned later is not told.
    limit : int
        How many at most.
    """
    whose = (pc.field("bucket") == bucket_of(customer_id)) & (pc.field("customer_id") == customer_id)
    found: list[Happening] = []
    for table, told in TOLD.items():
        rows = _rows(root, [part for part in parts if part.table_name == table], whose, told, now)
        some = [Happening(table, row["occurred_at"], _facts(table, told, row)) for row in rows]
        found += _together(some, time_zone) if table in _ALIKE else some
    return sorted(found, key=lambda one: one.occurred_at, reverse=True)[:limit]


def _rows(
    root: Path, parts: Sequence[Part], whose: pc.Expression, told: Sequence[str], now: int
) -> list[dict[str, Any]]:  # Any: values of every kind of column
    """Return the rows known at an instant, each once: what came later fills it, or takes its place."""
    rows: list[dict[str, Any]] = []
    for part in parts:
        names = pq.read_schema(root / part.path).names
        wanted = [one for one in ("row_key", "occurred_at", "ingested_at", *told) if one in names]
        table = pq.read_table(root / part.path, columns=wanted, filters=whose)
        rows += [dict.fromkeys(told) | row for row in table.to_pylist()]
    known = [row for row in rows if row.get("ingested_at", row["occurred_at"]) <= now]
    known.sort(key=lambda row: row.get("ingested_at", row["occurred_at"]))  # those of one part stay in their order
    merged: dict[object, dict[str, Any]] = {}
    for number, row in enumerate(known):
        key = row.pop("row_key", number)
        filled = {name: value for name, value in row.items() if value is not None}
        merged[key] = merged.get(key, row) | filled
    return list(merged.values())


def _facts(table: str, told: Sequence[str], row: Mapping[str, Any]) -> dict[str, Fact]:
    money = {column.name for column in TABLES[table].columns if column.kind == "money"}
    return {
        name: row[name] / MONEY_SCALE if name in money and row.get(name) is not None else row.get(name) for name in told
    }


def _together(found: Sequence[Happening], time_zone: str) -> list[Happening]:
    """Return one line for what is alike on one day, with how many there were."""
    lines: dict[tuple[object, ...], Happening] = {}
    for one in sorted(found, key=lambda one: one.occurred_at):
        key = (moment(one.occurred_at, time_zone).date(), *one.facts.values())
        before = lines.get(key)
        lines[key] = Happening(one.table, one.occurred_at, one.facts, before.count + 1 if before else 1)
    return list(lines.values())
