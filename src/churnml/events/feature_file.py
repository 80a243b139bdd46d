"""The file of a ready feature table, staged in DuckDB: which columns there are, what they hold, and rows as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np

from churnml.errors import DataRefusedError, UsageError, nearest
from churnml.events.feature_columns import (
    READABLE,
    Cells,
    Column,
    Counts,
    Kind,
    counts_from,
    found_out,
    kind_of,
)
from churnml.events.feature_table import UNDATED, ReadyTable, Roles, Texts, listed
from churnml.events.sources import ROW, Format, Rows

STAGED, STATE = "feature_rows", "feature_state"
"""The temporary tables of the rows as they came, and of what became of each."""

_CUSTOMER_NAMES = {"customer", "customerid", "custid", "clientid", "userid", "accountid", "memberid"}
_AT_ONCE = 25
_FREE_TEXT, _FEW_TEXTS = 0.5, 50
_NESTED = "holds nested or binary values, which no model here reads; spread it over columns of its own"
_DATA_ERRORS = (
    duckdb.InvalidInputException,
    duckdb.IOException,
    duckdb.ConversionException,
    duckdb.OutOfRangeException,
)


@dataclass(frozen=True)
class FeatureFile:
    """A staged file.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Holds its rows in a temporary table.
    origin : str
        What messages call it.
    time_zone : str
        The IANA zone of dates without an offset.
    types : mapping of str to str
        The type of each column.
    formats : mapping of str to Format
        How the texts of a column are written.
    rejected : str
        The table of records that are no rows; empty where there is none.
    """

    connection: duckdb.DuckDBPyConnection
    origin: str
    time_zone: str
    types: Mapping[str, str]
    formats: Mapping[str, Format]
    rejected: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the file, in order."""
        return tuple(name for name in self.types if name != ROW)

    def cells(self, name: str) -> Cells:
        """Return how a column is read."""
        return Cells(name, self.types[name], self.formats.get(name, Format()), self.time_zone)

    def asked(self, query: str, **parameters: object) -> list[tuple[Any, ...]]:  # Any: values of the file
        """Return the answer to a query on the staged rows."""
        return self.connection.execute(query, parameters or None).fetchall()

    def counts(self, names: Sequence[str]) -> dict[str, Counts]:
        """Return what the columns hold, by name."""
        if not names:
            return {}
        some, rest = names[:_AT_ONCE], names[_AT_ONCE:]  # DuckDB holds what it counts, so not of all at once
        cells = list(enumerate(map(self.cells, some)))
        readings = ", ".join(one.readings(place) for place, one in cells)
        counts = ", ".join(one.counts(place) for place, one in cells)
        (row,) = self.asked(f"SELECT {counts} FROM (SELECT {readings} FROM {STAGED})")
        parts = [row[at : at + Counts.SIZE] for at in range(0, len(row), Counts.SIZE)]
        return {name: counts_from(part) for name, part in zip(some, parts, strict=True)} | self.counts(rest)

    def columns(self, roles: Roles, keep: Sequence[str] = ()) -> tuple[tuple[Column, ...], dict[str, str], list[str]]:
        """Find out what each column holds that has no other role.

        Parameters
        ----------
        keep : sequence of str
            Columns of texts to read though nearly every row has a text of its own.

        Returns
        -------
        columns : tuple of Column
            What can be read.
        unusable : dict of str to str
            Why each other one cannot.
        notes : list of str
            What was found out rather than declared.
        """
        others = [name for name in self.names if name not in {roles.customer_id, roles.cutoff_column, roles.label}]
        nested = {name: _NESTED for name in others if self.cells(name).is_nested}
        counts = self.counts([name for name in others if name not in nested])
        kinds = {name: kind_of(self.cells(name), counts[name]) for name in counts}
        unusable = nested | {
            name: why for name in counts if (why := _why_unusable(kinds[name], counts[name], roles, kept=name in keep))
        }
        columns = tuple(Column(name, kinds[name]) for name in others if name not in unusable)
        notes = [note for c in columns for note in found_out(self.cells(c.name), counts[c.name], c.kind)]
        return columns, unusable, notes

    def require(self, columns: Sequence[Column], max_bad_share: float) -> list[str]:
        """Refuse a file that has not the columns a model was taught with, and tell what of them counts as missing.

        Raises
        ------
        DataRefusedError
            If a column is missing, or holds something else than in training.
        """
        lost = [column.name for column in columns if column.name not in self.types]
        if lost:
            raise DataRefusedError(
                f"{self.origin}: the model reads {len(columns)} columns and {len(lost)} of them "
                f"{'is' if len(lost) == 1 else 'are'} not there: {listed(lost)}{nearest(lost[0], self.names)}; "
                "add or rename them, or train again without them"
            )
        counts = self.counts([column.name for column in columns])
        for column in columns:
            bad, filled = counts[column.name].unreadable(column.kind), counts[column.name].filled
            if bad > max_bad_share * filled:
                raise DataRefusedError(
                    f"{self.origin}: column `{column.name}` held {column.kind}s in training, found {bad:,} of "
                    f"{filled:,} values that are none; write it as it was in training, or train again"
                )
        return [note for c in columns for note in found_out(self.cells(c.name), counts[c.name], c.kind)]

    def read(self, columns: tuple[Column, ...], first: int = 1, last: int = 1 << 62) -> ReadyTable:
        """Return the good rows of a range as arrays.

        Parameters
        ----------
        columns : tuple of Column
            What to read, and as what.
        first, last : int
            Numbers of rows of the file, both included.
        """
        read = [f"{self._reader(column)} AS c{place}" for place, column in enumerate(columns)]
        found = self.connection.sql(
            f"""
            SELECT {", ".join(["its_customer", "its_instant", "its_label", *read])}
            FROM {STAGED} JOIN {STATE} USING ({ROW})
            WHERE its_state = 0 AND {ROW} BETWEEN $first AND $last ORDER BY {ROW}
            """,
            params={"first": first, "last": last},
        ).to_arrow_table()
        of_rows = [found.column(place + 3) for place in range(len(columns))]
        numbers = [one for one, column in zip(of_rows, columns, strict=True) if column.kind != "category"]
        values = np.empty((found.num_rows, len(numbers)), order="F")
        for place, one in enumerate(numbers):
            values[:, place] = one.to_numpy()
        texts = {c.name: _texts(one) for one, c in zip(of_rows, columns, strict=True) if c.kind == "category"}
        who = np.array(found.column(0).to_pylist(), dtype=np.object_)
        instants = found.column(1).fill_null(UNDATED).to_numpy()
        return ReadyTable(who, instants, found.column(2).to_numpy() == 1, columns, values, texts)

    def ranges(self, size: int) -> Iterator[tuple[int, int]]:
        """Yield the first and last number of so many rows at a time."""
        ((rows,),) = self.asked(f"SELECT coalesce(max({ROW}), 0) FROM {STAGED}")
        for first in range(1, int(rows) + 1, size):
            yield first, first + size - 1

    def _reader(self, column: Column) -> str:
        cells = self.cells(column.name)
        if column.kind == "category":
            return cells.text
        return cells.number if column.kind == "number" else f"(epoch_us(its_cutoff) - epoch_us({cells.local})) / 864e8"


