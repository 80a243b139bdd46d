"""What was run: each execution of a verb that leaves something behind, how it ended and what it says of itself."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import Engine

from churnml.database import Run, history
from churnml.errors import NotFoundError
from churnml.service import cursors, etags
from churnml.service.access import requires
from churnml.service.api.shapes import MAX_PAGE, Shape, Word, engine
from churnml.service.problems import described
from churnml.service.readings import instant_told

router = APIRouter(prefix="/v1", tags=["operations"], dependencies=[Depends(requires("read"))])
Database = Annotated[Engine, Depends(engine)]
RunId = Annotated[str, Path(min_length=1, max_length=32, pattern=r"^[0-9a-f]+$")]
_PAGE = 50
_RUN = {
    "run_id": "5f0c9d3e", "verb": "assign", "state": "done", "model_version": "9b1d…",
    "started_at": "2018-01-01T02:00:00+00:00", "finished_at": "2018-01-01T02:03:11+00:00",
}  # fmt: skip


class RunTold(Shape):
    """One execution of a verb."""

    run_id: str
    verb: str = Field(description="`train`, `score`, `assign`, `measure`, `kpis`, `monitor`, …")
    state: Literal["running", "done", "failed"] = Field(description="one that was killed is `failed`")
    model_version: str | None = Field(description="the model it made or used")
    started_at: datetime
    finished_at: datetime | None


class RunWhole(RunTold):
    """The same with what it says of itself."""

    summary: dict[str, Any] = Field(description="as the verb prints it with `--json`")  # Any: shaped by the verb


class RunList(Shape):
    """A page of the runs, the latest begun first."""

    items: list[RunTold]
    next_cursor: str | None = Field(description="give it back as `cursor` for what follows; null on the last page")


class RunQuery(Shape):
    """What may stand behind the question mark of `/v1/runs`."""

    limit: int = Field(_PAGE, ge=1, le=MAX_PAGE)
    cursor: str | None = Field(None, max_length=2_000, description="`next_cursor` of the page before")
    verb: list[Word] = Field([], max_length=50, description="keep these verbs; repeatable")
    state: list[Literal["running", "done", "failed"]] = Field([], max_length=3, description="keep these; repeatable")


@router.get(
    "/runs",
    summary="What was run, the latest first",
    response_model=RunList,
    responses={
        200: {"content": {"application/json": {"example": {"items": [_RUN], "next_cursor": "WyJydW…"}}}},
        **etags.UNCHANGED,
        **described({
            400: ("usage", cursors.NOT_OURS),
            422: ("invalid_request", "`limit` must be at most 500, got 501"),
            503: ("dependency", "the database does not answer; look at the service's log, then ask again"),
        }),
    },
)  # fmt: skip
def runs(request: Request, query: Annotated[RunQuery, Query()], database: Database) -> Response:
    """Return them without their summaries; one that has begun since the first page does not move those that follow."""
    asked = cursors.asked_for(query.verb, query.state)
    after = None if query.cursor is None else cursors.read_whole(query.cursor, "runs", asked)
    with database.connect() as connection:
        found, last = history.runs_page(connection, query.limit, after, query.verb, query.state)
    following = cursors.write_whole("runs", asked, last)
    return etags.answer(request, {"items": [_told(run) for run in found], "next_cursor": following})


@router.get(
    "/runs/{run_id}",
    summary="One run, with what it says of itself",
    response_model=RunWhole,
    responses={
        200: {"content": {"application/json": {"example": _RUN | {"summary": {"treated": 44, "control": 8}}}}},
        **etags.UNCHANGED,
        **described({
            404: ("not_found", "no run `5f0c`; /v1/runs lists them"),
            422: ("invalid_request", "`run_id` must have at most 32 characters, got …"),
            503: ("dependency", "the database does not answer; look at the service's log, then ask again"),
        }),
    },
)  # fmt: skip
def run(request: Request, run_id: RunId, database: Database) -> Response:
    """Return a run by its id."""
    with database.connect() as connection:
        found = history.run_of(connection, run_id)
    if found is None:
        raise NotFoundError(f"no run `{run_id}`; /v1/runs lists them")
    return etags.answer(request, _told(found) | {"summary": found.summary})


def _told(found: Run) -> dict[str, Any]:  # Any: JSON
    return {
        "run_id": found.run_id,
        "verb": found.verb,
        "state": found.state,
        "model_version": found.bundle,
        "started_at": instant_told(found.started_at),
        "finished_at": None if found.finished_at is None else instant_told(found.finished_at),
    }
