"""Who of an identity provider's people is who of ours: known by issuer and subject, never by a name or an address.

A name can be given to somebody else, and an e-mail address too; a subject is never given twice.

References
----------
OpenID Connect Core 1.0, sections 2 and 5.7: `iss` and `sub` together are the only claims to know a person by.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from churnml.database.audit import Answerable, audit
from churnml.database.people import Person, find_person, require_person
from churnml.database.tables_identities import LONGEST_SUBJECT, identities, used_attempts
from churnml.database.tokens import digest_of
from churnml.errors import UsageError


def identified(connection: Connection, issuer: str, subject: str) -> Person | None:
    """Return who of ours somebody of a provider is; None where they are nobody yet."""
    known = (identities.c.issuer == issuer, identities.c.subject == subject)
    name = connection.execute(select(identities.c.person).where(*known)).scalar()
    return None if name is None else find_person(connection, str(name))


def link(connection: Connection, caller: Answerable, name: str, issuer: str, subject: str, *, at: int) -> Person:
    """Have a person sign in as somebody of a provider from now on.

    Raises
    ------
    NotFoundError
        If nobody is called so.
    UsageError
        If the subject is none, or is somebody already.
    """
    if not 0 < len(subject) <= LONGEST_SUBJECT:
        raise UsageError(f"a subject must have 1 to {LONGEST_SUBJECT} characters, got {len(subject)}")
    person = require_person(connection, name)
    taken = identified(connection, issuer, subject)
    if taken is not None:
        raise UsageError(f"this subject is `{taken.name}` already; `churnml people remove {taken.name}` frees it")
    row = {"issuer": issuer, "subject": subject, "person": person.name, "linked_at": at}
    connection.execute(insert(identities), row)
    audit(connection, caller, "person.linked", {"person": person.name, "issuer": issuer}, at=at)
    return person


def is_linked(connection: Connection, name: str) -> bool:
    """Tell whether a person is somebody of a provider."""
    found = select(identities.c.person).where(identities.c.person == name).limit(1)
    return connection.execute(found).first() is not None


def use_up(connection: Connection, state: str, *, now: int, expires_at: int) -> bool:
    """Use up an attempt to sign in, and tell whether it was still unused; those that are over are forgotten.

    Call it while the audit log is held (`database.audit.hold`): of two that come at once, one is let in.
    """
    connection.execute(delete(used_attempts).where(used_attempts.c.expires_at <= now))
    digest = digest_of(state)
    if connection.execute(select(used_attempts.c.digest).where(used_attempts.c.digest == digest)).first():
        return False
    connection.execute(insert(used_attempts), {"digest": digest, "expires_at": expires_at})
    return True
