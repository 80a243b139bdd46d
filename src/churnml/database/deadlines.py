"""Until when a piece of work may go on: set where a request comes in, kept by every statement and every commit.

A thread cannot be stopped from outside, but nearly all that a request waits for is its database. So whoever asks the
database asks here first: a statement is not begun after the end, one that runs over it is broken off, and what it did
is taken back. Work outside of a request has no deadline.

References
----------
SQLite, `sqlite3_progress_handler` and `SQLITE_INTERRUPT`; PostgreSQL, `statement_timeout`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, event

from churnml.errors import DeadlineError

_STEPS = 10_000
"""Of SQLite's virtual machine, between two looks at the clock: well under a millisecond."""
_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


class Deadline:
    """When one piece of work has to be over, and who was first: the work with its commit, or who gave it up.

    Parameters
    ----------
    seconds : float
        How long it may take from now on.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds
        self._lock = Lock()
        self._given_up = False
        self._committed = False

    @property
    def left(self) -> float:
        """How many seconds are left; none or less once it is over."""
        return self._end - time.monotonic()

    @property
    def over(self) -> bool:
        """Whether the work must stop; work that has begun to commit is done, and may say so."""
        return not self._committed and (self._given_up or self.left <= 0)

    def give_up(self) -> bool:
        """Answer for the work that it was not done, and keep it so; False where it has begun to commit."""
        with self._lock:
            self._given_up = not self._committed
            return self._given_up

    def commit(self) -> None:
        """Let the work commit, from when on it cannot be given up.

        Raises
        ------
        DeadlineError
            If it is over.
        """
        with self._lock:
            self.check()
            self._committed = True

    def check(self) -> None:
        """Raise `DeadlineError` if it is over."""
        if self.over:
            raise self.error()

    def error(self) -> DeadlineError:
        """Return what is said of work that took too long."""
        return DeadlineError(
            f"an answer must be given within {self.seconds:g} s and was not; nothing was done: ask again, or for less"
        )


@contextmanager
def within(deadline: Deadline) -> Iterator[None]:
    """Keep a deadline, in this thread and in those that are started with its context."""
    token = _current.set(deadline)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Deadline | None:
    """Return the deadline of the work that asks; None where it has none."""
    return _current.get()


def keep_deadlines(engine: Engine) -> None:
    """Have every statement and commit of an engine keep the deadline of whoever asks."""
    event.listen(engine, "before_cursor_execute", _before_statement)
    event.listen(engine, "commit", _before_commit)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _break_off)


def passed() -> bool:
    """Tell whether whoever asks has a deadline, and it is over."""
    deadline = _current.get()
    return deadline is not None and deadline.over


def _break_off(connection: Any, _record: object) -> None:  # Any: the driver's own connection type
    connection.set_progress_handler(passed, _STEPS)


def _before_statement(
    connection: Connection,
    cursor: Any,  # Any: the driver's own
    _statement: str,
    _values: object,
    _context: object,
    _many: bool,  # noqa: FBT001  # SQLAlchemy calls with places, not names
) -> None:
    deadline = _current.get()
    if deadline is None:
        return
    deadline.check()
    usual = connection.get_execution_options().get("patience")  # which engines of a server have, and files have not
    if usual is not None and deadline.left < usual:  # the server's own limit would let it run over the end
        cursor.execute(f"SET LOCAL statement_timeout = {max(round(deadline.left * 1000), 1)}")


def _before_commit(_connection: Connection) -> None:
    deadline = _current.get()
    if deadline is not None:
        deadline.commit()
