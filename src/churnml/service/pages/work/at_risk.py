"""The at-risk list as a page: whom to approach first, why, with what, and who looks after them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import TypeAdapter, ValidationError

from churnml.database.cases import STATUSES
from churnml.database.lists import SORTS
from churnml.database.people import list_people
from churnml.errors import UsageError
from churnml.measures.driver_words import GROUPS
from churnml.service.access import Caller, requires
from churnml.service.api.shapes import readings
from churnml.service.api.texts import Name
from churnml.service.clock import asked_at
from churnml.service.idempotency import in_one
from churnml.service.listing import CHANGES, COLUMNS, Asked, asked_of, twin_of, wanted_of
from churnml.service.pages.language import language_of
from churnml.service.pages.posting import SentForm, back
from churnml.service.pages.rendering import render
from churnml.service.readings import CurrentRun, Readings, Slice
from churnml.service.sight import seen_by
from churnml.service.views import WHOSE, SavedView, Whose, may_share, remove_view, save_view, views_for
from churnml.wording import Text

router = APIRouter()
_PAGE = 50
_NAME: TypeAdapter[str] = TypeAdapter(Name)
_WHOSE: dict[str, Whose] = {one: one for one in WHOSE}


@dataclass(frozen=True)
class AtRiskContext:
    """What `at_risk.html` shows."""

    run: CurrentRun
    """the run whose list this is; its summary gives the totals at the top"""
    page: Slice
    """the customers on this page"""
    asked: Asked
    actions: dict[str, Text]
    """the actions to choose from, by key"""
    reasons: dict[str, Text]
    """the groups of reasons to choose from, by key"""
    sorts: tuple[str, ...]
    statuses: tuple[str, ...]
    changes: tuple[str, ...]
    columns: tuple[str, ...]
    """every column that can be shown"""
    sortable: dict[str, str]
    """the columns that the list can be sorted by, each with the address that does"""
    people: list[str]
    """whose customers can be chosen, and to whom they can be given"""
    views: list[SavedView]
    """everybody's and the reader's own"""
    may_share: bool
    may_write: bool
    here: str
    """address of this page"""
    exported: dict[str, str]
    """addresses of the whole list, as filtered, as files, by format"""
    json_path: str
    """address of the JSON twin"""
    first_path: str
    """address of the first page of the list as filtered"""
    next_path: str | None
    """address of the next page; None on the last"""


@router.get("/at-risk")
def at_risk(
    request: Request,
    reader: Annotated[Readings, Depends(readings)],
    caller: Annotated[Caller, Depends(requires("read"))],
    columns: Annotated[list[str], Query()] = [],  # noqa: B006  # FastAPI copies it
    cursor: str | None = None,
) -> HTMLResponse:
    """Show a page of the list; before the first run, show what to do."""
    run = reader.find_run()
    if run is None:
        return render(request, "no_run.html", {}, 503)
    words = {name: request.query_params.get(name, "") for name in vars(Asked()) if name != "columns"}
    asked = asked_of(words, columns)
    wanted = replace(wanted_of(asked, run, caller.name), seen_by=seen_by(request))
    page = reader.at_risk(run, wanted, _PAGE, cursor)
    with request.app.state.engine.connect() as connection:
        people = [one.name for one in list_people(connection)]
        views = views_for(connection, caller)
    twin, language = twin_of(asked, wanted), language_of(request)
    context = AtRiskContext(
        run=run,
        page=page,
        asked=asked,
        actions=reader.actions(run),
        reasons=GROUPS,
        sorts=SORTS,
        statuses=STATUSES,
        changes=CHANGES,
        columns=tuple(COLUMNS),
        sortable={one: "/at-risk?" + asked.sorted_by(one) for one, by in COLUMNS.items() if by},
        people=people,
        views=views,
        may_share=may_share(caller),
        may_write="write" in caller.scopes and caller.kind != "key",
        here="/at-risk?" + asked.query(cursor=cursor),
        exported={
            one: "/v1/at-risk?" + urlencode([*twin, ("format", one), ("lang", language)]) for one in ("csv", "xlsx")
        },
        json_path="/v1/at-risk?" + urlencode(twin),
        first_path="/at-risk?" + asked.query(),
        next_path="/at-risk?" + asked.query(cursor=page.next_cursor) if page.next_cursor else None,
    )
    return render(request, "at_risk.html", vars(context))


@router.post("/views")
def change_views(
    request: Request, form: SentForm, caller: Annotated[Caller, Depends(requires("read"))]
) -> RedirectResponse:
    """Keep what the list shows as a view under a name, or remove one."""
    deed, name, now = form.among("deed", ("save", "remove")), form.one("name"), asked_at(request)
    whose = _WHOSE[form.among("whose", WHOSE)]
    if not name:
        return back(form, "view_without_name")
    try:
        name = _NAME.validate_python(name)
    except ValidationError:
        raise UsageError("`name` must be at most 64 characters, without control characters; shorten it") from None
    engine = request.app.state.engine
    if deed == "remove":
        in_one(engine, lambda connection: remove_view(connection, caller, whose, name, now))
        return back(form, "view_removed", name)
    words = {one: form.one(one) for one in vars(Asked()) if one != "columns"}
    in_one(engine, lambda connection: save_view(connection, caller, whose, name, words, form.all("columns"), now))
    return back(form, "view_saved", name)
