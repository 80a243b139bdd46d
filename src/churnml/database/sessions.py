"""Sessions of people who signed in, and the links that open one on this machine without a password."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from churnml.database.scopes import Role
from churnml.database.tables_access import login_links, people, sessions
from churnml.database.tokens import digest_of, new_token

_MINUTE = 60_000_000


@dataclass(frozen=True)
class Session:
    """Who has signed in, with the role they have now."""

    digest: str
    person: str | None
    """None: whoever opened the login link on this machine"""
    role: Role
    seen_at: int
    expires_at: int


def open_session(connection: Connection, person: str | None, *, at: int, expires_at: int) -> str:
    """Begin a session and return its token; sessions that are over are removed."""
    connection.execute(delete(sessions).where(sessions.c.expires_at <= at))
    token = new_token()
    row = {"digest": digest_of(token), "person": person, "started_at": at, "seen_at": at, "expires_at": expires_at}
    connection.execute(insert(sessions), row)
    return token


def find_session(connection: Connection, token: str, *, now: int, idle: int) -> Session | None:
    """Return the session of a token; None if there is none, it is over, or it was idle for as long as may be."""
    given = {"digest_asked": digest_of(token), "now": now, "seen_after": now - idle}
    row = connection.execute(_BY_DIGEST, given).one_or_none()
    return None if row is None else Session(row.digest, row.person, row.role or "admin", row.seen_at, row.expires_at)


def needs_touch(session: Session, now: int) -> bool:
    """Tell whether a session was last noted as seen more than a minute ago."""
    return now - session.seen_at > _MINUTE


def touch(connection: Connection, session: Session, now: int) -> None:
    """Note that a session was seen."""
    connection.execute(update(sessions).where(sessions.c.digest == session.digest).values(seen_at=now))


def end_session(connection: Connection, token: str) -> bool:
    """End a session, and tell whether there was one."""
    return connection.execute(delete(sessions).where(sessions.c.digest == digest_of(token))).rowcount > 0


def end_sessions(connection: Connection, person: str | None, but: str | None = None) -> int:
    """End all sessions of a person, or of the login links of this machine, and return how many there were.

    Parameters
    ----------
    but : str, optional
        The token of the one that goes on.
    """
    theirs = delete(sessions).where(sessions.c.person.is_not_distinct_from(person))
    kept = theirs if but is None else theirs.where(sessions.c.digest != digest_of(but))
    return connection.execute(kept).rowcount


@dataclass(frozen=True)
class OpenSession:
    """A session that is open: since when, when it was seen last, to the minute, and whether it is the one that asks."""

    started_at: int
    seen_at: int
    expires_at: int
    this: bool


def sessions_of(connection: Connection, person: str | None, token: str, *, now: int, idle: int) -> list[OpenSession]:
    """Return the open sessions of a person, the latest begun first.

    Parameters
    ----------
    token : str
        Of the session that asks.
    idle : int
        Microseconds without a request after which one is over.
    """
    query = select(sessions).where(sessions.c.person.is_not_distinct_from(person))
    query = query.where(sessions.c.expires_at > now, sessions.c.seen_at > now - idle)
    return [
        OpenSession(row.started_at, row.seen_at, row.expires_at, row.digest == digest_of(token))
        for row in connection.execute(query.order_by(sessions.c.started_at.desc()))
    ]


def make_link(connection: Connection, *, at: int, expires_at: int) -> str:
    """Return the token of a login link, good for one use before it expires."""
    connection.execute(delete(login_links).where(login_links.c.expires_at <= at))
    token = new_token()
    connection.execute(insert(login_links), {"digest": digest_of(token), "expires_at": expires_at})
    return token


def use_link(connection: Connection, token: str, *, now: int) -> bool:
    """Use up a login link, and tell whether it was good: of two who use it at once, one is let in."""
    good = (login_links.c.digest == digest_of(token), login_links.c.expires_at > now)
    return connection.execute(delete(login_links).where(*good)).rowcount == 1


_BY_DIGEST = (  # made once: every request of a person asks it
    select(sessions.c.digest, sessions.c.person, people.c.role, sessions.c.seen_at, sessions.c.expires_at)
    .select_from(sessions.outerjoin(people, sessions.c.person == people.c.name))
    .where(sessions.c.digest == bindparam("digest_asked"))
    .where(sessions.c.expires_at > bindparam("now"), sessions.c.seen_at > bindparam("seen_after"))
    .where(or_(sessions.c.person.is_(None), people.c.role.is_not(None)))
)
