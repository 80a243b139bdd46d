"""What is taken as it is, but said: rounded amounts, placeholders, local times that name no one instant."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from churnml.events.clock import DAY, HOUR, midnight
from churnml.events.rules import Rule
from churnml.events.schema import Column, Table
from churnml.events.sources import Format
from churnml.events.values import (
    DATE,
    EPOCH,
    TIME,
    as_double,
    excel_time,
    in_turn,
    kept_places,
    quoted,
    read_name,
    their_name,
    with_exponent,
    without_sign,
)

_PLACEHOLDERS = (date(1900, 1, 1), date(1904, 1, 1), date(1970, 1, 1))
"""The zeros of spreadsheets and clocks; what lies before the first of them is broken."""

_FAR_EAST = 14 * HOUR
"""By so much a day begins earlier or later elsewhere."""


def about_values(column: Column, found: str, form: Format) -> list[Rule]:
    """Return what is taken as it is, but said: rounded amounts, placeholders, local times that name no one instant."""
    if column.kind == "money":
        return _about_rounding(column, found, form)
    if column.kind != "instant":
        return []
    warnings = [_about_placeholders(column, form)]
    if form.time_zone != "UTC" and form.unit not in EPOCH and "%z" not in form.instant:
        warnings += _about_clock_changes(column, found, form)
    return warnings


def about_blanks(table: Table, names: Collection[str]) -> list[Rule]:
    """Return the warning of each text of the key, among the columns that are there, that strips to another."""
    words, remedy = "has a blank at its ends, and so names another row than without", "strip it in the export"
    return [
        Rule(name, _blank_at_ends(read_name(name)), words, remedy)
        for name in table.key
        if table.column(name).kind == "text" and name in names and name != "customer_id"
    ]


def _blank_at_ends(text: str) -> str:
    # trimming is dear, and only a space, or a letter of several bytes, can be a blank
    may_be = f"contains({text}, ' ') OR strlen({text}) <> length({text})"
    return in_turn(may_be, f"strlen({text}) <> strlen(trim({text}))")


def about_later_facts(table: Table, names: Collection[str], latest: int) -> list[Rule]:
    """Return the warning of each later fact, among the columns that are there, that should not lie ahead and does."""
    words = "lies in the future; no cutoff before it sees it"
    return [
        Rule(name, f"{read_name(name)} > {latest}", words, "correct it, unless that is meant")
        for name in table.later
        if name in names and not table.column(name).ahead
    ]


def _about_rounding(column: Column, found: str, form: Format) -> list[Rule]:
    """Warn where the amount that is kept is not the one that is written."""
    name, (places, scale) = their_name(column.name), kept_places(form)
    finer = ""
    if found in {"DOUBLE", "FLOAT"}:
        written = f"{as_double(name, found)} * {scale}"
        finer = f"abs({written} - {read_name(column.name)}) > 1e-3 + abs({written}) * 4e-16"
    elif found.startswith("DECIMAL") and int(found.rstrip(")").split(",")[1]) > places:
        finer = f"{name} <> {_kept(column, form)}"
    elif found == "VARCHAR":
        finer = _finer_in_writing(column, form)
    rule, remedy = "is kept to 1/10,000 unit; finer fractions are rounded", "round it in the export if the rest matters"
    return [Rule(column.name, finer, rule, remedy)] if finer else []


def _finer_in_writing(column: Column, form: Format) -> str:
    """Return SQL that is true of a text with more places than are kept; most amounts are told by their length alone."""
    name, (places, _) = without_sign(their_name(column.name), form), kept_places(form)
    point = f"strpos({name}, {quoted(form.decimal)})"
    behind = f"strlen({name}) - {point}"
    digits = f"regexp_matches({name}, '[{form.decimal}][0-9]{{{places}}}[0-9]*[1-9][0-9]*\\s*$')"
    finer = in_turn(f"{point} > 0 AND {behind} > {places}", digits)
    if form.decimal == "." and not form.thousands:  # else an exponent is no amount
        rest = f"try_cast({name} AS DECIMAL(38, 16)) <> {_kept(column, form)}"
        lost = f"{read_name(column.name)} = 0 AND try_cast({name} AS DOUBLE) <> 0"
        finer = f"({finer} OR {in_turn(with_exponent(name), f'{rest} OR {lost}')})"
    return in_turn(f"{behind} > 2", finer)


def _kept(column: Column, form: Format) -> str:
    """Return SQL for the amount that is kept, exact and in the unit of the source."""
    places, scale = kept_places(form)
    return f"{read_name(column.name)}::DECIMAL(19, 0) * {1 / scale:.{places}f}::DECIMAL({places}, {places})"


def _about_placeholders(column: Column, form: Format) -> Rule:
    """Warn of the days that stand for no date; in a column of numbers also of what too large a unit makes of them."""
    value, epoch = read_name(column.name), form.unit in EPOCH
    length = (60 if epoch else 1) * DAY
    spans = [
        (begins - _FAR_EAST, begins + length + _FAR_EAST) for begins in (midnight(d, "UTC") for d in _PLACEHOLDERS)
    ]
    around = " OR ".join(f"{value} BETWEEN {begins} AND {ends}" for begins, ends in spans)
    remedy = f"correct it{', or its `unit` in sources.yaml' if epoch else ''}, unless that is meant"
    words = "looks like a placeholder for a missing date"
    return Rule(column.name, in_turn(f"{value} <= {spans[-1][1]}", around), words, remedy)


def _about_clock_changes(column: Column, found: str, form: Format) -> list[Rule]:
    if "TIME ZONE" in found or found.startswith("TIMESTAMPTZ"):
        return []
    name, zone = their_name(column.name), quoted(form.time_zone)
    if form.unit == "excel_days":
        local = excel_time(name)
    elif form.instant:
        local = f"try_strptime({name}, {quoted(form.instant)})"
    elif found == "VARCHAR":
        local = f"CASE WHEN regexp_full_match({name}, '{DATE}({TIME})?') THEN try_cast({name} AS TIMESTAMP) END"
    else:
        local = f"try_cast({name} AS TIMESTAMP)"
    instant = f"make_timestamptz({read_name(column.name)})"
    # clocks change in the small hours, and asking a zone is dear
    hour = f"hour(make_timestamp({read_name(column.name)}) + {_usual_offset(form.time_zone)})"
    small_hours = f"{hour} NOT BETWEEN 5 AND 22"
    skipped = in_turn(small_hours, f"timezone({zone}, {instant}) <> {local}")
    earlier = (f"timezone({zone}, {instant} - INTERVAL {minutes} MINUTE) = {local}" for minutes in (60, 30))
    twice = in_turn(small_hours, " OR ".join(earlier))
    remedy = "export times with their offset, or in UTC"
    return [
        Rule(column.name, skipped, "did not exist: clocks went forward; the time after is taken", remedy),
        Rule(column.name, twice, "was there twice: clocks went back; the second is taken", remedy),
    ]


def _usual_offset(time_zone: str) -> str:
    offset = datetime(2020, 1, 1, tzinfo=ZoneInfo(time_zone)).utcoffset() or timedelta()
    return f"INTERVAL '{int(offset.total_seconds())} seconds'"
