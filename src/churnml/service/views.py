"""Saved views of the list, whether a program asks for them or a page: whose they are, and who may change them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from sqlalchemy import Connection

from churnml.database import views as store
from churnml.database.instants import iso
from churnml.database.views import SHARED, View
from churnml.errors import ForbiddenError, UsageError
from churnml.service.access import Caller
from churnml.service.listing import Asked, asked_of

Whose = Literal["own", "shared"]
WHOSE: tuple[Whose, ...] = get_args(Whose)


@dataclass(frozen=True)
class SavedView:
    """A view, and what it asks for."""

    whose: Whose
    name: str
    asked: Asked
    saved_by: str
    saved_at: int

    @property
    def path(self) -> str:
        """The address of the page that shows it."""
        query = self.asked.query()
        return "/at-risk" + (f"?{query}" if query else "")


def views_for(connection: Connection, caller: Caller) -> list[SavedView]:
    """Return the views that a caller can choose from, everybody's first.

    A view that names what a later version has no more is left out.
    """
    found = []
    for one in store.views_of(connection, None if caller.kind == "key" else caller.name):
        try:
            asked = asked_of(one.asked, one.columns)
        except UsageError:
            continue
        found.append(SavedView("own" if one.owner else "shared", one.name, asked, one.saved_by, one.saved_at))
    return found


def save_view(
    connection: Connection,
    caller: Caller,
    whose: Whose,
    name: str,
    words: Mapping[str, str],
    columns: Sequence[str],
    now: int,
) -> SavedView:
    """Keep a view under a name, in place of the one that has it.

    Raises
    ------
    UsageError
        If a filter, a word or a column is none, there are too many views, or a key wants one of its own.
    ForbiddenError
        If the caller may not change what is everybody's.
    """
    asked = asked_of(words, columns)
    owner = _owner(caller, whose)
    store.save(connection, caller, View(owner, name, asked.words, asked.columns, caller.name, now))
    return SavedView(whose, name, asked, caller.name, now)


def remove_view(connection: Connection, caller: Caller, whose: Whose, name: str, now: int) -> bool:
    """Remove a view, and tell whether there was one.

    Raises
    ------
    UsageError, ForbiddenError
        As `save_view`.
    """
    return store.remove(connection, caller, _owner(caller, whose), name, at=now)


def may_share(caller: Caller) -> bool:
    """Tell whether somebody may keep and remove views for everybody: analysts and administrators."""
    return "operate" in caller.scopes


def told(view: SavedView) -> dict[str, object]:
    """Return a view as JSON."""
    return {
        "whose": view.whose,
        "name": view.name,
        "asked": view.asked.words,
        "columns": list(view.asked.shown),
        "path": view.path,
        "saved_by": view.saved_by,
        "saved_at": iso(view.saved_at),
    }


def _owner(caller: Caller, whose: Whose) -> str:
    if whose == "shared":
        if not may_share(caller):
            raise ForbiddenError("a view for everybody is kept by an analyst or an administrator; keep it as your own")
        return SHARED
    if caller.kind == "key":
        raise UsageError("a key has no views of its own; keep it for everybody, PUT /v1/views/shared/NAME")
    return caller.name
