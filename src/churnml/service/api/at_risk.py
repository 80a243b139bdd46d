"""The at-risk list: the population by value at risk, page by page as JSON or whole as a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from churnml.service.access import requires
from churnml.service.api.customers import EXAMPLE
from churnml.service.api.lists import FILES, PAGE, REFUSED, fields_of, file_or_none, json_page, require_small
from churnml.service.api.shapes import AtRiskList, AtRiskQuery, readings
from churnml.service.etags import UNCHANGED
from churnml.service.exports import csv_chunks, jsonl_chunks, xlsx_chunks
from churnml.service.readings import Readings
from churnml.service.sight import seen_by

router = APIRouter(prefix="/v1", tags=["lists"], dependencies=[Depends(requires("read"))])
_EXAMPLE = {
    "items": [EXAMPLE], "next_cursor": "WyI1ZjBj…", "total": 2301, "run_id": "5f0c…", "model_version": "9b1d…",
    "cutoff": "2018-01-01T00:00:00+00:00", "horizon_days": 60, "currency": "USD",
    "compared_with": "8d11…", "compared_cutoff": "2017-12-01T00:00:00+00:00",
}  # fmt: skip


@router.get(
    "/at-risk",
    summary="The customers at risk, filtered, sorted and page by page, or whole as CSV, XLSX or JSON lines",
    response_model=AtRiskList,
    dependencies=[Depends(requires("read"))],
    responses={200: {"content": {"application/json": {"example": _EXAMPLE}, **FILES}}, **UNCHANGED, **REFUSED},
)
def at_risk(
    request: Request, query: Annotated[AtRiskQuery, Query()], reader: Annotated[Readings, Depends(readings)]
) -> Response:
    """Return one page as JSON, or the whole list as a file: CSV is UTF-8 with a byte order mark, safe to open in Excel.

    A cursor holds for the run, the filters and the sort it was given out for.
    """
    run, fields = reader.run(), fields_of(query)
    wanted = replace(query.wanted(run.time_zone), seen_by=seen_by(request))
    currency = str(run.summary.get("currency", ""))

    def workbook() -> Iterator[bytes]:
        require_small(reader.count_at_risk(run, wanted))
        told = urlencode(query.model_dump(exclude_defaults=True, exclude={"format", "lang"}), doseq=True)
        return xlsx_chunks(reader.whole_list(run, wanted), run, told, query.lang)

    file = file_or_none(request, query, "at-risk", run, {
        "csv": lambda: csv_chunks(reader.whole_list(run, wanted), currency, query.lang),
        "xlsx": workbook,
        "jsonl": lambda: jsonl_chunks(reader.whole_list(run, wanted), fields),
    })  # fmt: skip
    if file is not None:
        return file
    compared = {
        "compared_with": run.compared and run.compared.run_id,
        "compared_cutoff": run.compared and run.compared.cutoff,
    }
    return json_page(request, query, reader.at_risk(run, wanted, query.limit or PAGE, query.cursor), run, compared)
