"""Jobs as pages: what runs, waits and is done, and of each how far it is, what came of it and what it printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import Connection

from churnml.database import history
from churnml.database import jobs as store
from churnml.database.jobs import Job
from churnml.errors import ConflictError
from churnml.events.clock import moment
from churnml.service import asked_jobs, cursors
from churnml.service.access import Caller, requires
from churnml.service.api.job_shapes import JobWanted, arguments, options
from churnml.service.api.jobs import JobId
from churnml.service.clock import asked_at
from churnml.service.idempotency import in_one
from churnml.service.pages.job_steps import step_of
from churnml.service.pages.job_words import STATES, Result, result_of, title_of
from churnml.service.pages.language import language_of
from churnml.service.pages.posting import SentForm, back
from churnml.service.pages.rendering import render
from churnml.wording import Language

router = APIRouter()
Operator = Annotated[Caller, Depends(requires("operate"))]
_PAGE, _LINES = 30, 60
EVERY_SECONDS = 5
"""After how long the page of a job that goes on is read again by itself."""


@dataclass(frozen=True)
class JobShown:
    """One job, worded for a reader."""

    job_id: str
    title: str
    state: str
    """`queued`, `running`, `done`, `failed`, `cancelled` or `lost`"""
    state_said: str
    stopping: bool
    asked_by: str
    asked_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    step: str
    """what it does; empty before it says"""
    step_is_said: bool
    """whether that is in the reader's language"""
    share: float | None
    """of that step; None where it does not count"""

    @property
    def going_on(self) -> bool:
        """Whether it waits or runs."""
        return self.finished_at is None

    @property
    def seconds(self) -> int | None:
        """How long it took; None where it has not ended, or never began."""
        if self.started_at is None or self.finished_at is None:
            return None
        return round((self.finished_at - self.started_at).total_seconds())


@dataclass(frozen=True)
class JobsContext:
    """What `jobs.html` shows."""

    jobs: list[JobShown]
    zone: str
    """the time zone in which hours are told"""
    next_path: str | None
    """address of the next page; None on the last"""
    json_path: str
    """address of the JSON twin"""


@dataclass(frozen=True)
class JobContext:
    """What `job.html` shows."""

    job: JobShown
    zone: str
    result: Result
    """what came of it; says nothing while it goes on"""
    error: str
    """why it did not get to its end, in the words of the command; empty where it did"""
    lines: Sequence[str]
    """what it printed last"""
    whole: bool
    """whether that is all"""
    withheld: bool
    """whether the traceback of a bug follows, which stays on the machine"""
    still: bool
    """whether the reader wants the page to stay as it is"""
    every_seconds: int
    json_path: str


def ask_for(request: Request, caller: Caller, wanted: JobWanted) -> str:
    """Let a command wait for its turn, as `POST /v1/jobs` does, and return the address of the page of its job.

    Raises
    ------
    TooManyJobsError
        If no more may wait.
    """
    most, now = request.app.state.settings.jobs_queued, asked_at(request)

    def make(connection: Connection) -> Job:
        said = options(wanted), arguments(wanted)
        return asked_jobs.ask(connection, caller, wanted.verb, *said, most, now)[0]

    job = in_one(request.app.state.engine, make)
    request.app.state.jobs.wake()
    return f"/jobs/{job.job_id}"


@router.get("/jobs")
def jobs(request: Request, _operator: Operator, cursor: str | None = None) -> HTMLResponse:
    """Show the jobs, the latest first."""
    after = None if cursor is None else cursors.read_whole(cursor, "jobs", cursors.asked_for([], []))
    with request.app.state.engine.connect() as connection:
        found, last = store.page(connection, _PAGE, after)
    following = cursors.write_whole("jobs", cursors.asked_for([], []), last)
    language = language_of(request)
    context = JobsContext(
        jobs=[_shown(job, language) for job in found],
        zone=request.app.state.door.time_zone,
        next_path=None if following is None else f"/jobs?cursor={following}",
        json_path="/v1/jobs",
    )
    return render(request, "jobs.html", vars(context))


@router.get("/jobs/{job_id}")
def job(request: Request, job_id: JobId, _operator: Operator, still: str = "") -> HTMLResponse:
    """Show a job; while it goes on, have the browser read the page again, unless the reader wants it `still`."""
    state = request.app.state
    with state.engine.connect() as connection:
        found = asked_jobs.found(connection, job_id)
        run = None if found.run_id is None else history.run_of(connection, found.run_id)
    summary: Mapping[str, Any] = {} if run is None else run.summary  # Any: JSON
    log = asked_jobs.log_of(state.workspace, job_id, _LINES)
    language = language_of(request)
    shown = _shown(found, language)
    context = JobContext(
        job=shown,
        zone=state.door.time_zone,
        result=result_of(found.verb, found.options, summary, language) if found.state == "done" else Result(),
        error=found.error or "",
        lines=log["lines"],
        whole=log["whole"],
        withheld=log["withheld"],
        still=bool(still),
        every_seconds=EVERY_SECONDS,
        json_path=f"/v1/jobs/{job_id}",
    )
    answer = render(request, "job.html", vars(context))
    if shown.going_on and not still:
        answer.headers["refresh"] = str(EVERY_SECONDS)
    return answer


@router.post("/jobs/{job_id}/cancel")
def cancel(request: Request, form: SentForm, job_id: JobId, caller: Operator) -> RedirectResponse:
    """Stop a job; of one that ended meanwhile, say so."""
    try:
        in_one(
            request.app.state.engine,
            lambda connection: asked_jobs.cancel(connection, caller, job_id, asked_at(request)),
        )
    except ConflictError:
        return back(form, "job_over")
    request.app.state.jobs.wake()
    return back(form, "job_stopped")


def _shown(found: Job, language: Language) -> JobShown:
    step, is_said = step_of(found.step or "", language)
    return JobShown(
        job_id=found.job_id,
        title=title_of(found.verb, found.options, language),
        state=found.state,
        state_said=STATES[found.state].to(language),
        stopping=found.state == "running" and found.cancel_asked_at is not None,
        asked_by=found.asked_by,
        asked_at=moment(found.asked_at),
        started_at=None if found.started_at is None else moment(found.started_at),
        finished_at=None if found.finished_at is None else moment(found.finished_at),
        step=step,
        step_is_said=is_said,
        share=found.share,
    )
