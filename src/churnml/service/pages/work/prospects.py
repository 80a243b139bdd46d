"""The prospects as a page: who is likeliest to become a customer, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from churnml.service.access import requires
from churnml.service.api.shapes import readings
from churnml.service.pages.language import language_of
from churnml.service.pages.rendering import render
from churnml.service.readings import CurrentRun, Readings, Slice
from churnml.service.sight import seen_by

router = APIRouter(dependencies=[Depends(requires("read"))])
_PAGE = 50


@dataclass(frozen=True)
class ProspectsContext:
    """What `prospects.html` shows."""

    run: CurrentRun
    """the run whose list this is; its summary gives the totals at the top"""
    page: Slice
    """the prospects and trials on this page"""
    csv_path: str
    """address of the whole list as CSV"""
    json_path: str
    """address of the JSON twin"""
    next_path: str | None
    """address of the next page; None on the last"""


@router.get("/prospects")
def prospects(
    request: Request, reader: Annotated[Readings, Depends(readings)], cursor: str | None = None
) -> HTMLResponse:
    """Show a page of the list; before the first run, show what to do."""
    run = reader.find_run()
    if run is None:
        return render(request, "no_run.html", {}, 503)
    page = reader.prospects(run, _PAGE, cursor, seen_by(request))
    context = ProspectsContext(
        run=run,
        page=page,
        csv_path="/v1/prospects?" + urlencode({"format": "csv", "lang": language_of(request)}),
        json_path="/v1/prospects",
        next_path="/prospects?" + urlencode({"cursor": page.next_cursor}) if page.next_cursor else None,
    )
    return render(request, "prospects.html", vars(context))
