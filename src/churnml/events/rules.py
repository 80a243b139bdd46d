"""The contract as SQL: how each kind of column is read from each kind of value, and which rules a row must keep.

A rule is a condition that is true of a row that breaks it, with the words that tell a person what to do about it.
Every value is read strictly: what a cast would round, guess or wrap around is not read at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb

from churnml.errors import DataRefusedError, nearest
from churnml.events.schema import MONEY_SCALE, Column, Table
from churnml.events.sources import ROW, Format

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
# spelt out, because the cast below it would read `01:00 PM` as one at night and pass over a zone it does not know
_DATE = "[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}"
_TIME = "[ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?"
_OFFSET = " ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)"
_PLAIN_TIME = "____-__-__ __:__:__"
_DECIMAL = r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?"
_WHOLE = r"[+-]?[0-9]+([.]0*)?"
_EITHER = r"[+-]?[1-9][0-9]{0,2}[.][0-9]{3}"  # more than a thousand, or a little more than one
_EARLIEST, _LATEST = "1900-01-01", "2200-01-01"
_LONGEST_ID = 256
_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
_EPOCH = {"epoch_seconds": 1_000_000, "epoch_milliseconds": 1_000, "epoch_microseconds": 1}

_WORDS = {
    "text": ("must be a text", "fill it in"),
    "instant": (
        f"must be a date or time between {_EARLIEST} and {_LATEST}",
        "write it as 2017-03-31 14:05:00, or declare its `format` or `unit` in sources.yaml",
    ),
    "integer": ("must be a whole number", "write it with digits only"),
    "number": ("must be a number", "write it with digits and a point, or declare `decimal` in sources.yaml"),
    "money": (
        "must be an amount",
        (
            "write it with digits and a point, its currency as in the other rows or not at all, or declare `decimal` "
            "and `thousands` in sources.yaml"
        ),
    ),
    "boolean": ("must be true or false", "write true or false"),
    "json": ("must be one JSON object", 'write it as {"key": "value"}'),
}


@dataclass(frozen=True)
class Rule:
    """What a row must keep, as a condition that is true where it is broken.

    Parameters
    ----------
    column : str
        The column it is about.
    broken : str
        SQL over the source's columns, and over `typed` ones by `read_name`.
    rule, remedy : str
        In words.
    """

    column: str
    broken: str
    rule: str
    remedy: str


@dataclass(frozen=True)
class Reading:
    """How one table is read from one source.

    Parameters
    ----------
    typed : dict of str to str
        SQL that gives each of our columns in its type, over the source's columns by `their_name`.
    theirs : dict of str to str
        What the source calls each of them.
    rules, warnings : list of Rule
        What makes a row broken, and what is said of a good one.
    ignored : list of str
        Columns that the contract does not know.
    notes : list of str
        What was taken for something else than it is called.
    signs : dict of str to str
        The currency sign that was left off the amounts of a column.
    """

    typed: dict[str, str]
    theirs: dict[str, str]
    rules: list[Rule]
    warnings: list[Rule]
    ignored: list[str]
    notes: list[str]
    signs: dict[str, str] = field(default_factory=dict)


def their_name(column: str) -> str:
    """Return the quoted name under which a staging query holds a column as the source has it.

    Whatever a source calls its columns, none can take the place of one of ours.
    """
    return '"their ' + column.replace('"', '""') + '"'


def read_name(column: str) -> str:
    """Return the quoted name under which a staging query holds the typed value of a column."""
    return f'"read {column}"'


def read_as(
    table: Table, relation: duckdb.DuckDBPyRelation, time_zone: str, formats: Mapping[str, Format], origin: str
) -> Reading:
    """Return how to read `relation` as `table`.

    Parameters
    ----------
    time_zone : str
        The IANA zone of times without an offset; a format's own goes before it.
    formats : mapping of str to Format
        How the texts of a column are written, where that is not plain.

    Raises
    ------
    DataRefusedError
        If a required column is missing, or a column holds a type that cannot be read as its kind.
    """
    found = dict(zip(relation.columns, (str(kind) for kind in relation.types), strict=True))
    theirs = _theirs(table, found)
    missing = [column.name for column in table.columns if column.required and column.name not in theirs]
    if missing:
        near = nearest(missing[0], set(found) - set(theirs.values()))
        raise DataRefusedError(
            f"{origin}: table `{table.name}` needs the column `{missing[0]}`, found {_listed(found)}; "
            f"add or rename the column, or map it in sources.yaml{near}"
        )
    ignored = sorted(set(found) - {*theirs.values(), ROW, f"{ROW} (in the file)"})
    notes = [f"its column `{name}` is read as `{ours}`" for ours, name in theirs.items() if ours != name]
    reading = Reading({}, theirs, [], [], ignored, notes)
    for column in table.columns:
        if column.name in theirs:
            name = theirs[column.name]
            form = formats.get(column.name, formats.get(name, Format()))
            _read(reading, column, found[name], replace(form, time_zone=form.time_zone or time_zone), origin)
    for name in table.key:
        if table.column(name).kind == "text" and name in theirs and name != "customer_id":
            blank = f"strlen({read_name(name)}) <> strlen(trim({read_name(name)}))"
            words = "has a blank at its ends, and so names another row than without"
            reading.warnings.append(Rule(name, blank, words, "strip it in the export"))
    _rules_between(reading, table)
    return reading


def _theirs(table: Table, found: Mapping[str, str]) -> dict[str, str]:
    """Return what the source calls each of our columns: the same, or the same but for capitals and blanks."""
    folded = {name.strip().casefold(): name for name in found}
    exact = {name: name for name in table.names if name in found}
    return exact | {name: folded[name] for name in table.names if name not in exact and name in folded}


def _read(reading: Reading, column: Column, found: str, form: Format, origin: str) -> None:
    value = _value(column, found, form)
    if value is None:
        raise DataRefusedError(
            f"{origin}: column `{column.name}` {_WORDS[column.kind][0]}, found the type {found}; export it as text"
        )
    if found == "VARCHAR" and column.kind in {"money", "number", "integer"}:
        _settle_numbers(reading, column, form, origin)
    reading.typed[column.name] = value
    reading.rules.extend(_no_texts(column, form))
    reading.rules.extend(_rules(column, found))
    reading.warnings.extend(_warnings(column, found, form))


def _settle_numbers(reading: Reading, column: Column, form: Format, origin: str) -> None:
    """Refuse numbers that may mean two things; tell of a currency sign that is left off."""
    if form.doubt:
        digits, behind = re.split("[.,]", form.doubt)
        raise DataRefusedError(
            f"{origin}: column `{column.name}` must show which mark parts thousands, found `{form.doubt}`, which may "
            f"be {digits}{behind} or {digits}.{behind}, and no value that tells; declare `thousands` or `decimal` in "
            "sources.yaml, each a point or a comma"
        )
    if form.sign:
        reading.notes.append(f"`{reading.theirs[column.name]}` bears {form.sign}, which is left off")
    if form.sign and column.kind == "money":
        reading.signs[column.name] = form.sign


def _value(column: Column, found: str, form: Format) -> str | None:
    """Return SQL that gives the value in our type, NULL where it cannot be read; None if the type does not suit."""
    name, text = their_name(column.name), found == "VARCHAR"
    number = found in {"DOUBLE", "FLOAT"} or found.startswith("DECIMAL") or found in _INTEGERS
    readers: dict[str, Callable[[], str | None]] = {
        "instant": lambda: _instant(name, found, form),
        "text": lambda: _text(name, found),
        "json": lambda: _text(name, found),
        "boolean": lambda: _boolean(name, found),
        "integer": lambda: _integer(name, form, text=text) if text or number else None,
        "number": lambda: _number(name, form, text=text) if text or number else None,
        "money": lambda: _money(name, form, text=text) if text or number else None,
    }
    return readers[column.kind]()


def _text(name: str, found: str) -> str | None:
    if found == "VARCHAR":
        return f"nullif({name}, '')"
    whole = found in {*_INTEGERS, "UUID", "DATE", "BOOLEAN"} or found.startswith("ENUM")
    return f"{name}::VARCHAR" if whole else None


def _boolean(name: str, found: str) -> str | None:
    if found == "BOOLEAN":
        return name
    if found != "VARCHAR" and found not in _INTEGERS:
        return None
    said = f"lower({name}::VARCHAR)"
    return f"CASE WHEN {said} IN {_TRUE} THEN true WHEN {said} IN {_FALSE} THEN false END"


def _integer(name: str, form: Format, *, text: bool) -> str:
    if not text:
        return f"CASE WHEN {name} = floor({name}) THEN try_cast({name} AS BIGINT) END"
    plain = _plain(name, form)
    exact = f"try_cast(try_cast({plain} AS DECIMAL(38, 4)) AS BIGINT)"
    digits = f"WHEN regexp_full_match({plain}, '[+-]?[0-9]{{1,18}}') THEN {plain}::BIGINT"
    return f"CASE {digits} WHEN regexp_full_match({plain}, '{_WHOLE}') THEN {exact} END"


def _number(name: str, form: Format, *, text: bool) -> str:
    if not text:
        return f"CASE WHEN isfinite({name}::DOUBLE) THEN {name}::DOUBLE END"
    plain = _plain(name, form)
    return f"CASE WHEN regexp_full_match({plain}, '{_DECIMAL}') THEN try_cast({plain} AS DOUBLE) END"


def _money(name: str, form: Format, *, text: bool) -> str:
    scale = MONEY_SCALE // (100 if form.unit == "cents" else 1)
    plain = _plain(name, form) if text else name
    amount = f"(try_cast({plain} AS DECIMAL(18, 4))::DECIMAL(38, 4) * {scale})::BIGINT"
    if not text:
        return amount
    # ten digits times the scale stay within 64 bits, which is a third of the cost
    short = f"WHEN strlen({plain}) <= 10 THEN (try_cast({plain} AS DECIMAL(18, 4)) * {scale})::BIGINT"
    # the cast takes nothing that is not a number but 1_000, and costs a third of a pattern
    return f"CASE WHEN strpos({plain}, '_') > 0 THEN NULL {short} ELSE {amount} END"


def _plain(name: str, form: Format) -> str:
    """Return a written number with a point and without groups; one that is grouped wrongly becomes NULL."""
    name = _without_sign(name, form.sign) if form.sign else name
    if form.whole:
        return f"CASE WHEN NOT regexp_full_match({name}, '{_EITHER}') THEN {name} END"
    if not form.thousands and form.decimal == ".":
        return name
    mark, group = f"[{form.decimal}]", f"[{form.thousands}]" if form.thousands else ""
    digits = f"([0-9]{{1,3}}({group}[0-9]{{3}})+|[0-9]+)" if group else "[0-9]+"
    bare = f"replace({name}, {_quoted(form.thousands)}, '')" if group else name
    whole = _quoted(f"[+-]?{digits}({mark}[0-9]*)?")
    return f"CASE WHEN regexp_full_match({name}, {whole}) THEN replace({bare}, {_quoted(form.decimal)}, '.') END"


def _without_sign(name: str, sign: str) -> str:
    """Return a written amount without the currency sign before or behind it; another sign stays, and is no number."""
    escaped, blanks = re.escape(sign), "[ \u00a0\u202f\u2009]*"
    before = _quoted(f"^{blanks}([+-]?){blanks}{escaped}{blanks}([+-]?[0-9])")
    return f"regexp_replace(regexp_replace({name}, {before}, '\\1\\2'), {_quoted(f'{blanks}{escaped}{blanks}$')}, '')"


def _instant(name: str, found: str, form: Format) -> str | None:
    """Return microseconds UTC; a value without an offset is read in the source's zone."""
    text = found == "VARCHAR"
    if form.unit in _EPOCH and (text or found in _INTEGERS):
        number = f"CASE WHEN regexp_full_match({name}, '[0-9]{{1,16}}') THEN {name}::BIGINT END" if text else name
        return f"({number}) * {_EPOCH[form.unit]}"
    if form.unit == "excel_days" and (text or found in {"DOUBLE", "FLOAT", *_INTEGERS}):
        return _in_zone(_excel_time(name), form.time_zone)
    if "TIME ZONE" in found or found.startswith("TIMESTAMPTZ"):  # pandas writes TIMESTAMPTZ_NS
        return f"epoch_us(try_cast({name} AS TIMESTAMPTZ))"
    if not text:
        read = _in_zone(f"try_cast({name} AS TIMESTAMP)", form.time_zone)
        return read if found.startswith(("TIMESTAMP", "DATE")) else None
    if form.instant:
        parsed = f"try_strptime({name}, {_quoted(form.instant)})"
        return f"epoch_us({parsed})" if "%z" in form.instant else _in_zone(parsed, form.time_zone)
    plain = f"try_cast({name} AS TIMESTAMP)"
    read = _in_zone(plain, form.time_zone)
    offset = f"regexp_replace(regexp_replace({name}, 'UTC$', 'Z'), ' ([Z+-])', '\\1')"  # the cast takes no blank there
    # most files hold nothing but the first form; telling it costs a third of what the general pattern costs
    return (
        f"CASE WHEN strlen({name}) = 19 AND {name} LIKE '{_PLAIN_TIME}' THEN {_zoned(plain, form.time_zone)} "
        f"WHEN regexp_full_match({name}, '{_DATE}({_TIME})?') THEN {read} "
        f"WHEN regexp_full_match({name}, '{_DATE}{_TIME}{_OFFSET}') "
        f"THEN epoch_us(try_cast({offset} AS TIMESTAMPTZ)) END"
    )


