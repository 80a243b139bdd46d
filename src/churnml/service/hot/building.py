"""A snapshot of the run that is served, made from the database: the very bytes with which the routes would answer."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fastapi.responses import JSONResponse
from sqlalchemy import Engine

from churnml.database import Catalogue, Records, Workspace, open_engine
from churnml.database.records import NO_PROFILING
from churnml.measures.paths import Stay, all_paths, version_of_paths
from churnml.service import etags
from churnml.service.hot import snapshot
from churnml.service.readings import with_path

_ENDING = ".records"


@dataclass(frozen=True)
class Standing:
    """What a snapshot was made from; as long as it is the same, so are the answers.

    Parameters
    ----------
    run_id : str or None
        The run that is served; None before the first.
    changes : int
        How often its records have changed since it was done.
    paths : str
        What tells the paths of customers that are kept from others.
    """

    run_id: str | None
    changes: int
    paths: str

    @property
    def name(self) -> str:
        """The name of the file."""
        return f"{self.run_id}-{self.changes}-{self.paths}{_ENDING}"


def standing_of(workspace: Workspace, records: Records) -> Standing:
    """Return how things stand."""
    run_id, changes = records.current()
    return Standing(run_id, changes, version_of_paths(workspace))


def build(workspace: Workspace, engine: Engine) -> Path | None:
    """Make the snapshot of how things stand, and remove all others; call it as the one who has the lock `hot`.

    Returns
    -------
    Path or None
        The file; None where there is no run yet, or where things changed while it was being made.
    """
    records, catalogue = Records(engine), Catalogue(engine)
    standing = standing_of(workspace, records)
    if standing.run_id is None:
        return None
    target = workspace.hot / standing.name
    if not target.exists():
        _remove(workspace, ".*")  # what others were making when they were killed
        with contextlib.suppress(_Overtaken), workspace.atomically(target) as draft:
            snapshot.write(draft, _entries(workspace, records, catalogue, standing.run_id))
            if standing_of(workspace, records) != standing:
                raise _Overtaken
    _remove(workspace, "*", but=target)
    return target if target.exists() else None


class _Overtaken(Exception):  # noqa: N818  # never leaves this module
    """Records changed while they were being read."""


def _remove(workspace: Workspace, pattern: str, but: Path | None = None) -> int:
    gone = [path for path in workspace.hot.glob(pattern) if path != but]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)


def _entries(workspace: Workspace, records: Records, catalogue: Catalogue, run_id: str) -> Iterator[snapshot.Entry]:
    """Give the entries in the order of ids, in which paths are kept as well, so that neither is held in memory."""
    refusing, paths = catalogue.refusing(), _Walk(all_paths(workspace))
    for customer_id, text in records.texts(run_id):
        record, stays = json.loads(text), paths.of(customer_id)
        bare = bytes(JSONResponse(record).body)
        if record.get("rung") == NO_PROFILING or customer_id in refusing:
            yield snapshot.Entry(customer_id, bare)  # what is told of who refuses hangs on what they said since
            continue
        whole = bytes(JSONResponse(with_path(record, stays)).body)
        if whole.startswith(bare[:-1]):
            yield snapshot.Entry(customer_id, bare, whole[len(bare) - 1 :], etags.digest(whole))
        else:
            yield snapshot.Entry(customer_id, bare)


class _Walk:
    """Walks along paths in the order of their customers, beside those whose path is wanted, in the same order."""

    def __init__(self, paths: Iterator[tuple[str, tuple[Stay, ...]]]) -> None:
        self._paths = paths
        self._next = next(paths, None)

    def of(self, customer_id: str) -> tuple[Stay, ...]:
        while self._next is not None and self._next[0] < customer_id:
            self._next = next(self._paths, None)
        return self._next[1] if self._next is not None and self._next[0] == customer_id else ()


def main() -> None:
    """Make the snapshot of the workspace that the command line names, unless somebody is at it.

    A process of its own: of a million records it takes a minute of Python, in which a service would answer late.
    """
    workspace = Workspace.at(Path(sys.argv[1]))
    engine = open_engine(workspace.database)
    with workspace.alone("hot") as free:
        if free:
            build(workspace, engine)
    engine.dispose()
