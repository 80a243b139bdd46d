"""Who may sign in and what for, as an administrator changes it: never so that nobody is left who could."""

from __future__ import annotations

from sqlalchemy import Connection

from churnml.database import people
from churnml.database.people import Person
from churnml.errors import ConflictError
from churnml.service.access import Caller


def set_role(connection: Connection, caller: Caller, name: str, role: str, now: int) -> Person:
    """Give somebody another role, from their next request on.

    Raises
    ------
    NotFoundError, UsageError
        As `database.people.set_role`.
    ConflictError
        If nobody would be an administrator any more.
    """
    before = people.require_person(connection, name)
    changed = people.set_role(connection, caller, name, role, at=now)
    _require_one(connection, before)
    return changed


def remove(connection: Connection, caller: Caller, name: str, now: int) -> Person:
    """Remove an account with its sessions and views.

    Raises
    ------
    NotFoundError
        If nobody is called so.
    ConflictError
        If nobody would be an administrator any more.
    """
    removed = people.remove_person(connection, caller, name, at=now)
    _require_one(connection, removed)
    return removed


def is_last_admin(found: list[Person], one: Person) -> bool:
    """Tell whether somebody is the only administrator."""
    return one.role == "admin" and sum(other.role == "admin" for other in found) == 1


def _require_one(connection: Connection, before: Person) -> None:
    """Refuse to have left nobody; the entry in the audit log has let changes through one at a time by now."""
    if before.role == "admin" and people.count_admins(connection) == 0:
        raise ConflictError(
            f"`{before.name}` is the only administrator, and one there must be; make somebody else one first, or use "
            "`churnml people` on the machine itself"
        )
