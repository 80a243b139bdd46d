"""Numbers that DuckDB gives, sorted a few million at a time, so that memory stays flat however many they are."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import duckdb
import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]
Numbers = Hashes | Places

_PIECE = 1 << 17
_AT_ONCE = 4_000_000
_FILES = 200
"""So many may be open at once on every system; beyond 800 million numbers more of them are sorted at a time."""


def columns_of(connection: duckdb.DuckDBPyConnection, query: str, rows: int) -> list[Numbers]:
    """Return the columns of a query as arrays, piece by piece, for all at once would take their memory twice.

    Parameters
    ----------
    query : str
        Gives numbers of 64 bits.
    rows : int
        So many it gives at most; what is not filled takes no memory.
    """
    reader, filled = connection.sql(query).to_arrow_reader(_PIECE), 0
    columns = [np.empty(rows, dtype=str(kind)) for kind in reader.schema.types]  # `to_pandas_dtype` imports pandas
    for piece in reader:
        for column, values in zip(columns, piece.columns, strict=True):
            column[filled : filled + len(piece)] = values.to_numpy(zero_copy_only=False)
        filled += len(piece)
    return [column[:filled] for column in columns]


def repeated_of(connection: duckdb.DuckDBPyConnection, query: str, scratch: Path) -> Iterator[Hashes]:
    """Yield the hashes that a query gives twice or more, each once; the query is read once.

    Sorting numbers costs a sixth of what grouping them in DuckDB does. More than fit are dealt out to files first, and
    equal ones come to the same file.

    Parameters
    ----------
    query : str
        Gives one column of unsigned numbers of 64 bits.
    scratch : Path
        A folder for the files, which are gone afterwards.
    """
    ((rows,),) = connection.execute(f"SELECT count(*) FROM ({query})").fetchall()
    parts = min(rows // _AT_ONCE + 1, _FILES)
    if parts == 1:
        (values,) = columns_of(connection, query, rows)
        yield _repeated(values.view(np.uint64))
        return
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile(dir=scratch)) for _ in range(parts)]
        for piece in connection.sql(query).to_arrow_reader(_PIECE):
            _deal(piece.column(0).to_numpy(zero_copy_only=False), files)
        for file in files:
            file.seek(0)
            yield _repeated(np.fromfile(file, dtype=np.uint64))


def _deal(values: Hashes, files: Sequence[BinaryIO]) -> None:
    part = (values % len(files)).astype(np.uint8)
    dealt = values[np.argsort(part, kind="stable")]  # by counting, as small numbers are sorted
    ends = np.cumsum(np.bincount(part, minlength=len(files)))
    for file, own in zip(files, np.split(dealt, ends[:-1]), strict=True):
        file.write(own.data)


def _repeated(values: Hashes) -> Hashes:
    values.sort()
    again = values[1:][values[1:] == values[:-1]]
    return np.concatenate([again[:1], again[1:][again[1:] != again[:-1]]])
