"""Jobs: commands that wait, run and end, one row each; every change of state holds only if nobody was first.

Every function works within the transaction of its caller.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from churnml.database.latest import Place, latest_page
from churnml.database.striking_out import GONE, without_names
from churnml.database.tables_jobs import jobs

State = Literal["queued", "running", "done", "failed", "cancelled", "lost"]
Ending = Literal["done", "failed", "cancelled", "lost"]
LOST = (
    "its process ended without saying how: it was killed, or the machine went down; what it had not finished counts "
    "nowhere, ask for it again"
)
RESTORED = "a backup was restored while it waited or ran; ask for it again"
_UNFINISHED: tuple[State, ...] = ("queued", "running")


@dataclass(frozen=True)
class Job:
    """A command that was asked for.

    Parameters
    ----------
    job_id : str
        A random one.
    verb : str
        Of the command line.
    options : dict
        As they were asked for.
    arguments : list of str
        The same as words of the command line.
    state : {'queued', 'running', 'done', 'failed', 'cancelled', 'lost'}
        `lost` is one of which nobody knows how it ended.
    asked_by : str
        As the audit log calls them.
    asked_at, started_at, finished_at, cancel_asked_at : int or None
        Microseconds UTC.
    step : str or None
        What it does, in words.
    share : float or None
        Of that step, 0 to 1.
    run_id : str or None
        Its latest run.
    exit_code : int or None
        Of the command; None while it goes on, and where it never told.
    error_code, error : str or None
        What the command said of its failure.
    """

    job_id: str
    verb: str
    options: dict[str, Any]  # Any: JSON
    arguments: list[str]
    state: State
    asked_by: str
    asked_at: int
    started_at: int | None
    finished_at: int | None
    cancel_asked_at: int | None
    step: str | None
    share: float | None
    run_id: str | None
    exit_code: int | None
    error_code: str | None
    error: str | None


@dataclass(frozen=True)
class End:
    """How a job ended."""

    state: Ending
    exit_code: int | None = None
    error_code: str | None = None
    error: str | None = None


def ask(
    connection: Connection,
    verb: str,
    options: Mapping[str, Any],  # Any: JSON
    arguments: Sequence[str],
    asked_by: str,
    now: int,
) -> tuple[Job, bool]:
    """Enter a job, or return the one that does the same and has not ended; and tell whether it is new."""
    same = hashlib.sha256(json.dumps([verb, dict(options)], sort_keys=True).encode()).hexdigest()
    job_id = uuid.uuid4().hex
    row = {
        "job_id": job_id, "verb": verb, "options": dict(options), "arguments": list(arguments), "same": same,
        "state": "queued", "asked_by": asked_by, "asked_at": now,
    }  # fmt: skip
    try:
        with connection.begin_nested():
            connection.execute(insert(jobs), row)
    except IntegrityError:
        going_on = select(jobs).where(jobs.c.same == same, jobs.c.state.in_(_UNFINISHED))
        found = connection.execute(going_on).mappings().first()
        if found is None:  # it ended at this very moment
            return ask(connection, verb, options, arguments, asked_by, now)
        return _job(found), False
    return _one(connection, job_id), True


def find(connection: Connection, job_id: str) -> Job | None:
    """Return a job by its id, or None."""
    row = connection.execute(select(jobs).where(jobs.c.job_id == job_id)).mappings().first()
    return None if row is None else _job(row)


def page(
    connection: Connection,
    limit: int,
    after: Place | None = None,
    verbs: Sequence[str] = (),
    states: Sequence[str] = (),
) -> tuple[list[Job], Place | None]:
    """Return up to `limit` jobs, the latest first, and the place of the last if more follow.

    Parameters
    ----------
    after : tuple of (int, str), optional
        The place of the page before.
    verbs, states : sequence of str
        Keep only these; empty keeps all.
    """
    among = {jobs.c.verb: verbs, jobs.c.state: states}
    found, last = latest_page(connection, jobs.c, (jobs.c.asked_at, jobs.c.job_id), limit, after, among)
    return [_job(row) for row in found], last


def running(connection: Connection) -> list[Job]:
    """Return the jobs that were started and have not ended, as far as is known."""
    query = select(jobs).where(jobs.c.state == "running").order_by(jobs.c.started_at)
    return [_job(row) for row in connection.execute(query).mappings()]


def next_queued(connection: Connection) -> Job | None:
    """Return the job that has waited longest, or None."""
    query = select(jobs).where(jobs.c.state == "queued").order_by(jobs.c.asked_at, jobs.c.job_id).limit(1)
    row = connection.execute(query).mappings().first()
    return None if row is None else _job(row)


def count_queued(connection: Connection) -> int:
    """Return how many jobs wait."""
    return int(connection.execute(select(func.count()).where(jobs.c.state == "queued")).scalar_one())


def start(connection: Connection, job_id: str, now: int) -> bool:
    """Mark a job that waits as running, and tell whether it still waited."""
    return _change(connection, job_id, ("queued",), state="running", started_at=now)


def tell(connection: Connection, job_id: str, step: str | None, share: float | None, run_id: str | None) -> None:
    """Keep how far a running job is."""
    _change(connection, job_id, ("running",), step=step, share=share, run_id=run_id)


def end(connection: Connection, job_id: str, how: End, now: int) -> bool:
    """Mark a job as ended, and tell whether it had not."""
    return _change(connection, job_id, _UNFINISHED, finished_at=now, **vars(how))


def cancel(connection: Connection, job_id: str, now: int) -> bool:
    """End a job that waits, and have a running one stopped; tell whether this changed anything."""
    if _change(connection, job_id, ("queued",), state="cancelled", cancel_asked_at=now, finished_at=now):
        return True
    still = (jobs.c.job_id == job_id) & (jobs.c.state == "running") & jobs.c.cancel_asked_at.is_(None)
    return connection.execute(update(jobs).where(still).values(cancel_asked_at=now)).rowcount > 0


def abandon(connection: Connection, now: int) -> int:
    """Mark what a restored backup says to wait or run as lost, so that it is not done again; return how many."""
    values = {"state": "lost", "finished_at": now, "error_code": "lost", "error": RESTORED}
    return connection.execute(update(jobs).where(jobs.c.state.in_(_UNFINISHED)).values(**values)).rowcount


def forget(connection: Connection, customer_ids: Collection[str]) -> int:
    """Strike some customers out of what was asked for and of how it failed, and return in how many jobs.

    One that still waits and was to be done about them, by a name that is their id, is not done.
    """
    whom, gone = frozenset(customer_ids), 0
    for row in connection.execute(select(jobs)).mappings().all():
        options = {name: _blanked(value, whom) for name, value in row["options"].items()}
        error, mentions = without_names(row["error"] or "", whom)
        if options == row["options"] and not mentions:
            continue
        values: dict[str, Any] = {"error": error or None}  # Any: SQL values
        if options != row["options"]:
            words = [f"{name}{by}{_blanked(value, whom)}" for name, by, value in map(_parted, row["arguments"])]
            values |= {
                "options": options,
                "arguments": words,
                "same": hashlib.sha256(row["job_id"].encode()).hexdigest(),
            }
            if row["state"] == "queued":
                values |= {"state": "cancelled", "finished_at": row["asked_at"]}
        connection.execute(update(jobs).where(jobs.c.job_id == row["job_id"]).values(**values))
        gone += 1
    return gone


def _parted(word: str) -> tuple[str, str, str]:
    """Return name, sign and value of a word of the command line; one without a name is all value."""
    name, by, value = word.partition("=")
    return (name, by, value) if by else ("", "", word)


def _blanked(value: Any, whom: Collection[str]) -> Any:  # Any: JSON
    if isinstance(value, list):
        return [_blanked(one, whom) for one in value]
    return GONE if isinstance(value, str) and value in whom else value


def purge(connection: Connection, before: int) -> list[str]:
    """Remove the jobs that ended before an instant, microseconds UTC, and return their ids."""
    gone = ended_before(connection, before)
    connection.execute(delete(jobs).where(jobs.c.finished_at < before))
    return gone


def ended_before(connection: Connection, before: int) -> list[str]:
    """Return the ids of the jobs that ended before an instant, microseconds UTC."""
    return list(connection.execute(select(jobs.c.job_id).where(jobs.c.finished_at < before)).scalars())


def _change(connection: Connection, job_id: str, among: Sequence[State], **values: object) -> bool:
    still = (jobs.c.job_id == job_id) & jobs.c.state.in_(among)
    return connection.execute(update(jobs).where(still).values(**values)).rowcount > 0


def _one(connection: Connection, job_id: str) -> Job:
    return _job(connection.execute(select(jobs).where(jobs.c.job_id == job_id)).mappings().one())


def _job(row: Any) -> Job:  # Any: a row's mapping
    return Job(**{name: row[name] for name in Job.__dataclass_fields__})
