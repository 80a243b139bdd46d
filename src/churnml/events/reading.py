"""How one table is read from one source: each column's values, the rules of its rows, and what is said of good ones."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import duckdb

from churnml.errors import DataRefusedError, nearest
from churnml.events.remarks import about_blanks, about_values
from churnml.events.rules import WORDS, Rule, no_texts, rules_between, rules_of
from churnml.events.schema import Column, Table
from churnml.events.sources import ROW, Format
from churnml.events.values import typed

_VALUE = re.compile(r"[-+]?\d[\d.,:/ TZ-]*")
"""A number or a time, which no column is called."""


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
        raise DataRefusedError(f"{origin}: {_lacking(table, missing, found, set(found) - set(theirs.values()))}")
    ignored = sorted(set(found) - {*theirs.values(), ROW, f"{ROW} (in the file)"})
    notes = [f"its column `{name}` is read as `{ours}`" for ours, name in theirs.items() if ours != name]
    reading = Reading({}, theirs, [], [], ignored, notes)
    for column in table.columns:
        if column.name in theirs:
            name = theirs[column.name]
            form = formats.get(column.name, formats.get(name, Format()))
            _read(reading, column, found[name], replace(form, time_zone=form.time_zone or time_zone), origin)
    reading.warnings.extend(about_blanks(table, theirs))
    rules, warnings = rules_between(table, theirs)
    reading.rules.extend(rules)
    reading.warnings.extend(warnings)
    return reading


def _lacking(table: Table, missing: Sequence[str], found: Mapping[str, str], free: Collection[str]) -> str:
    """Return in words which columns a source lacks, and which of its own may be meant."""
    if sum(_VALUE.fullmatch(name.strip()) is not None for name in found) > len(found) / 2:
        return (
            f"the first line must hold the names of the columns, found values: {_listed(found)}; put a line with the "
            f"names above it, such as {', '.join(column.name for column in table.columns if column.required)}"
        )
    if len(missing) == 1:
        near = nearest(missing[0], free)
        return (
            f"table `{table.name}` needs the column `{missing[0]}`, found {_listed(found)}; "
            f"add or rename the column, or map it in sources.yaml{near}"
        )
    close = [nearest(name, free).removeprefix("; did you mean ").removesuffix("?") for name in missing]
    meant = ", ".join(dict.fromkeys(filter(None, close)))
    return (
        f"table `{table.name}` needs the columns {', '.join(f'`{name}`' for name in missing)}, found {_listed(found)}; "
        "add or rename them, or map them in sources.yaml" + (f"; did you mean {meant}?" if meant else "")
    )


def _theirs(table: Table, found: Mapping[str, str]) -> dict[str, str]:
    """Return what the source calls each of our columns: the same, or the same but for capitals and blanks."""
    folded = {name.strip().casefold(): name for name in found}
    exact = {name: name for name in table.names if name in found}
    return exact | {name: folded[name] for name in table.names if name not in exact and name in folded}


def _read(reading: Reading, column: Column, found: str, form: Format, origin: str) -> None:
    value = typed(column, found, form)
    if value is None:
        raise DataRefusedError(
            f"{origin}: column `{column.name}` {WORDS[column.kind][0]}, found the type {found}; export it as text"
        )
    if found == "VARCHAR" and column.kind in {"money", "number", "integer"}:
        _settle_numbers(reading, column, form, origin)
    reading.typed[column.name] = value
    reading.rules.extend(no_texts(column, form))
    reading.rules.extend(rules_of(column, found, form))
    reading.warnings.extend(about_values(column, found, form))


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


def _listed(found: Mapping[str, str]) -> str:
    return ", ".join(f"`{name}`" for name in found if name != ROW) or "no column at all"
