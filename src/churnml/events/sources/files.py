"""Files as sources: which reader opens a file, and which files a folder or a pattern means."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb

from churnml.errors import UsageError, nearest
from churnml.events.sources import Rows, Source
from churnml.events.sources.delimited import delimited_rows
from churnml.events.sources.excel import excel_rows
from churnml.events.sources.jsonlines import jsonlines_rows
from churnml.events.sources.opening import _SUFFIXES as SUFFIXES
from churnml.events.sources.opening import _WORDS as WORDS
from churnml.events.sources.opening import Kind, kind_of, why_not
from churnml.events.sources.parquet import parquet_rows

_OPENERS: dict[Kind, tuple[Callable[..., Rows], tuple[str, ...]]] = {  # each reader has options of its own
    "csv": (delimited_rows, ("encoding", "delimiter", "quote", "decimal", "thousands")),
    "excel": (excel_rows, ("sheet",)),
    "jsonlines": (jsonlines_rows, ()),
    "parquet": (parquet_rows, ()),
}
_SHOWN = 8


def open_rows(path: Path, connection: duckdb.DuckDBPyConnection, scratch: Path, **declared: str) -> Rows:
    """Return the rows of a file under the names they bear there.

    Parameters
    ----------
    path : Path
        A delimited text, an Excel workbook, JSON lines or Parquet, as its name ends.
    connection : DuckDBPyConnection
        Where the rows are seen.
    scratch : Path
        A folder for intermediate files.
    **declared : str
        What is known of how it is written: encoding, delimiter, quote, decimal, thousands, sheet.

    Raises
    ------
    UsageError
        If the file is not there, is of a kind we do not read, or has no use for something declared.
    DataRefusedError
        If it cannot be read as what its name says.
    """
    kind = _table_kind(path)
    reader, options = _OPENERS[kind]
    everywhere = {"decimal", "thousands"}  # these say how a text is read, whatever holds it
    stray = next((key for key in declared if key not in {*options, *everywhere}), None)
    if stray is not None:
        raise UsageError(f"{path.name}: `{stray}` says nothing about {WORDS[kind]}; leave it out")
    return reader(path, connection, scratch, **{key: said for key, said in declared.items() if key in options})


def file_source(table: str, path: Path, time_zone: str) -> Source:
    """Return the source that reads `path`, whose columns bear the contract's names, into `table`.

    Raises
    ------
    UsageError
        If the file does not exist, is not a regular file, or is of a kind we do not read.
    """
    _table_kind(path)
    return Source(table, path.name, (path,), f"{table}:{time_zone}", time_zone, partial(open_rows, path))


def expand(pattern: str, base: Path) -> list[Path]:
    """Return the files that a name means: a file, the readable files of a folder, or what matches a pattern.

    Parameters
    ----------
    pattern : str
        Such as ``orders.csv``, ``exports`` or ``exports/orders-*.csv``; ``**`` stands for any folders.
    base : Path
        The folder it is relative to.

    Raises
    ------
    UsageError
        If there is no such file, or a link leads out of the folder.
    """
    whole = base / pattern
    if whole.is_file() or (not whole.is_dir() and os.path.lexists(whole)):  # what is no file is told when it is opened
        return [whole]
    try:
        found = sorted(filter(readable, whole.iterdir())) if whole.is_dir() else _matching(pattern, base)
    except OSError as error:
        raise UsageError(f"{whole} cannot be looked into: {error.strerror}; ask for the right to read it") from error
    for path in found:
        _refuse_link_out(path, whole if whole.is_dir() else base / _fixed(pattern))
    if not found:
        raise UsageError(f"`{pattern}` names no file that can be read; {_what_is_near(whole)}")
    return found


def _matching(pattern: str, base: Path) -> list[Path]:
    names = glob.glob(pattern, root_dir=base, recursive=True)  # noqa: PTH207  # hidden files stay hidden
    return sorted(base / name for name in names if not (base / name).is_dir())


def readable(path: Path) -> bool:
    """Tell whether a file of a folder is meant as a table: not hidden, no folder, of a kind we read by its name."""
    if path.name.startswith((".", "~$")) or path.is_dir():  # ~$ is what Excel leaves beside an open workbook
        return False
    return any(path.suffix.lower() in SUFFIXES[kind] for kind in _OPENERS)


def _table_kind(path: Path) -> Kind:
    kind = kind_of(path)
    if kind == "duckdb":
        raise UsageError(
            f"{path.name}: a DuckDB file holds many tables; name it in sources.yaml as `duckdb`, with a `query`"
        )
    return kind


def _fixed(pattern: str) -> Path:
    """Return the folder that stands before the first part with a pattern in it."""
    return next((folder for folder in Path(pattern).parents if not glob.has_magic(str(folder))), Path())


def _refuse_link_out(path: Path, folder: Path) -> None:
    try:
        real = path.resolve()
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        raise UsageError(why_not(path, error)) from error
    if not real.is_relative_to(folder.resolve()):
        raise UsageError(
            f"{path.name} is a link that leads out of {folder.name}/, where only its own files are read; "
            "copy the file there, or name it by itself"
        )


def _what_is_near(whole: Path) -> str:
    folder = whole if whole.is_dir() else next(parent for parent in whole.parents if parent.is_dir())
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    if not names:
        return f"{folder} is empty"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{folder} holds {', '.join(names[:_SHOWN])}{more}{nearest(whole.name, names)}"
