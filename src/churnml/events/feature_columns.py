"""How one column of a ready feature table is read: as a number, a category or a date, and how that is found out.

Everything is SQL over the file's own columns. A value is read strictly: what is not wholly a number or a date is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from churnml.events.sources import Format

Kind = Literal["number", "category", "date"]

_MARKERS = ("NA", "N/A", "#N/A", "NULL", "NONE", "NAN", "-", "?")
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?)?"
_OFFSET = r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)"
_OTHER_DATE = r"[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{2,4}( .*)?"
_LEADING_ZERO = r"[+-]?0[0-9]+"
_BLANKS = " \t\r\n\u00a0"
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DOUBLE", "FLOAT", "DECIMAL")
_NESTED = ("STRUCT", "MAP", "UNION", "BLOB", "BIT", "INTERVAL", "TIME", "VARIANT", "GEOMETRY")
READABLE = 0.99
"""The share of a column's texts that must be of a kind for the column to be of it."""


@dataclass(frozen=True)
class Column:
    """One column that a model reads.

    Parameters
    ----------
    name : str
        As in the file.
    kind : {'number', 'category', 'date'}
        A date is used as the days that it lies before the cutoff.
    """

    name: str
    kind: Kind


@dataclass(frozen=True)
class Cells:
    """The SQL that reads one column of a file.

    Parameters
    ----------
    name : str
        Of the column.
    found : str
        Its type in DuckDB.
    form : Format
        How its texts are written.
    time_zone : str
        Of times without an offset, and of the days that are counted.
    """

    name: str
    found: str
    form: Format
    time_zone: str

    @property
    def raw(self) -> str:
        """The column itself, quoted."""
        return quoted_name(self.name)

    @property
    def is_text(self) -> bool:
        """Whether the file holds texts, so that what they mean has to be found out."""
        return self.found == "VARCHAR" or self.found.startswith("ENUM")

    @property
    def is_nested(self) -> bool:
        """Whether the type has no place in a table of features."""
        timed = self.found.startswith("TIMESTAMP")
        return not timed and (self.found.endswith("]") or self.found.startswith(_NESTED))

    @property
    def is_number(self) -> bool:
        """Whether the type is one of numbers."""
        return self.found.removeprefix("U").startswith(_NUMBERS)

    @property
    def text(self) -> str:
        """The value as text without blanks around it, NULL where it is empty."""
        if self.is_text:
            return f"nullif(trim({self.raw}::VARCHAR, {quoted(_BLANKS)}), '')"
        if self.found in {"DOUBLE", "FLOAT"}:  # a spreadsheet keeps the id 123 as 123.0
            whole = f"{self.raw} = floor({self.raw}) AND abs({self.raw}) < 9007199254740992"
            return f"CASE WHEN {whole} THEN {self.raw}::BIGINT::VARCHAR ELSE {self.raw}::VARCHAR END"
        return f"{self.raw}::VARCHAR"

    @property
    def number(self) -> str:
        """The value as a finite DOUBLE, NULL where it is none."""
        if self.is_number:
            return f"CASE WHEN isfinite({self.raw}::DOUBLE) THEN {self.raw}::DOUBLE END"
        if not self.is_text:
            return "NULL::DOUBLE"
        value = f"try_cast({_plain(self.text, self.form)} AS DOUBLE)"
        # the cast alone would read 1_000 as a thousand, and 1e400 as infinity
        return f"CASE WHEN isfinite({value}) AND NOT contains({self.raw}::VARCHAR, '_') THEN {value} END"

    @property
    def local(self) -> str:
        """The value as a local TIMESTAMP of the zone, NULL where it is no date."""
        zone = quoted(self.form.time_zone or self.time_zone)
        here = quoted(self.time_zone)
        if "TIME ZONE" in self.found or self.found.startswith("TIMESTAMPTZ"):
            return _finite(f"timezone({here}, {self.raw}::TIMESTAMPTZ)")
        if not self.is_text:
            dated = self.found.startswith(("TIMESTAMP", "DATE"))
            return _finite(f"{self.raw}::TIMESTAMP") if dated else "NULL::TIMESTAMP"
        if self.form.instant:
            parsed = f"try_strptime({self.text}, {quoted(self.form.instant)})::TIMESTAMP"
        else:
            parsed = f"CASE WHEN regexp_full_match({self.text}, '{_DATE}') THEN try_cast({self.text} AS TIMESTAMP) END"
        moved = parsed if zone == here else f"timezone({here}, timezone({zone}, {parsed}))"
        offset = f"regexp_full_match({self.text}, '{_DATE}{_OFFSET}')"
        zoned = f"timezone({here}, try_cast({self.text} AS TIMESTAMPTZ))"
        likely = "true" if self.form.instant else f"{self.text} LIKE '____-__-__%'"  # a pattern is dear to try in vain
        return _finite(f"CASE WHEN NOT ({likely}) THEN NULL WHEN {offset} THEN {zoned} ELSE {moved} END")

    def readings(self, place: int) -> str:
        """Return the column's text, number and date, named by its place, for `counts` to count."""
        return f"{self.text} AS t{place}, {self.number} AS n{place}, {self.local} AS d{place}"

    def counts(self, place: int) -> str:
        """Return the aggregates over `readings` that `Counts` holds."""
        text, number, day = f"t{place}", f"n{place}", f"d{place}"
        marker = f"CASE WHEN strlen({text}) <= 4 THEN upper({text}) IN {_MARKERS} END"
        zero = f"CASE WHEN ltrim({text}, '+-') LIKE '0_%' THEN regexp_full_match({text}, '{_LEADING_ZERO}') END"
        strange = f"{number} IS NULL AND {day} IS NULL"
        other = f"CASE WHEN {strange} THEN regexp_full_match({text}, '{_OTHER_DATE}') END"
        flags = [f"count(*) FILTER ({flag if self.is_text else 'false'})" for flag in (marker, zero, other)]
        filled = [f"count({reading})" for reading in (text, number, day)]
        return ", ".join([*filled, f"approx_count_distinct({text})", *flags])


