"""What a person does with their own account, from a page or by the API."""

from __future__ import annotations

from fastapi import Request

from churnml.database.sessions import OpenSession, sessions_of
from churnml.service import signing_in
from churnml.service.access import Caller
from churnml.service.clock import asked_at
from churnml.service.signing_in import SignedIn

_MINUTE = 60_000_000


def open_sessions(request: Request, caller: Caller) -> list[OpenSession]:
    """Return where somebody is signed in, the latest begun first."""
    state, token = request.app.state, getattr(request.state, "session", None)
    if token is None:
        return []
    whose, idle = _person(caller), state.settings.session_idle_minutes * _MINUTE
    with state.engine.connect() as connection:
        return sessions_of(connection, whose, token, now=asked_at(request), idle=idle)


def sign_out_others(request: Request, caller: Caller) -> int:
    """End every session of somebody but this one, and return how many there were."""
    token = getattr(request.state, "session", None)
    if token is None:
        return 0
    return signing_in.sign_out_elsewhere(request.app.state.engine, caller, token, asked_at(request))


def change_own_password(request: Request, caller: Caller, current: str, new: str) -> SignedIn:
    """Keep another password of whoever knows the present one, see `signing_in.change_password`."""
    address = request.client.host if request.client else ""
    engine, session = request.app.state.engine, request.state.session
    return signing_in.change_password(engine, caller, session, current, new, address, asked_at(request))


def _person(caller: Caller) -> str | None:
    return caller.name if caller.kind == "person" else None
