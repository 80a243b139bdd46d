"""Rows that come again: equal, filling in a later fact, a newer version, or in conflict with what stands.

Tomorrow's export holds most of today's rows. What is equal is skipped. A ticket now resolved is the same ticket with
one more fact, a customer who moved a newer version; both are kept, known from their own `ingested_at`. Anything else
that differs is a conflict: it is set aside, and the row that stands remains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from churnml.events.schema import MONEY_SCALE, Table

_FILLS, _NEWER = -2, -3
_AT_ONCE = 8_000_000


@dataclass(frozen=True)
class Repeated:
    """How many staged rows came again and land all the same: to fill in a later fact, or as a newer version."""

    fills: int = 0
    newer: int = 0


def mark_repeated(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    selected: str,
    landed: Sequence[str],
    number: int,
    begins: Sequence[int],
) -> list[Repeated]:
    """Mark the staged rows whose key stands already or comes twice: -1 where equal, `number` where in conflict.

    Parameters
    ----------
    selected : str
        The select list that gives every column of the contract from the staged table.
    landed : sequence of str
        The Parquet files of the table that count already.
    number : int
        Of the rule that conflicts break.
    begins : sequence of int
        Where each source begins in the staged table.

    Returns
    -------
    list of Repeated
        What came again of each source.
    """
    if not _find_repeated(connection, table, selected, landed):
        return [Repeated()] * len(begins)
    _gather(connection, table, selected, landed)
    compare = _versioned if table.versioned else _later if table.later else _plain
    connection.execute(f"CREATE OR REPLACE TEMP TABLE repeated AS {compare(table, number)}")
    connection.execute(f"""
        UPDATE staged_{table.name} SET broken = repeated.verdict, warned = 0,
            said = CASE WHEN repeated.verdict > 0
                   THEN to_json(struct_pack(value := repeated.said, whole := repeated.whole))::VARCHAR END
        FROM repeated WHERE staged_{table.name}.rowid = repeated.turn AND repeated.verdict IN (-1, {number})
    """)
    source = " + ".join(["0", *(f"(turn >= {place})::INTEGER" for place in begins[1:])])
    counts = connection.execute(f"SELECT {source} AS source, verdict, count(*) FROM repeated GROUP BY ALL").fetchall()
    found = {(one, verdict): count for one, verdict, count in counts}
    return [Repeated(found.get((one, _FILLS), 0), found.get((one, _NEWER), 0)) for one in range(len(begins))]


def _find_repeated(connection: duckdb.DuckDBPyConnection, table: Table, selected: str, landed: Sequence[str]) -> bool:
    """Find the hashes of the keys that come more than once; most landings have few, and only those are compared."""
    key = f"hash({', '.join(table.key)})"
    staged = f"SELECT {key} AS hashed FROM (SELECT {selected} FROM staged_{table.name} WHERE broken = 0)"
    twice = _twice(connection, staged)
    if not len(twice) and not landed:
        return False
    # from its buffer: pyarrow would import pandas to look at a NumPy array
    hashed = pa.Array.from_buffers(pa.uint64(), len(twice), [None, pa.py_buffer(twice)])
    connection.register("hashes", pa.table({"hashed": hashed}))
    connection.execute("CREATE OR REPLACE TEMP TABLE again AS SELECT DISTINCT hashed FROM hashes")
    connection.unregister("hashes")
    if landed:
        connection.execute(
            f"INSERT INTO again SELECT DISTINCT {key} FROM read_parquet($files) WHERE {key} IN ({staged})",
            {"files": list(landed)},
        )
    return bool(connection.execute("SELECT 1 FROM again LIMIT 1").fetchall())


def _twice(connection: duckdb.DuckDBPyConnection, hashes: str) -> npt.NDArray[np.uint64]:
    """Return the hashes that come twice or more.

    Sorting numbers costs a sixth of what grouping them does. They are taken in as many turns as keep memory flat.
    """
    ((rows,),) = connection.execute(f"SELECT count(*) FROM ({hashes})").fetchall()
    turns = rows // _AT_ONCE + 1
    found = []
    for turn in range(turns):
        own = f" WHERE hashed % {turns} = {turn}" if turns > 1 else ""
        values, filled = np.empty(rows, dtype=np.uint64), 0  # what is not filled takes no memory
        for piece in connection.sql(f"SELECT hashed FROM ({hashes}){own}").to_arrow_reader(1 << 17):
            values[filled : filled + len(piece)] = piece.column(0).to_numpy()
            filled += len(piece)
        values = values[:filled]
        values.sort()
        found.append(values[1:][values[1:] == values[:-1]])
    return np.concatenate(found)


def _gather(connection: duckdb.DuckDBPyConnection, table: Table, selected: str, landed: Sequence[str]) -> None:
    """Put the rows to compare into one table, those that stand first: `turn` is -1, then the place in the landing."""
    key, columns = f"hash({', '.join(table.key)})", ", ".join(table.names)
    standing = ""
    if landed:
        standing = f"""
            SELECT -1 AS turn, NULL AS whole, {columns} FROM read_parquet($files)
            WHERE {key} IN (SELECT hashed FROM again) UNION ALL
        """
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE everyone AS {standing}
        SELECT turn, {readable(table, table.names)} AS whole, {columns}
        FROM (SELECT rowid AS turn, {selected} FROM staged_{table.name} WHERE broken = 0)
        WHERE {key} IN (SELECT hashed FROM again)
        """,
        {"files": list(landed)} if landed else None,
    )


