"""API keys: made, replaced, revoked; a new one is shown on the page that answers the form, and never again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection

from churnml.database import keys as store
from churnml.database.instants import iso_day
from churnml.database.scopes import Scope
from churnml.errors import UsageError
from churnml.events.clock import DAY, HOUR, moment
from churnml.service.access import Caller, requires
from churnml.service.clock import asked_at
from churnml.service.idempotency import in_one
from churnml.service.pages.language import language_of
from churnml.service.pages.posting import Form, SentForm, back
from churnml.service.pages.rendering import render
from churnml.service.pages.settings.rooms import SCOPE_WORDS, Tab, tabs
from churnml.wording import Text

router = APIRouter()
Admin = Annotated[Caller, Depends(requires("admin"))]
_MOST_DAYS, _MOST_HOURS = 3650, 2160


@dataclass(frozen=True)
class KeyShown:
    """What the page says of a key."""

    key_id: str
    name: str
    scopes: list[Text]
    standing: store.Standing
    created_at: datetime
    expires_at: datetime
    last_used_on: str | None


@dataclass(frozen=True)
class KeysContext:
    """What `settings_keys.html` shows."""

    tabs: list[Tab]
    keys: list[KeyShown]
    """those that are good first, then by when they were made"""
    scopes: dict[Scope, Text]
    zone: str
    made: str | None = None
    """the text of a key that was just made, shown this once"""
    made_for: str = ""


@router.get("/settings/keys")
def keys(request: Request, admin: Admin) -> HTMLResponse:
    """Show every key; the keys themselves are not kept."""
    return _page(request, admin)


@router.post("/settings/keys")
def change(request: Request, form: SentForm, admin: Admin) -> Response:
    """Make a key, make one in the place of another, or revoke one.

    What holds a secret is answered with the page itself: a redirect would have to carry the secret in a cookie.
    """
    deed, now, engine = form.among("deed", ("create", "rotate", "revoke")), asked_at(request), request.app.state.engine
    if deed == "revoke":
        key_id = form.one("key_id")
        in_one(engine, lambda connection: store.revoke_key(connection, admin, key_id, at=now))
        return back(form, "key_revoked", key_id)

    def make(connection: Connection) -> tuple[store.Key, str]:
        until = now + _number(form, "days", 1, _MOST_DAYS) * DAY
        if deed == "create":
            return store.create_key(connection, admin, form.one("name"), form.all("scope"), at=now, expires_at=until)
        overlap = _number(form, "overlap_hours", 0, _MOST_HOURS) * HOUR
        made, text, _ = store.rotate_key(
            connection, admin, form.one("key_id"), at=now, expires_at=until, overlap=overlap
        )
        return made, text

    made, text = in_one(engine, make)
    return _page(request, admin, text, made.name)


def _page(request: Request, admin: Caller, made: str | None = None, made_for: str = "") -> HTMLResponse:
    now = asked_at(request)
    with request.app.state.engine.connect() as connection:
        found = [_shown(one, now) for one in store.list_keys(connection)]
    found.sort(key=lambda one: one.standing != "valid")
    zone = request.app.state.door.time_zone
    context = KeysContext(tabs(request, admin, language_of(request)), found, SCOPE_WORDS, zone, made, made_for)
    return render(request, "settings_keys.html", vars(context))


def _shown(key: store.Key, now: int) -> KeyShown:
    return KeyShown(
        key_id=store.PREFIX + key.key_id,
        name=key.name,
        scopes=[SCOPE_WORDS[one] for one in key.scopes],
        standing=key.standing(now),
        created_at=moment(key.created_at),
        expires_at=moment(key.expires_at),
        last_used_on=None if key.last_used is None else iso_day(key.last_used),
    )


def _number(form: Form, name: str, least: int, most: int) -> int:
    text = form.one(name)
    if not text.isdecimal() or len(text) > len(str(most)) or not least <= int(text) <= most:
        raise UsageError(f"`{name}` must be a whole number from {least} to {most}, got {text[:40]!r}")
    return int(text)
