"""The at-risk list as a page: whom to approach first, why, with what, and who looks after them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from churnml.database.cases import STATUSES
from churnml.database.lists import APPROACHED, SORTS, Sort, Wanted
from churnml.database.people import list_people
from churnml.errors import UsageError
from churnml.measures import SEGMENTS, STAGES
from churnml.measures.driver_words import GROUPS
from churnml.service.access import Caller, requires
from churnml.service.api.shapes import readings
from churnml.service.pages.language import language_of
from churnml.service.pages.rendering import render
from churnml.service.readings import BANDS, CurrentRun, Readings, Slice
from churnml.wording import Text

router = APIRouter()
_PAGE = 50
_NOBODY = "nobody"


@dataclass(frozen=True)
class Asked:
    """What the reader wants to see; an empty word keeps all.

    Parameters
    ----------
    owner : str
        `me`, `nobody`, or whose.
    show : str
        `all` shows those as well who are to be left in peace: controls and held out.
    """

    band: str = ""
    action: str = ""
    stage: str = ""
    segment: str = ""
    reason: str = ""
    owner: str = ""
    status: str = ""
    show: str = ""
    sort: str = ""

    @property
    def filtered(self) -> bool:
        """Whether anything is kept from the list."""
        return any(value for name, value in vars(self).items() if name not in {"sort", "show"})

    def query(self, **more: str | None) -> str:
        """Return the same as the query of an address, with more."""
        return urlencode([(name, value) for name, value in (vars(self) | more).items() if value])


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
    people: list[str]
    """whose customers can be chosen, and to whom they can be given"""
    me: str
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
    band: str = "",
    action: str = "",
    stage: str = "",
    segment: str = "",
    reason: str = "",
    owner: str = "",
    status: str = "",
    show: str = "",
    sort: str = "",
    cursor: str | None = None,
) -> HTMLResponse:
    """Show a page of the list; before the first run, show what to do."""
    run = reader.find_run()
    if run is None:
        return render(request, "no_run.html", {}, 503)
    asked = Asked(band, action, stage, segment, reason, owner, status, show, sort)
    wanted = _wanted(asked, run, caller)
    page = reader.at_risk(run, wanted, _PAGE, cursor)
    with request.app.state.engine.connect() as connection:
        people = [one.name for one in list_people(connection)]
    twin = _twin(wanted)
    language = language_of(request)
    context = AtRiskContext(
        run=run,
        page=page,
        asked=asked,
        actions=reader.actions(run),
        reasons=GROUPS,
        sorts=SORTS,
        statuses=STATUSES,
        people=people,
        me=caller.name,
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


def _wanted(asked: Asked, run: CurrentRun, caller: Caller) -> Wanted:
    _require_known("band", asked.band, BANDS)
    _require_known("stage", asked.stage, STAGES)
    _require_known("segment", asked.segment, SEGMENTS)
    _require_known("status", asked.status, STATUSES)
    _require_known("show", asked.show, ("all",))
    _require_known("sort", asked.sort, SORTS)
    sorts: dict[str, Sort] = {one: one for one in SORTS}
    owner = caller.name if asked.owner == "me" else asked.owner
    assigned = run.summary.get("budget") is not None
    return Wanted(
        bands=_only(asked.band),
        actions=_only(asked.action),
        stages=_only(asked.stage),
        segments=_only(asked.segment),
        reasons=_only(asked.reason),
        arms=APPROACHED if assigned and not asked.show else (),
        owners=() if owner == _NOBODY else _only(owner),
        unowned=owner == _NOBODY,
        statuses=_only(asked.status),
        sort=sorts.get(asked.sort, "value_at_risk"),
    )


def _require_known(name: str, word: str, among: Iterable[str]) -> None:
    known = tuple(among)
    if word and word not in known:
        raise UsageError(f"`{name}` must be one of {', '.join(known)}, got {word[:40]!r}")


def _only(word: str) -> tuple[str, ...]:
    return (word,) if word else ()


def _twin(wanted: Wanted) -> list[tuple[str, str]]:
    """Return what the same list is asked for by at the API."""
    words = {
        "band": wanted.bands, "action": wanted.actions, "stage": wanted.stages, "segment": wanted.segments,
        "reason": wanted.reasons, "arm": wanted.arms, "owner": wanted.owners, "status": wanted.statuses,
    }  # fmt: skip
    pairs = [(name, word) for name, among in words.items() for word in among]
    pairs += [("unowned", "true")] if wanted.unowned else []
    return pairs + ([("sort", wanted.sort)] if wanted.sort != "value_at_risk" else [])