def _excel_time(name: str) -> str:
    """Return the local time that a count of days stands for, as spreadsheets keep it, NULL where it is none."""
    days = f"CASE WHEN regexp_full_match({name}::VARCHAR, '[0-9]{{1,6}}([.][0-9]+)?') THEN {name}::DOUBLE END"
    return f"(TIMESTAMP '1899-12-30' + to_seconds(round(({days}) * 86400)))"


def _in_zone(local: str, time_zone: str) -> str:
    return f"CASE WHEN isfinite({local}) THEN {_zoned(local, time_zone)} END"


def _zoned(local: str, time_zone: str) -> str:
    # the zone comes from a checked configuration, and DuckDB takes no parameter inside a view
    return f"epoch_us({local})" if time_zone == "UTC" else f"epoch_us(timezone({_quoted(time_zone)}, {local}))"


def _rules(column: Column, found: str) -> list[Rule]:
    name, value, text = their_name(column.name), read_name(column.name), found == "VARCHAR"
    rule, remedy = _WORDS[column.kind]
    rules = []

    def add(broken: str, words: str, what_to_do: str) -> None:
        rules.append(Rule(column.name, broken, words, what_to_do))

    if column.required:
        add(f"{name} IS NULL" + (f" OR {name} = ''" if text else ""), "must be filled", remedy)
    if column.kind == "json":
        an_object = f"CASE WHEN json_valid({value}) THEN json_type({value}) = 'OBJECT' ELSE false END"
        add(f"{value} IS NOT NULL AND NOT {an_object}", rule, remedy)
    elif column.kind != "text":
        blank = f" AND {name} <> ''" if text else ""
        add(f"{value} IS NULL AND {name} IS NOT NULL{blank}", rule, remedy)
    if column.kind == "instant":
        within = f"BETWEEN epoch_us(TIMESTAMP '{_EARLIEST}') AND epoch_us(TIMESTAMP '{_LATEST}')"
        add(f"{value} NOT {within}", rule, remedy)
    scale = MONEY_SCALE if column.kind == "money" else 1
    if column.at_least is not None:
        add(f"{value} < {column.at_least * scale}", f"must be at least {column.at_least}", "correct it")
    if column.at_most is not None:
        add(f"{value} > {column.at_most * scale}", f"must be at most {column.at_most}", "correct it")
    if column.among:
        listed = ", ".join(column.among)
        some = ", ".join(_quoted(word) for word in column.among)
        add(f"{value} NOT IN ({some})", f"must be one of {listed}", "correct it, or map its `values` in sources.yaml")
    if column.name == "customer_id" and not column.reference:
        # only here: everywhere else an id must be one of these
        add(f"strlen({value}) > {_LONGEST_ID}", f"must be at most {_LONGEST_ID} bytes long", "use a shorter id")
        odd = f"regexp_matches({value}, '^\\s|\\s$|[[:cntrl:]]')"
        add(odd, "must have no blank at its ends and no control character", "strip it in the export")
    return rules


