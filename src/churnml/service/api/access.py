"""Who may ask: who I am, the keys, the people, and the log of what was done; for administrators."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from pydantic import ConfigDict, Field
from sqlalchemy import Engine

from churnml.database import keys, people
from churnml.database.audit import entries
from churnml.database.instants import iso
from churnml.database.passwords import hash_password
from churnml.errors import NotFoundError
from churnml.service import staff
from churnml.service.access import SCOPES, Caller, Role, Scope, requires
from churnml.service.api.shapes import Shape
from churnml.service.clock import asked_at
from churnml.service.problems import described

router = APIRouter(prefix="/v1", tags=["access"])
Reader = Annotated[Caller, Depends(requires("read"))]
Admin = Annotated[Caller, Depends(requires("admin"))]
Name = Annotated[str, Field(min_length=1, max_length=64)]
_DAY, _HOUR = 86_400_000_000, 3_600_000_000
_PAGE = 100
_ME = {"kind": "key", "name": "crm (ck_b7k2m9x4qa)", "scopes": ["read", "write"], "role": None}
_KEY = {
    "key_id": "ck_b7k2m9x4qa", "name": "crm", "scopes": ["read", "write"], "standing": "valid",
    "created_at": "2026-11-01T09:00:00+00:00", "expires_at": "2027-01-30T09:00:00+00:00", "last_used_on": "2026-11-27",
}  # fmt: skip
_NEW_KEY = _KEY | {"last_used_on": None, "key": "ck_b7k2m9x4qa_wJ3…"}
_PERSON = {
    "name": "ann", "role": "agent",
    "created_at": "2026-11-01T09:00:00+00:00", "password_set_at": "2026-11-01T09:00:00+00:00",
}  # fmt: skip
_ENTRY = {
    "number": 17, "at": "2026-11-27T08:31:02+00:00", "kind": "person", "name": "ann", "what": "customer.viewed",
    "about": {"customer": "9f2c…"}, "previous": "5be0…", "hash": "c41a…",
}  # fmt: skip
_NO_KEY = {404: ("not_found", "no key is called 'ck_aaaaaaaaaa'; `churnml keys list` shows what there is")}
_NOBODY = {404: ("not_found", "nobody with an account is called 'bob'; `churnml people list` shows who is there")}
_LAST = {409: ("conflict", "`mei` is the only administrator, and one there must be; make somebody else one first, …")}
_INVALID = {422: ("invalid_request", "`days` must be at most 3650, got 5000")}


def _sent(example: dict[str, Any]) -> ConfigDict:  # Any: JSON
    return ConfigDict(extra="forbid", json_schema_extra={"example": example})


class Me(Shape):
    """Who asks, as we know them."""

    kind: Literal["key", "person", "local"]
    name: str
    scopes: list[Scope]
    role: Role | None = Field(description="of a person; null for a key")


class KeyTold(Shape):
    """What is known of a key; the key itself is not."""

    key_id: str
    name: str
    scopes: list[Scope]
    standing: Literal["valid", "expired", "revoked"]
    created_at: datetime
    expires_at: datetime
    last_used_on: date | None


class NewKey(KeyTold):
    """A key that was just made."""

    key: str = Field(description="the key itself, shown this once")


class Keys(Shape):
    """Every key, in the order in which they were made."""

    keys: list[KeyTold]


class KeyWanted(Shape):
    """A key to be made."""

    model_config = _sent({"name": "crm", "scopes": ["read", "write"], "days": 90})

    name: Name
    scopes: list[Scope] = Field(min_length=1, max_length=len(SCOPES))
    days: int = Field(90, ge=1, le=3650, description="days until it expires")


class RotationWanted(Shape):
    """How a key is replaced."""

    model_config = _sent({"days": 90, "overlap_hours": 24})

    days: int = Field(90, ge=1, le=3650, description="days until the new one expires")
    overlap_hours: int = Field(24, ge=0, le=2160, description="hours for which the old one goes on")


class PersonTold(Shape):
    """Someone who may sign in."""

    name: str
    role: Role
    created_at: datetime
    password_set_at: datetime


class People(Shape):
    """Everyone who may sign in, by name."""

    people: list[PersonTold]


class PersonWanted(Shape):
    """An account to be made."""

    model_config = _sent({"name": "ann", "role": "agent", "password": "correct horse battery staple"})

    name: Name
    role: Role
    password: str = Field(max_length=1_000, description="12 to 256 characters")


class RoleWanted(Shape):
    """What a person may do from now on."""

    model_config = _sent({"role": "analyst"})

    role: Role


class PasswordWanted(Shape):
    """With what a person signs in from now on."""

    model_config = _sent({"password": "correct horse battery staple"})

    password: str = Field(max_length=1_000, description="12 to 256 characters")


class EntryTold(Shape):
    """One line of the audit log."""

    number: int
    at: datetime
    kind: str
    name: str
    what: str
    about: dict[str, str | int] = Field(description="a customer stands in it by a pseudonym")
    previous: str
    hash: str


class AuditPage(Shape):
    """A part of the audit log, in order."""

    entries: list[EntryTold]
    next_after: int | None = Field(description="ask for what comes `after` this; null at the end")


def _answers(
    example: Mapping[str, object], refusals: Mapping[int, tuple[str, str]] | None = None, status: int = 200
) -> dict[int | str, dict[str, Any]]:  # Any: OpenAPI
    return {status: {"content": {"application/json": {"example": example}}}, **described(refusals or {})}


@router.get("/me", summary="Who asks, and what they may do", response_model=Me, responses=_answers(_ME))
def me(caller: Reader) -> JSONResponse:
    """Return the name, the scopes and the role of whoever asks: the first thing to try with a new key."""
    scopes = [scope for scope in SCOPES if scope in caller.scopes]
    return JSONResponse({"kind": caller.kind, "name": caller.name, "scopes": scopes, "role": caller.role})


@router.get("/keys", summary="The API keys", response_model=Keys, responses=_answers({"keys": [_KEY]}))
def list_keys(request: Request, _admin: Admin) -> JSONResponse:
    """Return what each key may do, until when, and when it was used last; the keys themselves are not kept."""
    with _engine(request).connect() as connection:
        found = [keys.told(key, asked_at(request)) for key in keys.list_keys(connection)]
    return JSONResponse({"keys": found})


@router.post(
    "/keys", summary="Make an API key", status_code=201, response_model=NewKey,
    responses=_answers(_NEW_KEY, {400: ("usage", "the name of a key must be 1 to 64 letters …"), **_INVALID}, 201),
)  # fmt: skip
def create_key(wanted: KeyWanted, request: Request, admin: Admin) -> JSONResponse:
    """Return the key this once. It takes no `Idempotency-Key`: an answer that holds a secret is not kept."""
    now = asked_at(request)
    with _engine(request).begin() as connection:
        expires_at = now + wanted.days * _DAY
        key, text = keys.create_key(connection, admin, wanted.name, wanted.scopes, at=now, expires_at=expires_at)
    return JSONResponse(keys.told(key, now) | {"key": text}, 201)


@router.post(
    "/keys/{key_id}/rotate", summary="Make a key that takes the place of another", status_code=201,
    response_model=NewKey, responses=_answers(_NEW_KEY, {**_NO_KEY, **_INVALID}, 201),
)  # fmt: skip
def rotate_key(key_id: str, wanted: RotationWanted, request: Request, admin: Admin) -> JSONResponse:
    """Return a key with the same name and scopes; the old one goes on for the overlap, never longer than it would."""
    now = asked_at(request)
    with _engine(request).begin() as connection:
        made, text, _ = keys.rotate_key(
            connection, admin, _by_id(key_id), at=now, expires_at=now + wanted.days * _DAY,
            overlap=wanted.overlap_hours * _HOUR,
        )  # fmt: skip
    return JSONResponse(keys.told(made, now) | {"key": text}, 201)


@router.post(
    "/keys/{key_id}/revoke", summary="Revoke a key", response_model=KeyTold,
    responses=_answers(_KEY | {"standing": "revoked"}, _NO_KEY),
)  # fmt: skip
def revoke_key(key_id: str, request: Request, admin: Admin) -> JSONResponse:
    """Refuse a key from the next request on; to revoke it again changes nothing."""
    now = asked_at(request)
    with _engine(request).begin() as connection:
        keys.revoke_key(connection, admin, _by_id(key_id), at=now)
        found = next(key for key in keys.list_keys(connection) if keys.PREFIX + key.key_id == key_id)
    return JSONResponse(keys.told(found, now))


@router.get("/people", summary="Who may sign in", response_model=People, responses=_answers({"people": [_PERSON]}))
def list_people(request: Request, _admin: Admin) -> JSONResponse:
    """Return everyone with an account, by name."""
    with _engine(request).connect() as connection:
        return JSONResponse({"people": [people.told(person) for person in people.list_people(connection)]})


@router.post(
    "/people", summary="Make an account", status_code=201, response_model=PersonTold,
    responses=_answers(_PERSON, {400: ("usage", "`ann` has an account already; …"), **_INVALID}, 201),
)  # fmt: skip
def add_person(wanted: PersonWanted, request: Request, admin: Admin) -> JSONResponse:
    """Let someone sign in, as agent (their own customers), analyst (models and figures) or admin (everything)."""
    kept = hash_password(wanted.password, people.known_as(wanted.name))
    with _engine(request).begin() as connection:
        made = people.add_person(connection, admin, wanted.name, wanted.role, kept, at=asked_at(request))
    return JSONResponse(people.told(made), 201)


@router.put(
    "/people/{name}/role", summary="Give someone another role", response_model=PersonTold,
    responses=_answers(_PERSON, {**_NOBODY, **_LAST, **_INVALID}),
)  # fmt: skip
def set_role(name: str, wanted: RoleWanted, request: Request, admin: Admin) -> JSONResponse:
    """Change what a person may do, from their next request on."""
    with _engine(request).begin() as connection:
        changed = staff.set_role(connection, admin, name, wanted.role, asked_at(request))
    return JSONResponse(people.told(changed))


@router.put(
    "/people/{name}/password", summary="Give someone another password", response_model=PersonTold,
    responses=_answers(_PERSON, {400: ("usage", "a password must have 12 to 256 characters, got 3"), **_NOBODY}),
)  # fmt: skip
def set_password(name: str, wanted: PasswordWanted, request: Request, admin: Admin) -> JSONResponse:
    """Keep another password; every session of the person ends."""
    kept = hash_password(wanted.password, people.known_as(name))
    with _engine(request).begin() as connection:
        changed = people.set_password(connection, admin, name, kept, at=asked_at(request))
    return JSONResponse(people.told(changed))


@router.delete(
    "/people/{name}", summary="Remove an account", response_model=PersonTold,
    responses=_answers(_PERSON, {**_NOBODY, **_LAST}),
)  # fmt: skip
def remove_person(name: str, request: Request, admin: Admin) -> JSONResponse:
    """End every session of a person and remove the account; what they did stays in the audit log."""
    with _engine(request).begin() as connection:
        gone = staff.remove(connection, admin, name, asked_at(request))
    return JSONResponse(people.told(gone))


@router.get(
    "/audit", summary="The log of who did what", response_model=AuditPage,
    responses=_answers({"entries": [_ENTRY], "next_after": None},
                       {422: ("invalid_request", "`limit` must be at most 100, got 500")}),
)  # fmt: skip
def audit_log(
    request: Request,
    _admin: Admin,
    after: Annotated[int, Query(ge=0, le=2**53, description="number of the entry before the first wanted")] = 0,
    limit: Annotated[int, Query(ge=1, le=_PAGE)] = _PAGE,
) -> JSONResponse:
    """Return entries in order, each with the hash that the next one holds; `churnml audit verify` checks them all."""
    with _engine(request).connect() as connection:
        found = list(entries(connection, after, most=limit + 1))
    shown = [vars(one) | {"at": iso(one.at), "about": json.loads(one.about)} for one in found[:limit]]
    return JSONResponse({"entries": shown, "next_after": found[limit - 1].number if len(found) > limit else None})


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


def _by_id(key_id: str) -> str:
    """Return an id that can be no name: an address means one key."""
    if not key_id.startswith(keys.PREFIX):
        raise NotFoundError(f"no key is called {key_id!r}; ids begin with {keys.PREFIX}")
    return key_id
