"""The day's queue: whom an agent is to call today, the next ones claimed, and what came of each call."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ConfigDict, Field
from sqlalchemy import Connection

from churnml.database.cases import CallResult
from churnml.service.access import Caller, requires
from churnml.service.api.case_shapes import CaseBody
from churnml.service.api.cases import EXAMPLE as CASE
from churnml.service.api.cases import NO_CUSTOMER, case_body
from churnml.service.api.customers import EXAMPLE as RECORD
from churnml.service.api.shapes import DecisionRecord, Shape, readings
from churnml.service.api.texts import CustomerId, Day, Name, NoteText
from churnml.service.calls import CallTold, keep_call
from churnml.service.casework import require_own, self_of
from churnml.service.clock import asked_at
from churnml.service.idempotency import REPEATED, once, raw_body
from churnml.service.problems import described
from churnml.service.queue import Entry, Queue, claim_next, queue_of
from churnml.service.readings import NO_RUN, Readings
from churnml.service.sight import require_own_queue

router = APIRouter(prefix="/v1", tags=["writing"])
Json = dict[str, Any]  # Any: JSON
Reader = Annotated[Readings, Depends(readings)]
Writer = Annotated[Caller, Depends(requires("write"))]
Body = Annotated[bytes, Depends(raw_body)]
_MINE: Json = {
    "day": "2018-01-12", "owner": "li", "capacity": 30, "room": 27, "later": 4, "made": {"reached": 1, "no_answer": 1},
    "due": [{"customer_id": "42", "case": CASE, "record": RECORD}], "claimed": [],
    "next": [{"customer_id": "43", "case": None, "record": RECORD | {"customer_id": "43"}}],
}  # fmt: skip
EXAMPLES: dict[tuple[str, str], Json] = {
    ("/v1/queue", "get"): _MINE,
    ("/v1/queue", "post"): {"claimed": ["43", "44"]},
    ("/v1/calls", "post"): CASE | {"call_result": "reached", "status": "done", "follow_up_on": None},
}


class Queued(Shape):
    """A customer in the queue."""

    customer_id: str
    case: CaseBody | None = Field(description="null before anybody has claimed it")
    record: DecisionRecord | None = Field(description="null where the latest run has none")


class QueueBody(Shape):
    """What one agent has before them today."""

    day: date = Field(description="where the company is")
    owner: str
    capacity: int = Field(description="calls that an agent can make in a day, `calls_per_day` of configs/serve.yaml")
    room: int = Field(description="how many more customers the day has room for")
    later: int = Field(description="how many of theirs are due on another day")
    made: dict[CallResult, int] = Field(description="the calls they made today, by result")
    due: list[Queued] = Field(description="theirs, to be called again today or before, the longest due first")
    claimed: list[Queued] = Field(description="theirs, not called yet")
    next: list[Queued] = Field(description="nobody's, in the order in which to claim them")


class QueueQuery(Shape):
    """Whose queue is wanted."""

    owner: Name | None = Field(None, description="whose; left out, of whoever asks")


class ClaimNext(Shape):
    """How many more customers are wanted."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"count": 2, "owner": "li"}})

    count: int = Field(ge=1, le=100)
    owner: Name | None = Field(None, description="who holds them from then on; left out, whoever asks")


class ClaimedNext(Shape):
    """Who was claimed."""

    claimed: list[str] = Field(description="ids, the first to call first; fewer than wanted where fewer are left")


class CallIn(Shape):
    """What came of a call."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"customer_id": "42", "result": "reached", "note": "Likes tea."}}
    )

    customer_id: CustomerId
    result: CallResult
    follow_up_on: Day | None = Field(None, description="when to call again; the day after, where nobody answered")
    note: NoteText | None = None


@router.get(
    "/queue",
    summary="Whom an agent is to call today",
    response_model=QueueBody,
    responses=described({
        400: ("usage", "`owner` must name who holds the cases from then on, found none; a key cannot hold one"),
        403: ("forbidden", "an agent sees their own queue; ask an administrator for that of others"),
        422: ("invalid_request", "unknown field `onwer`; did you mean `owner`?"),
        503: ("dependency", NO_RUN),
    }),
)  # fmt: skip
def queue(
    request: Request,
    query: Annotated[QueueQuery, Query()],
    reader: Reader,
    caller: Annotated[Caller, Depends(requires("read"))],
) -> JSONResponse:
    """Return who is due, who is claimed, and who comes next: treated by an action by telephone, and nobody's."""
    state, run = request.app.state, reader.run()
    owner = query.owner or self_of(caller)
    require_own_queue(request, caller, owner)
    with state.engine.connect() as connection:
        found = queue_of(connection, run, owner, state.settings.calls_per_day, state.door.time_zone, asked_at(request))
    return JSONResponse(_told(found, owner, reader))


@router.post(
    "/queue",
    summary="Claim the next customers to call",
    response_model=ClaimedNext,
    responses=REPEATED
    | described({
        422: ("invalid_request", "`count` must be at most 100, got 101"),
        503: ("dependency", NO_RUN),
    }),
)  # fmt: skip
def claim(request: Request, asked: ClaimNext, caller: Writer, body: Body, reader: Reader) -> Response:
    """Claim the first of `next`; of several who ask at once each gets customers of their own."""
    run = reader.run()
    owner = asked.owner or self_of(caller)
    require_own(caller, owner)

    def make(connection: Connection) -> tuple[int, Json]:
        return 200, {"claimed": claim_next(connection, caller, owner, run, asked.count, asked_at(request))}

    return once(request, caller, body, make)


@router.post(
    "/calls",
    summary="What came of a call",
    response_model=CaseBody,
    responses=REPEATED
    | described({
        403: ("forbidden", "the customer is held out of retention actions, so that their effect can be measured: …"),
        404: ("not_found", NO_CUSTOMER),
        409: ("taken", "the case of customer `42` is held by `li`; ask them to hand it over"),
        422: ("invalid_request", "`result` must be `reached`, `no_answer`, `refused`, …, got 'busy'"),
    }),
)  # fmt: skip
def call(request: Request, asked: CallIn, caller: Writer, body: Body, reader: Reader) -> Response:
    """Keep a call: the contact, the case, the ledger, a note, and that somebody is not to be called again, at once.

    `do_not_call` takes back that the customer may be approached by phone. Return the case as it stands then.
    """
    told = CallTold(asked.customer_id, asked.result, asked.follow_up_on, asked.note or "")
    record = reader.find(asked.customer_id)
    door, now = request.app.state.door, asked_at(request)

    def make(connection: Connection) -> tuple[int, Json]:
        return 200, case_body(keep_call(connection, caller, told, record, door, now))

    return once(request, caller, body, make)


def _told(found: Queue, owner: str, reader: Readings) -> Json:
    held = [*found.due, *found.claimed]
    records = reader.records_of([one.customer_id for one in held])

    def told(one: Entry) -> Json:
        record = one.record or records.get(one.customer_id)
        return {"customer_id": one.customer_id, "case": one.case and case_body(one.case), "record": record}

    names = ("day", "capacity", "room", "later")
    return {name: getattr(found, name) for name in names} | {
        "day": str(found.day),
        "owner": owner,
        "made": dict(found.made),
        "due": [told(one) for one in found.due],
        "claimed": [told(one) for one in found.claimed],
        "next": [told(one) for one in found.following],
    }


__all__ = ["EXAMPLES", "router"]