def _no_texts(column: Column, form: Format) -> list[Rule]:
    """Return the rules that a text column keeps where its source tells texts from lists, objects and truths."""
    remedy = "bring the value itself, or map another column in sources.yaml"
    told = form.no_text if column.kind == "text" else ()
    return [Rule(column.name, f"{ROW} IN ({rows})", f"must be a text, found {words}", remedy) for words, rows in told]


def _rules_between(reading: Reading, table: Table) -> None:
    """Add the rules that two columns of a row keep together."""

    def add(rules: list[Rule], column: str, broken: str, words: str, what_to_do: str) -> None:
        rules.append(Rule(column, broken, words, what_to_do))

    own = read_name("occurred_at")
    for time, dated in table.later.items():
        for name in dated:
            if name in reading.typed and name != time:
                undated = f"{read_name(time)} IS NULL" if time in reading.typed else "true"
                remedy = f"say in `{time}` when it came to be known"
                add(
                    reading.rules, name, f"{read_name(name)} IS NOT NULL AND {undated}", f"must have a `{time}`", remedy
                )
        if time in reading.typed:
            early, words = f"{read_name(time)} < {own}", "must not lie before `occurred_at`"
            place = reading.warnings if table.versioned else reading.rules
            add(place, time, early, words, "correct either of the two")
    if {"score", "scale_min", "scale_max"} <= set(reading.typed):
        score, low, high = (read_name(name) for name in ("score", "scale_min", "scale_max"))
        broken = f"{score} < {low} OR {score} > {high}"
        add(reading.rules, "score", broken, "must lie between `scale_min` and `scale_max`", "correct it or the scale")


