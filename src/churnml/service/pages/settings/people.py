"""Who may sign in: added, given another role or password, removed; for administrators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import Connection

from churnml.database import people as store
from churnml.database.passwords import hash_password
from churnml.database.people import Person
from churnml.database.scopes import ROLES
from churnml.service import staff
from churnml.service.access import Caller, requires
from churnml.service.clock import asked_at
from churnml.service.idempotency import in_one
from churnml.service.pages.language import language_of
from churnml.service.pages.posting import SentForm, back
from churnml.service.pages.rendering import render
from churnml.service.pages.settings.rooms import ROLE_WORDS, Tab, tabs
from churnml.wording import Text

router = APIRouter()
Admin = Annotated[Caller, Depends(requires("admin"))]
_DEEDS = ("add", "role", "password", "remove")


@dataclass(frozen=True)
class PeopleContext:
    """What `settings_people.html` shows."""

    tabs: list[Tab]
    people: list[Person]
    last_admin: str | None
    """who is the only administrator, and so stays one"""
    roles: dict[str, Text]
    zone: str


@router.get("/settings/people")
def people(request: Request, admin: Admin) -> HTMLResponse:
    """Show everyone with an account."""
    with request.app.state.engine.connect() as connection:
        found = store.list_people(connection)
    last = next((one.name for one in found if staff.is_last_admin(found, one)), None)
    zone = request.app.state.door.time_zone
    context = PeopleContext(tabs(request, admin, language_of(request)), found, last, ROLE_WORDS, zone)
    return render(request, "settings_people.html", vars(context))


@router.post("/settings/people")
def change(request: Request, form: SentForm, admin: Admin) -> RedirectResponse:
    """Add somebody, give them another role or password, or remove them."""
    deed, name, now = form.among("deed", _DEEDS), form.one("name"), asked_at(request)
    role = form.among("role", tuple(ROLES)) if deed in {"add", "role"} else ""
    kept = hash_password(form.as_typed("password"), store.known_as(name)) if deed in {"add", "password"} else ""

    def make(connection: Connection) -> Person:
        match deed:
            case "add":
                return store.add_person(connection, admin, name, role, kept, at=now)
            case "role":
                return staff.set_role(connection, admin, name, role, now)
            case "password":
                return store.set_password(connection, admin, name, kept, at=now)
            case _:
                return staff.remove(connection, admin, name, now)

    person = in_one(request.app.state.engine, make)
    return back(form, f"person_{deed}", person.name)
