"""What of a file holds the rows of one table: the file itself, a sheet of a workbook, a table of a DuckDB file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from churnml.events.sources import Rows
from churnml.events.sources.duckdb_file import duckdb_rows, tables_of
from churnml.events.sources.excel import sheets_of
from churnml.events.sources.files import open_rows
from churnml.events.sources.opening import kind_of


@dataclass(frozen=True)
class Part:
    """Rows that may belong into one table.

    Parameters
    ----------
    path : Path
        The file.
    sheet : str
        The sheet, of a workbook that has several.
    table : str
        The table of a DuckDB file, as SQL names it.
    """

    path: Path
    sheet: str = ""
    table: str = ""

    @property
    def called(self) -> str:
        """The name that may tell what it holds."""
        return self.sheet or self.table or self.path.stem

    @property
    def within(self) -> str:
        """Which part of the file it is, in words; empty for all of it."""
        return f", sheet {self.sheet}" if self.sheet else f", table {self.table}" if self.table else ""

    def rows(self, connection: duckdb.DuckDBPyConnection, scratch: Path, *, first: int | None = None) -> Rows:
        """Return its rows, or at least the first of them; a table of a DuckDB file is not read beyond those.

        Raises
        ------
        ChurnmlError
            If it cannot be read.
        """
        if self.table:
            some = "" if first is None else f" LIMIT {first}"
            return duckdb_rows(self.path, connection, scratch, query=f"SELECT * FROM {self.table}{some}")
        return open_rows(self.path, connection, scratch, **({"sheet": self.sheet} if self.sheet else {})).exact()


def parts_of(path: Path, connection: duckdb.DuckDBPyConnection, scratch: Path) -> list[Part]:
    """Return what of a file may hold a table.

    Raises
    ------
    ChurnmlError
        If the file cannot be read.
    """
    kind = kind_of(path)
    if kind == "duckdb":
        return [Part(path, table=name) for name in tables_of(path, connection, scratch)]
    sheets = sheets_of(path) if kind == "excel" else []
    return [Part(path, sheet=name) for name in sheets] if len(sheets) > 1 else [Part(path)]
