"""API keys: who may ask without being a person, what for, and until when.

A key reads `ck_ID_SECRET`: the id names it in lists and logs, and scanners for leaked secrets find it by its beginning.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, RowMapping, bindparam, insert, or_, select, update

from churnml.database.audit import Answerable, audit
from churnml.database.instants import iso, iso_day
from churnml.database.scopes import SCOPES, Scope, checked_scopes
from churnml.database.tables_access import keys
from churnml.database.tokens import digest_of, new_token
from churnml.errors import NotFoundError, UsageError

PREFIX = "ck_"
Standing = Literal["valid", "expired", "revoked"]
_ID_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_ID_LENGTH = 10
_NAME = re.compile(r"[\w.@+-]{1,64}")


@dataclass(frozen=True)
class Key:
    """What is known of a key; the key itself is not."""

    key_id: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: int
    expires_at: int
    revoked_at: int | None
    last_used: int | None
    """day counted from 1970, UTC"""
    family: str
    """the first of the keys that took each other's place; of a key that took nobody's, its own id"""

    def standing(self, now: int) -> Standing:
        """Tell whether it may be used at an instant."""
        if self.revoked_at is not None:
            return "revoked"
        return "valid" if now < self.expires_at else "expired"


def create_key(
    connection: Connection,
    caller: Answerable,
    name: str,
    scopes: Iterable[str],
    *,
    at: int,
    expires_at: int,
    family: str | None = None,
) -> tuple[Key, str]:
    """Make a key, of a family or the first of its own, and return it with the text that is shown this once.

    Raises
    ------
    UsageError
        If the name or a scope is none.
    """
    if not _NAME.fullmatch(name) or name.startswith(PREFIX):
        raise UsageError(
            f"the name of a key must be 1 to 64 letters, digits or any of . _ @ + -, and not begin with {PREFIX}, "
            f"got {name!r}"
        )
    key_id = "".join(secrets.choice(_ID_LETTERS) for _ in range(_ID_LENGTH))
    text = f"{PREFIX}{key_id}_{new_token()}"
    key = Key(key_id, name, checked_scopes(scopes), at, expires_at, None, None, family or key_id)
    row = vars(key) | {"digest": digest_of(text), "scopes": " ".join(key.scopes)}
    connection.execute(insert(keys), row)
    audit(connection, caller, "key.created", {"key": key_id, "name": name, "scopes": row["scopes"]}, at=at)
    return key, text


def rotate_key(
    connection: Connection, caller: Answerable, word: str, *, at: int, expires_at: int, overlap: int
) -> tuple[Key, str, Key]:
    """Make a new key like a valid one, which goes on for so long; return the new one, its text, and the old one.

    Parameters
    ----------
    word : str
        The old key's id, or its name where only one valid key has it.
    overlap : int
        Microseconds; the old key never goes on for longer than it would have.

    Raises
    ------
    NotFoundError
        If no valid key is called so.
    UsageError
        If several are.
    """
    found = [key for key in _called(connection, word) if key.standing(at) == "valid"]
    if not found:
        raise NotFoundError(f"no valid key is called {word!r}; `churnml keys list` shows what there is")
    if len(found) > 1:
        ids = ", ".join(PREFIX + key.key_id for key in found)
        raise UsageError(f"{len(found)} valid keys are called {word!r}: {ids}; name one by its id")
    old = found[0]
    ends = min(old.expires_at, at + overlap)
    connection.execute(update(keys).where(keys.c.key_id == old.key_id).values(expires_at=ends))
    made, text = create_key(connection, caller, old.name, old.scopes, at=at, expires_at=expires_at, family=old.family)
    audit(connection, caller, "key.rotated", {"key": old.key_id, "into": made.key_id, "ends": ends}, at=at)
    return made, text, next(key for key in _called(connection, old.key_id) if key.key_id == old.key_id)


def revoke_key(connection: Connection, caller: Answerable, word: str, *, at: int) -> list[Key]:
    """Revoke a key by its id, or all of a name, and return those that were revoked now.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    found = _called(connection, word)
    if not found:
        raise NotFoundError(f"no key is called {word!r}; `churnml keys list` shows what there is")
    going = [key for key in found if key.revoked_at is None]
    for key in going:
        connection.execute(update(keys).where(keys.c.key_id == key.key_id).values(revoked_at=at))
        audit(connection, caller, "key.revoked", {"key": key.key_id, "name": key.name}, at=at)
    return going


def list_keys(connection: Connection) -> list[Key]:
    """Return every key, in the order in which they were made."""
    return [_key(row) for row in connection.execute(_KNOWN.order_by(keys.c.created_at, keys.c.key_id)).mappings()]


def find_key(connection: Connection, text: str) -> Key | None:
    """Return the key that a text is, whatever its standing; None if it is none of ours."""
    prefix, _, rest = text.partition("_")
    key_id, _, secret = rest.partition("_")
    if f"{prefix}_" != PREFIX or len(key_id) != _ID_LENGTH or not secret:
        return None
    row = connection.execute(_BY_ID, {"asked": key_id}).one_or_none()
    if row is None or not hmac.compare_digest(row.digest, digest_of(text)):
        return None
    scopes = tuple(scope for scope in SCOPES if scope in row.scopes.split())
    of = row.family or row.key_id
    return Key(row.key_id, row.name, scopes, row.created_at, row.expires_at, row.revoked_at, row.last_used, of)


def note_use(connection: Connection, key_id: str, day: int) -> None:
    """Keep the day on which a key was used last."""
    connection.execute(update(keys).where(keys.c.key_id == key_id).values(last_used=day))


def told(key: Key, now: int) -> dict[str, str | list[str] | None]:
    """Return what is known of a key, as JSON."""
    return {
        "key_id": PREFIX + key.key_id,
        "name": key.name,
        "scopes": list(key.scopes),
        "standing": key.standing(now),
        "created_at": iso(key.created_at),
        "expires_at": iso(key.expires_at),
        "last_used_on": None if key.last_used is None else iso_day(key.last_used),
    }


def _called(connection: Connection, word: str) -> list[Key]:
    asked = _KNOWN.where(or_(keys.c.key_id == word.removeprefix(PREFIX), keys.c.name == word))
    return [_key(row) for row in connection.execute(asked.order_by(keys.c.created_at)).mappings()]


_BY_ID = select(keys).where(keys.c.key_id == bindparam("asked"))  # made once: every request asks it
_KNOWN = select(*(column for column in keys.c if column.name != "digest"))


def _key(row: RowMapping) -> Key:
    told = {"scopes": checked_scopes(row["scopes"].split()), "family": row["family"] or row["key_id"]}
    return Key(**dict(row) | told)
