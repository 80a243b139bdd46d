"""Files that somebody wrote into the workspace, such as exports: the rows of some customers are taken out of them.

A row is theirs where a column whose name says that it identifies somebody holds their id, address or number. Reports,
which name customers as examples at most, are rid of the name. What cannot be rewritten row by row, a workbook, an
archive or a Tableau extract, goes whole if it names them; it is made again.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import unescape

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from churnml.database import Workspace
from churnml.database.striking_out import without_names
from churnml.errors import DependencyError
from churnml.events import kept_backups, quarantine

_OURS = {"tables", "quarantine", "measures", "mlflow", "tuning", "hot", "jobs"}
"""What forgets by itself, or holds no customer: what was tried, and how a search went."""
_NAMES = re.compile(
    r"id\b|_id|key|code|(?:customer|member|user|contact)(?!s\b)|external|\bno\b|mail|phone|mobile|编号|客户|代码|主键|邮|电话|手机",
    re.IGNORECASE,
)
Rewrite = Callable[[bytes, frozenset[str]], tuple[bytes, int]]


def forget(workspace: Workspace, customer_ids: frozenset[str]) -> dict[str, int]:
    """Take customers out of every file that is not churnml's own, and return how many rows or files went, by kind."""
    gone = {"export_rows": 0, "export_files": 0, "export_mentions": 0}
    for path in sorted(strays(workspace)):
        kind = _kind_of(path)
        if kind in _WHOLE:
            if _holds(path.read_bytes(), kind, customer_ids):
                path.unlink()
                gone["export_files"] += 1
        elif kind in _BY_ROW:
            gone["export_rows"] += _rewrite(workspace, path, _BY_ROW[kind], customer_ids)
        if kind in _TOLD:
            gone["export_mentions"] += _rewrite(workspace, path, _struck_out, customer_ids)
    return {place: count for place, count in gone.items() if count}


def strays(workspace: Workspace) -> Iterable[Path]:
    """Yield the files within the workspace that are not churnml's own, nor those of a backup."""
    backups = set(kept_backups.folders(workspace))
    for path in workspace.root.rglob("*"):
        first = path.relative_to(workspace.root).parts[0]
        if (
            first not in _OURS
            and not first.startswith((".", workspace.file.name))
            and path.is_file()
            and not backups & set(path.parents)
        ):
            yield path


def _kind_of(path: Path) -> str:
    """Return what a file is: a workbook, an archive or a Parquet whatever it is called, all else by its name."""
    with path.open("rb") as handle:
        begins = handle.read(4)
    if begins == b"PAR1":
        return "parquet"
    if begins != b"PK\x03\x04" or not zipfile.is_zipfile(path):
        return _kind(path.name)
    with zipfile.ZipFile(path) as packed:
        return "xlsx" if "xl/workbook.xml" in packed.namelist() else "zip"


def _kind(name: str) -> str:
    return name.lower().removesuffix(".gz").rpartition(".")[2]


def _rewrite(workspace: Workspace, path: Path, rewrite: Rewrite, customer_ids: frozenset[str]) -> int:
    packed = path.name.endswith(".gz")
    content = path.read_bytes()
    new, gone = rewrite(gzip.decompress(content) if packed else content, customer_ids)
    if gone:
        with workspace.atomically(path) as draft:
            draft.write_bytes(gzip.compress(new) if packed else new)
    return gone


def _delimited(content: bytes, whom: frozenset[str], delimiter: str = "") -> tuple[bytes, int]:
    """Take rows out of a CSV; what stays is written as it was, to the byte but for its quotes."""
    marked = content.startswith(b"\xef\xbb\xbf")
    text = content.decode("utf-8-sig", "surrogateescape")
    first = text.partition("\n")[0]
    by = delimiter or max(",;\t|", key=first.count)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=by))
    stays = _staying(rows, whom)
    if len(stays) == len(rows):
        return content, 0
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=by, lineterminator="\r\n" if first.endswith("\r") else "\n").writerows(stays)
    new = out.getvalue().encode("utf-8", "surrogateescape")
    return (b"\xef\xbb\xbf" if marked else b"") + new, len(rows) - len(stays)


def _staying(rows: list[list[str]], whom: frozenset[str]) -> list[list[str]]:
    places = {place for row in rows[:3] for place, cell in enumerate(row) if _NAMES.search(cell)}
    return [row for row in rows if not any(_plain(cell) in whom for n, cell in enumerate(row) if n in places)]


def _plain(cell: str) -> str:
    """Return a cell without what keeps spreadsheets from taking it for a formula or a number."""
    return cell.strip().removeprefix("'").strip()


