"""What the lists of people have in common: a page of one as JSON, or the whole of it as a CSV file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi.responses import JSONResponse, StreamingResponse

from churnml.errors import UsageError
from churnml.service.api.shapes import ListQuery
from churnml.service.problems import described
from churnml.service.readings import NO_RUN, CurrentRun, Slice

Json = dict[str, Any]  # Any: JSON

PAGE = 50
REFUSED = described({
    400: ("usage", "`cursor` belongs to an earlier run; leave it out to start from the top of the new list"),
    422: ("invalid_request", "`limit` must be at most 500, got 501"),
    503: ("dependency", NO_RUN),
})  # fmt: skip
"""How a list answers what it cannot answer."""


def wants_csv(query: ListQuery) -> bool:
    """Tell whether the whole list is wanted as CSV.

    Raises
    ------
    UsageError
        If a page of it is asked for as well.
    """
    if query.format == "csv" and (query.limit is not None or query.cursor is not None):
        raise UsageError("`format=csv` gives the whole list; leave out `limit` and `cursor`")
    return query.format == "csv"


def csv_file(name: str, run: CurrentRun, chunks: Iterator[str]) -> StreamingResponse:
    """Return a list as a file to be saved, called by its name and the day of its cutoff."""
    day = str(run.summary.get("cutoff", ""))[:10] or run.run_id
    headers = {"content-disposition": f'attachment; filename="{name}-{day}.csv"'}
    return StreamingResponse(chunks, media_type="text/csv; charset=utf-8", headers=headers)


def json_page(page: Slice, run: CurrentRun, more: Json | None = None) -> JSONResponse:
    """Return a page of a list, with the facts of its run, and more of them where a list has its own."""
    told = {name: run.summary.get(name) for name in ("cutoff", "horizon_days", "currency")}
    told |= {"run_id": run.run_id, "model_version": run.model_version}
    body = {"items": page.records, "next_cursor": page.next_cursor, "total": page.total}
    return JSONResponse(body | (more or {}) | told)
