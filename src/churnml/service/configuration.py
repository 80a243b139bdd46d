"""What is in force: the actions to choose from, the settings of each file, versions, and when a backup was made."""

from __future__ import annotations

import platform
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy
from fastapi import Request
from sqlalchemy import Connection, select

import churnml
from churnml.config import (
    AssignConfig,
    DigestConfig,
    FeaturesConfig,
    HandoffConfig,
    KpiConfig,
    MeasureConfig,
    MonitorConfig,
    ScoreConfig,
    Settings,
    StoreConfig,
    TrainConfig,
    WorkspaceConfig,
    flat,
    load_config,
)
from churnml.database import secret
from churnml.database.engine import SCHEMA_REVISION
from churnml.database.tables_access import audit_entries
from churnml.errors import ConfigError
from churnml.events.clock import moment
from churnml.policy import Action, load_actions

Json = dict[str, Any]  # Any: JSON
_FILES: dict[str, type[Settings]] = {
    "workspace": WorkspaceConfig,
    "features": FeaturesConfig,
    "train": TrainConfig,
    "score": ScoreConfig,
    "assign": AssignConfig,
    "measure": MeasureConfig,
    "kpis": KpiConfig,
    "monitor": MonitorConfig,
    "store": StoreConfig,
    "handoff": HandoffConfig,
    "digest": DigestConfig,
}
"""The files that verbs read anew each time; `serve.yaml` is read once, when the service begins."""


@dataclass(frozen=True)
class Setting:
    """One setting: its name with dots, its value, and whether that is what it is by default."""

    name: str
    value: str
    default: bool


@dataclass(frozen=True)
class File:
    """The settings of one file of configs/; `problem` tells why it cannot be read, where it cannot."""

    name: str
    settings: list[Setting]
    problem: str = ""


@dataclass(frozen=True)
class InForce:
    """What the service runs with.

    Parameters
    ----------
    backup_at : datetime or None
        When `churnml backup` was run last, as the audit log says.
    secret_set : bool
        Whether the environment holds `CHURNML_SECRET`; the secret itself is told to nobody.
    """

    versions: dict[str, str]
    database: str
    workspace: str
    backup_at: datetime | None
    backup_days: int | None
    secret_set: bool
    files: list[File]


def actions_in_force(request: Request) -> tuple[Action, ...]:
    """Return the actions that `churnml assign` chooses from, as actions.yaml says by now.

    Raises
    ------
    ConfigError
        If it says something it cannot.
    """
    file: Path = request.app.state.configs / "actions.yaml"
    return load_actions(file if file.exists() else None).actions


def in_force(request: Request, now: int) -> InForce:
    """Return what the service runs with, secrets left out."""
    state = request.app.state
    with state.engine.connect() as connection:
        backup = _last_backup(connection)
        kind = _kind(connection)
    files = [_file("serve", state.settings)]
    for name, model in _FILES.items():
        try:
            files.append(_file(name, load_config(state.configs / f"{name}.yaml", model)))
        except ConfigError as error:
            files.append(File(f"{name}.yaml", [], str(error)))
    return InForce(
        versions={"churnml": churnml.__version__, "Python": platform.python_version(), "schema": SCHEMA_REVISION},
        database=kind,
        workspace=str(state.workspace.root),
        backup_at=None if backup is None else moment(backup),
        backup_days=None if backup is None else (datetime.fromtimestamp(now / 1e6, UTC) - moment(backup)).days,
        secret_set=secret.is_set(),
        files=files,
    )


def action_told(action: Action) -> Json:
    """Return an action as JSON."""
    told: Json = action.model_dump(mode="json")
    return told | {"max_cost": action.max_cost}


def told(found: InForce) -> Json:
    """Return what is in force as JSON."""
    files = [
        {"file": one.name, "problem": one.problem or None, "settings": [vars(each) for each in one.settings]}
        for one in found.files
    ]
    at = None if found.backup_at is None else found.backup_at.isoformat()
    return vars(found) | {"backup_at": at, "files": files}


def _file(name: str, settings: Settings) -> File:
    usual = flat(_by_default(type(settings)))
    values = flat(settings.model_dump(mode="json"))
    return File(f"{name}.yaml", [Setting(one, _said(value), usual.get(one) == value) for one, value in values.items()])


def _by_default(model: type[Settings]) -> Json:
    told: Json = model().model_dump(mode="json")
    return told


def _said(value: object) -> str:
    return "" if value is None else "true" if value is True else "false" if value is False else str(value)


def _last_backup(connection: Connection) -> int | None:
    query = select(audit_entries.c.at).where(audit_entries.c.what == "backup.made")
    found = connection.execute(query.order_by(audit_entries.c.number.desc()).limit(1)).scalar()
    return None if found is None else int(found)


def _kind(connection: Connection) -> str:
    if connection.dialect.name == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    version = ".".join(str(part) for part in connection.dialect.server_version_info or ())
    return f"PostgreSQL {version}, by SQLAlchemy {sqlalchemy.__version__}"