@dataclass(frozen=True)
class Counts:
    """How many values of a column are filled, can be read as what, and differ.

    Parameters
    ----------
    markers : int
        Such as NA or a dash, which stand for no value among numbers and dates.
    zeros : int
        Numbers with a zero in front, which are codes.
    other_dates : int
        What looks like a date in a notation that says not which number is the month.
    """

    filled: int
    numbers: int
    dates: int
    distinct: int
    markers: int
    zeros: int
    other_dates: int

    SIZE = 7

    def unreadable(self, kind: Kind) -> int:
        """Return how many filled values are not of a kind, markers apart."""
        if kind == "category":
            return 0
        return self.filled - self.markers - (self.numbers if kind == "number" else self.dates)


def kind_of(cells: Cells, counts: Counts) -> Kind:
    """Return what a column holds; texts are numbers or dates only if 99 % of them are."""
    if not cells.is_text:
        return "date" if cells.found.startswith(("TIMESTAMP", "DATE")) else "number" if cells.is_number else "category"
    if counts.filled == counts.markers:
        return "number" if counts.filled == 0 else "category"
    if counts.zeros:
        return "category"
    rest = (1 - READABLE) * counts.filled
    if counts.numbers and counts.unreadable("number") <= rest:
        return "number"
    if counts.dates and counts.unreadable("date") <= rest:
        return "date"
    return "category"


def found_out(cells: Cells, counts: Counts, kind: Kind) -> list[str]:
    """Return in words what was found out about a column of texts rather than declared."""
    notes = []
    name, bad = f"`{cells.name}`", counts.unreadable(kind)
    if cells.is_text and kind == "category" and counts.zeros:
        notes.append(f"{name}: {counts.zeros:,} values have a zero in front, so it holds codes and is a category")
    if kind != "category" and counts.markers:
        listed = "NA, N/A, null, none, -, ?"
        notes.append(f"{name}: {counts.markers:,} values such as {listed} stand for no value among its {kind}s")
    if bad:
        notes.append(f"{name}: {bad:,} of {counts.filled:,} values are no {kind}s and count as missing")
    return notes


def quoted(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def quoted_name(name: str) -> str:
    """Return a column's name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def counts_from(values: tuple[Any, ...]) -> Counts:  # Any: a row of DuckDB
    """Return the counts that a query of `Cells.counts` gave."""
    return Counts(*(int(value) for value in values))


def _plain(text: str, form: Format) -> str:
    """Return a written number with a point and without groups; one that is grouped wrongly becomes NULL."""
    if not form.thousands and form.decimal == ".":
        return text
    mark, group = f"[{form.decimal}]", f"[{form.thousands}]"
    digits = f"([0-9]{{1,3}}({group}[0-9]{{3}})+|[0-9]+)" if form.thousands else "[0-9]+"
    bare = f"replace({text}, {quoted(form.thousands)}, '')" if form.thousands else text
    whole = quoted(f"[+-]?{digits}({mark}[0-9]*)?")
    return f"CASE WHEN regexp_full_match({text}, {whole}) THEN replace({bare}, {quoted(form.decimal)}, '.') END"


def _finite(local: str) -> str:
    return f"CASE WHEN isfinite({local}) THEN {local} END"
