"""People who sign in: a name, a role, a password of which only the hash is kept."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from churnml.database.audit import Answerable, audit
from churnml.database.cases import give_back_all
from churnml.database.instants import iso
from churnml.database.scopes import Role, checked_role
from churnml.database.sessions import end_sessions
from churnml.database.tables_access import people
from churnml.database.tables_identities import identities
from churnml.database.views import forget_person
from churnml.errors import NotFoundError, UsageError

_NAME = re.compile(r"[\w.@+-]{1,64}")


@dataclass(frozen=True)
class Person:
    """Someone with an account."""

    name: str
    role: Role
    created_at: int
    changed_at: int
    """when their password was set"""


def known_as(name: str) -> str:
    """Return the one form of a name: `Ann` and `ann` are the same person."""
    return unicodedata.normalize("NFKC", name).casefold()


def is_name(called: str) -> bool:
    """Tell whether a person can be called so, in the form of `known_as`."""
    return _NAME.fullmatch(called) is not None


def add_person(
    connection: Connection, caller: Answerable, name: str, role: str, password_hash: str, *, at: int
) -> Person:
    """Make an account.

    Raises
    ------
    UsageError
        If the name is none or taken, or there is no such role.
    """
    called = known_as(name)
    if not is_name(called):
        raise UsageError(f"the name of a person must be 1 to 64 letters, digits or any of . _ @ + -, got {name!r}")
    if find_person(connection, called) is not None:
        raise UsageError(f"`{called}` has an account already; choose another name, or change the role of that one")
    person = Person(called, checked_role(role), at, at)
    connection.execute(insert(people), vars(person) | {"password": password_hash})
    audit(connection, caller, "person.added", {"person": called, "role": role}, at=at)
    return person


def set_role(connection: Connection, caller: Answerable, name: str, role: str, *, at: int) -> Person:
    """Change what a person may do, from their next request on.

    Raises
    ------
    NotFoundError
        If nobody is called so.
    UsageError
        If there is no such role.
    """
    person = require_person(connection, name)
    connection.execute(update(people).where(people.c.name == person.name).values(role=checked_role(role)))
    audit(connection, caller, "person.role", {"person": person.name, "from": person.role, "to": role}, at=at)
    return require_person(connection, person.name)


def set_password(
    connection: Connection, caller: Answerable, name: str, password_hash: str, *, at: int, but: str | None = None
) -> Person:
    """Keep another password and end every session of the person, but the one of a token where it is given.

    Raises
    ------
    NotFoundError
        If nobody is called so.
    """
    person = require_person(connection, name)
    kept = {"password": password_hash, "changed_at": at}
    connection.execute(update(people).where(people.c.name == person.name).values(kept))
    ended = end_sessions(connection, person.name, but)
    audit(connection, caller, "person.password", {"person": person.name, "sessions_ended": ended}, at=at)
    return require_person(connection, person.name)


def remove_person(connection: Connection, caller: Answerable, name: str, *, at: int) -> Person:
    """Remove an account with its sessions, its views and whom a provider knows as it; what they did stays in the log.

    Their customers are nobody's from then on: others see them, and can claim them.

    Raises
    ------
    NotFoundError
        If nobody is called so.
    """
    person = require_person(connection, name)
    ended = end_sessions(connection, person.name)
    connection.execute(delete(identities).where(identities.c.person == person.name))
    forget_person(connection, person.name)
    given_back = give_back_all(connection, person.name, caller.name, at)
    connection.execute(delete(people).where(people.c.name == person.name))
    told: dict[str, str | int] = {"person": person.name, "sessions_ended": ended, "cases_given_back": given_back}
    audit(connection, caller, "person.removed", told, at=at)
    return person


def list_people(connection: Connection) -> list[Person]:
    """Return everyone with an account, by name."""
    return [Person(**row) for row in connection.execute(_KNOWN.order_by(people.c.name)).mappings()]


def count_admins(connection: Connection) -> int:
    """Return how many people may do everything."""
    return int(connection.execute(select(func.count()).where(people.c.role == "admin")).scalar_one())


def find_person(connection: Connection, name: str) -> Person | None:
    """Return a person by name, or None."""
    row = connection.execute(_KNOWN.where(people.c.name == known_as(name))).mappings().one_or_none()
    return None if row is None else Person(**row)


def require_person(connection: Connection, name: str) -> Person:
    """Return a person by name.

    Raises
    ------
    NotFoundError
        If nobody is called so.
    """
    found = find_person(connection, name)
    if found is None:
        raise NotFoundError(f"nobody with an account is called {name!r}; `churnml people list` shows who is there")
    return found


def password_of(connection: Connection, name: str) -> str | None:
    """Return the hash of a person's password, or None where nobody is called so."""
    kept = connection.execute(select(people.c.password).where(people.c.name == known_as(name))).scalar()
    return None if kept is None else str(kept)


def told(person: Person) -> dict[str, str]:
    """Return what is known of a person, as JSON."""
    return {
        "name": person.name,
        "role": person.role,
        "created_at": iso(person.created_at),
        "password_set_at": iso(person.changed_at),
    }


_KNOWN = select(*(column for column in people.c if column.name != "password"))
