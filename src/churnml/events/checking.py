"""Check one source against the contract: stage its rows, mark each broken one with the rule it breaks.

Everything is decided in DuckDB, in a table `staged_<table>` whose column `broken` is 0 for a good row, -1 for one that
stands already, and else the number of the broken rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from churnml.errors import DataRefusedError
from churnml.events.clock import DAY
from churnml.events.rules import Reading, Rule, read_as
from churnml.events.schema import TABLES, Column, Table
from churnml.events.sources import ROW, Source
from churnml.events.sources.files import told_by

_EXAMPLES = 20
# what DuckDB raises when the data are at fault; anything else it raises is a bug of ours and keeps its traceback
_DATA_ERRORS = (
    duckdb.InvalidInputException,
    duckdb.IOException,
    duckdb.ConversionException,
    duckdb.OutOfRangeException,
)
_UNKNOWN = Rule("customer_id", "false", "must be a customer of the table `customers`", "land the customer first")
_TWICE = Rule("", "false", "must not name two different rows", "keep the right one; the first stood")


@dataclass(frozen=True)
class TableReport:
    """What became of one source: rows read, landed, skipped as known, set aside; and why.

    Parameters
    ----------
    backfill : bool
        Its rows bore no `ingested_at` and count as known when they happened.
    learned_now : bool
        Its rows bore none and count as learned at the landing, so that no earlier cutoff sees them.
    """

    table: str
    origin: str
    read: int
    landed: int
    skipped: int
    quarantined: int
    broken_rules: dict[str, int]
    examples: list[dict[str, Any]]  # Any: JSON values of a quarantined row
    ignored_columns: list[str]
    backfill: bool
    learned_now: bool


@dataclass(frozen=True)
class Checked:
    """A source that was checked: its rules, in the order of their numbers, and what came of it."""

    source: Source
    rules: list[Rule]
    report: TableReport


def check(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    landed: dict[str, list[str]],
    max_bad_share: float,
    now: int,
    *,
    backfill: bool = False,
) -> Checked:
    """Stage one source as a typed table whose broken rows say which rule they break.

    Parameters
    ----------
    landed : dict of str to list of str
        The Parquet files that count already, by table.
    max_bad_share : float
        Share of broken rows above which the source is refused.
    now : int
        Landing time, microseconds UTC; nothing may have happened more than a day after it.
    backfill : bool
        Take rows without `ingested_at` as known when they happened, though it is not the table's first landing.

    Raises
    ------
    DataRefusedError
        If the source cannot be read, misses a column, or breaks too many rules.
    """
    table, standing = TABLES[source.table], landed.get(source.table, [])
    try:
        relation = source.rows(connection)
        reading = read_as(table, relation, source.time_zone, source.origin)
        relation.create_view("raw", replace=True)
        reading.rules.append(_not_after(reading, now + DAY))
        rules = [*reading.rules, _UNKNOWN, _TWICE]
        known_then = backfill or not standing
        _stage(connection, table, reading, None if known_then else now)
    except _DATA_ERRORS as error:
        raise DataRefusedError(
            f"{source.origin}: cannot be read to its end ({told_by(error)}); nothing landed, correct the file"
        ) from error
    if table.name != "customers":
        _mark_unknown(connection, landed.get("customers", []), table, rules.index(_UNKNOWN) + 1)
    _mark_repeated(connection, table, standing, rules.index(_TWICE) + 1)
    report = _report(connection, source, reading, rules, known_then=known_then)
    _refuse_if_too_many(report, max_bad_share)
    return Checked(source, rules, report)


def _not_after(reading: Reading, latest: int) -> Rule:
    broken = f"({reading.typed['occurred_at']}) > {int(latest)}"
    return Rule(
        "occurred_at", broken, "must not lie in the future", "correct the date, or bring the row when it is due"
    )


def _stage(connection: duckdb.DuckDBPyConnection, table: Table, reading: Reading, now: int | None) -> None:
    """Type every column; a row without `ingested_at` is stamped `now`, or its own time where `now` is None."""
    own_time = reading.typed["occurred_at"]
    learned = own_time if now is None else str(int(now))
    typed = reading.typed | {"ingested_at": f"coalesce({reading.typed.get('ingested_at', 'NULL')}, {learned})"}
    columns = [_cast(column, typed.get(column.name, "NULL")) for column in table.columns]
    broken = " ".join(f"WHEN {rule.broken} THEN {number}" for number, rule in enumerate(reading.rules, 1))
    value = " ".join(f'WHEN {number} THEN "{rule.column}"::VARCHAR' for number, rule in enumerate(reading.rules, 1))
    key = " || chr(31) || ".join(f"coalesce({name}::VARCHAR, '')" for name in table.key)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE staged_{table.name} AS
        SELECT *, (md5_number_lower(customer_id) % 65536)::INTEGER AS bucket,
               (md5_number_lower({key}) >> 1)::BIGINT AS row_key
        FROM (
            SELECT {ROW}, {", ".join(columns)}, broken, CASE broken {value} END AS broken_value
            FROM (SELECT {ROW}, {", ".join(reading.typed)}, CASE {broken} ELSE 0 END AS broken FROM raw)
        )
    """)


