"""How the numbers of a delimited text are written: found out from its first rows, where those leave no doubt.

``12,5`` cannot be but twelve and a half, and ``1.234,56`` shows both marks; ``1,234`` alone may be either, and stays
as it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import duckdb

from churnml.events.sources import Format

SAMPLE_ROWS = 10_000

_GROUPS = " '\u00a0\u202f\u2019"  # blanks, narrow and unbreakable ones too, and apostrophes
_LIKE_NUMBERS = f"[+-]?[0-9]([0-9.,{_GROUPS.replace(chr(39), chr(39) * 2)}]*[0-9])?"
_OTHER = {",": ".", ".": ","}


def _deciding(mark: str) -> re.Pattern[str]:
    """Return what only a number with this decimal mark can look like."""
    grouped = rf"\d{{1,3}}(?:[{re.escape(_OTHER[mark])}{_GROUPS}]\d{{3}})+\{mark}\d+"
    either = rf"[1-9]\d{{0,2}}\{mark}\d{{3}}$"
    return re.compile(rf"[+-]?(?:{grouped}|(?!{either})\d+\{mark}\d+)")


_THREE_DIGITS = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")
_ENOUGH = 3
_DECIDING = {mark: _deciding(mark) for mark in _OTHER}


@dataclass(frozen=True)
class _Column:
    """What the values of one column show: the marks that are proved, and whether one value proves its mark alone."""

    values: Collection[str]
    marks: frozenset[str]
    both: bool


def written_numbers(relation: duckdb.DuckDBPyRelation) -> dict[str, Format]:
    """Return how to read the numbers of each column that is not written plainly, judged by the first 10,000 rows.

    A decimal comma is believed if no number in the sample has a decimal point, or if the column groups its thousands
    as well. Values without any digit, such as ``NA``, are passed over.

    Parameters
    ----------
    relation : DuckDBPyRelation
        Columns of text.

    Returns
    -------
    dict of str to Format
        By column; only where the format is another than the plain one.
    """
    columns = {name: _seen(values) for name, values in _like_numbers(relation).items()}
    proved = {mark for column in columns.values() for mark in column.marks}
    found = {name: _format(column, proved) for name, column in columns.items()}
    return {name: written for name, written in found.items() if written and written != Format()}


def told(formats: Mapping[str, Format]) -> tuple[str, ...]:
    """Return the notes that say which columns were read in which way."""
    ways: dict[Format, list[str]] = {}
    for name, written in formats.items():
        ways.setdefault(written, []).append(f"`{name}`")
    words = {",": "a comma", ".": "a point", "'": "an apostrophe", "\u2019": "an apostrophe", "": ""}
    return tuple(
        f"{', '.join(names)}: read with {words[way.decimal]} as the decimal mark"
        + (f" and {words.get(way.thousands, 'a blank')} between thousands" if way.thousands else "")
        + "; declare `decimal` and `thousands` in sources.yaml if that is not meant"
        for way, names in ways.items()
    )


def in_doubt(relation: duckdb.DuckDBPyRelation, formats: Mapping[str, Format]) -> tuple[str, ...]:
    """Return a note for each column read plainly in which every point stands before three digits, as in ``3.399``.

    Parameters
    ----------
    relation : DuckDBPyRelation
        Columns of text.
    formats : mapping of str to Format
        What `written_numbers` decided.
    """
    return tuple(
        f"`{name}`: in the first rows every point stands before three digits; it is read as the decimal mark, so "
        'declare `thousands: "."` in sources.yaml if it groups thousands'
        for name, values in _like_numbers(relation).items()
        if name not in formats and len(values) >= _ENOUGH and all(map(_THREE_DIGITS.fullmatch, values))
    )


def _like_numbers(relation: duckdb.DuckDBPyRelation) -> dict[str, set[str]]:
    """Return the distinct values of each column in which whatever holds a digit could be a number."""
    sample = relation.limit(SAMPLE_ROWS)
    names = [name for name, kind in zip(relation.columns, relation.types, strict=True) if str(kind) == "VARCHAR"]
    texts = {name: f"trim({_quoted(name)})" for name in names}
    if not texts:
        return {}
    tests = ", ".join(
        f"bool_and(regexp_full_match({text}, '{_LIKE_NUMBERS}')) FILTER (regexp_matches({text}, '[0-9]')), "
        f"bool_or(regexp_matches({text}, '[0-9][.,][0-9]'))"
        for text in texts.values()
    )
    (row,) = sample.aggregate(tests).fetchall()
    chosen = [name for place, name in enumerate(names) if row[2 * place] and row[2 * place + 1]]
    lists = ", ".join(
        f"list(DISTINCT {texts[name]}) FILTER (regexp_matches({texts[name]}, '[0-9]'))" for name in chosen
    )
    return dict(zip(chosen, map(set, sample.aggregate(lists).fetchall()[0]), strict=True)) if chosen else {}


def _seen(values: Collection[str]) -> _Column:
    marks = frozenset(mark for mark, deciding in _DECIDING.items() if any(map(deciding.fullmatch, values)))
    both = any(re.search(rf"[.{_GROUPS}]\d{{3}},\d+$", value) for value in values)
    return _Column(values, marks, both)


def _format(column: _Column, proved: Collection[str]) -> Format | None:
    """Return how a column is written, or nothing where that is in doubt."""
    marks = column.marks or ({","} if set(proved) == {","} else set())  # 1.234 beside 12,5 groups thousands
    if len(marks) != 1:
        return None
    (mark,) = marks
    if mark == "," and "." in proved and not column.both:
        return None
    groups = {letter for value in column.values for letter in value if not letter.isdigit()} - set(f"+-{mark}")
    if len(groups) > 1:
        return None
    group = "".join(groups)
    integer = rf"\d+|\d{{1,3}}(?:{re.escape(group)}\d{{3}})+" if group else r"\d+"
    whole = re.compile(rf"[+-]?(?:{integer})(?:\{mark}\d+)?")
    return Format(decimal=mark, thousands=group) if all(map(whole.fullmatch, column.values)) else None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
