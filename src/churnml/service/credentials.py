"""From what a request carries to who asks: a key in its header, or a session in its cookie.

Every request looks into the database, so that what was revoked, ended or given another role a moment ago holds in every
process from the next request on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import Response

from churnml.config import ServeConfig
from churnml.database.keys import PREFIX, find_key, note_use
from churnml.database.scopes import ROLES
from churnml.database.sessions import find_session, needs_touch, touch
from churnml.errors import DependencyError, UnauthenticatedError
from churnml.service.access import UNKNOWN, Caller

_DAY = 86_400_000_000
_MINUTE = 60_000_000
_LOG = logging.getLogger(__name__)
_REVOKED = {
    "expired": "this key has expired; `churnml keys rotate` gives another",
    "revoked": "this key was revoked; `churnml keys create` gives another",
}
_NO_KEY = "the key is none of ours; send one of `churnml keys create` whole, as `Authorization: Bearer ck_…`"
NO_SESSION = "the session is over; sign in again at /login"


@dataclass(frozen=True)
class Found:
    """Who asks; the token of their session, if it is one; of a key, until when it is good, microseconds UTC."""

    caller: Caller
    session: str | None = None
    until: int | None = None


class Credentials:
    """Finds the caller of a request.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        Where keys, people and sessions are.
    settings : ServeConfig
        How long a session may be idle, and whether others than this machine are answered.
    public : bool
        Whether it is: cookies then travel over TLS only.
    """

    def __init__(self, engine: Engine, settings: ServeConfig, *, public: bool) -> None:
        self._engine = engine
        self._idle = settings.session_idle_minutes * _MINUTE
        self.public = public
        self.cookie = "__Host-churnml_session" if public else "churnml_session"

    def find(self, headers: Headers, now: int) -> Found:
        """Return who asks; a key in the header counts before a cookie.

        Raises
        ------
        UnauthenticatedError
            If nobody known does.
        """
        authorization = headers.get("authorization")
        if authorization is not None:
            return self._by_key(authorization, now)
        token = cookie_parser(headers.get("cookie", "")).get(self.cookie)
        if token is not None:
            return self._by_session(token, now)
        raise UnauthenticatedError(UNKNOWN)

    def give(self, answer: Response, token: str, hours: int) -> None:
        """Have the browser keep the token of a session for as long as it can last."""
        answer.set_cookie(self.cookie, token, max_age=hours * 3600, httponly=True, samesite="lax", secure=self.public)

    def _by_key(self, authorization: str, now: int) -> Found:
        kind, _, text = authorization.partition(" ")
        if kind.lower() != "bearer" or not text.startswith(PREFIX):
            raise UnauthenticatedError(_NO_KEY)
        with self._engine.connect() as connection:
            key = find_key(connection, text)
        if key is None:
            raise UnauthenticatedError(_NO_KEY)
        standing = key.standing(now)
        if standing != "valid":
            _LOG.warning("key %s was refused: %s", key.key_id, standing)
            raise UnauthenticatedError(_REVOKED[standing])
        if key.last_used != now // _DAY:
            self._note(lambda connection: note_use(connection, key.key_id, now // _DAY))
        caller = Caller("key", f"{key.name} ({PREFIX}{key.key_id})", frozenset(key.scopes), family=key.family)
        return Found(caller, until=key.expires_at)

    def _by_session(self, token: str, now: int) -> Found:
        with self._engine.connect() as connection:
            session = find_session(connection, token, now=now, idle=self._idle)
        if session is None:
            raise UnauthenticatedError(NO_SESSION)
        if needs_touch(session, now):
            self._note(lambda connection: touch(connection, session, now))
        scopes = ROLES[session.role]
        if session.person is None:
            return Found(Caller("local", "local", scopes, session.role), token)
        return Found(Caller("person", session.person, scopes, session.role), token)

    def _note(self, write: Callable[[Connection], None]) -> None:
        """Keep when someone was here last; where the database cannot be written to, they are answered all the same."""
        try:
            with self._engine.begin() as connection:
                write(connection)
        except (DependencyError, SQLAlchemyError) as error:
            _LOG.warning("when someone was here last was not kept: %s", type(error).__name__)