def _cast(column: Column, read: str) -> str:
    if column.kind in {"text", "json"}:
        return f"nullif(({read})::VARCHAR, '') AS {column.name}"
    return f"({read})::{'DOUBLE' if column.kind == 'number' else 'BIGINT'} AS {column.name}"


def _mark_unknown(connection: duckdb.DuckDBPyConnection, landed: list[str], table: Table, number: int) -> None:
    """Mark rows of customers who neither stand already nor arrive with this landing."""
    known = "SELECT NULL::VARCHAR AS customer_id WHERE false"
    if landed:
        known += " UNION ALL SELECT customer_id FROM read_parquet($files)"
    if connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'staged_customers'").fetchall():
        known += " UNION ALL SELECT customer_id FROM staged_customers WHERE broken = 0"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE known AS SELECT DISTINCT customer_id FROM ({known})",
        {"files": landed} if landed else None,
    )
    connection.execute(
        f"UPDATE staged_{table.name} SET broken = $number, broken_value = customer_id "
        "WHERE broken = 0 AND customer_id NOT IN (SELECT customer_id FROM known)",
        {"number": number},
    )


def _mark_repeated(connection: duckdb.DuckDBPyConnection, table: Table, landed: list[str], number: int) -> None:
    """Mark rows whose key stands already: -1 where they are equal (skipped), the rule's number where they differ."""
    names = [name for name in table.names if name != "ingested_at"]
    content = ", ".join(names)
    key = ", ".join(table.key)
    staged = f"staged_{table.name}"
    standing = f"SELECT row_key, 0 AS turn, {content} FROM read_parquet($files) UNION ALL" if landed else ""
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE repeated AS
        WITH everyone AS ({standing} SELECT row_key, {ROW} AS turn, {content} FROM {staged} WHERE broken = 0),
        twice AS (SELECT row_key FROM everyone GROUP BY row_key HAVING count(*) > 1),
        ranked AS (
            SELECT turn, hash({content}) AS content, concat_ws(', ', {key}) AS key_text,
                   first_value(hash({content})) OVER (PARTITION BY row_key ORDER BY turn) AS first_content,
                   row_number() OVER (PARTITION BY row_key ORDER BY turn) AS place
            FROM everyone SEMI JOIN twice USING (row_key)
        )
        SELECT turn, key_text, CASE WHEN content = first_content THEN -1 ELSE {int(number)} END AS broken
        FROM ranked WHERE place > 1 AND turn > 0
        """,
        {"files": landed} if landed else None,
    )
    connection.execute(
        f"UPDATE {staged} SET broken = repeated.broken, broken_value = repeated.key_text "
        f"FROM repeated WHERE {staged}.{ROW} = repeated.turn"
    )


def _report(
    connection: duckdb.DuckDBPyConnection, source: Source, reading: Reading, rules: list[Rule], *, known_then: bool
) -> TableReport:
    undated = "ingested_at" not in reading.typed
    counts = dict(connection.execute(f"SELECT broken, count(*) FROM staged_{source.table} GROUP BY broken").fetchall())
    broken = {number: count for number, count in sorted(counts.items()) if number > 0}
    return TableReport(
        table=source.table,
        origin=source.origin,
        read=sum(counts.values()),
        landed=counts.get(0, 0),
        skipped=counts.get(-1, 0),
        quarantined=sum(broken.values()),
        broken_rules={f"{_column(source, rules[n - 1])} {rules[n - 1].rule}": count for n, count in broken.items()},
        examples=list(set_aside(connection, source, rules, _EXAMPLES)),
        ignored_columns=reading.ignored,
        backfill=undated and known_then,
        learned_now=undated and not known_then,
    )


def set_aside(
    connection: duckdb.DuckDBPyConnection, source: Source, rules: list[Rule], limit: int = 1 << 62
) -> Iterator[dict[str, Any]]:  # Any: JSON values
    """Yield each broken row as file, row, column, value, rule and remedy, in the order of the file."""
    rows = connection.execute(
        f"SELECT {ROW}, broken, broken_value FROM staged_{source.table} WHERE broken > 0 ORDER BY {ROW} LIMIT $limit",
        {"limit": limit},
    )
    while row := rows.fetchone():
        number, broken, value = row
        rule = rules[broken - 1]
        found = {"file": source.origin, "row": number, "column": _column(source, rule), "value": value}
        yield found | {"rule": rule.rule, "remedy": rule.remedy}


def _column(source: Source, rule: Rule) -> str:
    return rule.column or ", ".join(TABLES[source.table].key)


def _refuse_if_too_many(report: TableReport, max_bad_share: float) -> None:
    if report.quarantined <= max_bad_share * report.read:
        return
    first = report.examples[0]
    raise DataRefusedError(
        f"{report.origin}: at most {max_bad_share:.0%} of the rows may break a rule, found {report.quarantined:,} of "
        f"{report.read:,}; first: data row {first['row']}, column `{first['column']}` {first['rule']}, found "
        f"{first['value']!r}: {first['remedy']}. Nothing landed; correct the file, or raise `max_bad_share` in "
        "configs/workspace.yaml"
    )
