"""The records of a delimited text: an independent count of them, and each by itself where some are no rows.

A record ends with a line end outside quotes; lines without anything on them are none. A value is quoted if a quote is
the first thing in it but blanks; within it a quote is doubled; anywhere else a quote is a character as any other. All
texts here are UTF-8.
"""

from __future__ import annotations

import csv
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from churnml.errors import DataRefusedError

LONGEST = 2_000_000
"""Bytes a record may have; DuckDB reads none that is much longer."""

_CHUNK = 1 << 18  # stays in the cache while it is looked at
_ENDLESS = 1 << 22
_MANY = 100_000
_SHOWN = 500


@dataclass(frozen=True)
class Layout:
    """How a text is laid out.

    Parameters
    ----------
    name : str
        What messages call the file.
    delimiter : str
        What parts values.
    quote : str
        What encloses them; empty if nothing does.
    end : str
        The last character of a line.
    """

    name: str
    delimiter: str = ","
    quote: str = '"'
    end: str = "\n"


@dataclass(frozen=True)
class Survey:
    """How many records a text has, its header among them, and what ends its lines; empty if some end otherwise."""

    records: int
    line_end: str


@dataclass(frozen=True)
class Separated:
    """The records of a text parted into rows, each after its number, and the others."""

    rows: Path
    others: Path
    n_rows: int
    n_others: int


def survey(path: Path, layout: Layout) -> Survey:
    """Count the records of a text by its quotes and line ends alone; an independent count, at the speed of reading.

    The count is right if every quote belongs to a quoted value. If one does not, it is only likely to be: whoever
    compares it with another count and finds a difference looks at the records one by one, as `separate` does.

    Raises
    ------
    DataRefusedError
        If the text holds a NUL byte, or a line longer than any table's.
    """
    counted = _Records(layout)
    with path.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            counted.add(chunk)
    return counted.found()


def count_records(path: Path, layout: Layout) -> int:
    """Return how many records stand below the header, counted independently of any CSV reader; see `survey`.

    Raises
    ------
    DataRefusedError
        As `survey`.
    """
    return max(0, survey(path, layout).records - 1)


def records(path: Path, layout: Layout) -> Iterator[tuple[str, int]]:
    """Yield each record as its text and the number of its values, or 0 where its quotes are broken.

    Raises
    ------
    DataRefusedError
        If a quoted value is not closed, so that nobody can tell where its record ends.
    """
    quotes, quote, delimiter = _Quotes(layout), layout.quote, layout.delimiter
    stray = "\r" if layout.end == "\n" else "\n"
    begun: list[str] = []
    values, length = 1, 0
    with path.open(encoding="utf-8-sig", newline=layout.end) as handle:
        for number, line in enumerate(handle, 1):
            text = line.rstrip("\r\n")
            if not begun and (not quote or quote not in text):  # nearly all lines are such
                if text.strip(" "):
                    yield text, 0 if stray in text else text.count(delimiter) + 1
                continue
            values, length = values + quotes.separators(text, number), length + len(line)
            if begun and (quotes.broken or length > LONGEST):
                raise _open_quote(layout, quotes.opened)
            if quotes.inside:
                begun.append(line)
                continue
            yield "".join([*begun, text]), 0 if quotes.broken else values
            begun, values, length = [], 1, 0
    if begun:
        raise _open_quote(layout, quotes.opened)


def _open_quote(layout: Layout, line: int) -> DataRefusedError:
    return DataRefusedError(
        f"{layout.name}: every quoted value must be closed within {LONGEST:,} bytes, found a quote ({layout.quote}) "
        f"opened on line {line:,} that is not; look there for a value that holds a quote, and double it"
    )


