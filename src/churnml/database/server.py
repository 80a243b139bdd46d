"""A PostgreSQL that keeps the catalogue in place of a file: where it is, and how long it is waited for.

A server that is frozen keeps no time of its own, and its machine still answers for it. So besides the limits that the
server is told of, whoever waits hangs up when the time is over.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Mapping
from typing import Any

from sqlalchemy import URL, Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from churnml.database.deadlines import current, keep_deadlines, passed
from churnml.errors import ConfigError, DependencyError, DiskFullError

VARIABLE = "CHURNML_DATABASE_URL"
_SHAPE = "postgresql://USER:PASSWORD@HOST:5432/DATABASE"
_DRIVERS = {"postgres", "postgresql", "postgresql+psycopg"}
_LEAST_CONNECT_SECONDS, _MOST_CONNECT_SECONDS = 2, 10  # libpq waits two seconds at least
_GRACE_SECONDS = 5.0
_SERVICE_SECONDS = 5.0
_LEAST_SECONDS = 1.0
_TOO_LONG, _TAKEN, _DEADLOCK, _FULL = "57014", "55P03", "40P01", "53100"


def named_server(environment: Mapping[str, str] | None = None) -> URL | None:
    """Return the PostgreSQL that `CHURNML_DATABASE_URL` names, None where it names none.

    Parameters
    ----------
    environment : mapping of str to str, optional
        In place of the process's own.

    Raises
    ------
    ConfigError
        If it is no URL of a database on a PostgreSQL; the message never shows it, for it holds a password.
    """
    told = (os.environ if environment is None else environment).get(VARIABLE, "").strip()
    if not told:
        return None
    try:
        url = make_url(told)
    except (ArgumentError, ValueError):
        raise ConfigError(
            f"{VARIABLE} must look like {_SHAPE}, and what it holds cannot be read; set it anew"
        ) from None
    if url.drivername not in _DRIVERS or not url.database:
        wrong = "another kind of database" if url.drivername not in _DRIVERS else "no name of a database"
        raise ConfigError(f"{VARIABLE} must look like {_SHAPE}, found {wrong}; set it anew")
    return url.set(drivername="postgresql+psycopg")


def name_of(url: URL) -> str:
    """Return a database's name for people: host, port and database, never the user or the password."""
    return f"PostgreSQL at {url.host or 'localhost'}:{url.port or 5432}, database {url.database}"


def server_engine(url: URL, patience_seconds: float) -> Engine:
    """Return an engine on a PostgreSQL that waits no longer than it was told to.

    Parameters
    ----------
    url : sqlalchemy.URL
        From `named_server`.
    patience_seconds : float
        How long to wait to be let in, for a lock, and for an answer; a verb's answer may take ten times as long.

    Raises
    ------
    DependencyError
        If psycopg is not installed. The engine raises it as well, whenever the server is not there, does not let us in
        or does not answer.
    """
    hasty = patience_seconds <= _SERVICE_SECONDS
    statement = max(patience_seconds, _LEAST_SECONDS) if hasty else 10 * patience_seconds
    lock = max(round(patience_seconds * 1000), 1)  # 0 would be for ever
    limits = f"-c statement_timeout={round(statement * 1000)} -c lock_timeout={lock}"
    options = " ".join(filter(None, [str(url.query.get("options", "")), limits, "-c timezone=UTC"]))
    connect = int(min(max(patience_seconds, _LEAST_CONNECT_SECONDS), _MOST_CONNECT_SECONDS))
    try:
        engine = create_engine(
            url.difference_update_query(["options"]),
            connect_args={
                "connect_timeout": connect,
                "application_name": "churnml",
                "client_encoding": "UTF8",  # whatever the server keeps texts in
                "options": options,
            },
            hide_parameters=True,
            pool_timeout=patience_seconds,
            execution_options={"patience": statement},
            # whoever may wait asks first whether a kept connection still lives; the others are told when they use it
            pool_pre_ping=not hasty,
        )
        connection_class = _patient(statement + (0.0 if hasty else _GRACE_SECONDS))
    except ImportError as error:
        raise DependencyError(f"{VARIABLE} needs psycopg; run `pip install 'churnml[postgres]'`") from error
    event.listen(
        engine, "do_connect", lambda _dialect, _record, words, given: connection_class.connect(*words, **given)
    )
    event.listen(engine, "handle_error", lambda context: _tell(context, url, patience_seconds))
    keep_deadlines(engine)
    return engine


def _patient(seconds: float) -> Any:  # Any: a class of psycopg, which is an extra
    """Return a class of connections that are hung up when the server has been silent for too long."""
    import psycopg  # noqa: PLC0415  # an extra

    class Patient(psycopg.Connection[Any]):
        def wait(self, gen: Any, *words: Any, **given: Any) -> Any:  # Any: what psycopg waits for
            return super().wait(_until(self, gen, seconds), *words, **given)

    return Patient


def _until(connection: Any, gen: Any, seconds: float) -> Generator[Any, Any, Any]:  # Any: psycopg's
    """Hand on what is waited for, and hang up once nothing has been said until the end, which each word puts off."""
    import psycopg  # noqa: PLC0415  # an extra

    end = time.monotonic() + seconds
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if ready:
                end = time.monotonic() + seconds
            elif time.monotonic() > end:
                connection.pgconn.finish()
                raise psycopg.OperationalError("the server has been silent for too long, so we hung up")
            wanted = gen.send(ready)
    except StopIteration as done:
        return done.value


def _tell(context: ExceptionContext, url: URL, patience_seconds: float) -> None:
    """Turn what goes wrong with the server into words; the one place for all statements."""
    import psycopg  # noqa: PLC0415  # an extra

    error = context.original_exception
    if context.is_pre_ping or not isinstance(error, psycopg.OperationalError):
        return  # a kept connection that no longer lives is made anew, and nobody need know
    place, again = name_of(url), "see that it runs and lets this machine in, then do the same again"
    if error.sqlstate in {_TAKEN, _DEADLOCK}:
        raise DependencyError(
            f"{place} must be free to write to, found another process writing for longer than {patience_seconds:g} s; "
            "let that process end, then do the same again"
        ) from error
    if error.sqlstate == _FULL:
        raise DiskFullError(
            f"{place} has no room left on its disk; nothing was written: make room, then do the same again"
        ) from error
    deadline = current()
    if error.sqlstate == _TOO_LONG and deadline is not None and passed():
        raise deadline.error() from error
    if error.sqlstate == _TOO_LONG:
        raise DependencyError(f"{place} did not answer in time; look at its load, then do the same again") from error
    raise DependencyError(f"{place} {_why_not(str(error))}; {again}") from error


def _why_not(told: str) -> str:
    """Say why the server is not there; libpq's own words name host and user, never the password."""
    if "FATAL:" in told:
        return f"did not let us in: {told.rpartition('FATAL:')[2].strip().splitlines()[0]}"
    if "timeout" in told or "silent" in told:
        return "does not answer"
    if "refused" in told or "resolve host" in told or "No such file" in told:
        return "cannot be reached"
    return "broke off"
