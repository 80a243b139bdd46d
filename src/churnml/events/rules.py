"""The contract as SQL: how each kind of column is read from each kind of value, and which rules a row must keep.

A rule is a condition that is true of a broken row, with the words that tell a person what to do about it.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from churnml.errors import DataRefusedError, nearest
from churnml.events.schema import MONEY_SCALE, Column, Table

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
# spelt out, because the cast below it would read `01:00 PM` as one at night and pass over a zone it does not know
_DATE = "[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}"
_TIME = "[ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?"
_OFFSET = " ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)"
_DECIMAL = r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?"
_EARLIEST, _LATEST = "1900-01-01", "2200-01-01"

_RULES = {
    "text": ("must be a text", "fill it in"),
    "instant": (f"must be a date or time between {_EARLIEST} and {_LATEST}", "write it as 2017-03-31 14:05:00"),
    "integer": ("must be a whole number", "write it with digits only"),
    "number": ("must be a number", "write it with digits and a point"),
    "money": ("must be an amount", "write it with digits and a point, without a currency sign"),
    "json": ("must be one JSON object", 'write it as {"key": "value"}'),
}


@dataclass(frozen=True)
class Rule:
    """What a row must keep, as a condition that is true where it is broken."""

    column: str
    broken: str
    rule: str
    remedy: str


@dataclass(frozen=True)
class Reading:
    """How one table is read from one source: typed columns and rules, both as SQL over the source's columns."""

    typed: dict[str, str]
    rules: list[Rule]
    ignored: list[str]


def read_as(table: Table, relation: duckdb.DuckDBPyRelation, time_zone: str, origin: str) -> Reading:
    """Return how to read `relation` as `table`.

    Raises
    ------
    DataRefusedError
        If a required column is missing, or a column holds a type that cannot be read as its kind.
    """
    found = dict(zip(relation.columns, (str(kind) for kind in relation.types), strict=True))
    missing = [column.name for column in table.columns if column.required and column.name not in found]
    if missing:
        near = nearest(missing[0], set(found) - set(table.names))
        raise DataRefusedError(
            f"{origin}: table `{table.name}` needs the column `{missing[0]}`, found {_listed(found)}; "
            f"add or rename the column{near}"
        )
    typed, rules = {}, []
    for column in table.columns:
        if column.name not in found:
            continue
        value = _value(column, found[column.name], time_zone, origin)
        typed[column.name] = value
        rules += _rules(column, value, found[column.name])
    return Reading(typed, rules, sorted(set(found) - set(table.names) - {"source_row"}))


def _value(column: Column, found: str, time_zone: str, origin: str) -> str:
    """Return SQL that gives the value in our type, or NULL where it cannot be read."""
    name, text = f'"{column.name}"', found == "VARCHAR"
    number = found in {"DOUBLE", "FLOAT"} or found.startswith("DECIMAL") or found in _INTEGERS
    if column.kind == "instant" and (text or found.startswith(("TIMESTAMP", "DATE"))):
        return _instant(name, found, time_zone)
    if column.kind in {"text", "json"} and (text or found in _INTEGERS or found in {"UUID", "DATE"}):
        return f"{name}::VARCHAR"
    if column.kind == "integer" and (text or number):
        whole = f"regexp_full_match({name}, '[+-]?[0-9]+')" if text else f"{name} = floor({name})"
        return f"CASE WHEN {whole} THEN try_cast({name} AS BIGINT) END"
    if column.kind == "number" and (text or number):
        return f"try_cast({name} AS DOUBLE)"
    if column.kind == "money" and (text or number):
        decimal = f"try_cast({name} AS DECIMAL(30, 8))"
        read = f"CASE WHEN regexp_full_match({name}, '{_DECIMAL}') THEN {decimal} END" if text else decimal
        return f"try_cast(round({read} * {MONEY_SCALE}) AS BIGINT)"
    raise DataRefusedError(
        f"{origin}: column `{column.name}` {_RULES[column.kind][0]}, found the type {found}; export it as text"
    )


def _instant(name: str, found: str, time_zone: str) -> str:
    """Return microseconds UTC; a value without an offset is read in the source's zone."""
    if "TIME ZONE" in found or found.startswith("TIMESTAMPTZ"):  # pandas writes TIMESTAMPTZ_NS
        return f"epoch_us(try_cast({name} AS TIMESTAMPTZ))"
    local = f"try_cast({name} AS TIMESTAMP)"
    # the zone comes from a checked configuration, and DuckDB takes no parameter inside a view
    in_zone = local if time_zone == "UTC" else f"timezone('{time_zone}', {local})"
    read = f"WHEN isfinite({local}) THEN epoch_us({in_zone}) END"
    if found != "VARCHAR":
        return f"CASE {read}"
    offset = f"regexp_full_match({name}, '{_DATE}{_TIME}{_OFFSET}') THEN epoch_us(try_cast({name} AS TIMESTAMPTZ))"
    return f"CASE WHEN {offset} WHEN NOT regexp_full_match({name}, '{_DATE}({_TIME})?') THEN NULL {read}"


def _rules(column: Column, value: str, found: str) -> list[Rule]:
    name = f'"{column.name}"'
    rule, remedy = _RULES[column.kind]
    rules = []
    if column.required:
        rules.append(Rule(column.name, f"{name} IS NULL OR {name}::VARCHAR = ''", "must be filled", remedy))
    if column.kind == "json":
        an_object = f"CASE WHEN json_valid({name}) THEN json_type({name}) = 'OBJECT' ELSE false END"
        rules.append(Rule(column.name, f"{name} IS NOT NULL AND NOT {an_object}", rule, remedy))
    elif column.kind != "text":
        blank = f" AND {name} <> ''" if found == "VARCHAR" else ""
        rules.append(Rule(column.name, f"{name} IS NOT NULL{blank} AND ({value}) IS NULL", rule, remedy))
    if column.kind == "instant":
        within = f"BETWEEN epoch_us(TIMESTAMP '{_EARLIEST}') AND epoch_us(TIMESTAMP '{_LATEST}')"
        rules.append(Rule(column.name, f"({value}) NOT {within}", rule, remedy))
    scale = MONEY_SCALE if column.kind == "money" else 1
    if column.at_least is not None:
        words = f"must be at least {column.at_least}"
        rules.append(Rule(column.name, f"({value}) < {column.at_least * scale}", words, "correct it"))
    if column.at_most is not None:
        words = f"must be at most {column.at_most}"
        rules.append(Rule(column.name, f"({value}) > {column.at_most * scale}", words, "correct it"))
    return rules


def _listed(found: dict[str, str]) -> str:
    return ", ".join(f"`{name}`" for name in found if name != "source_row") or "no column at all"
