"""Erase customers everywhere: begin, go on with what was begun, and repeat all after a restore.

In come ids, out goes an erasure whose receipt names nobody. Killed anywhere, whoever comes next finishes it:
`finish_all` is called by the command, by the service before it listens, and while it serves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import Connection, Engine

from churnml.database import Catalogue, Workspace, erasures
from churnml.database.erasures import Erasure
from churnml.database.forgetting import known_ids
from churnml.database.instants import iso
from churnml.database.tables_push import messages
from churnml.database.tombstones import erased_among
from churnml.events import job_logs, kept_backups, left_behind, stray_files
from churnml.events.erased_rows import words_of
from churnml.events.erasure_words import OUT_OF_REACH
from churnml.events.forgetting import forget


@dataclass(frozen=True)
class Itself:
    """Who answers for what is finished or repeated: churnml, on behalf of whoever asked."""

    kind: str = "command"
    name: str = "erasure"


def finish_all(workspace: Workspace, engine: Engine, now: Callable[[], int], *, wait: bool = True) -> list[Erasure]:
    """Bring every erasure that was begun to its end, and return them; repeat all where a restore made that due.

    Where recipients have been told since whom an erasure was about, the bytes of that message go from the database.

    Parameters
    ----------
    now : callable
        Gives the current instant, microseconds UTC.
    wait : bool, default True
        Whether to wait where another process does it; otherwise nothing is done then.

    Raises
    ------
    UsageError
        If all are to be repeated, and `CHURNML_SECRET` is missing or another one.
    DependencyError
        If others held the database for too long; what is left is done by the next call.
    """
    with _alone(workspace, wait=wait) as mine:
        if not mine:
            return []
        _repeat(workspace, engine, now)
        with engine.connect() as connection:
            pending, told = erasures.unfinished(connection), erasures.empty_due(connection)
        for one in pending:
            if one.state == "going_on":
                _go_through(workspace, engine, one.erasure_id, now)
        if pending:
            workspace.forget_ready_made()
        if pending or told:
            Catalogue(engine).settle(None if pending else messages.name)
        with engine.begin() as connection:
            if told:
                erasures.emptied(connection, told)
            for one in pending:
                erasures.finish(connection, Itself(), one.erasure_id, at=now())
            return [erasures.erasure_of(connection, one.erasure_id) for one in pending]


def receipt(connection: Connection, erasure_id: str) -> dict[str, Any]:  # Any: JSON
    """Return what an erasure removed, when, what had left before, and what it could not reach; it names nobody.

    Raises
    ------
    NotFoundError
        If there is none of that id.
    """
    found = erasures.erasure_of(connection, erasure_id)
    return {
        "erasure_id": found.erasure_id,
        "state": found.state,
        "reason": found.reason,
        "asked_by": found.asked_by,
        "customers": found.customers,
        "asked_at": iso(found.asked_at),
        "finished_at": None if found.finished_at is None else iso(found.finished_at),
        "tombstones": erasures.tombstones_of(connection, erasure_id),
        "counts": found.counts,
        "handed_out": found.handed_out,
        "out_of_reach": [asdict(one) for one in OUT_OF_REACH],
    }


def _go_through(workspace: Workspace, engine: Engine, erasure_id: str, now: Callable[[], int]) -> None:
    """Forget everywhere whom an erasure is about, then whom it was about."""
    with engine.connect() as connection:
        whom = erasures.whom_of(connection, erasure_id)
    reached = whom | _reached_by(workspace, engine, whom)
    exports = stray_files.forget(workspace, reached)
    exports["export_drafts"] = left_behind.sweep(workspace, now())
    gone = forget(workspace, Catalogue(engine), whom, settle=False)
    counts = (
        exports
        | job_logs.forget(workspace, reached)
        | kept_backups.forget(workspace, whom)
        | gone.database
        | {f"table_{name}": rows for name, rows in gone.rows.items()}
    )
    counts |= {"quarantined": gone.quarantined, "reports": gone.reports, "measured": gone.measured}
    with engine.begin() as connection:
        erasures.through(connection, erasure_id, {name: n for name, n in counts.items() if n}, at=now())


def _reached_by(workspace: Workspace, engine: Engine, whom: frozenset[str]) -> frozenset[str]:
    """Return the addresses and numbers of some customers: a file made for mailing may know them by these alone.

    They are asked before the tables are rewritten, so that one who was killed in between has used them already.
    """
    ids, found = pa.array(sorted(whom), pa.string()), set[str]()
    for part in Catalogue(engine).parts("customers"):
        held = pq.ParquetFile(workspace.root / part.path)
        names = [name for name in ("email", "phone") if name in held.schema_arrow.names]
        rows = held.read(columns=["customer_id", *names])
        theirs = rows.filter(pc.is_in(rows.column("customer_id").cast(pa.string()), value_set=ids))
        found.update(value for name in names for value in theirs.column(name).to_pylist() if value)
    return frozenset(found)


def _repeat(workspace: Workspace, engine: Engine, now: Callable[[], int]) -> None:
    """Begin the erasure of everybody with a tombstone of whom there is something, where a restore made that due."""
    with engine.begin() as connection:
        if not erasures.repeat_due(connection):
            return
        whom = erased_among(connection, known_ids(connection) | _landed_ids(workspace, engine) | _aside(workspace))
        if whom:
            erasures.begin(connection, Itself(), whom, erasures.RESTORED, at=now())
        erasures.repeated(connection)


def _landed_ids(workspace: Workspace, engine: Engine) -> frozenset[str]:
    found: set[str] = set()
    for part in Catalogue(engine).parts():
        column = pq.read_table(workspace.root / part.path, columns=["customer_id"]).column(0)
        found.update(column.unique().to_pylist())
    for path in workspace.measures.glob("*.parquet"):
        found.update(pq.read_table(path, columns=["customer_id"]).column(0).unique().to_pylist())
    return frozenset(found)


def _aside(workspace: Workspace) -> frozenset[str]:
    """Return every word in quarantine that may be an id."""
    return frozenset(
        word
        for path in workspace.quarantine.glob("*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
        for word in words_of(line)
    )


@contextmanager
def _alone(workspace: Workspace, *, wait: bool) -> Iterator[bool]:
    """Tell whether nobody else is erasing, and keep it so; the system lets go if we die."""
    if wait:
        with workspace.locked("erasure"):
            yield True
    else:
        with workspace.alone("erasure") as mine:
            yield mine
