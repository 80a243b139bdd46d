"""The audit log: who did what, when; each entry holds the hash of the one before, so that a change is found.

An entry says nothing a person wrote, and names a customer by a pseudonym: an HMAC of the id under a random key of that
customer's own. Erasure destroys the key; the entry stays, the chain stays whole, and nobody can tell any more whom it
was about.

References
----------
Haber and Stornetta (1991), How to time-stamp a digital document, Journal of Cryptology 3, section 5.1: linking.
FIPS 180-4 (SHA-256); RFC 2104 (HMAC).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection, delete, insert, select, update

from churnml.database.tables_access import audit_entries, audit_head, audit_pseudonyms
from churnml.errors import DependencyError

GENESIS = "0" * 64
"""What stands where the first entry would hold the hash of one before it."""
_AT_ONCE = 1_000


class Answerable(Protocol):
    """Who answers for a deed: a caller of the service, or who types a command."""

    @property
    def kind(self) -> str:
        """What sort of actor it is: key, person, local, command or service."""

    @property
    def name(self) -> str:
        """What they are called."""


@dataclass(frozen=True)
class Entry:
    """One line of the log."""

    number: int
    at: int
    """microseconds UTC"""
    kind: str
    name: str
    what: str
    about: str
    """canonical JSON"""
    previous: str
    hash: str


@dataclass(frozen=True)
class Head:
    """Where a log ends: the number and the hash of its latest entry; (0, `GENESIS`) before the first."""

    number: int
    hash: str

    def __str__(self) -> str:
        """Return it as it is printed and written down."""
        return f"{self.number}:{self.hash}"


def audit(
    connection: Connection, caller: Answerable, what: str, about: Mapping[str, str | int] | None = None, *, at: int
) -> None:
    """Append an entry within the transaction of the deed it tells of; best as its last statement.

    Whoever appends holds the head of the log until their transaction ends, so that the chain never forks.

    Parameters
    ----------
    connection : sqlalchemy.Connection
        In the transaction of the deed: both count, or neither.
    caller : Answerable
        Who answers for it.
    what : str
        The deed, such as `key.created`.
    about : mapping of str to str or int, optional
        What it was done to: ids, never what someone wrote. A `customer_id` is kept as the pseudonym `customer`.
    at : int
        When, microseconds UTC.

    Raises
    ------
    DependencyError
        If the database has lost the head of its log.
    """
    hold(connection)
    last = read_head(connection)
    told: dict[str, str | int] = {name: value for name, value in (about or {}).items() if name != "customer_id"}
    if about and "customer_id" in about:
        told["customer"] = pseudonym(connection, str(about["customer_id"]))
    said: dict[str, str | int] = {
        "number": last.number + 1,
        "at": at,
        "kind": caller.kind,
        "name": caller.name,
        "what": what,
    }
    said |= {"about": canonical(told), "previous": last.hash}
    seal = _seal(said)
    connection.execute(insert(audit_entries), said | {"hash": seal})
    connection.execute(update(audit_head).values(number=last.number + 1, hash=seal))


def hold(connection: Connection) -> None:
    """Take the head of the log until the transaction ends, waiting for whoever has it; nothing may be read before.

    Raises
    ------
    DependencyError
        If the database has lost it.
    """
    if connection.execute(update(audit_head).values(number=audit_head.c.number)).rowcount != 1:
        raise DependencyError("the audit log must have one head, found none or several; restore the database")


def read_head(connection: Connection) -> Head:
    """Return where the database says that its log ends."""
    return Head(*connection.execute(select(audit_head.c.number, audit_head.c.hash)).one())


def entries(
    connection: Connection, after: int = 0, since: int | None = None, most: int | None = None
) -> Iterator[Entry]:
    """Give the entries in order, from the one behind number `after`, or those from an instant on; so many at most."""
    query = select(audit_entries).where(audit_entries.c.number > after).order_by(audit_entries.c.number).limit(most)
    if since is not None:
        query = query.where(audit_entries.c.at >= since)
    for row in connection.execution_options(yield_per=_AT_ONCE).execute(query).mappings():
        yield Entry(**row)


def sealed(entry: Entry) -> bool:
    """Tell whether an entry says what it said when it was written."""
    said = {name: value for name, value in vars(entry).items() if name != "hash"}
    return hmac.compare_digest(_seal(said), entry.hash)


def pseudonym(connection: Connection, customer_id: str, *, make: bool = True) -> str:
    """Return what the log calls a customer; empty where it never named them and `make` is false.

    Call it with `make` within `audit` only: who holds the head is alone in making a customer's key.
    """
    known = select(audit_pseudonyms.c.key).where(audit_pseudonyms.c.customer_id == customer_id)
    key = connection.execute(known).scalar()
    if key is None and make:
        key = secrets.token_hex(32)
        connection.execute(insert(audit_pseudonyms), {"customer_id": customer_id, "key": key})
    if key is None:
        return ""
    return hmac.new(bytes.fromhex(key), customer_id.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]


def forget_pseudonym(connection: Connection, customer_id: str) -> bool:
    """Destroy the key behind a customer's pseudonym, and tell whether there was one; for erasure."""
    gone = delete(audit_pseudonyms).where(audit_pseudonyms.c.customer_id == customer_id)
    return connection.execute(gone).rowcount > 0


def canonical(body: Mapping[str, str | int]) -> str:
    """Return JSON that is the same for the same content: keys in order, no blanks, ASCII."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"))


def _seal(said: Mapping[str, str | int]) -> str:
    return hashlib.sha256(canonical(said).encode()).hexdigest()
