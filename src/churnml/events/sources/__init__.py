"""Where tables come from: each source yields the rows of one contract table, as DuckDB sees them.

Read `files.py` first; `completejourney.py` is an example of a preset.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

ROW = "source_row"
"""The column in which a source numbers its rows as its reader would: 1 is the first row of data."""


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
        The files it reads; their digests tell whether it has landed before.
    mapping : str
        Names how the files are read; another mapping of the same file is another source.
    time_zone : str
        The IANA zone of instants that carry no offset.
    rows : callable
        Takes a connection, gives a relation with a `source_row` column.
    """

    table: str
    origin: str
    files: tuple[Path, ...]
    mapping: str
    time_zone: str
    rows: Callable[[duckdb.DuckDBPyConnection], duckdb.DuckDBPyRelation]