def _plain(table: Table, number: int) -> str:
    """Compare each row with the first of its key."""
    content = [name for name in table.names if name != "ingested_at"]
    return f"""
        SELECT turn, whole, CASE WHEN differing = [] THEN -1 ELSE {number} END AS verdict, {_said(table)} AS said
        FROM (SELECT *, {_differing(content, "first_value({0}) OVER earliest")} AS differing,
                     row_number() OVER earliest AS place
              FROM everyone WINDOW earliest AS (PARTITION BY {", ".join(table.key)} ORDER BY turn))
        WHERE place > 1 AND turn >= 0
    """


def _later(table: Table, number: int) -> str:
    """Compare what was known at once with the first row, and each later fact with the first one told.

    A later fact that is missing says nothing: an older export of the same row is no conflict.
    """
    at_once = ["customer_id", "occurred_at", *table.first_facts]
    facts = [name for dated in table.later.values() for name in dated]
    order = f"PARTITION BY {', '.join(table.key)} ORDER BY turn < 0 DESC, ingested_at, turn"
    before = f"first_value({{0}} IGNORE NULLS) OVER ({order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    changed = _contradicting(facts, before)
    # what contradicts the rows that stand is out first, so that no other row is measured by it
    stood = before.replace("{0}", "CASE WHEN turn < 0 THEN {0} END")
    filled = _filling(facts, before)
    columns = f"turn, whole, place, {', '.join(table.names)}"
    return f"""
        WITH same AS (
            SELECT *, {_differing(at_once, "first_value({0}) OVER first_row")} AS differing,
                   row_number() OVER first_row AS place
            FROM everyone WINDOW first_row AS ({order})
        ),
        faced AS (SELECT {columns}, {_contradicting(facts, stood)} AS differing FROM same WHERE differing = []),
        told AS (SELECT {columns}, {changed} AS differing FROM faced WHERE differing = []),
        kept AS (SELECT turn, whole, place, {filled} AS fills FROM told WHERE differing = [])
        SELECT turn, whole, CASE WHEN fills THEN {_FILLS} ELSE -1 END AS verdict, NULL AS said
        FROM kept WHERE place > 1 AND turn >= 0
        UNION ALL SELECT turn, whole, {number}, {_said(table)} FROM same WHERE differing <> [] AND turn >= 0
        UNION ALL SELECT turn, whole, {number}, {_said(table)} FROM faced WHERE differing <> [] AND turn >= 0
        UNION ALL SELECT turn, whole, {number}, {_said(table)} FROM told WHERE differing <> [] AND turn >= 0
    """


