"""The at-risk list: the population by value at risk, page by page as JSON or whole as CSV."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from churnml.service.access import requires
from churnml.service.api.customers import EXAMPLE
from churnml.service.api.lists import PAGE, REFUSED, csv_file, json_page, wants_csv
from churnml.service.api.shapes import AtRiskList, AtRiskQuery, readings
from churnml.service.exports import csv_chunks
from churnml.service.readings import Filters, Readings

router = APIRouter(prefix="/v1", tags=["records"], dependencies=[Depends(requires("read"))])
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
        **REFUSED,
    },
)
def at_risk(query: Annotated[AtRiskQuery, Query()], reader: Annotated[Readings, Depends(readings)]) -> Response:
    """Return one page as JSON, or the whole list as CSV: UTF-8 with a byte order mark, safe to open in Excel."""
    run = reader.run()
    filters = Filters(tuple(query.band), tuple(query.action), tuple(query.stage), tuple(query.segment))
    if wants_csv(query):
        found, currency = reader.whole_list(run, filters), str(run.summary.get("currency", ""))
        return csv_file("at-risk", run, csv_chunks(found, currency, query.lang))
    return json_page(reader.at_risk(run, filters, query.limit or PAGE, query.cursor), run)
