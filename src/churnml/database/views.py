"""Saved views of the list at risk: filters, sort and columns under a name, of one person or of everybody."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select

from churnml.database.audit import Answerable, audit
from churnml.database.dialect import insert_or_update
from churnml.database.striking_out import without_names
from churnml.database.tables_views import views
from churnml.errors import UsageError

SHARED = ""
"""The owner of what is everybody's."""
MOST = 100
"""Views that one owner may keep."""
_STAFF = "owner"  # a filter that names people of ours, never a customer


@dataclass(frozen=True)
class View:
    """A saved view.

    Parameters
    ----------
    owner : str
        Whose it is; `SHARED` where it is everybody's.
    asked : mapping of str to str
        Filters and sort, in the words of the page's address.
    columns : sequence of str
        Shown, in order; empty for the usual ones.
    saved_at : int
        Microseconds UTC.
    """

    owner: str
    name: str
    asked: Mapping[str, str]
    columns: Sequence[str]
    saved_by: str
    saved_at: int


def views_of(connection: Connection, person: str | None) -> list[View]:
    """Return everybody's views and those of one person, by name, everybody's first."""
    query = select(views).where(views.c.owner.in_([SHARED] if person is None else [SHARED, person]))
    return [View(**row) for row in connection.execute(query.order_by(views.c.owner, views.c.name)).mappings()]


def save(connection: Connection, caller: Answerable, view: View) -> None:
    """Keep a view in place of the one of that name, if there is one.

    The audit log says that it was kept and not how it is called: a name is free text, and the log is never struck out.

    Raises
    ------
    UsageError
        If its owner has as many as may be.
    """
    others = select(func.count()).where(views.c.owner == view.owner, views.c.name != view.name)
    if connection.execute(others).scalar_one() >= MOST:
        raise UsageError(f"at most {MOST} views may be kept, found as many; remove one first")
    row = vars(view) | {"asked": dict(view.asked), "columns": list(view.columns)}
    insert_or_update(connection, views, [row], ("owner", "name"), ("asked", "columns", "saved_by", "saved_at"))
    audit(connection, caller, "view.saved", {"whose": view.owner or "everybody"}, at=view.saved_at)


def remove(connection: Connection, caller: Answerable, owner: str, name: str, *, at: int) -> bool:
    """Remove a view, and tell whether there was one."""
    gone = connection.execute(delete(views).where(views.c.owner == owner, views.c.name == name)).rowcount > 0
    if gone:
        audit(connection, caller, "view.removed", {"whose": owner or "everybody"}, at=at)
    return gone


def forget_person(connection: Connection, name: str) -> int:
    """Remove the views of a person who goes, and return how many there were; what they shared stays everybody's."""
    return connection.execute(delete(views).where(views.c.owner == name)).rowcount


def forget(connection: Connection, customer_id: str) -> int:
    """Remove each view that names a customer, in its own name or in a filter, and return how many went."""
    found = [View(**row) for row in connection.execute(select(views)).mappings()]
    naming = [one for one in found if _names(one, customer_id)]
    for one in naming:
        connection.execute(delete(views).where(views.c.owner == one.owner, views.c.name == one.name))
    return len(naming)


def _names(view: View, customer_id: str) -> bool:
    asked = [value for name, value in view.asked.items() if name != _STAFF]
    return bool(without_names(json.dumps([view.name, *asked], ensure_ascii=False), [customer_id])[1])