def _json_lines(content: bytes, whom: frozenset[str]) -> tuple[bytes, int]:
    lines = content.split(b"\n")
    stays = [line for line in lines if not _names(line, whom)]
    return b"\n".join(stays), len(lines) - len(stays)


def _names(line: bytes, whom: frozenset[str]) -> bool:
    try:
        row: Any = json.loads(line)  # Any: JSON
    except ValueError:
        return False
    return isinstance(row, dict) and _is_theirs(row, whom)


def _is_theirs(row: dict[str, Any], whom: frozenset[str]) -> bool:  # Any: JSON
    """Tell whether an object is about one of the customers; the report of a landing says it as the quarantine does."""
    named = (_plain(str(value)) for name, value in row.items() if _NAMES.search(name) and _may_name(name, value))
    return any(one in whom for one in named) or ("whole_row" in row and quarantine.names(row, whom))


def _may_name(name: str, value: object) -> bool:
    """Tell whether a value may be an id: a number is one only if it is called so."""
    return isinstance(value, str) or name.lower().endswith("id")


def _json(content: bytes, whom: frozenset[str]) -> tuple[bytes, int]:
    """Take out of a JSON every object within a list that is about one of the customers."""
    try:
        told: Any = json.loads(content)  # Any: JSON
    except ValueError:  # what it says is struck out as in any text
        return content, 0
    new, gone = _without(told, whom)
    return (json.dumps(new, ensure_ascii=False, indent=1).encode() + b"\n", gone) if gone else (content, 0)


def _without(told: Any, whom: frozenset[str]) -> tuple[Any, int]:  # Any: JSON
    if isinstance(told, dict):
        parts = {name: _without(value, whom) for name, value in told.items()}
        return {name: part for name, (part, _) in parts.items()}, sum(gone for _, gone in parts.values())
    if isinstance(told, list):
        stays = [one for one in told if not (isinstance(one, dict) and _is_theirs(one, whom))]
        found = [_without(one, whom) for one in stays]
        return [one for one, _ in found], len(told) - len(stays) + sum(gone for _, gone in found)
    return told, 0


def _struck_out(content: bytes, whom: frozenset[str]) -> tuple[bytes, int]:
    text, found = without_names(content.decode("utf-8", "surrogateescape"), whom)
    return text.encode("utf-8", "surrogateescape"), found


def _parquet(content: bytes, whom: frozenset[str]) -> tuple[bytes, int]:
    table = pq.read_table(pa.BufferReader(content))
    theirs = pa.chunked_array([pa.array([False] * len(table), pa.bool_())])
    for name in table.column_names:
        column = table.column(name)
        if _NAMES.search(name) and not pa.types.is_nested(column.type):
            found = pc.is_in(column.cast(pa.string()), value_set=pa.array(sorted(whom), pa.string()))
            theirs = pc.or_(theirs, pc.fill_null(found, False))
    gone = pc.sum(theirs).as_py() or 0
    sink = pa.BufferOutputStream()
    pq.write_table(table.filter(pc.invert(theirs)), sink)
    return (sink.getvalue().to_pybytes(), gone) if gone else (content, 0)


def _holds(content: bytes, kind: str, whom: frozenset[str]) -> bool:
    """Tell whether a file that cannot be rewritten row by row names one of the customers."""
    if kind == "hyper":
        return any(one.encode() in content for one in whom)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            return any(_member_holds(name, packed.read(name), kind, whom) for name in packed.namelist())
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:  # damaged, under a password, packed oddly
        raise DependencyError(
            "a file in the workspace must be readable to be rid of a customer, found a damaged or locked archive "
            f"({error}); remove it, then do the same again"
        ) from error


def _member_holds(name: str, content: bytes, kind: str, whom: frozenset[str]) -> bool:
    if kind == "xlsx":
        cells = _CELL.findall(content.decode("utf-8", "replace"))
        return any(_plain(unescape(cell)) in whom for cell in cells)
    inner = _kind(name)
    if inner in _WHOLE:
        return _holds(content, inner, whom)
    return inner in _BY_ROW and _BY_ROW[inner](content, whom)[1] > 0


_BY_ROW: dict[str, Rewrite] = {
    "csv": _delimited,
    "tsv": lambda content, whom: _delimited(content, whom, "\t"),
    "txt": _delimited,
    "json": _json,
    "jsonl": _json_lines,
    "ndjson": _json_lines,
    "parquet": _parquet,
}
_TOLD = {"html", "htm", "json", "log", "md"}
"""What names customers as examples, if at all: an id is struck out of it."""
_WHOLE = {"hyper", "xlsx", "zip"}
_CELL = re.compile(r"<t(?: [^>]*)?>([^<]*)</t>")
"""A text in a sheet (ECMA-376, part 1, section 18.4.12); numbers, which may equal an id by chance, are no ids."""
