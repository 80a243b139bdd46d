"""Who was vouched for gets a session: as whom they are known to be, or as somebody new where that is wanted.

The provider decides of a role each time somebody signs in. In between, what `churnml people role` says holds; a person
in no group that has a role is not let in, and the sessions they still have end.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from churnml.config import OidcConfig
from churnml.database.audit import audit, hold
from churnml.database.identities import identified, link
from churnml.database.passwords import hash_password
from churnml.database.people import Person, add_person, find_person, set_role
from churnml.database.scopes import Role
from churnml.database.sessions import end_sessions, open_session
from churnml.database.throttle import forgive
from churnml.database.tokens import new_token
from churnml.errors import SignInRefusedError
from churnml.service.access import Caller
from churnml.service.oidc.asking import Json
from churnml.service.oidc.granting import name_of, role_of

_HOUR = 3_600_000_000


@dataclass(frozen=True)
class Entered:
    """Who was let in: the token of their session, and how many hours it lasts at most."""

    token: str
    hours: int


def let_in(engine: Engine, oidc: OidcConfig, claims: Json, *, hours: int, address: str, now: int) -> Entered:
    """Open a session for the person of an ID token.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        Where people and sessions are.
    oidc : OidcConfig
        Which groups have which role, and whether somebody new gets an account.
    claims : mapping
        Of an ID token that was checked.
    hours : int
        How long the session lasts at most.
    address : str
        Of the client.
    now : int
        Microseconds UTC.

    Raises
    ------
    SignInRefusedError
        If none of their groups has a role, they have no account and none is made, or their name is no name or taken.
    """
    role = role_of(claims, oidc)
    with engine.connect() as connection:
        known = identified(connection, oidc.issuer, claims["sub"])
    if role is None:
        if known is not None:
            _sign_out(engine, known, now)
        raise SignInRefusedError("role", "claim.groups")
    # made before the log is held, for it takes its time; nobody knows it, so nobody signs in by it
    password = hash_password(new_token(), "") if known is None and oidc.create else ""
    with engine.begin() as connection:
        hold(connection)  # of two who come for the first time at once, one makes the account
        person = identified(connection, oidc.issuer, claims["sub"])
        if person is None:
            person = _newcomer(connection, oidc, claims, role, password, now)
        caller = Caller("person", person.name, frozenset())
        if person.role != role:
            set_role(connection, caller, person.name, role, at=now)
        forgive(connection, None, address)
        token = open_session(connection, person.name, at=now, expires_at=now + hours * _HOUR)
        audit(connection, caller, "login", {"address": address, "by": "oidc"}, at=now)
    return Entered(token, hours)


def _newcomer(connection: Connection, oidc: OidcConfig, claims: Json, role: Role, password: str, now: int) -> Person:
    """Make an account for somebody new. A name that is taken stays whose it is: names are no proof."""
    if not password:
        raise SignInRefusedError("unknown", "subject")
    name = name_of(claims, oidc)
    if find_person(connection, name) is not None:
        raise SignInRefusedError("name", "name.taken")
    caller = Caller("person", name, frozenset())
    add_person(connection, caller, name, role, password, at=now)
    return link(connection, caller, name, oidc.issuer, claims["sub"], at=now)


def _sign_out(engine: Engine, person: Person, now: int) -> None:
    """End the sessions of somebody who has no role any more."""
    with engine.begin() as connection:
        ended = end_sessions(connection, person.name)
        about: dict[str, str | int] = {"person": person.name, "sessions_ended": ended}
        audit(connection, Caller("person", person.name, frozenset()), "person.signed_out", about, at=now)
