"""How the numbers of a delimited text are written: found out from its first rows, where those leave no doubt.

``12,5`` cannot be but twelve and a half, ``1.234,56`` shows both marks, in ``1.212.500`` the point groups thousands.
``1,234`` or ``1.234`` alone may be more than a thousand or a little more than one: a column of such is in doubt, and a
column of the contract that is, is refused. A currency sign beside the numbers is told apart from them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import duckdb

from churnml.events.sources import ROW, Format
from churnml.events.sources.signs import ANY_SIGN, SIGN

SAMPLE_ROWS = 10_000

_BLANKS = " \u00a0\u202f\u2009"  # unbreakable and narrow ones too
_GROUPS = f"{_BLANKS}'\u2019"  # and apostrophes
_DIGITS = f"[0-9](?:[0-9.,{_GROUPS}]*[0-9])?"
_LIKE_NUMBERS = f"[+-]?(?:(?:{SIGN})[{_BLANKS}]*[+-]?)?{_DIGITS}(?:[{_BLANKS}]*(?:{SIGN}))?"
_PERHAPS = f"[+-]?(?:{ANY_SIGN}[{_BLANKS}]*[+-]?)?{_DIGITS}(?:[{_BLANKS}]*{ANY_SIGN})?"
_BARE_NUMBER = f"[+-]?{_DIGITS}"
_MARKED = "[0-9][.,][0-9]"
_MOST = 0.95  # of what holds a digit must look like a number; the rest is broken, and told row by row
_OTHER = {",": ".", ".": ","}
_PARTS = re.compile(f"([+-]?)(?:({SIGN})[{_BLANKS}]*)?([+-]?{_DIGITS})(?:[{_BLANKS}]*({SIGN}))?")


def _deciding(mark: str) -> re.Pattern[str]:
    """Return what only a number with this decimal mark can look like."""
    other = re.escape(_OTHER[mark])
    grouped = rf"\d{{1,3}}(?:[{other}{_GROUPS}]\d{{3}})+\{mark}\d+"
    repeated = rf"\d{{1,3}}(?:{other}\d{{3}}){{2,}}"
    either = rf"[1-9]\d{{0,2}}\{mark}\d{{3}}$"
    return re.compile(rf"[+-]?(?:{grouped}|{repeated}|(?!{either})\d+\{mark}\d+)")


_DECIDING = {mark: _deciding(mark) for mark in _OTHER}
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
_SURELY_COMMA = re.compile(rf"[+-]?\d{{1,3}}(?:(?:[.{_GROUPS}]\d{{3}})+,\d+|(?:\.\d{{3}}){{2,}})")
_AS_MONEY = re.compile(r".*\d\.\d{1,2}")
_ENOUGH = 3


@dataclass(frozen=True)
class _Column:
    """What the values of one column show: the marks that are proved, and whether one value proves its mark alone."""

    values: Collection[str]
    sign: str
    marks: frozenset[str]
    both: bool


@dataclass(frozen=True)
class Numbers:
    """What stands in the columns of the first 10,000 rows in which nearly whatever holds a digit could be a number.

    Parameters
    ----------
    columns : list of str
        All columns.
    marked : dict of str to set of str
        The distinct numbers of each column in which some number has a mark or a currency sign.
    plain : list of str
        The other columns of numbers, where the relation has more rows than were looked at.
    """

    columns: list[str]
    marked: dict[str, set[str]]
    plain: list[str]


def numbers_in(relation: duckdb.DuckDBPyRelation) -> Numbers:
    """Return what stands in the first rows of a relation; columns that are no text are passed over."""
    sample = relation.limit(SAMPLE_ROWS)
    names = [name for name, kind in zip(relation.columns, relation.types, strict=True) if str(kind) == "VARCHAR"]
    texts = {name: f"trim({_quoted(name)})" for name in names}
    if not texts:
        return Numbers(relation.columns, {}, [])
    like = _like(sample, texts)
    marked = f"regexp_matches({{0}}, '{_MARKED}') OR NOT {_matches('{0}', _BARE_NUMBER)}"
    tests = ", ".join(
        f"count(*) FILTER ({test}), coalesce(bool_or({marked.format(texts[name])}) FILTER ({test}), false)"
        for name, (test, _) in like.items()
    )
    (row,) = sample.aggregate(f"count(*), {tests}" if tests else "count(*)").fetchall()
    counts = {name: row[1 + 2 * place : 3 + 2 * place] for place, name in enumerate(like)}
    numbers = [name for name, (numeric, _) in counts.items() if numeric and numeric >= _MOST * like[name][1]]
    chosen = [name for name in numbers if counts[name][1]]
    lists = ", ".join(f"list(DISTINCT {texts[name]}) FILTER ({like[name][0]})" for name in chosen)
    found = sample.aggregate(lists).fetchall()[0] if chosen else ()
    more = row[0] == SAMPLE_ROWS and relation.limit(1, SAMPLE_ROWS).fetchall()
    distinct = dict(zip(chosen, map(set, found), strict=True))
    return Numbers(relation.columns, distinct, [n for n in numbers if n not in chosen] if more else [])


def _like(sample: duckdb.DuckDBPyRelation, texts: Mapping[str, str]) -> dict[str, tuple[str, int]]:
    """Return, for each column that may hold numbers, the SQL that says which are, and how many values have a digit.

    The pattern of every sign is dear to make ready, so it is kept for columns in which something may be one.
    """
    tests = ", ".join(
        f"count(*) FILTER (regexp_matches({text}, '[0-9]')), count(*) FILTER ({_matches(text, _PERHAPS)}), "
        f"count(*) FILTER ({_matches(text, _BARE_NUMBER)})"
        for text in texts.values()
    )
    (row,) = sample.aggregate(tests).fetchall()
    found = {}
    for place, (name, text) in enumerate(texts.items()):
        digits, perhaps, bare = row[3 * place : 3 * place + 3]
        if perhaps and perhaps >= _MOST * digits:
            found[name] = (_matches(text, _BARE_NUMBER if bare == perhaps else _LIKE_NUMBERS), digits)
    return found


def _matches(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, {_literal(pattern)})"


def written_numbers(numbers: Numbers, declared: Format | None = None) -> dict[str, Format]:
    """Return how to read the numbers of each column that is not written plainly.

    A decimal comma is believed if no number in the sample has a decimal point, or if the column groups its thousands
    as well. A column whose numbers may be read either way is in `doubt`, unless those of another column decide. Values
    without any digit, such as ``NA``, are passed over, and so are a few that are no numbers.

    Parameters
    ----------
    numbers : Numbers
        What stands in the first rows.
    declared : Format, optional
        How numbers are written in all columns, where that is known; only currency signs are found out then.

    Returns
    -------
    dict of str to Format
        By column; without a declaration only where the format is another than the plain one.
    """
    columns = {name: _seen(values) for name, values in numbers.marked.items()}
    if declared:
        signs = {name: column.sign for name, column in columns.items()}
        return {name: replace(declared, sign=signs.get(name, "")) for name in numbers.columns if name != ROW}
    proved = {mark for column in columns.values() for mark in column.marks}
    as_money = {"."} & proved and any(_AS_MONEY.fullmatch(one) for column in columns.values() for one in column.values)
    found = {name: _format(column, proved, point=bool(as_money)) for name, column in columns.items()}
    found |= dict.fromkeys(numbers.plain, Format(whole=True))
    return {name: written for name, written in found.items() if written != Format()}


def told(formats: Mapping[str, Format]) -> tuple[str, ...]:
    """Return the notes that say which columns were read in which way."""
    ways: dict[tuple[str, str], list[str]] = {}
    for name, written in formats.items():
        if (written.decimal, written.thousands) != (".", ""):
            ways.setdefault((written.decimal, written.thousands), []).append(f"`{name}`")
    words = {",": "a comma", ".": "a point", "'": "an apostrophe", "\u2019": "an apostrophe", "": ""}
    return tuple(
        f"{', '.join(names)}: read with {words[decimal]} as the decimal mark"
        + (f" and {words.get(thousands, 'a blank')} between thousands" if thousands else "")
        + "; declare `decimal` and `thousands` in sources.yaml if that is not meant"
        for (decimal, thousands), names in ways.items()
    )


def in_doubt(numbers: Numbers, formats: Mapping[str, Format]) -> tuple[str, ...]:
    """Return a note for each column read plainly in which every point stands before three digits, as in ``3.399``.

    Parameters
    ----------
    numbers : Numbers
        What stands in the first rows.
    formats : mapping of str to Format
        What `written_numbers` decided.
    """
    plain = {name: values for name, values in numbers.marked.items() if _is_plain(formats.get(name))}
    return tuple(
        f"`{name}`: in the first rows every point stands before three digits; it is read as the decimal mark, so "
        'declare `thousands: "."` in sources.yaml if it groups thousands'
        for name, values in plain.items()
        if (marked := [one for one in values if "." in one])
        and len(values) >= _ENOUGH
        and all(map(_EITHER.fullmatch, marked))
    )


def _is_plain(written: Format | None) -> bool:
    return written is None or (written.decimal, written.thousands) == (".", "")


def _seen(texts: Collection[str]) -> _Column:
    parts = [found.groups("") for text in texts if (found := _PARTS.fullmatch(text))]
    signs = Counter(before or behind for _, before, _, behind in parts)
    values = {minus + digits for minus, _, digits, _ in parts}
    marks = frozenset(mark for mark, deciding in _DECIDING.items() if any(map(deciding.fullmatch, values)))
    sign = next((sign for sign, count in signs.items() if 2 * count > len(parts)), "")  # a row with another is broken
    return _Column(values, sign, marks, any(map(_SURELY_COMMA.fullmatch, values)))


def _format(column: _Column, proved: Collection[str], *, point: bool) -> Format:
    """Return how a column is written; `point` tells that another column has amounts such as 12.50."""
    found = _marks(column, proved)
    if found is not None:
        return replace(found, sign=column.sign)
    either = sorted(filter(_EITHER.fullmatch, column.values))
    settled = column.marks == {"."} or (
        not column.marks and set(proved) == {"."} and point and not any("," in one for one in either)
    )
    return Format(sign=column.sign, doubt=either[0] if either and not settled else "")


def _marks(column: _Column, proved: Collection[str]) -> Format | None:
    """Return with which marks a column is written, or nothing where that is in doubt."""
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


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
