"""Signing in, by password or by the link of this machine, and out again: what happens, and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from threading import BoundedSemaphore

from sqlalchemy import Engine

from churnml.config import ServeConfig
from churnml.database.audit import audit
from churnml.database.passwords import hash_password, matches
from churnml.database.people import known_as, password_of, set_password
from churnml.database.sessions import end_session, end_sessions, make_link, open_session, use_link
from churnml.database.throttle import forgive, try_login
from churnml.errors import DependencyError
from churnml.service.access import Caller

LINK_MINUTES = 10
_MINUTE = 60_000_000
_AT_ONCE = BoundedSemaphore(2)
"""Passwords looked at at the same time: each costs 64 MiB and a good part of a second."""
_PATIENCE_SECONDS = 5.0
_LOCAL = Caller("local", "local", frozenset())


@dataclass(frozen=True)
class SignedIn:
    """How signing in ended."""

    token: str | None
    """of the new session; None if it did not work"""
    wait_seconds: int = 0
    """how long to wait before trying again; 0 where the name or the password was wrong"""


def sign_in(engine: Engine, settings: ServeConfig, name: str, password: str, address: str, now: int) -> SignedIn:
    """Open a session for a person who knows their password.

    A name that nobody has is answered with the same words, after the same time, as a wrong password.

    Raises
    ------
    DependencyError
        If so many sign in at once that this one would have to wait for too long.
    """
    called = known_as(name)[:200]
    with engine.begin() as connection:
        wait = try_login(connection, called, address, now=now)
        kept = None if wait else password_of(connection, called)
    if wait:
        return SignedIn(None, wait)
    if not _AT_ONCE.acquire(timeout=_PATIENCE_SECONDS):
        raise DependencyError("too many people sign in at once; try again in a few seconds")
    try:
        right = matches(kept, password)
    finally:
        _AT_ONCE.release()
    # a name that nobody has may be a password typed into the wrong field: it is not written down
    person = Caller("person", called if kept is not None else "unknown", frozenset())
    with engine.begin() as connection:
        if not right:
            audit(connection, person, "login.failed", {"address": address}, at=now)
            return SignedIn(None)
        forgive(connection, called, address)
        if password_of(connection, called) != kept:  # changed, or the account removed, while we looked
            return SignedIn(None)
        token = open_session(connection, called, at=now, expires_at=_end(settings, now))
        audit(connection, person, "login", {"address": address}, at=now)
    return SignedIn(token)


def change_password(
    engine: Engine, caller: Caller, session: str, current: str, new: str, address: str, now: int
) -> SignedIn:
    """Keep another password of a person who knows their present one; their other sessions end, this one goes on.

    Wrong passwords count as they do when somebody signs in: who has found an open browser cannot try them all.

    Raises
    ------
    UsageError
        If the new password is too short, too long, or the name over again.
    DependencyError
        If so many sign in at once that this would have to wait for too long.
    """
    kept_from_now_on = hash_password(new, caller.name)
    with engine.begin() as connection:
        wait = try_login(connection, caller.name, address, now=now)
        kept = None if wait else password_of(connection, caller.name)
    if wait:
        return SignedIn(None, wait)
    if not _AT_ONCE.acquire(timeout=_PATIENCE_SECONDS):
        raise DependencyError("too many people sign in at once; try again in a few seconds")
    try:
        right = matches(kept, current)
    finally:
        _AT_ONCE.release()
    with engine.begin() as connection:
        if not right:
            audit(connection, caller, "login.failed", {"address": address}, at=now)
            return SignedIn(None)
        if password_of(connection, caller.name) != kept:  # somebody else has given them another one meanwhile
            return SignedIn(None)
        forgive(connection, caller.name, address)
        set_password(connection, caller, caller.name, kept_from_now_on, at=now, but=session)
    return SignedIn(session)


def sign_out_elsewhere(engine: Engine, caller: Caller, session: str, now: int) -> int:
    """End every session of a person but this one, and return how many there were."""
    with engine.begin() as connection:
        ended = end_sessions(connection, caller.name if caller.kind == "person" else None, session)
        audit(connection, caller, "logout", {"sessions_ended": ended}, at=now)
    return ended


def login_link(engine: Engine, now: int) -> str:
    """Return the token of a link that lets whoever is on this machine in, once, within ten minutes."""
    with engine.begin() as connection:
        return make_link(connection, at=now, expires_at=now + LINK_MINUTES * _MINUTE)


def enter_by_link(engine: Engine, settings: ServeConfig, token: str, now: int) -> str | None:
    """Open a session for whoever holds a login link; None if it was used, is too old or none of ours."""
    with engine.begin() as connection:
        if not use_link(connection, token, now=now):
            return None
        session = open_session(connection, None, at=now, expires_at=_end(settings, now))
        audit(connection, _LOCAL, "login", {"by": "link"}, at=now)
    return session


def sign_out(engine: Engine, caller: Caller, token: str, now: int) -> None:
    """End a session."""
    with engine.begin() as connection:
        if end_session(connection, token):
            audit(connection, caller, "logout", at=now)


def _end(settings: ServeConfig, now: int) -> int:
    return now + settings.session_hours * 60 * _MINUTE
