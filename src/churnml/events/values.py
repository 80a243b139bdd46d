"""How each kind of column is read from each kind of value, as SQL.

Every value is read strictly: what a cast would round, guess or wrap around is not read at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from churnml.events.clock import microseconds
from churnml.events.schema import MONEY_SCALE, Column
from churnml.events.sources import Format

INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
# spelt out, because the cast below it would read `01:00 PM` as one at night and pass over a zone it does not know
DATE = "[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}"
TIME = "[ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?"
_OFFSET = " ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)"
_PLAIN_TIME = "????-??-?? ??:??:??"
_DECIMAL = r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?"
_WHOLE = r"[+-]?[0-9]+([.]0*)?"
_EITHER = r"[+-]?[1-9][0-9]{0,2}[.][0-9]{3}"  # more than a thousand, or a little more than one
EARLIEST, LATEST = "1900-01-01", "2200-01-01"
_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
EPOCH = {"epoch_seconds": 1_000_000, "epoch_milliseconds": 1_000, "epoch_microseconds": 1}


def their_name(column: str) -> str:
    """Return the quoted name under which a staging query holds a column as the source has it.

    Whatever a source calls its columns, none can take the place of one of ours.
    """
    return '"their ' + column.replace('"', '""') + '"'


def read_name(column: str) -> str:
    """Return the quoted name under which a staging query holds the typed value of a column."""
    return f'"read {column}"'


def typed(column: Column, found: str, form: Format) -> str | None:
    """Return SQL that gives the value in our type, NULL where it cannot be read; None if the type does not suit."""
    name, text = their_name(column.name), found == "VARCHAR"
    number = found in {"DOUBLE", "FLOAT"} or found.startswith("DECIMAL") or found in INTEGERS
    readers: dict[str, Callable[[], str | None]] = {
        "instant": lambda: _instant(name, found, form),
        "text": lambda: _text(name, found),
        "json": lambda: _text(name, found),
        "boolean": lambda: _boolean(name, found),
        "integer": lambda: _integer(name, form, text=text) if text or number else None,
        "number": lambda: _number(name, form, text=text) if text or number else None,
        "money": lambda: _money(name, found, form) if text or number else None,
    }
    return readers[column.kind]()


def _text(name: str, found: str) -> str | None:
    if found == "VARCHAR":
        return f"nullif({name}, '')"
    whole = found in {*INTEGERS, "UUID", "DATE", "BOOLEAN"} or found.startswith("ENUM")
    return f"{name}::VARCHAR" if whole else None


def _boolean(name: str, found: str) -> str | None:
    if found == "BOOLEAN":
        return name
    if found != "VARCHAR" and found not in INTEGERS:
        return None
    said = f"lower({name}::VARCHAR)"
    return f"CASE WHEN {said} IN {_TRUE} THEN true WHEN {said} IN {_FALSE} THEN false END"


def _integer(name: str, form: Format, *, text: bool) -> str:
    if not text:
        return f"CASE WHEN {name} = floor({name}) THEN try_cast({name} AS BIGINT) END"
    plain = as_plain(name, form)
    exact = f"try_cast(try_cast({plain} AS DECIMAL(38, 4)) AS BIGINT)"
    # nearly all are digits alone, however others are written; to write them again costs half of what a pattern does
    digits = f"WHEN try_cast({name} AS BIGINT)::VARCHAR = {name} THEN {name}::BIGINT"
    return f"CASE {digits} WHEN regexp_full_match({plain}, '{_WHOLE}') THEN {exact} END"


def _number(name: str, form: Format, *, text: bool) -> str:
    if not text:
        return f"CASE WHEN isfinite({name}::DOUBLE) THEN {name}::DOUBLE END"
    plain = as_plain(name, form)
    number = f"try_cast({plain} AS DOUBLE)"  # of 1e400 it makes infinity
    return f"CASE WHEN regexp_full_match({plain}, '{_DECIMAL}') AND isfinite({number}) THEN {number} END"


def _money(name: str, found: str, form: Format) -> str:
    """Return 1/10,000 unit, rounded once; NULL where it is no amount or does not fit into 64 bits."""
    places, scale = kept_places(form)
    if found in INTEGERS:
        most = (2**63 - 1) // scale
        return f"CASE WHEN {name} BETWEEN {-most} AND {most} THEN {name}::BIGINT * {scale} END"
    if found in {"DOUBLE", "FLOAT"}:
        exact = as_double(name, found)
        return f"CASE WHEN abs({exact} * {scale}) < 9.2233720368547e18 THEN round({exact} * {scale})::BIGINT END"
    plain = as_plain(name, form) if found == "VARCHAR" else name
    wide = f"try_cast(try_cast({plain} AS DECIMAL(24, {places})) * {scale} AS BIGINT)"
    if found != "VARCHAR":
        return wide
    # ten digits times the scale stay within 64 bits, which is a third of the cost; only an exponent makes them more
    short = f"(try_cast({plain} AS DECIMAL({10 + places}, {places})) * {scale})::BIGINT"
    short = f"coalesce({short}, CASE WHEN {with_exponent(plain)} THEN {wide} END)"
    # the cast takes nothing that is not a number but 1_000, and costs a third of a pattern
    return f"CASE WHEN strpos({plain}, '_') > 0 THEN NULL WHEN strlen({plain}) <= 10 THEN {short} ELSE {wide} END"


def kept_places(form: Format) -> tuple[int, int]:
    """Return how many places of an amount as it is written are kept, and what it is multiplied by."""
    return (2, MONEY_SCALE // 100) if form.unit == "cents" else (4, MONEY_SCALE)


def as_double(name: str, found: str) -> str:
    """Return a floating value as it would be written: 12.34 of four bytes is not 12.34000015."""
    return f"{name}::VARCHAR::DOUBLE" if found == "FLOAT" else name


def with_exponent(plain: str) -> str:
    """Return SQL that is true of a text that would be a number with an exponent, if it is one."""
    return f"(contains({plain}, 'e') OR contains({plain}, 'E'))"


def as_plain(name: str, form: Format) -> str:
    """Return a written number with a point and without groups; one that is grouped wrongly becomes NULL."""
    name = without_sign(name, form)
    if form.whole:
        return f"CASE WHEN NOT regexp_full_match({name}, '{_EITHER}') THEN {name} END"
    if not form.thousands and form.decimal == ".":
        return name
    mark, group = f"[{form.decimal}]", f"[{form.thousands}]" if form.thousands else ""
    digits = f"([0-9]{{1,3}}({group}[0-9]{{3}})+|[0-9]+)" if group else "[0-9]+"
    bare = f"replace({name}, {quoted(form.thousands)}, '')" if group else name
    whole = quoted(f"[+-]?{digits}({mark}[0-9]*)?")
    return f"CASE WHEN regexp_full_match({name}, {whole}) THEN replace({bare}, {quoted(form.decimal)}, '.') END"


def without_sign(name: str, form: Format) -> str:
    """Return a written amount without the currency sign before or behind it; another sign stays, and is no number."""
    if not form.sign:
        return name
    escaped, blanks = re.escape(form.sign), "[ \u00a0\u202f\u2009]*"
    before = quoted(f"^{blanks}([+-]?){blanks}{escaped}{blanks}([+-]?[0-9])")
    return f"regexp_replace(regexp_replace({name}, {before}, '\\1\\2'), {quoted(f'{blanks}{escaped}{blanks}$')}, '')"


def _instant(name: str, found: str, form: Format) -> str | None:
    """Return microseconds UTC; a value without an offset is read in the source's zone."""
    text = found == "VARCHAR"
    if counted := _counted(name, found, form):
        return counted
    if "TIME ZONE" in found or found.startswith("TIMESTAMPTZ"):  # pandas writes TIMESTAMPTZ_NS
        return f"epoch_us(try_cast({name} AS TIMESTAMPTZ))"
    if not text:
        read = _in_zone(f"try_cast({name} AS TIMESTAMP)", form.time_zone)
        return read if found.startswith(("TIMESTAMP", "DATE")) else None
    if form.instant:
        parsed = f"try_strptime({name}, {quoted(form.instant)})"
        return f"epoch_us({parsed})" if "%z" in form.instant else _in_zone(parsed, form.time_zone)
    plain = f"try_cast({name} AS TIMESTAMP)"
    read = _in_zone(plain, form.time_zone)
    offset = f"regexp_replace(regexp_replace({name}, 'UTC$', 'Z'), ' ([Z+-])', '\\1')"  # the cast takes no blank there
    # most files hold nothing but the first form; telling it costs a third of what the general pattern costs
    return (
        f"CASE WHEN strlen({name}) = 19 AND {name} GLOB '{_PLAIN_TIME}' THEN {_zoned(plain, form.time_zone)} "
        f"WHEN regexp_full_match({name}, '{DATE}({TIME})?') THEN {read} "
        f"WHEN regexp_full_match({name}, '{DATE}{TIME}{_OFFSET}') "
        f"THEN epoch_us(try_cast({offset} AS TIMESTAMPTZ)) END"
    )


