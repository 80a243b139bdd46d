"""New databases that are migrated once a process and copied from then on: sixty milliseconds a test and more."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import URL

from churnml.database import Workspace, open_engine
from postgres_server import Server

_FOLDER = tempfile.TemporaryDirectory(prefix="churnml migrated ")


def new_workspace(folder: Path) -> Workspace:
    """Return a new workspace; its database, if it is a file, is the very file that the migrations make."""
    workspace = Workspace.open(folder, create=True)
    if workspace.server is None and not workspace.file.exists():
        shutil.copyfile(_migrated(), workspace.file)
    return workspace


@cache
def _migrated() -> Path:
    whole = Path(_FOLDER.name) / "database"
    open_engine(whole).dispose()  # whoever closes last brings the write-ahead log into the file
    return whole


def migrated_on(server: Server) -> URL:
    """Return where a new database of a PostgreSQL is, which is what the migrations make of an empty one."""
    return server.new_database(_migrated_there(server))


@cache
def _migrated_there(server: Server) -> str:
    whole = server.new_database()
    open_engine(whole).dispose()
    return whole.database or ""
