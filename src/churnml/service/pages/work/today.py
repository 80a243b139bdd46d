"""The day's queue as a page: whom to call, what to say, and a form for what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from churnml.database.cases import CALL_RESULTS
from churnml.database.people import list_people
from churnml.events.contact_details import ContactDetails
from churnml.service.access import Caller, requires
from churnml.service.api.shapes import readings
from churnml.service.casework import self_of
from churnml.service.clock import asked_at
from churnml.service.pages.rendering import render
from churnml.service.persons import details_of
from churnml.service.queue import Entry, Queue, queue_of
from churnml.service.readings import CurrentRun, Readings, Record
from churnml.service.sight import require_own_queue, sees_own
from churnml.service.trail import note

router = APIRouter()
_SHOWN = 10


@dataclass(frozen=True)
class TodayContext:
    """What `today.html` shows."""

    run: CurrentRun
    queue: Queue
    owner: str
    """whose queue it is"""
    own: bool
    """whether it is the reader's own, who may then call from it"""
    people: list[str]
    """whose queues the reader may look at; empty for an agent who sees their own alone"""
    first: Entry | None
    """whom to call now; their form is open"""
    rest: list[Entry]
    """the others who are due or claimed"""
    records: dict[str, Record]
    """the records of those two, by id"""
    persons: dict[str, ContactDetails]
    """how to reach them, by id; empty for who may not know"""
    following: list[Entry]
    """who comes next, the first few"""
    results: Sequence[str]
    """what can come of a call"""
    soonest: str
    """the first day on which to follow up that the form offers"""
    json_path: str
    """address of the JSON twin"""


@router.get("/today")
def today(
    request: Request,
    reader: Annotated[Readings, Depends(readings)],
    caller: Annotated[Caller, Depends(requires("write"))],
    owner: str = "",
    call: str = "",
) -> HTMLResponse:
    """Show the queue of whoever asks, or of somebody else to who may see it; before the first run, what to do.

    `call` names the customer of the queue whose form is open; the first of them, where none is named.
    """
    run = reader.find_run()
    if run is None:
        return render(request, "no_run.html", {}, 503)
    whose = owner or self_of(caller)
    require_own_queue(request, caller, whose)
    state = request.app.state
    with state.engine.connect() as connection:
        queue = queue_of(connection, run, whose, state.settings.calls_per_day, state.door.time_zone, asked_at(request))
        people = [] if sees_own(request, caller) else [person.name for person in list_people(connection)]
    held = [*queue.due, *queue.claimed]
    first = next((one for one in held if one.customer_id == call), held[0] if held else None)
    context = TodayContext(
        run=run,
        queue=queue,
        owner=whose,
        own=whose == caller.name,
        people=people,
        first=first,
        rest=[one for one in held if one is not first],
        records=reader.records_of([one.customer_id for one in held]),
        persons=_persons(request, caller, first, held),
        following=queue.following[:_SHOWN],
        results=CALL_RESULTS,
        soonest=str(queue.day + timedelta(days=1)),
        json_path="/v1/queue" + (f"?owner={owner}" if owner else ""),
    )
    return render(request, "today.html", vars(context))


def _persons(request: Request, caller: Caller, first: Entry | None, held: list[Entry]) -> dict[str, ContactDetails]:
    """Return how to reach those of a queue: the look at the first leaves an entry."""
    if "contact" not in caller.scopes or not held:
        return {}
    found = details_of(request, [one.customer_id for one in held])
    if first is not None and first.customer_id in found:
        note(request, "customer.contact_viewed", {"customer_id": first.customer_id})
    return found