def stage(connection: duckdb.DuckDBPyConnection, rows: Rows, origin: str, time_zone: str) -> FeatureFile:
    """Take the rows of a file in.

    Parameters
    ----------
    rows : Rows
        From a reader of `events.sources`; texts or typed columns.
    origin : str
        What messages call the file.

    Raises
    ------
    DataRefusedError
        If the file cannot be read to its end, or holds no row.
    """
    numbered = "*" if ROW in rows.relation.columns else f"row_number() OVER () AS {ROW}, *"
    try:
        rows.relation.create_view("feature_source", replace=True)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {STAGED} AS SELECT {numbered} FROM feature_source")
    except _DATA_ERRORS as error:
        raise DataRefusedError(
            f"{origin}: cannot be read to its end; export it again, as a CSV in UTF-8 or as Parquet"
        ) from error
    staged = connection.sql(f"SELECT * FROM {STAGED}")
    types = dict(zip(staged.columns, (str(kind) for kind in staged.types), strict=True))
    file = FeatureFile(connection, origin, time_zone, types, rows.formats, rows.rejected)
    ((n_rows,),) = file.asked(f"SELECT count(*) FROM {STAGED}")
    if not n_rows:
        raise DataRefusedError(f"{origin}: expected one row for each customer, found none; export it again")
    return file


