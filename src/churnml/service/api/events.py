"""Rows in, a few at a time: acknowledged once they are stored, landed within seconds, and what became of each."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ConfigDict, Field
from sqlalchemy import Connection

from churnml.database.arrivals import Arrivals
from churnml.database.audit import audit
from churnml.errors import NotFoundError, nearest
from churnml.events import TABLES
from churnml.service.access import Caller, requires
from churnml.service.api.batches import MAX_ROWS
from churnml.service.api.shapes import Shape
from churnml.service.arrivals import add
from churnml.service.clock import asked_at
from churnml.service.idempotency import REPEATED, once, raw_body
from churnml.service.problems import Problem, described, problem
from churnml.service.problems import Response as ProblemResponse

router = APIRouter(prefix="/v1", tags=["writing"])
Writer = Annotated[Caller, Depends(requires("write"))]
Body = Annotated[bytes, Depends(raw_body)]
Json = dict[str, Any]  # Any: JSON
_BATCH = "4f8a6f0e6c1f4f3f9c57c0a3a8f1d2ab"
_SENT: Json = {
    "table": "orders",
    "rows": [
        {"customer_id": "42", "order_id": "A-3", "occurred_at": "2018-01-02T09:12:00Z", "amount": 31.5},
        {"customer_id": "43", "order_id": "A-4", "occurred_at": "2018-01-02T09:13:30Z", "amount": "twelve"},
    ],
}
_WHY = "row 1 of `orders`: `amount` must be an amount: write it with digits and a point"
EXAMPLE: Json = {
    "batch": _BATCH,
    "results": [
        {"index": 0, "status": "kept", "problem": None},
        {"index": 1, "status": "refused", "problem": problem(422, "broken_row", _WHY).model_dump()},
    ],
    "kept": 1, "refused": 1,
}  # fmt: skip
BATCH_EXAMPLE: Json = {
    "batch": _BATCH,
    "waiting": 0, "landed": 1, "refused": 1,
    "rows": [
        {"index": 0, "table": "orders", "status": "landed", "problem": None},
        {"index": 2, "table": "orders", "status": "refused",
         "problem": problem(422, "refused_at_landing", "row 2 of `orders`: must not contradict the row that stands: "
                            "what stands remains").model_dump()},
    ],
}  # fmt: skip


class EventsIn(Shape):
    """Rows of one table."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _SENT})

    table: str = Field(description="one of the contract: " + ", ".join(TABLES), json_schema_extra={"enum": [*TABLES]})
    rows: list[Json] = Field(
        min_length=1,
        max_length=MAX_ROWS,
        description="with the columns that docs/data.md names; a row without `ingested_at` was learned when it came",
    )


class EventResult(Shape):
    """What became of one row at the door."""

    index: int = Field(description="its place in the request, from 0")
    status: Literal["kept", "refused"] = Field(description="`kept`: it is stored and will be landed; or see `problem`")
    problem: Problem | None


class EventsKept(Shape):
    """The rows are stored; each lands within seconds."""

    batch: str = Field(description="ask /v1/events/{batch} what became of them")
    results: list[EventResult]
    kept: int
    refused: int


class Landed(Shape):
    """What became of one row that was kept."""

    index: int = Field(description="its place in the request, from 0")
    table: str
    status: Literal["waiting", "landed", "refused"] = Field(
        description="`landed`: it stands, or the same stood already; `refused`: it was set aside, see `problem`"
    )
    problem: Problem | None


class Batch(Shape):
    """What became of the rows that were posted together and kept."""

    batch: str
    waiting: int
    landed: int
    refused: int
    rows: list[Landed]


@router.post(
    "/events",
    summary="Rows of one table, up to 500 at a time",
    description="Keeps each row that holds the contract; the answer is given once they are stored. They are landed "
    "within seconds, as a file is, and the records of their customers follow. The same row twice stands once.",
    response_model=EventsKept,
    responses=REPEATED
    | described({422: ("invalid_request", f"`rows` must hold at most {MAX_ROWS}, got 501")})
    | {200: {"content": {"application/json": {"example": EXAMPLE}}}},
)
def events(request: Request, told: EventsIn, caller: Writer, body: Body) -> Response:
    """Keep rows until they are landed."""
    if told.table not in TABLES:
        return _unknown_table(told.table)
    now, door = asked_at(request), request.app.state.door

    def make(connection: Connection) -> tuple[int, Json]:
        batch = uuid.uuid4().hex
        results = add(connection, caller, told.table, told.rows, door=door, now=now, batch=batch)
        ended = Counter(one.status for one in results)
        counts = {name: ended[name] for name in ("kept", "refused")}
        audit(connection, caller, "events.told", {"table": told.table, "batch": batch, **counts}, at=now)
        return 200, {"batch": batch, "results": [one.to_json() for one in results], **counts}

    return once(request, caller, body, make)


def _unknown_table(name: str) -> Response:
    """Return the answer to rows of a table that there is not."""
    told = f"`table` must be one of {', '.join(TABLES)}, got `{name[:100]}`{nearest(name[:100], TABLES)}"
    return ProblemResponse(problem(422, "invalid_request", told))


@router.get(
    "/events/{batch}",
    summary="What became of rows that were posted together",
    response_model=Batch,
    dependencies=[Depends(requires("write"))],
    responses={
        200: {"content": {"application/json": {"example": BATCH_EXAMPLE}}},
        **described({404: ("not_found", "no rows were kept as `nobody` in the last 30 days")}),
    },
)
def batch(request: Request, batch: str) -> JSONResponse:
    """Return the rows of a batch that were kept, each with what became of it; asked for 30 days after it landed."""
    found = Arrivals(request.app.state.engine).of_batch(batch)
    if not found:
        raise NotFoundError(f"no rows were kept as `{batch}` in the last 30 days")
    ended = Counter(one.state for one in found)
    rows = [
        {
            "index": one.place,
            "table": one.table,
            "status": one.state,
            "problem": one.problem and _refused(one.place, one.table, one.problem).model_dump(),
        }
        for one in found
    ]
    return JSONResponse({
        "batch": batch, **{state: ended[state] for state in ("waiting", "landed", "refused")}, "rows": rows,
    })  # fmt: skip


def _refused(place: int, table: str, why: dict[str, str]) -> Problem:
    column = f"`{why['column']}` " if why["column"] else ""
    return problem(422, "refused_at_landing", f"row {place} of `{table}`: {column}{why['rule']}: {why['remedy']}")
