"""Text in whatever encoding, as UTF-8: what the bytes themselves decide is found out, everything else is refused.

DuckDB reads UTF-8; a file in another encoding is written anew, piece by piece, beside it.
"""

from __future__ import annotations

import codecs
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

from churnml.errors import ConfigError, DataRefusedError
from churnml.events.sources.letters import candidates, is_chinese, is_western

_CHUNK = 1 << 18  # stays in the cache between reading and decoding
_AROUND = 1 << 16
_UTF8_LETTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_ASK = "declare its `encoding` in sources.yaml, or export it again as UTF-8"


def as_utf8(path: Path, scratch: Path, declared: str | None = None) -> tuple[Path, str]:
    """Return the text of a file as a file in UTF-8: itself, or its translation in `scratch`.

    Parameters
    ----------
    path : Path
        The file.
    scratch : Path
        Where a translation is written.
    declared : str, optional
        The encoding it is in; found out where it is not given.

    Returns
    -------
    Path, str
        The file to read, and a note if its encoding was found out to be another than UTF-8, else an empty text.

    Raises
    ------
    ConfigError
        If the declared encoding is none we know.
    DataRefusedError
        If the bytes are not text in the declared encoding, or in none that they could be told to be in.
    """
    if declared:
        known = _known(path, declared)
        return (_checked(path, known), "") if known.startswith("utf-8") else (_translated(path, scratch, known), "")
    with path.open("rb") as handle:
        start = handle.read(2)
    if start in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        return _translated(path, scratch, "utf-16"), "read as UTF-16, as its byte order mark says"
    wrong = _first_wrong(path, "utf-8")
    if wrong is None:
        return path, ""
    found, words = _told_apart(path, wrong)
    note = f"not UTF-8: read as {words}; if letters look wrong, declare its `encoding` in sources.yaml"
    return _translated(path, scratch, found), note


def _known(path: Path, declared: str) -> str:
    try:
        "".encode(declared)  # refuses codecs that are no encodings of text, such as zip
        return codecs.lookup(declared).name
    except (LookupError, ValueError) as error:
        raise ConfigError(
            f"{path.name}: `encoding` must be one such as utf-8, utf-16, gb18030, cp1252 or latin-1, "
            f"found {declared!r}; correct it in sources.yaml"
        ) from error


def _told_apart(path: Path, wrong: int) -> tuple[str, str]:
    """Return the encoding of a text that is not UTF-8 from its byte number `wrong` on, with the word for it."""
    sample = _lines_around(path, wrong)
    if is_chinese(sample):
        return "gb18030", "gb18030 (Chinese)"
    broken = sample.decode("utf-8", "replace").count("\ufffd")
    if len(_UTF8_LETTER.findall(sample)) > broken or not _is_ascii(path, wrong - _AROUND):
        raise _not_decoded(path, wrong, "utf-8", f"the rest is UTF-8, so the file may be damaged: {_ASK}")
    if not is_western(sample):
        told = ", ".join(f"{encoding} would read `{word}`" for encoding, word in candidates(sample))
        raise _not_decoded(path, wrong, "utf-8", f"{told}; {_ASK}" if told else _ASK)
    return "cp1252", "cp1252 (Western European)"


def _lines_around(path: Path, place: int) -> bytes:
    """Return whole lines around a place; no character of these encodings holds a line end within."""
    with path.open("rb") as handle:
        start = max(0, place - _AROUND)
        handle.seek(start)
        before, after = handle.read(place - start), handle.read(_AROUND)
        rest = handle.read(1)
    head = before[before.find(b"\n") + 1 :] if start and b"\n" in before else before
    tail = after[: after.rfind(b"\n") + 1] if rest and b"\n" in after else after
    return head + tail


def _is_ascii(path: Path, length: int) -> bool:
    with path.open("rb") as handle:
        while length > 0 and (chunk := handle.read(min(_CHUNK, length))):
            if not chunk.isascii():
                return False
            length -= len(chunk)
    return True


def _checked(path: Path, encoding: str) -> Path:
    wrong = _first_wrong(path, encoding)
    if wrong is not None:
        raise _not_decoded(path, wrong, encoding, _ASK)
    return path


def _translated(path: Path, scratch: Path, encoding: str) -> Path:
    target = scratch / f"{uuid.uuid4().hex}.csv"
    try:
        with target.open("w", encoding="utf-8", newline="") as handle:
            handle.writelines(_texts(path, encoding))
    except _NoTextError as error:
        raise _not_decoded(path, error.place, encoding, _ASK) from error
    return target


def _first_wrong(path: Path, encoding: str) -> int | None:
    """Return the number, from 0, of the first byte that is no text in this encoding."""
    try:
        for _ in _texts(path, encoding):
            pass
    except _NoTextError as error:
        return error.place
    return None


class _NoTextError(Exception):
    """A byte that is no text in the encoding, by its number from 0."""

    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.place = place


def _texts(path: Path, encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    read, more = 0, True
    with path.open("rb") as handle:
        while more:
            chunk = handle.read(_CHUNK)
            read, more = read + len(chunk), bool(chunk)
            try:
                yield decoder.decode(chunk, final=not more)
            except UnicodeDecodeError as error:  # its object begins with what was left of the chunk before
                raise _NoTextError(read - len(error.object) + error.start) from error


def _not_decoded(path: Path, wrong: int, encoding: str, remedy: str) -> DataRefusedError:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    line, left = 1, wrong
    with path.open("rb") as handle:
        while left > 0 and (chunk := handle.read(min(_CHUNK, left))):
            line, left = line + decoder.decode(chunk).count("\n"), left - len(chunk)
    return DataRefusedError(
        f"{path.name}: expected text in {encoding.upper()}, found what is none on line {line:,} "
        f"(byte {wrong + 1:,} of the file); {remedy}"
    )
