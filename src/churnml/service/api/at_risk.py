"""The at-risk list: the population by value at risk, page by page as JSON or whole as CSV."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse, Response, StreamingResponse

from churnml.errors import UsageError
from churnml.service.api.customers import EXAMPLE
from churnml.service.api.shapes import AtRiskList, AtRiskQuery, readings
from churnml.service.exports import csv_chunks
from churnml.service.problems import described
from churnml.service.readings import NO_RUN, CurrentRun, Filters, Readings

router = APIRouter(prefix="/v1", tags=["records"])
_PAGE = 50
_EXAMPLE = {
    "items": [EXAMPLE], "next_cursor": "WyI1ZjBj…", "total": 2301, "run_id": "5f0c…", "model_version": "9b1d…",
    "cutoff": "2018-01-01T00:00:00+00:00", "horizon_days": 60, "currency": "USD",
}  # fmt: skip


@router.get(
    "/at-risk",
    summary="The customers at risk, greatest value at risk first",
    response_model=AtRiskList,
    responses={
        200: {"content": {"application/json": {"example": _EXAMPLE}, "text/csv": {"schema": {"type": "string"}}}},
        **described({
            400: ("usage", "`cursor` belongs to an earlier run; leave it out to start from the top of the new list"),
            422: ("invalid_request", "`limit` must be at most 500, got 501"),
            503: ("dependency", NO_RUN),
        }),
    },
)  # fmt: skip
def at_risk(query: Annotated[AtRiskQuery, Query()], reader: Annotated[Readings, Depends(readings)]) -> Response:
    """Return one page as JSON, or the whole list as CSV: UTF-8 with a byte order mark, safe to open in Excel."""
    run = reader.run()
    filters = Filters(tuple(query.band), tuple(query.action))
    if query.format == "csv":
        if query.limit is not None or query.cursor is not None:
            raise UsageError("`format=csv` gives the whole list; leave out `limit` and `cursor`")
        return _csv(reader, run, filters, query)
    page = reader.at_risk(run, filters, query.limit or _PAGE, query.cursor)
    told = {name: run.summary.get(name) for name in ("cutoff", "horizon_days", "currency")}
    told |= {"run_id": run.run_id, "model_version": run.model_version}
    return JSONResponse({"items": page.records, "next_cursor": page.next_cursor, "total": page.total} | told)


def _csv(reader: Readings, run: CurrentRun, filters: Filters, query: AtRiskQuery) -> StreamingResponse:
    chunks = csv_chunks(reader.whole_list(run, filters), str(run.summary.get("currency", "")), query.lang)
    day = str(run.summary.get("cutoff", ""))[:10] or run.run_id
    headers = {"content-disposition": f'attachment; filename="at-risk-{day}.csv"'}
    return StreamingResponse(chunks, media_type="text/csv; charset=utf-8", headers=headers)
