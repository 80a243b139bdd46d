"""What is in force, for who runs it, and what a person changes of their own: password and sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import ConfigDict, Field

from churnml.database.instants import iso
from churnml.database.sessions import OpenSession
from churnml.errors import ForbiddenError, TooManyRequestsError, UsageError
from churnml.service import configuration
from churnml.service.access import Caller, requires
from churnml.service.api.shapes import Bilingual, Shape
from churnml.service.clock import asked_at
from churnml.service.own import change_own_password, open_sessions, sign_out_others
from churnml.service.problems import described

router = APIRouter(prefix="/v1", tags=["access"])
Json = dict[str, Any]  # Any: JSON
Reader = Annotated[Caller, Depends(requires("read"))]
_ACTION: Json = {
    "name": "service_call", "label": {"en": "Service call", "zh": "客服关怀电话"},
    "script": {"en": "Call and ask what could be better.", "zh": "致电了解有哪些可以改进。"},
    "channel": "phone", "max_cost": 6.0, "capacity": 200, "effect_source": "prior", "basis": "Assumed; …",
}  # fmt: skip
_IN_FORCE: Json = {
    "versions": {"churnml": "0.12.0", "Python": "3.11.2", "schema": "0022"}, "database": "SQLite 3.46.1",
    "workspace": "/srv/churnml/workspace", "backup_at": "2026-11-27T02:00:00+00:00", "backup_days": 1,
    "secret_set": True,
    "files": [{
        "file": "serve.yaml", "problem": None,
        "settings": [{"name": "calls_per_day", "value": "30", "default": True}],
    }],
}  # fmt: skip
_SESSION: Json = {
    "started_at": "2026-11-27T08:00:00+00:00", "seen_at": "2026-11-27T09:12:00+00:00",
    "expires_at": "2026-11-27T20:00:00+00:00", "this": True,
}  # fmt: skip
ONLY_PEOPLE = "only a person with an account has a password of their own; a key is rotated, POST /v1/keys/ID/rotate"
EXAMPLES: dict[tuple[str, str], Json] = {
    ("/v1/actions", "get"): {"items": [_ACTION]},
    ("/v1/settings", "get"): _IN_FORCE,
    ("/v1/me/sessions", "get"): {"items": [_SESSION]},
    ("/v1/me/sessions", "delete"): {"ended": 2},
    ("/v1/me/password", "put"): {"changed": True},
}


class ActionTold(Shape):
    """An action to choose from; docs/actions.md explains the rest of its fields."""

    model_config = ConfigDict(extra="allow")

    name: str
    label: Bilingual
    script: Bilingual
    channel: str
    max_cost: float = Field(description="money: the most that treating one customer can cost")
    capacity: int | None = Field(description="customers a run; null where there is no limit")
    effect_source: str
    basis: str = Field(description="what the effect rests on")


class Actions(Shape):
    """The actions in force, in the order of the file."""

    items: list[ActionTold]


class SettingTold(Shape):
    """One setting."""

    name: str = Field(description="one inside another with a dot")
    value: str
    default: bool = Field(description="whether it is what it is by default")


class FileTold(Shape):
    """The settings of one file."""

    file: str
    problem: str | None = Field(description="why the file cannot be read; null where it can")
    settings: list[SettingTold]


class InForce(Shape):
    """What the service runs with; secrets are told to nobody."""

    versions: dict[str, str]
    database: str
    workspace: str
    backup_at: datetime | None = Field(description="when `churnml backup` was run last; null where never")
    backup_days: int | None
    secret_set: bool = Field(description="whether the environment holds `CHURNML_SECRET`")
    files: list[FileTold]


class SessionTold(Shape):
    """A session that is open."""

    started_at: datetime
    seen_at: datetime = Field(description="to the minute")
    expires_at: datetime
    this: bool = Field(description="whether it is the one that asks")


class Sessions(Shape):
    """The open sessions of whoever asks, the latest begun first."""

    items: list[SessionTold]


class Ended(Shape):
    """What became of the other sessions."""

    ended: int


class PasswordChange(Shape):
    """A new password, and the present one."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"current": "correct horse battery staple", "new": "staple battery horse"}},
    )

    current: str = Field(max_length=1_000)
    new: str = Field(max_length=1_000, description="12 to 256 characters")


class PasswordChanged(Shape):
    """The password is another."""

    changed: bool


@router.get("/actions", summary="The actions to choose from", response_model=Actions)
def actions(request: Request, _analyst: Annotated[Caller, Depends(requires("operate"))]) -> JSONResponse:
    """Return actions.yaml as it stands; a run keeps what stood when it was made."""
    found = configuration.actions_in_force(request)
    return JSONResponse({"items": [configuration.action_told(one) for one in found]})


@router.get("/settings", summary="The configuration in force", response_model=InForce)
def settings(request: Request, _admin: Annotated[Caller, Depends(requires("admin"))]) -> JSONResponse:
    """Return versions, database, age of the backup and the settings of each file; secrets are not among them."""
    return JSONResponse(configuration.told(configuration.in_force(request, asked_at(request))))


@router.get("/me/sessions", summary="My open sessions", response_model=Sessions)
def my_sessions(request: Request, caller: Reader) -> JSONResponse:
    """Return where whoever asks is signed in; a key has no sessions."""
    return JSONResponse({"items": [_session(one) for one in open_sessions(request, caller)]})


@router.delete("/me/sessions", summary="Sign out everywhere else", response_model=Ended)
def end_my_sessions(request: Request, caller: Reader) -> JSONResponse:
    """End every session of whoever asks but this one; a key has none to end."""
    return JSONResponse({"ended": sign_out_others(request, caller)})


@router.put(
    "/me/password", summary="Change my password", response_model=PasswordChanged,
    responses=described({
        400: ("usage", "a password must have 12 to 256 characters, got 3"),
        403: ("forbidden", ONLY_PEOPLE),
        429: ("too_many_requests", "too many wrong passwords; try again in 60 seconds"),
    }),
)  # fmt: skip
def change_my_password(wanted: PasswordChange, request: Request, caller: Reader) -> JSONResponse:
    """Keep another password; other sessions end, this one goes on."""
    if caller.kind != "person":
        raise ForbiddenError(ONLY_PEOPLE)
    ended = change_own_password(request, caller, wanted.current, wanted.new)
    if ended.wait_seconds:
        told = f"too many wrong passwords; try again in {ended.wait_seconds} seconds"
        raise TooManyRequestsError(told, wait_seconds=ended.wait_seconds)
    if ended.token is None:
        raise UsageError("`current` must be your present password, found another; nothing was changed")
    return JSONResponse({"changed": True})


def _session(one: OpenSession) -> Json:
    return {name: iso(getattr(one, name)) for name in ("started_at", "seen_at", "expires_at")} | {"this": one.this}
