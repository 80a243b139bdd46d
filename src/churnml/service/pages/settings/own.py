"""My own settings: language, password, and where I am signed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from churnml.errors import ForbiddenError, UsageError
from churnml.events.clock import moment
from churnml.service.access import Caller, requires
from churnml.service.own import change_own_password, open_sessions, sign_out_others
from churnml.service.pages.language import language_of
from churnml.service.pages.posting import SentForm, back
from churnml.service.pages.rendering import render
from churnml.service.pages.settings.rooms import ROLE_WORDS, SCOPE_WORDS, Tab, tabs
from churnml.wording import Text

router = APIRouter()
Reader = Annotated[Caller, Depends(requires("read"))]


@dataclass(frozen=True)
class Seat:
    """Where the reader is signed in."""

    started_at: datetime
    seen_at: datetime
    this: bool


@dataclass(frozen=True)
class OwnContext:
    """What `settings.html` shows."""

    tabs: list[Tab]
    role: Text | None
    """in words; None of a key"""
    may: list[Text]
    """what the reader may do, in plain words"""
    has_password: bool
    """whether the reader has an account here, and not only the login link of this machine"""
    seats: list[Seat]
    """the latest begun first; empty for a key"""
    zone: str
    json_path: str
    """address of the JSON twin"""


@router.get("/settings")
def settings(request: Request, caller: Reader) -> HTMLResponse:
    """Show what somebody may set for themselves."""
    open_ones = open_sessions(request, caller) if getattr(request.state, "session", None) else []
    context = OwnContext(
        tabs=tabs(request, caller, language_of(request)),
        role=ROLE_WORDS.get(caller.role or ""),
        may=[words for scope, words in SCOPE_WORDS.items() if scope in caller.scopes],
        has_password=caller.kind == "person",
        seats=[Seat(moment(one.started_at), moment(one.seen_at), one.this) for one in open_ones],
        zone=request.app.state.door.time_zone,
        json_path="/v1/me/sessions" if open_ones else "/v1/me",
    )
    return render(request, "settings.html", vars(context))


@router.post("/settings/password")
def password(request: Request, form: SentForm, caller: Reader) -> RedirectResponse:
    """Change the password of whoever knows the present one."""
    if caller.kind != "person":
        raise ForbiddenError("whoever came by the login link of this machine has no password; make an account first")
    new = form.as_typed("new")
    if new != form.as_typed("again"):
        return back(form, "password_twice")
    try:
        ended = change_own_password(request, caller, form.as_typed("current"), new)
    except UsageError:  # too short, too long, or the name over again
        return back(form, "password_weak")
    if ended.wait_seconds:
        return back(form, "password_wait", -(-ended.wait_seconds // 60))
    return back(form, "password_changed" if ended.token else "password_wrong")


@router.post("/settings/sessions")
def sign_out_elsewhere(request: Request, form: SentForm, caller: Reader) -> RedirectResponse:
    """End every other session of the reader."""
    return back(form, "signed_out", sign_out_others(request, caller))