def find_roles(
    file: FeatureFile,
    *,
    label: str | None = None,
    customer_id: str | None = None,
    cutoff_column: str | None = None,
    cutoff: str | None = None,
) -> tuple[Roles, list[str]]:
    """Return which columns tell whose a row is, its cutoff and its label; what was not declared is found and told.

    Raises
    ------
    UsageError
        If a declared column is not there, two roles share one, or nothing tells whose rows they are.
    """
    if cutoff and cutoff_column:
        raise UsageError("--cutoff gives all rows one date, --cutoff-column each its own; give one of the two")
    given = {"--label": label, "--customer-id": customer_id, "--cutoff-column": cutoff_column}
    for option, name in given.items():
        if name is not None and name not in file.names:
            raise UsageError(
                f"{option}: {file.origin} has no column `{name}`{nearest(name, file.names)} "
                f"(its columns: {listed(file.names)})"
            )
    chosen = [name for name in given.values() if name is not None]
    if len(set(chosen)) < len(chosen):
        raise UsageError("--label, --customer-id and --cutoff-column must name different columns; give each its own")
    notes = []
    if customer_id is None:
        customer_id = _customer_column(file)
        notes.append(f"`{customer_id}` says whose row it is; name another with --customer-id")
    if cutoff is None and cutoff_column is None and "cutoff" in file.names:
        cutoff_column = "cutoff"
        notes.append("`cutoff` is taken as the cutoff of each row; name another column with --cutoff-column")
    return Roles(customer_id, cutoff_column or "", cutoff or "", label or ""), notes


def _customer_column(file: FeatureFile) -> str:
    likely = [name for name in file.names if "".join(filter(str.isalnum, name)).lower() in _CUSTOMER_NAMES]
    if "customer_id" in file.names:
        return "customer_id"
    if len(likely) == 1:
        return likely[0]
    found = "none is called `customer_id`" if not likely else f"{listed(likely)} could all be it"
    raise UsageError(
        f"{file.origin}: a column must say whose row it is; {found}; name it with --customer-id "
        f"(its columns: {listed(file.names)})"
    )


def _why_unusable(kind: Kind, counts: Counts, roles: Roles, *, kept: bool) -> str:
    if kind == "date" and not roles.dated:
        return "is a date, and without a cutoff nobody knows how long ago; name it with --cutoff or --cutoff-column"
    if kind != "category" or not counts.filled or kept:
        return ""
    if counts.other_dates > READABLE * counts.filled:
        return "looks like a date, but not which number is the month; write it as 2024-12-31, or declare its format"
    if counts.distinct > max(_FEW_TEXTS, _FREE_TEXT * counts.filled):
        return f"is free text or an id: about {counts.distinct:,} different texts in {counts.filled:,} rows"
    return ""


def _texts(column: Any) -> Texts:  # Any: an Arrow column, which has no types of its own
    """Return texts that share their objects, None where missing; a column of a million rows has a few words."""
    if not len(column):
        return np.zeros(0, dtype=np.object_)
    coded = column.combine_chunks().dictionary_encode()
    words = np.array([*coded.dictionary.to_pylist(), None], dtype=np.object_)
    return np.asarray(words[coded.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False)])
