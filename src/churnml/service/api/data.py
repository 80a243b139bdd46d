"""What became of the data that was brought: the report of the latest landing, or of any."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field

from churnml.service.access import requires
from churnml.service.api.shapes import Shape, readings
from churnml.service.data_health import landing_of
from churnml.service.problems import described
from churnml.service.readings import NO_DATA, Readings

router = APIRouter(prefix="/v1", tags=["data"], dependencies=[Depends(requires("operate"))])
_FIRST, _LAST = "microseconds UTC", "microseconds UTC, included"
_EXAMPLE = {
    "batch_id": 7, "landed_at": "2018-01-02T08:14:03+00:00",
    "tables": [{
        "table": "orders", "origin": "orders.csv", "read": 1204, "landed": 1200, "skipped": 1, "quarantined": 3,
        "fills": 0, "newer": 0,
        "findings": [{
            "kind": "quarantine", "column": "amount", "rule": "must be a number",
            "remedy": "write it with digits and a point", "count": 3,
            "examples": [{
                "kind": "quarantine", "table": "orders", "file": "orders.csv", "row": 17, "customer_id": "42",
                "column": "amount", "value": "twelve", "rule": "must be a number",
                "remedy": "write it with digits and a point", "whole_row": {"customer_id": "42", "amount": "twelve"},
            }],
        }],
        "missing": {"customer_id": 0.0, "channel": 0.25}, "first_at": 1483228800000000, "last_at": 1514764799000000,
        "ignored_columns": ["note"], "notes": ["read as UTF-8"], "backfill": True, "learned_now": False,
        "undated": 1200,
    }],
    "refused": [], "already_landed": ["customers.csv"], "rows_file": "/srv/churnml/quarantine/000007.jsonl",
    "preflight": {
        "rows": {"customers": 310, "orders": 1200}, "first_at": 1483228800000000, "last_at": 1514764799000000,
        "span_days": 365, "missing_tables": [], "lateness_days": 2,
        "cautions": [
            "3 of 1,200 rows of `orders` lie far in time from all others and are no history: correct their dates"
        ],
    },
    "outlook": {
        "suffices": True, "horizon_days": 60, "needs_days": 270, "has_days": 365,
        "says": "365 days of history suffice for a horizon of 60 days, which needs 270",
        "families_on": ["purchase"], "families_off": {"subscription": "needs subscriptions"},
    },
    "time_zone": "UTC",
}  # fmt: skip


class Example(Shape):
    """A row that was set aside or warned about."""

    kind: Literal["quarantine", "warning"]
    table: str
    file: str
    row: int = Field(description="data row of the file, from 1, the header not counted")
    customer_id: str | None
    column: str
    value: str | None = Field(description="as the file has it; null where the record is no row at all")
    rule: str
    remedy: str
    whole_row: dict[str, Any] | str | None = Field(description="the row as the file has it")  # Any: JSON values


class Finding(Shape):
    """One rule that rows broke (`quarantine`: set aside), or one thing to know of rows that landed (`warning`)."""

    kind: Literal["quarantine", "warning"]
    column: str = Field(description="empty where it is about whole rows")
    rule: str
    remedy: str
    count: int
    examples: list[Example] = Field(max_length=20, description="the first of them; all are in `rows_file`")


class TableReport(Shape):
    """What became of one source."""

    table: str
    origin: str
    read: int
    landed: int
    skipped: int = Field(description="rows that stand already")
    quarantined: int
    fills: int = Field(description="rows landed that fill in later facts of a row that stands")
    newer: int = Field(description="rows landed that are newer versions of one that stands")
    findings: list[Finding]
    missing: dict[str, float] = Field(description="share of the landed rows that leave a column empty")
    first_at: int | None = Field(description=_FIRST)
    last_at: int | None = Field(description=_LAST)
    ignored_columns: list[str] = Field(description="columns that the contract does not know")
    notes: list[str] = Field(description="what was found out rather than declared")
    backfill: bool = Field(description="its undated rows count as known when they happened")
    learned_now: bool = Field(
        description="its undated rows count as learned at the landing; no earlier cutoff sees them"
    )
    erased: int = Field(0, description="rows of customers who were erased: none of those read, and none lands")
    undated: int = Field(0, description="rows landed that do not say when they were learned; 0 in an early report")


class Refusal(Shape):
    """A source that was turned away whole."""

    table: str
    origin: str
    reason: str


class Preflight(Shape):
    """What stands in the workspace."""

    rows: dict[str, int] = Field(description="by table")
    first_at: int | None = Field(description=_FIRST)
    last_at: int | None = Field(description=_LAST)
    span_days: int | None = Field(description="of what counts as history, see `cautions`")
    missing_tables: list[str] = Field(description="those without which nothing goes")
    lateness_days: int = Field(0, description="how late news of orders usually are; 0 in an early report")
    cautions: list[str] = Field([], description="what makes the history less than it looks")


class Outlook(Shape):
    """Whether history suffices for the horizon, and which families of features are on."""

    suffices: bool
    horizon_days: int
    needs_days: int
    has_days: int
    says: str
    families_on: list[str]
    families_off: dict[str, str] = Field(description="what would turn each on")


class DataReport(Shape):
    """What became of all sources of the latest landing."""

    batch_id: int
    landed_at: datetime | None
    tables: list[TableReport]
    refused: list[Refusal] = Field(description="always empty of a landing")
    already_landed: list[str] = Field(description="sources unchanged since they landed")
    rows_file: str = Field(description="where every row set aside or warned about is; empty if there is none")
    preflight: Preflight
    outlook: Outlook | None = Field(None, description="left out where it was not asked for")
    time_zone: str = Field("UTC", description="the workspace's, an IANA name")


class DataQuery(Shape):
    """What may stand behind the question mark."""

    landing: int | None = Field(None, ge=1, le=2**53, description="the number of a landing; the latest if left out")


@router.get(
    "/data",
    summary="The report of the latest landing, or of any",
    response_model=DataReport,
    dependencies=[Depends(requires("read"))],
    responses={
        200: {"content": {"application/json": {"example": _EXAMPLE}}},
        **described(
            {
                404: ("not_found", NO_DATA),
                422: ("invalid_request", "`landing` must be at least 1, got 0"),
                503: ("dependency", "the database does not answer"),
            }
        ),
    },
)
def data(
    request: Request, reader: Annotated[Readings, Depends(readings)], query: Annotated[DataQuery, Query()]
) -> Response:
    """Return it as it was written when the rows landed. Its examples hold values of single customers."""
    found = reader.landing() if query.landing is None else landing_of(request.app.state.engine, query.landing)
    told = json.dumps(found.report | {"landed_at": found.landed_on})  # escaped: a file name need not be valid Unicode
    return Response(told, media_type="application/json")
