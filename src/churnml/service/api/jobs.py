"""Jobs: a command is asked for, watched, and stopped; the service does it in a process of its own, one at a time."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import Connection, Engine

from churnml.database import jobs as store
from churnml.database.audit import audit
from churnml.database.dialect import take_turn
from churnml.database.instants import iso
from churnml.database.jobs import Job
from churnml.errors import ConflictError, NotFoundError, TooManyJobsError
from churnml.service import cursors
from churnml.service.access import Caller, requires
from churnml.service.api.batches import Json
from churnml.service.api.job_shapes import JobList, JobQuery, JobTold, JobWanted, arguments, options
from churnml.service.api.shapes import engine
from churnml.service.clock import asked_at
from churnml.service.idempotency import REPEATED, once, raw_body
from churnml.service.problems import described

router = APIRouter(prefix="/v1", tags=["operations"])
Operator = Annotated[Caller, Depends(requires("operate"))]
Database = Annotated[Engine, Depends(engine)]
Raw = Annotated[bytes, Depends(raw_body)]
JobId = Annotated[str, Path(min_length=1, max_length=32, pattern=r"^[0-9a-f]+$")]
_NO_JOB = "no job `5f0c`; /v1/jobs lists them"
_FULL = "no more than 20 jobs may wait, and so many do; ask again when one has begun, or cancel one"
_OVER = "job `5f0c…` is `done` and cannot be cancelled any more"
_ID = "5f0c9d3e77a14b6f8c21d0a96be4f713"
EXAMPLE = {
    "job_id": _ID, "verb": "score", "options": {"cutoff": "2018-01-01"}, "state": "running", "asked_by": "crm (ck_b7…)",
    "asked_at": "2018-01-01T02:00:00+00:00", "started_at": "2018-01-01T02:00:01+00:00", "finished_at": None,
    "stopping": False, "step": "Scoring", "share": 0.4, "run_id": "9b1d…", "exit_code": None, "error": None,
}  # fmt: skip
_QUEUED = EXAMPLE | {"state": "queued", "started_at": None, "step": None, "share": None, "run_id": None}
_LOST = EXAMPLE | {"state": "lost", "error": {"code": "lost", "message": store.LOST}}
EXAMPLES: dict[tuple[str, str], Json] = {
    ("/v1/jobs", "get"): {"items": [EXAMPLE], "next_cursor": None},
    ("/v1/jobs", "post"): _QUEUED,
    ("/v1/jobs/{job_id}", "get"): EXAMPLE,
    ("/v1/jobs/{job_id}/cancel", "post"): EXAMPLE | {"stopping": True},
}


@router.post(
    "/jobs",
    summary="Have a command done",
    status_code=202,
    response_model=JobTold,
    responses=REPEATED
    | {
        200: {
            "model": JobTold,
            "description": "the same is being done already, or waits: this is that job",
            "content": {"application/json": {"example": EXAMPLE}},
            "headers": {"Location": {"schema": {"type": "string"}, "description": "where to watch it"}},
        },
        202: {
            "content": {"application/json": {"example": _QUEUED}},
            "headers": {"Location": {"schema": {"type": "string"}, "description": "where to watch it"}},
        },
    }
    | described({
        422: ("invalid_request", "`train.options.horizon_days` must be at least 1, got 0"),
        429: ("too_many_jobs", _FULL),
    }),
)  # fmt: skip
def ask_for(
    request: Request,
    wanted: Annotated[
        JobWanted,
        Body(openapi_examples={
            "score": {"value": {"verb": "score", "options": {"cutoff": "2018-01-01"}}},
            "measure": {"value": {"verb": "measure", "options": {"what": "kpis", "every": "month"}}},
        }),
    ],
    caller: Operator,
    body: Raw,
) -> Response:  # fmt: skip
    """Let a command wait for its turn and return at once; of what is being done already, return that job."""
    now, most = asked_at(request), request.app.state.settings.jobs_queued

    def make(connection: Connection) -> tuple[int, Json]:
        take_turn(connection)
        job, new = store.ask(connection, wanted.verb, options(wanted), arguments(wanted), caller.name, now)
        if not new:
            return 200, told(job)
        if store.count_queued(connection) > most:
            raise TooManyJobsError(
                f"no more than {most} jobs may wait, and so many do; ask again when one has begun, or cancel one"
            )
        audit(connection, caller, "job.started", {"job": job.job_id, "verb": job.verb}, at=now)
        return 202, told(job)

    return _located(request, once(request, caller, body, make))


@router.get(
    "/jobs",
    summary="The jobs, the latest first",
    response_model=JobList,
    responses=described(
        {400: ("usage", cursors.NOT_OURS), 422: ("invalid_request", "`limit` must be at most 500, got 501")}
    ),
)
def list_jobs(query: Annotated[JobQuery, Query()], database: Database, _operator: Operator) -> JSONResponse:
    """Return a page of jobs; one that is asked for after the first page does not move those that follow."""
    asked = cursors.asked_for(query.verb, query.state)
    after = None if query.cursor is None else cursors.read_whole(query.cursor, "jobs", asked)
    with database.connect() as connection:
        found, last = store.page(connection, query.limit, after, query.verb, query.state)
    following = cursors.write_whole("jobs", asked, last)
    return JSONResponse({"items": [told(job) for job in found], "next_cursor": following})


@router.get(
    "/jobs/{job_id}",
    summary="How far a job is",
    response_model=JobTold,
    responses={
        200: {"content": {"application/json": {"examples": {"running": {"value": EXAMPLE}, "lost": {"value": _LOST}}}}},
        **described({404: ("not_found", _NO_JOB), 422: ("invalid_request", "`job_id` must match …, got 'x'")}),
    },
)  # fmt: skip
def one_job(job_id: JobId, database: Database, _operator: Operator) -> JSONResponse:
    """Return a job, with its latest step, its run, and how it ended; asked for 30 days after, as store.yaml says."""
    with database.connect() as connection:
        return JSONResponse(told(_found(connection, job_id)))


@router.post(
    "/jobs/{job_id}/cancel",
    summary="Stop a job",
    status_code=202,
    response_model=JobTold,
    responses=REPEATED
    | {202: {"content": {"application/json": {"example": EXAMPLE | {"stopping": True}}}}}
    | described({
        404: ("not_found", _NO_JOB),
        409: ("conflict", _OVER),
        422: ("invalid_request", "`job_id` must match …, got 'x'"),
    }),
)  # fmt: skip
def cancel(request: Request, job_id: JobId, caller: Operator, body: Raw) -> Response:
    """End a job that waits at once, and have one that runs stop within seconds; what it had not finished is undone."""
    now = asked_at(request)

    def make(connection: Connection) -> tuple[int, Json]:
        new = store.cancel(connection, job_id, now)
        job = _found(connection, job_id)
        if not new and job.state != "cancelled" and job.finished_at is not None:
            raise ConflictError(f"job `{job_id}` is `{job.state}` and cannot be cancelled any more")
        if new:
            audit(connection, caller, "job.cancelled", {"job": job_id, "verb": job.verb}, at=now)
        return 202, told(job)

    return _located(request, once(request, caller, body, make))


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


def _located(request: Request, answer: Response) -> Response:
    """Return the answer with the address at which the job is watched, and have what was asked looked at, at once."""
    answer.headers["location"] = f"/v1/jobs/{json.loads(bytes(answer.body))['job_id']}"
    request.app.state.jobs.wake()
    return answer


def _found(connection: Connection, job_id: str) -> Job:
    job = store.find(connection, job_id)
    if job is None:
        raise NotFoundError(f"no job `{job_id}`; /v1/jobs lists them")
    return job
