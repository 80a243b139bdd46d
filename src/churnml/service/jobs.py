"""Jobs: commands that somebody asked for through the service, each a process of its own, started and followed here.

Read `Jobs.look` first. Of all processes that serve a workspace one looks at a time, and whatever it knows is in the
database and in the workspace's folder `jobs`; so a service that comes back finds every job again.

A job's process holds the lock of its own log, which it and its workers inherit and which the system frees when the last
of them is gone. So whether a job goes on is never guessed from a number that another process may have by now.

References
----------
flock(2), Linux manual: a lock belongs to the open file description, and is shared by those who inherit it.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from churnml.database import Catalogue, Workspace
from churnml.database import jobs as store
from churnml.database.jobs import End, Job
from churnml.database.progress import Told, read
from churnml.database.sweeping import sweep
from churnml.database.tombstones import erased_among, erased_since
from churnml.errors import ChurnmlError
from churnml.events import job_logs

GRACE_SECONDS = 10.0
"""How long a job that is told to stop may take to leave all in order, before it is killed."""
EVERY_SECONDS = 1.0
"""How long is waited after one look before the next; a new job is looked at at once."""
_NICE = 10
_FOUND = 4
"""The exit code of a command that did its work and found something, such as `churnml monitor` a model that drifts."""
_LOCK = "jobs"
_log = logging.getLogger(__name__)


class Jobs:
    """A thread of the service that starts jobs that wait, follows those that run, and stops those that are to stop.

    Parameters
    ----------
    workspace : Workspace
        Whose jobs.
    engine : sqlalchemy.Engine
        Its database.
    configs : Path
        The folder of YAML files that each job reads.
    now : callable
        Gives the current instant, microseconds UTC.
    at_once : int, default 1
        Jobs that run at a time.
    every_seconds : float
        How long it waits in between.
    grace_seconds : float
        How long a job may take to stop.
    """

    def __init__(
        self,
        workspace: Workspace,
        engine: Engine,
        configs: Path,
        now: Callable[[], int],
        *,
        at_once: int = 1,
        every_seconds: float = EVERY_SECONDS,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self._workspace = workspace
        self._engine = engine
        self._configs = configs.resolve()
        self._now = now
        self._at_once = at_once
        self._every = every_seconds
        self._grace = grace_seconds
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._told = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking; jobs go on, and are found again by whoever serves the workspace next."""
        self._stopped = True
        self._told.set()
        self._thread.join()

    def wake(self) -> None:
        """Have it look at once, for something was asked."""
        self._told.set()

    def look(self) -> None:
        """Follow the jobs that run, and start what waits where there is room."""
        self._children = {name: one for name, one in self._children.items() if one.poll() is None}
        with self._workspace.alone(_LOCK) as mine:
            if not mine:
                return
            with self._engine.connect() as connection:
                known = store.running(connection)
            going_on = sum([self._follow(job) for job in known])
            while going_on < self._at_once and self._start_next():
                going_on += 1

    def _run(self) -> None:
        while not self._stopped:
            try:
                self.look()
            except (ChurnmlError, SQLAlchemyError, OSError) as error:
                _log.warning("jobs could not be looked at and are looked at again: %s", type(error).__name__)
            except Exception:  # noqa: BLE001  # a bug is told with its traceback, and must not end all jobs
                _log.exception("looking at jobs ended with a bug and is tried again")
            self._told.wait(self._every)
            self._told.clear()

    def _start_next(self) -> bool:
        """Start the job that has waited longest; tell whether there may be another."""
        with self._engine.begin() as connection:
            job = store.next_queued(connection)
            if job is None:
                return False
            mine = store.start(connection, job.job_id, self._now())
        if mine:  # nobody has cancelled it meanwhile
            try:
                self._children[job.job_id] = self._spawn(job)
            except OSError as error:
                why = f"its process could not be started: {error.strerror}; see that the machine has room, ask again"
                self._end(job, None, End("failed", error_code="dependency", error=why))
        return True

    def _spawn(self, job: Job) -> subprocess.Popen[bytes]:
        """Start the process of a job: at low priority, in a session of its own, so that it outlives the service."""
        log, told = paths(self._workspace, job.job_id)
        log.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            child = subprocess.Popen(  # noqa: S603  # our own command line, words that were checked at the door
                self._command(job.arguments, told),
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                start_new_session=True,
            )
        finally:
            os.close(descriptor)  # the child has its own, and with it the lock
        os.setpriority(os.PRIO_PROCESS, child.pid, _NICE)
        return child

    def _command(self, arguments: Sequence[str], told: Path) -> list[str]:
        where = [f"--workspace={self._workspace.root}", f"--configs={self._configs}"]
        return [sys.executable, "-P", "-m", "churnml.cli", f"--progress={told}", *arguments, *where]

    def _follow(self, job: Job) -> bool:
        """Keep how far a job is, or how it ended, and tell whether it goes on."""
        log, path = paths(self._workspace, job.job_id)
        told = read(path)
        if not _held(log):
            told = read(path)  # its last words may have come in between
            self._end(job, told, _ending(job, told))
            return False
        if told is not None and (told.step, told.share, told.run_id) != (job.step, job.share, job.run_id):
            with self._engine.begin() as connection:
                store.tell(connection, job.job_id, told.step, told.share, told.run_id)
        self._stop_if_asked(job, told, path)
        return True

    def _stop_if_asked(self, job: Job, told: Told | None, path: Path) -> None:
        """Have a job stop that somebody cancelled, and workers that outlive their own job."""
        child = self._children.get(job.job_id)
        pid = told.pid if told is not None else child.pid if child is not None else None
        if pid is None:
            return
        over = told is not None and told.exit_code is not None and time.time() - path.stat().st_mtime > self._grace
        patience = round(self._grace * 1e6)
        overdue = job.cancel_asked_at is not None and self._now() - job.cancel_asked_at > patience
        if over or overdue or not _is_there(pid):
            _signal(pid, signal.SIGKILL)
        elif job.cancel_asked_at is not None:
            _signal(pid, signal.SIGTERM)

    def _end(self, job: Job, told: Told | None, how: End) -> None:
        """Keep how a job ended, after what it left half done is gone."""
        with self._workspace.locked("runs"):
            sweep(self._workspace, Catalogue(self._engine), self._now())
        with self._engine.begin() as connection:
            if told is not None:
                store.tell(connection, job.job_id, told.step, told.share, told.run_id)
            store.end(connection, job.job_id, how, self._now())
        with self._engine.begin() as connection:  # a secret that is missing must not keep the job from ending
            self._forget_erased(connection, job)

    def _forget_erased(self, connection: Connection, job: Job) -> None:
        """Take out of a log that has ended who was erased while it was written: the job had read them before."""
        if job.started_at is None or not erased_since(connection, job.started_at):
            return
        erased = erased_among(connection, job_logs.words_of(self._workspace, job.job_id))
        if erased:
            job_logs.forget_in(self._workspace, job.job_id, erased)
            store.forget(connection, erased)


def paths(workspace: Workspace, job_id: str) -> tuple[Path, Path]:
    """Return where a job's log is, and the file that says how far it is."""
    return workspace.jobs / f"{job_id}.log", workspace.jobs / f"{job_id}.json"


def _ending(job: Job, told: Told | None) -> End:
    """Return how a job ended whose process is gone, by its last words."""
    if told is None or told.exit_code is None:
        cancelled = job.cancel_asked_at is not None
        return End("cancelled") if cancelled else End("lost", error_code="lost", error=store.LOST)
    if told.error is None and told.exit_code in {0, _FOUND}:
        return End("done", told.exit_code)
    if job.cancel_asked_at is not None:
        return End("cancelled", told.exit_code)
    why = told.error or f"it ended with exit code {told.exit_code}; its log says why"
    return End("failed", told.exit_code, told.error_code or "usage", why)


def _held(log: Path) -> bool:
    """Tell whether a process of a job is there: one that has its log open holds the lock."""
    try:
        with log.open() as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _signal(group: int, which: signal.Signals) -> None:
    """Send a signal to a job's process and all its workers; its number is theirs while one of them is there."""
    try:
        os.killpg(group, which)
    except ProcessLookupError:
        _log.info("a job ended before it was told to")
