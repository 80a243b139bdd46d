"""Tombstones: by them a customer who was erased is known when they are brought again, and nobody else learns who.

A tombstone is an HMAC of the id under a key derived from the deployment's secret. Whoever has the database alone cannot
try ids against it; whoever has the secret can only ask whether an id that they hold was erased.

References
----------
RFC 2104 (HMAC) with FIPS 180-4 (SHA-256).
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, exists, insert, select

from churnml.database.dialect import insert_or_ignore
from churnml.database.secret import VARIABLE, derived
from churnml.database.tables import sources
from churnml.database.tables_erasure import erasure_notes, tombstones
from churnml.errors import DataRefusedError, NotSetUpError

_PURPOSE = "tombstones"
_CHECK = "check"
_FEW = 5_000
_AT_ONCE = 500
_FORM = 1


def bury(connection: Connection, customer_ids: Collection[str], erasure_id: str, now: int) -> dict[str, str]:
    """Put up a tombstone for each customer, and return their marks by id.

    Raises
    ------
    NotSetUpError
        If `CHURNML_SECRET` is missing, or another than the one by which the tombstones that stand were made.
    """
    key = _key(connection)
    if not _any(connection):
        connection.execute(delete(erasure_notes).where(erasure_notes.c.name == _CHECK))
        connection.execute(insert(erasure_notes), {"name": _CHECK, "value": _check_of(key)})
    marks = {customer: _mark(key, customer) for customer in customer_ids}
    rows = [{"mark": mark, "erasure_id": erasure_id, "erased_at": now} for mark in set(marks.values())]
    insert_or_ignore(connection, tombstones, rows)
    return marks


def erased_among(connection: Connection, customer_ids: Collection[str]) -> frozenset[str]:
    """Return which of some customers were erased; a million ids take about two seconds, none if nobody was.

    Raises
    ------
    NotSetUpError
        If there are tombstones, and the secret is missing or another than theirs.
    """
    if not customer_ids or not _any(connection):
        return frozenset()
    key = _key(connection)
    if len(customer_ids) > _FEW:
        standing = frozenset(connection.execute(select(tombstones.c.mark)).scalars())
        return frozenset(customer for customer in customer_ids if _mark(key, customer) in standing)
    marks = {customer: _mark(key, customer) for customer in customer_ids}
    found = set(_standing(connection, sorted(set(marks.values()))))
    return frozenset(customer for customer, mark in marks.items() if mark in found)


def require_known(connection: Connection) -> None:
    """Refuse where somebody was erased who would not be known again.

    Raises
    ------
    NotSetUpError
        If there are tombstones, and the secret is missing or another than theirs.
    """
    if _any(connection):
        _key(connection)


def erased_since(connection: Connection, since: int) -> bool:
    """Tell whether anybody was erased at an instant or after it, microseconds UTC."""
    return bool(connection.execute(select(exists().where(tombstones.c.erased_at >= since))).scalar())


def lift(connection: Connection, customer_id: str) -> bool:
    """Take a tombstone away, so that the customer may come back, and tell whether there was one.

    Files that have landed before are read again when they come again, for rows of theirs may have been left out.
    """
    if not _any(connection):
        return False
    mark = _mark(_key(connection), customer_id)
    lifted = connection.execute(delete(tombstones).where(tombstones.c.mark == mark)).rowcount > 0
    if lifted:
        connection.execute(delete(sources))
    return lifted


def exported(connection: Connection) -> dict[str, Any]:  # Any: JSON
    """Return all tombstones as plain data, for a workspace that is restored elsewhere; they name nobody."""
    rows = connection.execute(select(tombstones).order_by(tombstones.c.mark)).mappings()
    check = connection.execute(select(erasure_notes.c.value).where(erasure_notes.c.name == _CHECK)).scalar()
    return {"form": _FORM, "check": check, "tombstones": [dict(row) for row in rows]}


def bring(connection: Connection, told: Mapping[str, Any]) -> int:  # Any: JSON
    """Put up the tombstones of another database beside those that stand, and return how many were brought.

    Raises
    ------
    NotSetUpError
        If they were made by another secret.
    DataRefusedError
        If they are no tombstones.
    """
    names = {"mark": str, "erasure_id": str, "erased_at": int}
    rows, check = told.get("tombstones"), told.get(_CHECK)
    sound = isinstance(rows, list) and all(
        isinstance(row, dict) and all(isinstance(row.get(name), kind) for name, kind in names.items()) for row in rows
    )
    if told.get("form") != _FORM or not sound:
        raise DataRefusedError(
            "tombstones must be as `churnml erase --export FILE` wrote them, found something else; name such a file"
        )
    if not rows:
        return 0
    key = _key(connection)
    if not hmac.compare_digest(str(check), _check_of(key)):
        raise NotSetUpError(_another("the tombstones that are brought"))
    insert_or_ignore(connection, erasure_notes, [{"name": _CHECK, "value": _check_of(key)}])
    insert_or_ignore(connection, tombstones, [{name: row[name] for name in names} for row in rows])
    return len(rows)


def _standing(connection: Connection, marks: Sequence[str]) -> Iterator[str]:
    for start in range(0, len(marks), _AT_ONCE):
        some = marks[start : start + _AT_ONCE]
        yield from connection.execute(select(tombstones.c.mark).where(tombstones.c.mark.in_(some))).scalars()


def _any(connection: Connection) -> bool:
    return connection.execute(select(tombstones.c.mark).limit(1)).first() is not None


def _key(connection: Connection) -> bytes:
    """Return the key of the tombstones, once it is sure that it is the one by which those that stand were made."""
    key = derived(_PURPOSE)
    check = connection.execute(select(erasure_notes.c.value).where(erasure_notes.c.name == _CHECK)).scalar()
    if check is not None and _any(connection) and not hmac.compare_digest(check, _check_of(key)):
        raise NotSetUpError(_another("the tombstones of this workspace"))
    return key


def _another(what: str) -> str:
    return (
        f"`{VARIABLE}` must be the secret by which {what} were made, found another; by another one nobody who was "
        "erased would be known again. Set the earlier one"
    )


def _mark(key: bytes, customer_id: str) -> str:
    return hmac.digest(key, customer_id.strip().encode("utf-8", "surrogatepass"), "sha256").hex()


def _check_of(key: bytes) -> str:
    return hmac.digest(key, b"\0which secret", "sha256").hex()  # no id begins so: ids are printable
