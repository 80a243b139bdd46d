"""Which snapshot is read, and what else stands as long as nothing is committed: the keys that were found good."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from churnml.database import Records, Workspace
from churnml.database.pulse import Pulse
from churnml.database.tables import records
from churnml.errors import ChurnmlError, DependencyError
from churnml.service.access import Caller
from churnml.service.hot.building import Standing, build, standing_of
from churnml.service.hot.snapshot import Snapshot

_EVERY_SECONDS = 5.0
"""How long a snapshot that is void stays in memory when nobody asks."""
_LEAST_SECONDS, _SHARE = 2.0, 0.1
"""Of a run whose records change all day, a snapshot is made anew that often at most, in that share of the time."""
_FEW = 5_000
"""So many records are made ready in a fraction of a second, without a process of its own."""
_PROGRAM = "from churnml.service.hot.building import main; main()"
DAY = 86_400_000_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Known:
    """Who asks with a key, until when it is good (microseconds UTC), and on which day it was last looked up."""

    caller: Caller
    until: int
    day: int


@dataclass(frozen=True)
class Held:
    """What was read of the database, at one beat of it.

    Parameters
    ----------
    beat : int or str
        As long as the database's is this one, all of it stands.
    standing : Standing
        Which run is served, and how often its records have changed.
    callers : dict
        Who was found to ask, by the SHA-256 of their header. Only keys that are ours get here, so there are never many
        more of them than keys.
    """

    beat: int | str
    standing: Standing
    callers: dict[bytes, Known] = field(default_factory=dict)


class Keeper:
    """Keeps a snapshot of the run that is served at hand, and makes it anew when it no longer stands.

    Parameters
    ----------
    workspace : Workspace
        Where snapshots are.
    engine : sqlalchemy.Engine
        Its database.
    """

    def __init__(self, workspace: Workspace, engine: Engine) -> None:
        self.pulse = Pulse(engine)
        self.held: Held | None = None
        """What was read last; whoever uses it asks the pulse whether it still stands."""
        self._workspace, self._engine, self._records = workspace, engine, Records(engine)
        self._open: tuple[Standing, Snapshot] | None = None
        self._made: tuple[str | None, float, float] = (None, 0.0, 0.0)  # of which run, until when, how long it took
        self._wanted, self._told_to_stop = threading.Event(), threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="snapshots", daemon=True)

    def start(self) -> None:
        """Begin to make snapshots when they are asked for."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and let go of what is being made."""
        self._told_to_stop.set()
        self._wanted.set()
        self._thread.join()
        self.pulse.close()

    def look(self, beat: int | str) -> Held:
        """Return what stands at a beat, read after it: whatever is committed from then on gives another one."""
        return Held(beat, standing_of(self._workspace, self._records))

    def snapshot(self, standing: Standing) -> Snapshot | None:
        """Return the snapshot of how things stand; None as long as there is none, and then it is made."""
        at_hand = self._open
        if at_hand is not None and at_hand[0] == standing:
            return at_hand[1]
        self._open = None
        if standing.run_id is not None:
            self._wanted.set()
        return None

    def tend(self) -> None:
        """Open the snapshot of how things stand, which another process may have made, or make it."""
        standing = standing_of(self._workspace, self._records)
        if self._open is not None and self._open[0] != standing:
            self._open = None
        if self._open is not None or standing.run_id is None:
            return
        path = self._workspace.hot / standing.name
        if not path.exists() and not self._waits(standing):
            self._make(standing)
        if path.exists():
            try:
                self._open = (standing, Snapshot(path))
            except DependencyError:
                path.unlink(missing_ok=True)  # it is made anew
                raise

    def _waits(self, standing: Standing) -> bool:
        """Tell whether one of this run was made so lately that its changes may wait; the routes tell them at once."""
        run_id, ended, took = self._made
        return standing.run_id == run_id and time.monotonic() - ended < max(_LEAST_SECONDS, took / _SHARE - took)

    def _make(self, standing: Standing) -> None:
        began = time.monotonic()
        if self._count(standing) > _FEW:
            self._make_apart()
        else:
            with self._workspace.alone("hot") as free:
                if free:
                    build(self._workspace, self._engine)
        ended = time.monotonic()
        self._made = (standing.run_id, ended, ended - began)

    def _make_apart(self) -> None:
        """Make it in a process of its own, so that Python answers callers meanwhile."""
        program = [sys.executable, "-c", _PROGRAM, str(self._workspace.root)]
        self._child = subprocess.Popen(program, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # noqa: S603
        while self._child.poll() is None:
            if self._told_to_stop.wait(0.1):
                self._child.terminate()
                self._child.wait()

    def _count(self, standing: Standing) -> int:
        theirs = select(records.c.customer_id).where(records.c.run_id == standing.run_id).limit(_FEW + 1)
        with self._engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(theirs.subquery())).scalar_one())

    def _run(self) -> None:
        while not self._told_to_stop.is_set():
            self._wanted.wait(_EVERY_SECONDS)
            self._wanted.clear()
            if self._told_to_stop.is_set():
                return
            try:
                self.tend()
            except (ChurnmlError, SQLAlchemyError, OSError) as error:
                # the routes go on answering
                _log.warning("no snapshot of the records was made: %s", type(error).__name__)
            except Exception:  # noqa: BLE001  # a bug is told with its traceback, and must not end all snapshots
                _log.exception("making a snapshot of the records ended with a bug")
            self._told_to_stop.wait(0.2)  # callers who ask meanwhile are not a reason to look without end