def _versioned(table: Table, number: int) -> str:
    """Compare each row with the version before it.

    A version is named by its key, `occurred_at` and `ingested_at`. Rows that share all three must agree, but for later
    facts that they fill in; and one that says what the version learned before it says, adds nothing.
    """
    facts = [name for dated in table.later.values() for name in dated]
    others = [name for name in table.names if name not in {"ingested_at", *facts}]
    key = f"PARTITION BY {', '.join((*table.key, 'occurred_at'))}"
    order = f"({key}, ingested_at ORDER BY turn < 0 DESC, turn)"
    before = f"first_value({{0}} IGNORE NULLS) OVER {order[:-1]} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    changed = _contradicting(facts, before)
    filled = _filling(facts, before)
    earlier = _differing([*others, *facts], "lag({0}) OVER earlier")
    return f"""
        WITH together AS (
            SELECT *, {_differing(others, f"first_value({{0}}) OVER {order}")} AS apart,
                   row_number() OVER {order} AS place
            FROM everyone
        ),
        agreeing AS (
            SELECT *, {changed} AS changed, {filled} AS fills FROM together WHERE apart = []
        ),
        compared AS (
            SELECT turn, whole, {earlier} AS differing, row_number() OVER earlier AS version
            FROM together WHERE place = 1 WINDOW earlier AS ({key} ORDER BY ingested_at)
        )
        SELECT turn, whole, NULL AS said, CASE WHEN differing = [] THEN -1 ELSE {_NEWER} END AS verdict
        FROM compared WHERE version > 1 AND turn >= 0
        UNION ALL SELECT turn, whole, {_said(table, "changed")},
            CASE WHEN changed <> [] THEN {number} WHEN fills THEN {_FILLS} ELSE -1 END
        FROM agreeing WHERE place > 1 AND turn >= 0
        UNION ALL SELECT turn, whole, {_said(table, "apart")}, {number} FROM together WHERE apart <> [] AND turn >= 0
    """


def _differing(names: Sequence[str], other: str, condition: str = "") -> str:
    """Return SQL for the list of the columns in which a row differs from another."""
    condition = condition or "{0} IS DISTINCT FROM " + other
    each = ", ".join(["NULL::VARCHAR", *(f"CASE WHEN {condition.format(name)} THEN '{name}' END" for name in names)])
    return f"list_filter([{each}], lambda name: name IS NOT NULL)"


def _contradicting(facts: Sequence[str], before: str) -> str:
    """Return SQL for the list of the later facts that are told otherwise than before."""
    return _differing(facts, before, "{0} IS NOT NULL AND " + before + " IS NOT NULL AND {0} <> " + before)


def _filling(facts: Sequence[str], before: str) -> str:
    """Return SQL that is true where a row tells a later fact that none before it told."""
    return " OR ".join(["false", *(f"({name} IS NOT NULL AND {before.format(name)} IS NULL)" for name in facts)])


def _said(table: Table, differing: str = "differing") -> str:
    """Return SQL for what a conflict is about: the key, and what differs."""
    written = {"instant": "strftime(make_timestamp({0}), '%Y-%m-%d %H:%M:%SZ')"}
    key = ", ".join(written.get(table.column(name).kind, "{0}::VARCHAR").format(name) for name in table.key)
    return f"concat_ws(', ', {key}) || ' differs in ' || array_to_string({differing}, ', ')"


def readable(table: Table, columns: Sequence[str]) -> str:
    """Return SQL for some columns of a typed row as a person would write them, for the quarantine."""
    shown = {"instant": "strftime(make_timestamp({0}), '%Y-%m-%d %H:%M:%S.%fZ')", "money": f"({{0}} / {MONEY_SCALE})"}
    kinds = {name: table.column(name).kind for name in columns}
    values = (f"{name} := {shown.get(kind, '{0}').format(name)}" for name, kind in kinds.items())
    return f"struct_pack({', '.join(values)})"
