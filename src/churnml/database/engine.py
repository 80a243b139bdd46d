"""The connection to the SQL database, brought to the current schema when it is opened."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from churnml.errors import DependencyError

SCHEMA_REVISION = "0002"
_BUSY_TIMEOUT_MS = 5_000


def open_engine(path: Path) -> Engine:
    """Open the SQLite database at `path`, making or migrating it as needed.

    Of several that open it at once, one at a time looks and makes: SQLite turns a database to its write-ahead log only
    while nobody else looks at it, and does not wait for that.

    Raises
    ------
    DependencyError
        If the file is not a database, or was made by a newer churnml.
    """
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": _BUSY_TIMEOUT_MS / 1000})
    event.listen(engine, "connect", _set_pragmas)
    try:
        with path.with_name(f"{path.name}.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if _revision(engine) != SCHEMA_REVISION:
                _migrate(engine, path)
    except (SQLAlchemyError, OSError) as error:
        told = getattr(error, "orig", None) or error
        raise DependencyError(f"{path} cannot be opened as a database: {told}; restore it or move it away") from error
    return engine


def _set_pragmas(connection: Any, _record: object) -> None:  # Any: the driver's own connection type
    """Write-ahead log: readers never wait for the writer; foreign keys are off in SQLite unless asked for."""
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={_BUSY_TIMEOUT_MS}"):
        connection.execute(f"PRAGMA {pragma}")


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(engine: Engine, path: Path) -> None:
    # imported here: Alembic costs 0.3 s, and an up-to-date database never needs it
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise DependencyError(f"{path} has a schema this version does not know; use a newer churnml") from error