def separate(path: Path, layout: Layout, width: int, scratch: Path) -> Separated:
    """Part the records below the header into rows of `width` values and others, each with its number from 1.

    Parameters
    ----------
    path : Path
        The text.
    layout : Layout
        How it is laid out.
    width : int
        How many values a row has.
    scratch : Path
        Where both are written: rows as they stand, after their number; the others as CSV of number, the record's own
        text (its first 500 characters), the rule it breaks, and the remedy.

    Raises
    ------
    DataRefusedError
        If a quoted value is not closed, or most records are no rows.
    """
    base = uuid.uuid4().hex
    parted = Separated(scratch / f"{base}-rows.csv", scratch / f"{base}-others.csv", 0, 0)
    n_others = number = 0
    with (
        parted.rows.open("w", encoding="utf-8", newline="") as rows,
        parted.others.open("w", encoding="utf-8", newline="") as others,
    ):
        other = csv.writer(others, quoting=csv.QUOTE_ALL, lineterminator="\n")
        below_header = islice(records(path, layout), 1, None)
        for number, (text, values) in enumerate(below_header, 1):
            if values == width and len(text) < LONGEST // 4:  # a character has at most four bytes
                rows.write(f"{number}{layout.delimiter}{text}\n")
            elif wrong := _wrong(text, values, width, layout):
                other.writerow((number, text[:_SHOWN], *wrong))
                n_others += 1
                _refuse_if_most(n_others, number, wrong, layout.name)
            else:
                rows.write(f"{number}{layout.delimiter}{_trimmed(text, values - width, layout)}\n")
    return replace(parted, n_rows=number - n_others, n_others=n_others)


def _trimmed(text: str, extra: int, layout: Layout) -> str:
    """Return a record without the separators that follow its last value."""
    return text[: len(text) - extra * len(layout.delimiter)]


def _wrong(text: str, values: int, width: int, layout: Layout) -> tuple[str, str] | None:
    """Return the rule that a record breaks and the remedy; values too many are none if all are empty."""
    if len(text.encode()) > LONGEST:
        return f"must be a record of at most {LONGEST:,} bytes", "look for a missing line end or an open quote"
    if not values and all(one.count(layout.delimiter) == width - 1 for one in text.split("\r")) and "\r" in text:
        return (
            "must end as the other rows do",
            "it looks like two rows or more joined by a carriage return; export it again with line ends of one kind",
        )
    if not values and "\r" in text:
        return "must hold a carriage return in quotes only", "put the value that holds it in quotes, or take it out"
    if not values:
        return "must have each quote within a quoted value doubled", f"write {layout.quote * 2} for {layout.quote}"
    if values == width or (values > width and text.endswith(layout.delimiter * (values - width))):
        return None
    rule = f"must have {width} value{'s' if width > 1 else ''}, as the header has"
    kind = "a missing" if values < width else "an unquoted"
    return rule, f"it has {values}; look for {kind} separator, or a value broken over two lines"


def _refuse_if_most(n_others: int, number: int, wrong: tuple[str, str], name: str) -> None:
    if n_others > _MANY and n_others * 2 > number:
        raise DataRefusedError(
            f"{name}: records must be rows like the header, found {n_others:,} that are not among the first "
            f"{number:,}; the last of them {wrong[0]}: {wrong[1]}. Declare `delimiter` and `quote` in sources.yaml, "
            "or export it again"
        )


