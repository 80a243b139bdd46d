"""The door every file goes through: what may be opened, what a file is by its first bytes, and whether it stands still.

Nothing is opened that is not a regular file, so that a pipe cannot hang us nor a device be read for ever.
"""

from __future__ import annotations

import errno
import glob
import re
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from churnml.errors import DataRefusedError, UsageError

Kind = Literal["csv", "parquet", "excel", "jsonlines", "duckdb"]

_SUFFIXES: dict[Kind, tuple[str, ...]] = {  # the first of each is the one we advise
    "csv": (".csv", ".tsv", ".txt", ".tab"),
    "parquet": (".parquet", ".pq"),
    "excel": (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods"),
    "jsonlines": (".jsonl", ".ndjson", ".json"),
    "duckdb": (".duckdb", ".ddb", ".db"),
}
_WORDS: dict[Kind, str] = {
    "csv": "a CSV file",
    "parquet": "a Parquet file",
    "excel": "an Excel workbook",
    "jsonlines": "JSON lines",
    "duckdb": "a DuckDB file",
}
_NO_FILES = (
    (stat.S_ISDIR, "a folder", "name the files in it, or a pattern such as 'folder/*.csv'"),
    (stat.S_ISFIFO, "a pipe", "write it to a file first"),
    (stat.S_ISSOCK, "a socket", "write what it sends to a file first"),
    (stat.S_ISCHR, "a device", "write what it sends to a file first"),
    (stat.S_ISBLK, "a device", "write what it holds to a file first"),
)
_HEAD = 4096
_ARCHIVES = (  # where the mark stands, the mark, what it is called
    (0, b"PK\x03\x04", "zip"),
    (0, b"PK\x05\x06", "zip"),
    (0, b"\x1f\x8b", "gzip"),
    (4, b"1AY&SY", "bzip2"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\x07", "rar"),
    (257, b"ustar", "tar"),
)
_FOREIGN = (
    (b"%PDF-", "a PDF document"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"ARROW1", "an Arrow file"),
)
_MARKS: tuple[tuple[int, bytes, Kind], ...] = (
    (0, b"PAR1", "parquet"),
    (8, b"DUCK", "duckdb"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "excel"),  # the container of .xls, older than the zip of .xlsx
)
_PAGES = (b"<!doctype html", b"<html", b"<head", b"<meta", b"<body", b"<table", b"<style", b"<?xml", b"<!--")


NO_URL = (
    "found a URL, which is not read here; download it and name the file, or let `postgres` name the environment "
    "variable that holds the URL of a database. A URL with its password does not belong in a file: change that password"
)
"""What is said of a URL, which is never shown."""


def is_url(name: str) -> bool:
    """Tell whether the name of a file is a URL; as a path it has lost one of its slashes."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", name) is not None


def look_at(path: Path) -> Path:
    """Return the file that `path` leads to, once it is one that can be read and holds what tables come in.

    Parameters
    ----------
    path : Path
        A file, or a link to one.

    Returns
    -------
    Path
        The file itself, no link; messages still call it by the name it was given.

    Raises
    ------
    UsageError
        If there is no such file, it is not a regular one, or it may not be read.
    DataRefusedError
        If it is empty, an archive, a web page, or another thing that holds no table.
    """
    real = _regular(path)
    _refuse_foreign(path, real, _head(path))
    return real


def kind_of(path: Path) -> Kind:
    """Return what a file is: its name says it, and its first bytes must not say otherwise.

    Raises
    ------
    UsageError
        As `look_at`, or if the ending of the name is none we know.
    DataRefusedError
        As `look_at`, or if the bytes are of another kind than the name; the message says which name would fit.
    """
    real = look_at(path)
    endings = {suffix: kind for kind, suffixes in _SUFFIXES.items() for suffix in suffixes}
    named, held = endings.get(path.suffix.lower()), _held(real, _head(path))
    if named is None:
        better = f"; it holds {_WORDS[held]}: name it {path.name}{_SUFFIXES[held][0]}" if held != "csv" else ""
        raise UsageError(
            f"{path.name}: the name must end in one of {', '.join(endings)}, found {path.suffix or 'no ending'}{better}"
        )
    text = {"csv", "jsonlines"}
    if named != held and not (named == "jsonlines" and held in text):  # its reader tells which line is no JSON
        if held == "csv" and not _may_be_text(_head(path)):
            raise DataRefusedError(
                f"{path.name}: by its name this is {_WORDS[named]}, found bytes that are neither that nor text, as in "
                "a damaged file; export or copy it again and compare its size"
            )
        other = f"rename it to {path.stem}{_SUFFIXES[held][0]}"
        raise DataRefusedError(
            f"{path.name}: by its name this is {_WORDS[named]}, found {_described(held, named)}; "
            f"{other}, or export it again as {_WORDS[named]}"
        )
    return named


@contextmanager
def unchanged(path: Path) -> Iterator[None]:
    """Guard a file while it is read.

    Raises
    ------
    DataRefusedError
        If on leaving it has another size or time than on entering, is another file, or is gone; whatever went wrong
        in between then counts as its consequence.
    """
    before = _stamp(path)
    try:
        yield
    except Exception as error:
        if _stamp(path) != before:
            raise _moved(path) from error
        raise
    if _stamp(path) != before:
        raise _moved(path)


def exact_name(path: Path) -> str:
    """Return the name under which DuckDB opens this very file, for it would take ``[1]`` and ``*`` for patterns.

    Examples
    --------
    >>> exact_name(Path("orders [1].csv"))
    'orders [[]1].csv'
    """
    return glob.escape(str(path))


def require_file(path: Path) -> Path:
    """Return the file that `path` leads to, unopened.

    Raises
    ------
    UsageError
        If there is none, or something else: a folder, a pipe, a device, a link that leads nowhere or back to itself.
    """
    try:
        found = path.stat()  # follows links, opens nothing
        for is_kind, words, remedy in _NO_FILES:
            if is_kind(found.st_mode):
                raise UsageError(f"{path} must be a file, found {words}; {remedy}")
        return path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: links in a circle
        raise UsageError(why_not(path, error)) from error


def _regular(path: Path) -> Path:
    real = require_file(path)
    if not real.stat().st_size:
        raise DataRefusedError(f"{path.name}: expected a file with rows, found an empty one (0 bytes); export it again")
    return real


def why_not(path: Path, error: Exception) -> str:
    """Return in words why a file cannot be reached."""
    if isinstance(error, PermissionError):
        return f"{path} must be readable, found that we may not read it; give this user the right to (chmod +r)"
    if is_url(str(path)):
        return f"what is brought must be a file, {NO_URL}"
    if isinstance(error, RuntimeError) or (isinstance(error, OSError) and error.errno == errno.ELOOP):
        return f"{path} must lead to a file, found a link that leads back to itself; name the file itself"
    too_long = isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG
    if not too_long and path.is_symlink():
        return f"{path} must lead to a file, found a link that leads nowhere; name the file itself"
    return f"{path} is not there; check the spelling, and the folder you are in"


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as handle:
            return handle.read(_HEAD)
    except OSError as error:
        raise UsageError(why_not(path, error)) from error


def _refuse_foreign(path: Path, real: Path, head: bytes) -> None:
    if _is_workbook(real, head):
        return
    for start, mark, name in _ARCHIVES:
        if head.startswith(mark, start):
            raise DataRefusedError(f"{path.name}: expected a table, found a {name} archive; unpack it first")
    for mark, name in _FOREIGN:
        if head.startswith(mark):
            raise DataRefusedError(f"{path.name}: expected a table, found {name}; export its tables as CSV")
    plain = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if plain.startswith(_PAGES):
        page = "an XML document" if plain.startswith(b"<?xml") and b"<html" not in plain else "a web page (HTML)"
        raise DataRefusedError(
            f"{path.name}: expected a table, found {page}, which some systems export under such a name; "
            "open it in a spreadsheet and save it as CSV"
        )


def _is_workbook(real: Path, head: bytes) -> bool:
    if not head.startswith(b"PK\x03\x04"):
        return False
    if b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet" in head:
        return True
    try:
        with zipfile.ZipFile(real) as archive:
            return any(name.startswith("xl/") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError):  # cut off: its first part still tells
        return b"xl/" in head or b"[Content_Types].xml" in head


def _held(real: Path, head: bytes) -> Kind:
    """Return what the bytes say; what bears no mark is text, whose reader knows best."""
    if _is_workbook(real, head):
        return "excel"
    for start, mark, kind in _MARKS:
        if head.startswith(mark, start):
            return kind
    return "jsonlines" if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b'{"', b'[{"', b"{}")) else "csv"


def _described(held: Kind, named: Kind) -> str:
    return "what is none (text, it seems)" if held == "csv" and named != "csv" else _WORDS[held]


def _may_be_text(head: bytes) -> bool:
    """Tell whether bytes may be text in some encoding: no control character, or the pattern of UTF-16."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    return not any(byte < 9 or 13 < byte < 27 for byte in head)


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _moved(path: Path) -> DataRefusedError:
    return DataRefusedError(
        f"{path.name}: a file must stand still while it is read, found that it changed; "
        "wait until whoever writes it is done, then try again"
    )
