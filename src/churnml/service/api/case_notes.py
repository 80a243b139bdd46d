"""What was noted about a customer, and how their case came to be as it is."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import Connection

from churnml.database import cases as store
from churnml.events.clock import moment
from churnml.service.access import Caller, requires
from churnml.service.api.batches import Json
from churnml.service.api.case_shapes import CaseHistory, NoteBody, NoteIn, NoteList, NoteQuery, OfCustomer
from churnml.service.api.cases import NO_CASE, NO_CUSTOMER
from churnml.service.casework import write_note
from churnml.service.clock import asked_at
from churnml.service.idempotency import REPEATED, once, raw_body
from churnml.service.problems import described
from churnml.service.sight import require_seen
from churnml.service.trail import viewed

router = APIRouter(prefix="/v1", tags=["writing"])
Reader = Annotated[Caller, Depends(requires("read"))]
Confidant = Annotated[Caller, Depends(requires("contact"))]
Writer = Annotated[Caller, Depends(requires("write"))]
Body = Annotated[bytes, Depends(raw_body)]
_NOTE = {"note_id": 7, "text": "Asked us to call back on Friday.", "written_by": "li",
         "written_at": "2018-01-09T10:30:00+00:00"}  # fmt: skip
_CHANGE = {
    "version": 3, "changed_by": "crm", "changed_at": "2018-01-09T10:30:00+00:00",
    "changed": {"status": ["claimed", "waiting"], "follow_up_on": [None, "2018-01-12"]},
}  # fmt: skip
EXAMPLES: dict[tuple[str, str], Json] = {
    ("/v1/case-history", "get"): {"items": [_CHANGE]},
    ("/v1/case-notes", "get"): {"items": [_NOTE], "next_before": None},
    ("/v1/case-notes", "post"): _NOTE,
}


@router.get(
    "/case-history",
    summary="Who changed what of a case, when",
    response_model=CaseHistory,
    responses=described(
        {
            403: ("forbidden", "`li` looks after this customer, and you see your own and nobody's; …"),
            404: ("not_found", NO_CASE),
            422: ("invalid_request", "`customer_id` is missing; add it"),
        }
    ),
)
def case_history(request: Request, query: Annotated[OfCustomer, Query()], _caller: Reader) -> JSONResponse:
    """Return every change of a case, the latest first."""
    require_seen(request, query.customer_id)
    with request.app.state.engine.connect() as connection:
        store.find_case(connection, query.customer_id)
        found = store.history(connection, query.customer_id)
    items = [asdict(one) | {"changed_at": moment(one.changed_at).isoformat()} for one in found]
    return JSONResponse({"items": items})


@router.get(
    "/case-notes",
    summary="What was noted about a customer",
    response_model=NoteList,
    responses=described(
        {
            403: ("forbidden", "`li` looks after this customer, and you see your own and nobody's; …"),
            422: ("invalid_request", "`customer_id` is missing; add it"),
        }
    ),
)
def case_notes(request: Request, query: Annotated[NoteQuery, Query()], _caller: Confidant) -> JSONResponse:
    """Return the notes, the latest first; none of a customer about whom nothing was noted."""
    require_seen(request, query.customer_id)
    viewed(request, query.customer_id)
    with request.app.state.engine.connect() as connection:
        found = store.notes(connection, query.customer_id, query.limit + 1, query.before)
    shown = found[: query.limit]
    more = shown[-1].note_id if len(found) > query.limit else None
    return JSONResponse({"items": [_note_body(one) for one in shown], "next_before": more})


@router.post(
    "/case-notes",
    summary="Note something about a customer",
    response_model=NoteBody,
    responses=REPEATED
    | described({404: ("not_found", NO_CUSTOMER), 422: ("invalid_request", "`text` must not be empty")}),
)
def add_note(request: Request, asked: NoteIn, caller: Writer, body: Body) -> Response:
    """Keep a note with who wrote it and when."""
    now = asked_at(request)

    def make(connection: Connection) -> tuple[int, Json]:
        return 200, _note_body(write_note(connection, caller, asked.customer_id, asked.text, now))

    return once(request, caller, body, make)


def _note_body(note: store.Note) -> Json:
    return asdict(note) | {"written_at": moment(note.written_at).isoformat()}
