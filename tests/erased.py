"""A marked customer is planted wherever the product can put one, and looked for in every byte of a workspace."""

from __future__ import annotations

import base64
import gzip
import io
import json
import urllib.parse
import zipfile

import pyarrow.parquet as pq
from sqlalchemy import MetaData, cast, select, text
from sqlalchemy.types import Text

WHO = "zq-marked-7731"
"""The id: it begins with letters that nothing else here has, so that whatever holds it was planted."""
NAME, PHONE, EMAIL = "Zq Zweifel Żółć", "+41791237731", "zq.zweifel@mark7731.example"
NOTE = "Zq-comment: call after the wedding 7731"
MARKS = (WHO, NAME, PHONE, EMAIL, NOTE)
SECRET = "a secret of the tests alone, of more than thirty-two letters"  # noqa: S105


def _forms(mark: str) -> list[bytes]:
    """Return a text as UTF-8, UTF-16, JSON, in an address, in base64 at each of three offsets."""
    plain = mark.encode()
    return [
        plain,
        mark.encode("utf-16-le"),
        mark.encode("utf-16-be"),
        json.dumps(mark)[1:-1].encode(),
        urllib.parse.quote(mark, safe="").encode(),
        urllib.parse.quote_plus(mark, safe="").encode(),
        *(base64.b64encode(b"\0" * shift + plain)[4 if shift else 0 : -4] for shift in range(3)),
    ]


FORMS = [form for mark in MARKS for form in _forms(mark)]


def traces(*folders) -> list[str]:
    """Return every file in some folders that holds the marked customer: as it lies there, or once it is unpacked."""
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path.name for path in files if _holds(str(path).encode(), *_contents(path.name, path.read_bytes()))]


def _holds(*contents: bytes) -> bool:
    return any(form in content for content in contents for form in FORMS)


def _contents(name: str, content: bytes):
    """Yield what a file holds: its bytes, the texts of a Parquet, what an archive packs.

    SQLite keeps texts as they are, and what is left of those that were deleted.
    """
    yield content
    if name.endswith(".parquet"):
        yield repr(pq.read_table(io.BytesIO(content)).to_pylist()).encode()
    elif name.endswith(".gz"):
        yield from _contents(name.removesuffix(".gz"), gzip.decompress(content))
    elif zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for member in packed.namelist():
                yield from _contents(member, packed.read(member))


def rows_with_traces(engine) -> list[str]:
    """Return every table of a database in which a row, as text, holds the marked customer."""
    return [name for name, rows in _tables(engine) if _holds(*(repr(row).encode() for row in rows))]


def rows_with(engine, text) -> list[str]:
    """Return every table in which a row, as text, holds a text of a test's own."""
    return [name for name, rows in _tables(engine) if any(text in repr(row) for row in rows)]


def _tables(engine):
    """Yield the name of each table, and its rows as text; in PostgreSQL as that writes a row."""
    tables = MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        for table in tables.sorted_tables:
            if engine.dialect.name == "postgresql":
                yield table.name, connection.execute(text(f'SELECT t::text FROM "{table.name}" t')).scalars().all()
            else:
                query = select(*(cast(column, Text) for column in table.columns))
                yield table.name, [tuple(row) for row in connection.execute(query)]


def bytes_with_traces(*folders) -> list[str]:
    """Return every file in some folders whose bytes, as they lie there, hold the marked customer."""
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path.name for path in files if _holds(path.read_bytes())]
