"""Jobs as somebody asks for them, watches them and stops them; routes and pages do all three here.

Who does them is `jobs.py`; wake it after something was asked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from churnml.database import Workspace
from churnml.database import jobs as store
from churnml.database.audit import audit
from churnml.database.dialect import take_turn
from churnml.database.instants import iso
from churnml.database.jobs import Job
from churnml.errors import ConflictError, NotFoundError, TooManyJobsError
from churnml.service.access import Caller
from churnml.service.jobs import paths

Json = dict[str, Any]  # Any: JSON
LONGEST = 1_000
"""Characters of a line of a log that are told."""
_BUG = "Traceback (most recent call last)"


def ask(
    connection: Connection,
    caller: Caller,
    verb: str,
    options: Mapping[str, Any],  # Any: JSON
    arguments: Sequence[str],
    most: int,
    now: int,
) -> tuple[Job, bool]:
    """Let a command wait for its turn; of what waits or runs already, return that job.

    Parameters
    ----------
    options, arguments : mapping, sequence of str
        Of `api/job_shapes.py`, which has checked them.
    most : int
        How many may wait.
    now : int
        Microseconds UTC.

    Returns
    -------
    (Job, bool)
        The job, and whether it is new.

    Raises
    ------
    TooManyJobsError
        If so many wait.
    """
    take_turn(connection)
    job, new = store.ask(connection, verb, options, arguments, caller.name, now)
    if not new:
        return job, False
    if store.count_queued(connection) > most:
        raise TooManyJobsError(
            f"no more than {most} jobs may wait, and so many do; ask again when one has begun, or cancel one"
        )
    audit(connection, caller, "job.started", {"job": job.job_id, "verb": job.verb}, at=now)
    return job, True


def cancel(connection: Connection, caller: Caller, job_id: str, now: int) -> Job:
    """End a job that waits at once, and have one that runs stop; asked twice, it is done once.

    Raises
    ------
    NotFoundError
        If there is no such job.
    ConflictError
        If it has ended by itself.
    """
    new = store.cancel(connection, job_id, now)
    job = found(connection, job_id)
    if not new and job.state != "cancelled" and job.finished_at is not None:
        raise ConflictError(f"job `{job_id}` is `{job.state}` and cannot be cancelled any more")
    if new:
        audit(connection, caller, "job.cancelled", {"job": job_id, "verb": job.verb}, at=now)
    return job


def found(connection: Connection, job_id: str) -> Job:
    """Return a job.

    Raises
    ------
    NotFoundError
        If there is none of this id.
    """
    job = store.find(connection, job_id)
    if job is None:
        raise NotFoundError(f"no job `{job_id}`; /v1/jobs lists them")
    return job


def told(job: Job) -> Json:
    """Return a job as JSON."""
    names = ("job_id", "verb", "options", "state", "asked_by", "step", "share", "run_id", "exit_code")
    instants = ("asked_at", "started_at", "finished_at")
    failed = None if job.error is None else {"code": job.error_code, "message": job.error}
    return {
        **{name: getattr(job, name) for name in names},
        **{name: None if (at := getattr(job, name)) is None else iso(at) for name in instants},
        "stopping": job.state == "running" and job.cancel_asked_at is not None,
        "error": failed,
    }


def log_of(workspace: Workspace, job_id: str, lines: int) -> Json:
    """Return the last lines that a job printed, without signs that a page or a terminal would obey.

    Who was erased is blanked in it, see `events/job_logs.py`. The traceback of a bug may hold anything of anybody, so
    what stands from one on stays on the machine.

    Parameters
    ----------
    lines : int
        How many at most.

    Returns
    -------
    dict
        `lines`; whether they are `whole`, that is from the first on; and whether a traceback after them is `withheld`.
    """
    log, _ = paths(workspace, job_id)
    if not log.is_file():
        return {"lines": [], "whole": True, "withheld": False}
    kept, count, withheld = deque[str](maxlen=lines), 0, False
    with log.open(encoding="utf-8", errors="replace", newline="\n") as handle:
        for line in handle:
            withheld = _BUG in line
            if withheld:
                break
            kept.append("".join(one for one in line[:LONGEST] if one.isprintable()))
            count += 1
    return {"lines": list(kept), "whole": count <= lines, "withheld": withheld}
