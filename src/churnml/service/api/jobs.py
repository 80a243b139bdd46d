"""Jobs: a command is asked for, watched, and stopped; the service does it in a process of its own, one at a time."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import Connection, Engine

from churnml.database import jobs as store
from churnml.service import asked_jobs, cursors
from churnml.service.access import Caller, requires
from churnml.service.api.batches import Json
from churnml.service.api.job_shapes import JobList, JobLog, JobQuery, JobTold, JobWanted, arguments, options
from churnml.service.api.shapes import engine
from churnml.service.asked_jobs import found, told
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
    ("/v1/jobs/{job_id}/log", "get"): {
        "lines": ["1,708 customers scored of 2,604 known"],
        "whole": True,
        "withheld": False,
    },
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
        said = options(wanted), arguments(wanted)
        job, new = asked_jobs.ask(connection, caller, wanted.verb, *said, most, now)
        return 202 if new else 200, told(job)

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
        jobs, last = store.page(connection, query.limit, after, query.verb, query.state)
    following = cursors.write_whole("jobs", asked, last)
    return JSONResponse({"items": [told(job) for job in jobs], "next_cursor": following})


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
        return JSONResponse(told(found(connection, job_id)))


@router.get(
    "/jobs/{job_id}/log",
    summary="What a job printed last",
    response_model=JobLog,
    responses=described({
        404: ("not_found", _NO_JOB),
        422: ("invalid_request", "`lines` must be at most 500, got 501"),
    }),
)  # fmt: skip
def log(
    request: Request,
    job_id: JobId,
    database: Database,
    _operator: Operator,
    lines: Annotated[int, Query(ge=1, le=500)] = 100,
) -> JSONResponse:
    """Return the last lines of a job's log; who was erased is blanked in them, and no traceback is told."""
    with database.connect() as connection:
        found(connection, job_id)
    return JSONResponse(asked_jobs.log_of(request.app.state.workspace, job_id, lines))


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
        return 202, told(asked_jobs.cancel(connection, caller, job_id, now))

    return _located(request, once(request, caller, body, make))


def _located(request: Request, answer: Response) -> Response:
    """Return the answer with the address at which the job is watched, and have what was asked looked at, at once."""
    answer.headers["location"] = f"/v1/jobs/{json.loads(bytes(answer.body))['job_id']}"
    request.app.state.jobs.wake()
    return answer
