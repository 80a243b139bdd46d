"""Whether anything has been committed since one looked last: asked in microseconds, so that what was read may be kept.

As long as two beats are equal, whatever was read between them stands: no key was revoked, nobody has refused, no run
was published. It is the database itself that says so, so no writer, of this process or of another, has to think of it.

References
----------
SQLite, PRAGMA data_version: differs on one connection once any other has committed to the file, of any process.
PostgreSQL, section 9.27.5 (pg_current_snapshot): which transactions are seen; two equal snapshots see the same rows,
and whoever commits is out of the list before they are told that they have.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Engine, text

_SNAPSHOT = text("SELECT CAST(pg_current_snapshot() AS text)")


class Pulse:
    """The beat of a database.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        From `open_engine`.
    """

    def __init__(self, engine: Engine) -> None:
        self.is_quick = engine.dialect.name == "sqlite"
        """Whether asking takes microseconds and waits for nobody, so that it need not leave an event loop."""
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._file = Path(engine.url.database or "") if self.is_quick else None
        self._own: sqlite3.Connection | None = None

    def beat(self) -> int | str:
        """Return what is equal to the last answer unless something was committed in between.

        Raises
        ------
        sqlite3.Error
            If the file is no longer there.
        DependencyError
            If the server does not answer.
        """
        if self._file is None:
            with self._engine.connect() as connection:
                return str(connection.execute(_SNAPSHOT).scalar_one())
        if self._own is None:
            # one connection for good: the numbers of two cannot be compared; it reads nothing, so it is never in the
            # way of a writer. Whoever asks first and who asks later may be two threads, and never at once
            self._own = sqlite3.connect(f"{self._file.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)
        return int(self._own.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Let go of the file."""
        if self._own is not None:
            self._own.close()
            self._own = None