def _counted(name: str, found: str, form: Format) -> str:
    """Return SQL for an instant that is written as a count, where the form says of what; else an empty text."""
    text = found == "VARCHAR"
    if form.unit == "excel_days" and (text or found in {"DOUBLE", "FLOAT", *INTEGERS}):
        return _in_zone(excel_time(name), form.time_zone)
    if form.unit not in EPOCH or not (text or found in INTEGERS):
        return ""
    unit, (first, last) = EPOCH[form.unit], bounds()
    if text:  # so many digits reach beyond the last year there may be, and not beyond 64 bits
        digits = len(str(last // unit))
        return f"CASE WHEN regexp_full_match({name}, '0*[0-9]{{1,{digits}}}') THEN {name}::BIGINT * {unit} END"
    return f"CASE WHEN {name} BETWEEN {first // unit} AND {last // unit} THEN {name}::BIGINT * {unit} END"


def excel_time(name: str) -> str:
    """Return the local time that a count of days stands for, as spreadsheets keep it, NULL where it is none."""
    days = f"CASE WHEN regexp_full_match({name}::VARCHAR, '[0-9]{{1,6}}([.][0-9]+)?') THEN {name}::DOUBLE END"
    return f"(TIMESTAMP '1899-12-30' + to_seconds(round(({days}) * 86400)))"


def bounds() -> tuple[int, int]:
    """Return the first and the last instant there may be, microseconds UTC."""
    first, last = (microseconds(datetime.fromisoformat(f"{day}T00:00:00+00:00")) for day in (EARLIEST, LATEST))
    return first, last


def _in_zone(local: str, time_zone: str) -> str:
    return f"CASE WHEN isfinite({local}) THEN {_zoned(local, time_zone)} END"


def _zoned(local: str, time_zone: str) -> str:
    # the zone comes from a checked configuration, and DuckDB takes no parameter inside a view
    return f"epoch_us({local})" if time_zone == "UTC" else f"epoch_us(timezone({quoted(time_zone)}, {local}))"


def in_turn(first: str, then: str) -> str:
    """Return SQL that is true where both conditions are, and asks the second only where the first is true.

    DuckDB asks the conditions of an `AND` in whatever order it likes, a dear one before a cheap one too.
    """
    return f"CASE WHEN {first} THEN {then} ELSE false END"


def quoted(text: str) -> str:
    """Return a text as an SQL literal; what comes here was checked when the configuration was read."""
    return "'" + text.replace("'", "''") + "'"