def _warnings(column: Column, found: str, form: Format) -> list[Rule]:
    """Return what is taken as it is, but said: amounts that are rounded, local times that do not name one instant."""
    name, text = their_name(column.name), found == "VARCHAR"
    if column.kind == "money" and text:
        mark, place = f"[{form.decimal}]", f"strpos({name}, {_quoted(form.decimal)})"
        many = f"{place} > 0 AND strlen({name}) - {place} > 4"
        finer = f"{many} AND regexp_matches({name}, '{mark}[0-9]{{4}}[0-9]*[1-9]')"
        rule = "is kept to 1/10,000 unit; finer fractions are rounded"
        return [Rule(column.name, finer, rule, "round it in the export if the rest matters")]
    if column.kind == "money" and (found in {"DOUBLE", "FLOAT"} or found.startswith("DECIMAL")):
        finer = f"abs({name}::DOUBLE * {MONEY_SCALE} - {read_name(column.name)}) > 1e-3"
        rule = "is kept to 1/10,000 unit; finer fractions are rounded"
        return [Rule(column.name, finer, rule, "round it in the export if the rest matters")]
    if column.kind == "instant" and form.time_zone != "UTC" and form.unit not in _EPOCH and "%z" not in form.instant:
        return _about_clock_changes(column, found, form)
    return []