class _Records:
    """Counts records, chunk by chunk.

    Parameters
    ----------
    layout : Layout
        What ends a record and what encloses a value.
    """

    def __init__(self, layout: Layout) -> None:
        self._name, self._end, self._quote = layout.name, layout.end.encode(), layout.quote.encode()
        self._records = self._lines = self._ends = self._after_return = 0
        self._inside, self._last = 0, b""
        self._start = self._line = 0  # where the running record and the running line begin, seen from the next chunk

    def add(self, chunk: bytes) -> None:
        """Count the records that end in the next bytes of the text."""
        letters = np.frombuffer(chunk, np.uint8)
        is_end = letters == ord(self._end)
        lines = int(np.count_nonzero(is_end))
        self._check(chunk, lines)
        if self._inside or (self._quote and self._quote in chunk) or b"\r" in chunk or self._last == b"\r":
            self._add_any(chunk, letters, np.flatnonzero(is_end))
        else:
            self._add_plain(chunk, is_end, lines)
        self._lines, self._last = self._lines + lines, chunk[-1:]
        self._line = chunk.rfind(self._end) + 1 - len(chunk) if lines else self._line - len(chunk)

    def found(self) -> Survey:
        """Return what there was, with a last record that nothing ends."""
        mixed = 0 < self._after_return < self._ends
        line_end = "" if mixed else "\r\n" if self._after_return else self._end.decode()
        return Survey(self._records + (self._start < 0), line_end)

    def _check(self, chunk: bytes, lines: int) -> None:
        if b"\x00" in chunk:
            line = self._lines + chunk.count(b"\n", 0, chunk.index(b"\x00")) + 1
            raise DataRefusedError(
                f"{self._name}: expected text, found a NUL byte on line {line}; export it again as UTF-8, "
                "or declare its `encoding` in sources.yaml if it is UTF-16"
            )
        if not lines and len(chunk) - self._line > _ENDLESS:
            raise DataRefusedError(
                f"{self._name}: expected lines of at most {LONGEST:,} bytes, found line {self._lines + 1} longer than "
                "that; check that this is a table, and export it again with a line for each row"
            )

    def _add_plain(self, chunk: bytes, is_end: npt.NDArray[np.bool_], lines: int) -> None:
        """Count where neither quotes nor carriage returns are about: each line is a record, but blank ones."""
        blank = int(np.count_nonzero(is_end[1:] & is_end[:-1])) + int(is_end[0] and self._start == 0)
        self._records, self._ends = self._records + lines - blank, self._ends + lines
        self._start = chunk.rfind(self._end) + 1 - len(chunk) if lines else self._start - len(chunk)

    def _add_any(self, chunk: bytes, letters: npt.NDArray[np.uint8], ends: npt.NDArray[np.intp]) -> None:
        if self._quote and self._quote in chunk:
            quotes = np.flatnonzero(letters == ord(self._quote))
            ends = ends[(np.searchsorted(quotes, ends) + self._inside) % 2 == 0]
            self._inside = (self._inside + len(quotes)) % 2
        elif self._inside:
            ends = ends[:0]
        before = np.where(ends > 0, letters[ends - 1], ord(self._last or b"\x00"))
        returns = before == ord("\r") if self._end == b"\n" else np.zeros(len(ends), dtype=bool)
        starts = np.concatenate(([self._start], ends + 1))
        self._records += int(np.count_nonzero(ends - starts[:-1] > returns))
        self._after_return, self._ends = self._after_return + int(np.count_nonzero(returns)), self._ends + len(ends)
        self._start = int(starts[-1]) - len(chunk)


class _Quotes:
    """Counts the separators of one line after another, and remembers whether a quote is open.

    Parameters
    ----------
    layout : Layout
        Which quote and which separator.
    """

    def __init__(self, layout: Layout) -> None:
        self._delimiter = layout.delimiter
        quote = re.escape(layout.quote or "\x00")  # a text holds no NUL: without a quote nothing is quoted
        self._opening = re.compile(f" *{quote}")
        self._closing = re.compile(f"(?:[^{quote}]++|{quote}{quote})*+{quote} *")
        self.inside = self.broken = False
        self.opened = 0

    def separators(self, text: str, number: int) -> int:
        """Return how many separators stand outside quotes in the next line, which is line `number`."""
        self.broken = False
        count = at = 0
        while at >= 0:
            if not self.inside and (opening := self._opening.match(text, at)):
                self.inside, self.opened, at = True, number, opening.end()
            if self.inside:
                closed = self._closing.match(text, at)
                if not closed:
                    return count
                self.inside, at = False, closed.end()
                if at < len(text) and not text.startswith(self._delimiter, at):
                    self.broken = True
                    return count
            end = text.find(self._delimiter, at)
            self.broken |= "\r" in text[at : end if end >= 0 else None]
            count, at = count + (end >= 0), end + len(self._delimiter) if end >= 0 else -1
        return count
