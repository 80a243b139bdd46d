"""Where tables come from: each source yields the rows of one contract table, as DuckDB sees them.

A *reader* (`delimited`, `parquet`, `excel`, `jsonlines`, `duckdb_file`, `postgres`) opens one file or query and gives
its rows under the names they bear there. `mapping` gives them the contract's names, a preset does so for a known
export. Read `files.py` first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import duckdb

ROW = "source_row"
"""The column in which a source numbers its rows as its reader would: 1 is the first row of data."""

STANDING = "standing_customers"
"""The view in which a reader finds who was a customer before this landing: `customer_id`, `met_at` (microseconds)."""

TRUTH = "true or false"
"""What a value is called that stands as a text and is a truth; see `Format.no_text`."""

# what DuckDB raises when the data are at fault; anything else it raises is a bug of ours and keeps its traceback
DATA_ERRORS = (
    duckdb.InvalidInputException,
    duckdb.IOException,
    duckdb.ConversionException,
    duckdb.OutOfRangeException,
)

Unit = Literal["", "cents", "epoch_seconds", "epoch_milliseconds", "epoch_microseconds", "excel_days"]


@dataclass(frozen=True)
class Format:
    """How the texts of a column are to be read; numbers and times that are typed already need none.

    Parameters
    ----------
    decimal : str
        The decimal mark, a point or a comma.
    thousands : str
        What groups thousands: a point, a comma, a space, an apostrophe, or nothing.
    instant : str
        A strftime pattern such as ``%d.%m.%Y %H:%M``; empty reads ISO 8601.
    unit : {'', 'cents', 'epoch_seconds', 'epoch_milliseconds', 'epoch_microseconds', 'excel_days'}
        What the number counts, where it is neither units of the currency nor a written time.
    time_zone : str
        The IANA zone of times without an offset; empty leaves it to the source.
    sign : str
        The currency sign that stands before or behind each amount, such as ``€`` or ``EUR``; it is left off.
    doubt : str
        A number of the column whose mark may part thousands or fractions, where no other value tells which; empty
        where there is no doubt.
    whole : bool
        Whether the column was judged by whole numbers alone: a later one whose only mark may mean either is not read.
    no_text : tuple of (str, str)
        What some values are that stand as text and are none, such as ``a list``, each with SQL that gives the
        `source_row` of all.
    """

    decimal: str = "."
    thousands: str = ""
    instant: str = ""
    unit: Unit = ""
    time_zone: str = ""
    sign: str = ""
    doubt: str = ""
    whole: bool = False
    no_text: tuple[tuple[str, str], ...] = ()

    def marked(self, decimal: str, thousands: str) -> Format:
        """Return the format with what is declared of its marks above what was found out; then nothing is in doubt."""
        if not decimal and not thousands:
            return self
        mark = decimal or ("," if thousands == "." else "." if thousands == "," else self.decimal)
        groups = thousands or ("" if self.thousands == mark else self.thousands)
        return replace(self, decimal=mark, thousands=groups, doubt="", whole=False)


@dataclass(frozen=True)
class Rows:
    """What a reader found.

    Parameters
    ----------
    relation : DuckDBPyRelation
        The rows, in the order of the file. A column `source_row` numbers them; without it the place of a row is its
        number, and the relation must keep the order of the file when it is stored.
    formats : mapping of str to Format
        How to read the texts of each column, where that was declared or found out; the others are read plainly.
    notes : tuple of str
        What was found out rather than declared, such as the encoding, in words for the report.
    rejected : str
        The name of a temporary table of records that are no rows at all, with `source_row` (BIGINT), `found` (the
        record's own text), `rule` and `remedy` (VARCHAR); empty where there are none.
    records : int, optional
        How many records the source holds by a count that owes nothing to the reader; the rows that are stored and
        those of `rejected` must come to as many.
    careful : callable, optional
        Reads the source again, record by record. Whoever stores the rows calls it where DuckDB stumbles over them, or
        gives another number than `records`; most files never need it, and are read once.
    sheet : str
        Which sheet of a workbook they are; empty for every other kind of source.
    other_sheets : tuple of str
        The other sheets there are.
    """

    relation: duckdb.DuckDBPyRelation
    formats: Mapping[str, Format] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    rejected: str = ""
    records: int | None = None
    careful: Callable[[], Rows] | None = None
    sheet: str = ""
    other_sheets: tuple[str, ...] = ()

    def exact(self) -> Rows:
        """Return rows that are known to be whole, for whoever does more with them than to store each one."""
        if self.careful is None:
            return self
        try:
            ((counted,),) = self.relation.aggregate("count(*)").fetchall()
        except DATA_ERRORS:
            return self.careful()
        return replace(self, careful=None) if counted == self.records else self.careful()


def unread_sheets(read: Sequence[Rows]) -> str:
    """Return which sheets of a workbook nobody reads, given the rows of those that are read; empty if each is."""
    names = list(dict.fromkeys(rows.sheet for rows in read))
    unread = [name for name in read[0].other_sheets if name not in names] if read else []
    if not unread:
        return ""
    told, rest = (", ".join(f"`{name}`" for name in some) for some in (names, unread))
    return f"the sheet{'s' * (len(names) > 1)} {told} {'were' if len(names) > 1 else 'was'} read, {rest} not"


Reader = Callable[[duckdb.DuckDBPyConnection, Path], Rows]
"""Takes a connection and a folder for intermediate files that is emptied afterwards; gives the rows."""


@dataclass(frozen=True)
class Source:
    """Rows on their way into one table.

    Parameters
    ----------
    table : str
        The contract table they belong to.
    origin : str
        What messages call the source: a file name, as a rule.
    files : tuple of Path
        The files it reads; their digests tell whether it has landed before. Empty for a database.
    mapping : str
        Names how the files are read; another mapping of the same file is another source.
    time_zone : str
        The IANA zone of instants that carry no offset.
    rows : callable
        Gives the rows under the contract's names.
    """

    table: str
    origin: str
    files: tuple[Path, ...]
    mapping: str
    time_zone: str
    rows: Reader
