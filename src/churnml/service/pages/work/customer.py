"""One customer as a page: who it is, how likely to leave and what that would cost, why, what to do, what was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup

from churnml import drawing
from churnml.database.calls import Call, calls_to
from churnml.database.cases import CALL_RESULTS, STATUSES, Case, Note, cases_of, notes
from churnml.database.consents import pending_withdrawals
from churnml.database.customer_past import Assigned, Score, assigned_to, scores_of
from churnml.database.people import list_people
from churnml.events.clock import DAY
from churnml.events.contact_details import ContactDetails
from churnml.events.timeline import Happening
from churnml.service.access import Caller, requires
from churnml.service.api.shapes import readings
from churnml.service.api.timeline import happenings
from churnml.service.calls import today
from churnml.service.clock import asked_at
from churnml.service.pages.rendering import customer_path, render
from churnml.service.persons import details_of, may_see
from churnml.service.readings import CurrentRun, Readings, Record
from churnml.service.sight import HeldError, require_seen
from churnml.service.trail import note, viewed
from churnml.wording import Text

router = APIRouter()
_HAPPENINGS, _SHOWN, _SCORES, _NOTES, _CALLS, _ASSIGNED = 500, 40, 24, 50, 20, 12
_WEEK = 7 * DAY


@dataclass(frozen=True)
class Past:
    """What was said and done before."""

    scores: list[Score]
    """by cutoff, the earliest first"""
    strip: Markup
    """the same as a picture; empty where there are fewer than two"""
    assigned: list[Assigned]
    happenings: list[Happening]
    """the latest first"""
    more: int
    """how many earlier ones there are that are not shown"""
    consents: list[tuple[str, bool]]
    """by channel, empty for all, whether they may be approached by it; what was said last"""
    contacts: int
    """how often they were contacted in the last seven days"""


@dataclass(frozen=True)
class Work:
    """What a team does about the customer, and what the reader may do."""

    case: Case
    """of version 0 where nobody has opened one"""
    may_write: bool
    mine: bool
    people: list[str]
    """to whom the reader may give them; empty for an agent"""
    calls: list[Call]
    notes: list[Note] | None
    """None where the reader may not read them"""
    person: ContactDetails | None
    """None where the reader may not know, or nothing is known"""
    may_know: bool
    results: Sequence[str]
    statuses: Sequence[str]
    soonest: str
    """the first day that forms offer"""


@dataclass(frozen=True)
class CustomerContext:
    """What `customer.html` shows."""

    record: Record
    """the decision record, as the API gives it"""
    run: CurrentRun
    """the run that made it; it says in which zone days are told"""
    span: float
    """the weight that fills one half of a reason's bar: the greatest of them"""
    path: list[tuple[str, float]]
    """the stays of their path, each the class of its stage and how long it was"""
    json_path: str
    """address of the JSON twin"""
    actions: dict[str, Text]
    """what actions are called, by key; of earlier ones that the run does not suggest the key alone is known"""
    work: Work
    past: Past


@dataclass(frozen=True)
class HeldContext:
    """What `held_by_other.html` shows: whose customer this is, and no more."""

    customer_id: str
    holder: str


@router.get("/customers", dependencies=[Depends(requires("read"))])
def find(find: str = "") -> RedirectResponse:
    """Lead to the page of the customer by this id, which says so where there is none."""
    wanted = find.strip()
    return RedirectResponse(customer_path(wanted) if wanted else "/at-risk", 303)


@router.get("/customers/{customer_id:path}")
def customer(
    customer_id: str,
    request: Request,
    reader: Annotated[Readings, Depends(readings)],
    caller: Annotated[Caller, Depends(requires("read"))],
) -> HTMLResponse:
    """Show one customer; before the first run, show what to do."""
    run = reader.find_run()
    if run is None:
        return render(request, "no_run.html", {}, 503)
    try:
        require_seen(request, customer_id)
    except HeldError as held:
        return render(request, "held_by_other.html", vars(HeldContext(customer_id, held.holder)), 403)
    record = reader.customer(customer_id)
    viewed(request, customer_id)
    span = max((abs(reason["weight"]) for reason in record["reasons"]), default=1.0)
    path = [(f"stage-{stay['stage']}", float(stay["periods"])) for stay in record["lifecycle_path"]]
    context = CustomerContext(
        record, run, span, path, "/v1" + customer_path(customer_id), reader.actions(run),
        _work(request, caller, customer_id), _past(request, customer_id),
    )  # fmt: skip
    return render(request, "customer.html", vars(context))


def _work(request: Request, caller: Caller, customer_id: str) -> Work:
    confidant = "contact" in caller.scopes
    person = details_of(request, [customer_id]).get(customer_id) if confidant else None
    may_know = may_see(request, caller, customer_id, person)
    if may_know and person is not None:
        note(request, "customer.contact_viewed", {"customer_id": customer_id})
    with request.app.state.engine.connect() as connection:
        case = cases_of(connection, [customer_id]).get(customer_id) or Case(customer_id)
        return Work(
            case=case,
            may_write="write" in caller.scopes and (not caller.only_own or case.owner in {None, caller.name}),
            mine=case.owner == caller.name,
            people=[] if caller.only_own else [one.name for one in list_people(connection)],
            calls=calls_to(connection, customer_id, _CALLS),
            notes=notes(connection, customer_id, _NOTES) if confidant else None,
            person=person if may_know else None,
            may_know=may_know,
            results=CALL_RESULTS,
            statuses=STATUSES,
            soonest=str(today(request.app.state.door, asked_at(request)) + timedelta(days=1)),
        )


def _past(request: Request, customer_id: str) -> Past:
    with request.app.state.engine.connect() as connection:
        scores = scores_of(connection, customer_id, _SCORES)
        assigned = assigned_to(connection, customer_id, _ASSIGNED)
        withdrawn = [one.channel for one in pending_withdrawals(connection) if one.customer_id == customer_id]
    happened = happenings(request, customer_id, _HAPPENINGS)
    bars = [(f"band-{one.risk_band or 'none'}", one.churn_probability) for one in scores]
    strip = Markup(drawing.strip(bars)) if len(bars) > 1 else Markup()  # noqa: S704  # drawings escape what they show
    since = asked_at(request) - _WEEK
    contacts = [one for one in happened if one.table == "contacts" and one.facts["arm"] != "control"]
    return Past(
        scores, strip, assigned, happened[:_SHOWN], max(len(happened) - _SHOWN, 0), _consents(happened, withdrawn),
        sum(one.occurred_at >= since for one in contacts),
    )  # fmt: skip


def _consents(happened: Sequence[Happening], withdrawn: Sequence[str]) -> list[tuple[str, bool]]:
    """Return by channel whether the customer may be approached, as said last; what has not landed came later."""
    said: dict[str, bool] = {}
    for one in reversed([one for one in happened if one.table == "consents" and one.facts["purpose"] == "marketing"]):
        channel = str(one.facts["channel"] or "").strip().casefold()
        if not channel:
            said.clear()  # a word on all of them takes the place of what was said of each before
        said[channel] = bool(one.facts["granted"])
    for channel in withdrawn:
        said[channel] = False
    return sorted(said.items())
