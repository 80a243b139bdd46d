"""What the lists of people have in common: a page of one as JSON, or the whole of it as a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from churnml.errors import UsageError
from churnml.service import etags
from churnml.service.api.shapes import DecisionRecord, ListQuery
from churnml.service.fields import chosen, sparse
from churnml.service.problems import described
from churnml.service.readings import NO_RUN, CurrentRun, Slice
from churnml.service.trail import note

Json = dict[str, Any]  # Any: JSON
FileFormat = Literal["csv", "xlsx", "jsonl"]
Writers = Mapping[FileFormat, Callable[[], Iterator[str] | Iterator[bytes]]]
"""How each kind of file is made of a list."""

PAGE = 50
LARGEST_WORKBOOK = 200_000
"""Rows that a request may wait for; a workbook is whole only when its last row is written."""
MEDIA_TYPES: Mapping[FileFormat, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/x-ndjson; charset=utf-8",
}
FILES: Json = {
    "text/csv": {"schema": {"type": "string"}, "example": "Customer,…\r\n42,…\r\n"},
    "application/x-ndjson": {"schema": {"type": "string"}, "example": '{"customer_id": "42"}\n{"customer_id": "43"}\n'},
    MEDIA_TYPES["xlsx"]: {"schema": {"type": "string", "format": "binary"}},
}
"""The files in the words of OpenAPI."""
REFUSED = described({
    400: ("usage", "`cursor` belongs to an earlier run; leave it out to start from the top of the new list"),
    422: ("invalid_request", "`limit` must be at most 500, got 501"),
    503: ("dependency", NO_RUN),
})  # fmt: skip
"""How a list answers what it cannot answer."""


def file_or_none(request: Request, query: ListQuery, name: str, run: CurrentRun, writers: Writers) -> Response | None:
    """Return the whole list as a file to be saved, called by its name and the day of its cutoff; None for a page.

    Who takes a list away leaves an entry in the audit log.

    Raises
    ------
    UsageError
        If a page of a file, or some fields of a table, are asked for.
    """
    if query.format == "json":
        return None
    if query.limit is not None or query.cursor is not None:
        raise UsageError(f"`format={query.format}` gives the whole list; leave out `limit` and `cursor`")
    if query.fields is not None and query.format != "jsonl":
        raise UsageError(f"`fields` is for `json` and `jsonl`; leave it out with `format={query.format}`")
    day = str(run.summary.get("cutoff", ""))[:10] or run.run_id
    headers = {"content-disposition": f'attachment; filename="{name}-{day}.{query.format}"'}
    note(request, "list.exported", {"list": name, "format": query.format, "run": run.run_id})
    return StreamingResponse(writers[query.format](), media_type=MEDIA_TYPES[query.format], headers=headers)


def require_small(rows: int) -> None:
    """Refuse a workbook that would keep its caller waiting for minutes.

    Raises
    ------
    UsageError
    """
    if rows > LARGEST_WORKBOOK:
        raise UsageError(
            f"`format=xlsx` must have at most {LARGEST_WORKBOOK:,} rows, got {rows:,}; filter the list, take `csv`, or "
            "run `churnml handoff --to excel`"
        )


def fields_of(query: ListQuery) -> tuple[str, ...] | None:
    """Return the fields of a record that are wanted; None for all."""
    return chosen(query.fields, DecisionRecord.model_fields)


def json_page(request: Request, query: ListQuery, page: Slice, run: CurrentRun, more: Json | None = None) -> Response:
    """Return a page of a list, with the facts of its run, and more of them where a list has its own."""
    told = {name: run.summary.get(name) for name in ("cutoff", "horizon_days", "currency")}
    told |= {"run_id": run.run_id, "model_version": run.model_version}
    wanted = fields_of(query)
    items = [sparse(record, wanted) for record in page.records]
    body = {"items": items, "next_cursor": page.next_cursor, "total": page.total}
    return etags.answer(request, body | (more or {}) | told)
