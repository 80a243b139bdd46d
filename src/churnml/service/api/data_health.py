"""How it stands with the data: freshness, landings, what waits, what the watch says; and the rows set aside."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, Response
from pydantic import Field

from churnml.service import etags
from churnml.service.access import requires
from churnml.service.api.shapes import Day, Shape
from churnml.service.clock import asked_at
from churnml.service.data_health import data_health, rows_of
from churnml.service.problems import described
from churnml.service.trail import note

router = APIRouter(prefix="/v1", tags=["data"], dependencies=[Depends(requires("operate"))])
Json = dict[str, Any]  # Any: JSON
_DOWN = {503: ("dependency", "the database does not answer; look at the service's log, then ask again")}
_ROWS = "application/octet-stream"  # JSON lines, which generated clients do not read as such
_AT = "2018-01-02T08:14:03+00:00"
EXAMPLE: Json = {
    "tables": [{
        "table": "orders", "rows": 1200, "last_event_at": "2018-01-01T23:59:59+00:00", "last_landing_at": _AT,
        "age_days": 1, "usual_days": 3, "late": False,
    }],
    "landings": [{
        "batch_id": 7, "landed_at": _AT, "tables": ["orders"], "by_api": False, "read": 1204, "landed": 1200,
        "known": 1, "set_aside": 3, "warned": 0, "rows_kept": True,
    }],
    "arrivals": {
        "waiting": 2, "oldest_at": _AT, "refused": 1,
        "reasons": [{
            "table": "orders", "column": "amount", "rule": "must be a number",
            "remedy": "write it with digits and a point", "rows": 1,
        }],
    },
    "watched": {
        "verdict": "look", "reasons": ["nothing landed for 9 days"], "model_version": "9b1d…", "watched_at": _AT,
        "up_to": "2018-01-02",
    },
}  # fmt: skip


class TableShape(Shape):
    """How fresh a table is."""

    table: str
    rows: int
    last_event_at: datetime
    last_landing_at: datetime
    age_days: int = Field(description="since the day on which rows of it landed last, by UTC")
    usual_days: int | None = Field(
        description="the most days between two with a landing, of the last 20; null where there were too few to say"
    )
    late: bool = Field(description="whether it has been without a landing for longer than that")


class LandingShape(Shape):
    """What became of one landing; rows over all its sources."""

    batch_id: int
    landed_at: datetime
    tables: list[str]
    by_api: bool = Field(description="whether all of it came in by the API")
    read: int
    landed: int
    known: int = Field(description="rows that stood already")
    set_aside: int = Field(description="rows that broke a rule")
    warned: int
    rows_kept: bool = Field(description="whether /v1/data/rows still has what was set aside or warned about")


class ReasonShape(Shape):
    """Why rows that came in by the API were set aside."""

    table: str
    column: str = Field(description="empty where it is about whole rows")
    rule: str
    remedy: str
    rows: int


class ArrivalsShape(Shape):
    """How it stands with what came in by the API."""

    waiting: int = Field(description="rows that wait to be landed")
    oldest_at: datetime | None = Field(description="when the first of them arrived")
    refused: int = Field(description="rows set aside in the last 30 days")
    reasons: list[ReasonShape] = Field(description="of the last 1,000 of them, the most frequent first")


class WatchedShape(Shape):
    """What `churnml monitor` said last."""

    verdict: Literal["fine", "look", "train"]
    reasons: list[str]
    model_version: str | None
    watched_at: datetime
    up_to: Day = Field(description="the day of the data at which it looked")


class DataHealthShape(Shape):
    """How it stands with the data."""

    tables: list[TableShape]
    landings: list[LandingShape] = Field(description="the last 30, the latest first")
    arrivals: ArrivalsShape
    watched: WatchedShape | None = Field(description="null before the first `churnml monitor`")


class RowsQuery(Shape):
    """Which rows are wanted."""

    landing: int = Field(ge=1, le=2**53, description="the number of the landing")


@router.get(
    "/data/health",
    summary="How fresh each table is, what landed lately, what waits, and what the watch says",
    response_model=DataHealthShape,
    responses={
        200: {"content": {"application/json": {"example": EXAMPLE}}},
        **etags.UNCHANGED,
        **described(_DOWN),
    },
)
def health(request: Request) -> Response:
    """Return it as landings and `churnml monitor` left it: nothing is computed anew."""
    state = request.app.state
    return etags.answer(request, asdict(data_health(state.engine, state.workspace, asked_at(request))))


@router.get(
    "/data/rows",
    summary="The rows of a landing that were set aside or warned about, one JSON object a line",
    response_class=FileResponse,
    responses={
        200: {
            "content": {_ROWS: {"schema": {"type": "string", "format": "binary"}}},
            "description": "JSON lines: the rows, whole, with rule and remedy",
        },
        **described({
            404: ("not_found", "landing no. 7 has no file of rows set aside: none was, or its 30 days are over"),
            422: ("invalid_request", "`landing` must be at least 1, got 0"),
            **_DOWN,
        }),
    },
)  # fmt: skip
def rows(request: Request, query: Annotated[RowsQuery, Query()]) -> FileResponse:
    """Return them as they were set aside. They hold values of customers: the audit log says who took them."""
    state = request.app.state
    file = rows_of(state.engine, state.workspace, query.landing)
    note(request, "data.rows_exported", {"landing": query.landing})
    headers = {"cache-control": "no-store"}
    return FileResponse(file, media_type=_ROWS, filename=f"landing-{query.landing}.jsonl", headers=headers)
