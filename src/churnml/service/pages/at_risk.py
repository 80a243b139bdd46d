"""The at-risk list as a page: whom to approach first, why, and with what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from churnml.database.lists import Wanted
from churnml.errors import UsageError
from churnml.measures import SEGMENTS, STAGES
from churnml.service.access import requires
from churnml.service.api.shapes import readings
from churnml.service.pages.language import language_of
from churnml.service.pages.rendering import render
from churnml.service.readings import BANDS, CurrentRun, Readings, Slice
from churnml.wording import Text

router = APIRouter(dependencies=[Depends(requires("read"))])
_PAGE = 50


@dataclass(frozen=True)
class AtRiskContext:
    """What `at_risk.html` shows."""

    run: CurrentRun
    """the run whose list this is; its summary gives the totals at the top"""
    page: Slice
    """the customers on this page"""
    band: str
    """the band asked for, or empty"""
    action: str
    """the action asked for, or empty"""
    actions: dict[str, Text]
    """the actions to choose from, by key"""
    stage: str
    """the lifecycle stage asked for, or empty"""
    segment: str
    """the segment asked for, or empty"""
    csv_path: str
    """address of the whole list, as filtered, as CSV"""
    json_path: str
    """address of the JSON twin"""
    first_path: str
    """address of the first page of the list as filtered"""
    next_path: str | None
    """address of the next page; None on the last"""


@router.get("/")
def home() -> RedirectResponse:
    """Lead to the at-risk list, the page the day begins with."""
    return RedirectResponse("/at-risk", status_code=307)


@router.get("/at-risk")
def at_risk(
    request: Request,
    reader: Annotated[Readings, Depends(readings)],
    band: str = "",
    action: str = "",
    stage: str = "",
    segment: str = "",
    cursor: str | None = None,
) -> HTMLResponse:
    """Show a page of the list; before the first run, show what to do."""
    run = reader.find_run()
    if run is None:
        return render(request, "no_run.html", {}, 503)
    asked = {"band": band, "action": action, "stage": stage, "segment": segment}
    for name, among in (("band", BANDS), ("stage", tuple(STAGES)), ("segment", tuple(SEGMENTS))):
        if asked[name] and asked[name] not in among:
            raise UsageError(f"`{name}` must be one of {', '.join(among)}, got {asked[name]!r}")
    kept_by: dict[str, tuple[str, ...]] = {name: (value,) if value else () for name, value in asked.items()}
    wanted = Wanted(kept_by["band"], kept_by["action"], kept_by["stage"], kept_by["segment"])
    page = reader.at_risk(run, wanted, _PAGE, cursor)
    kept = [(name, value) for name, value in asked.items() if value]
    csv = [*kept, ("format", "csv"), ("lang", language_of(request))]
    context = AtRiskContext(
        run=run,
        page=page,
        band=band,
        action=action,
        actions=reader.actions(run),
        stage=stage,
        segment=segment,
        csv_path="/v1/at-risk?" + urlencode(csv),
        json_path="/v1/at-risk?" + urlencode(kept),
        first_path="/at-risk?" + urlencode(kept),
        next_path="/at-risk?" + urlencode([*kept, ("cursor", page.next_cursor)]) if page.next_cursor else None,
    )
    return render(request, "at_risk.html", vars(context))