def _about_clock_changes(column: Column, found: str, form: Format) -> list[Rule]:
    if "TIME ZONE" in found or found.startswith("TIMESTAMPTZ"):
        return []
    name, zone = their_name(column.name), _quoted(form.time_zone)
    if form.unit == "excel_days":
        local = _excel_time(name)
    elif form.instant:
        local = f"try_strptime({name}, {_quoted(form.instant)})"
    elif found == "VARCHAR":
        local = f"CASE WHEN regexp_full_match({name}, '{_DATE}({_TIME})?') THEN try_cast({name} AS TIMESTAMP) END"
    else:
        local = f"try_cast({name} AS TIMESTAMP)"
    instant = f"make_timestamptz({read_name(column.name)})"
    # clocks change in the small hours, and asking a zone is dear
    hour = f"hour(make_timestamp({read_name(column.name)}) + {_usual_offset(form.time_zone)})"
    small_hours = f"{hour} NOT BETWEEN 5 AND 22"
    skipped = f"{small_hours} AND timezone({zone}, {instant}) <> {local}"
    earlier = (f"timezone({zone}, {instant} - INTERVAL {minutes} MINUTE) = {local}" for minutes in (60, 30))
    twice = f"{small_hours} AND ({' OR '.join(earlier)})"
    remedy = "export times with their offset, or in UTC"
    return [
        Rule(column.name, skipped, "did not exist: clocks went forward; the time after is taken", remedy),
        Rule(column.name, twice, "was there twice: clocks went back; the second is taken", remedy),
    ]


def _usual_offset(time_zone: str) -> str:
    offset = datetime(2020, 1, 1, tzinfo=ZoneInfo(time_zone)).utcoffset() or timedelta()
    return f"INTERVAL '{int(offset.total_seconds())} seconds'"


def _quoted(text: str) -> str:
    """Return a text as an SQL literal; what comes here was checked when the configuration was read."""
    return "'" + text.replace("'", "''") + "'"


def _listed(found: Mapping[str, str]) -> str:
    return ", ".join(f"`{name}`" for name in found if name != ROW) or "no column at all"


def references(table: Table) -> dict[str, str]:
    """Return the columns whose value another table should know, with that table; customers apart."""
    return {column.name: column.reference for column in table.columns if column.reference not in {"", "customers"}}
