"""Contacts that an agent or a CRM system made, in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import ConfigDict, Field
from sqlalchemy import Connection

from churnml.database.audit import audit
from churnml.service.access import Caller, requires
from churnml.service.api.batches import MAX_ROWS, Json, RowResults, answer, result, row_of
from churnml.service.api.shapes import Shape
from churnml.service.clock import asked_at
from churnml.service.contacts import CONTACTS, MANAGER, keep_contacts
from churnml.service.idempotency import REPEATED, once, raw_body
from churnml.service.problems import described, problem

router = APIRouter(prefix="/v1", tags=["writing"])
_SENT: Json = {
    "contacts": [
        {"contact_id": "crm-1001", "customer_id": "42", "occurred_at": "2018-01-09T10:30:00+08:00", "action": "call",
         "channel": "phone", "campaign": "retention-2018-01", "cost": 3.5},
        {"customer_id": "43", "occurred_at": "2018-01-09 11:00:00", "action": "call", "channel": "phone"},
    ]
}  # fmt: skip
EXAMPLE = answer([
    result(0, "kept", ["no_consent"]),
    result(1, "refused", problem=problem(403, "held_out", f"contact 1: the customer {MANAGER}")),
])  # fmt: skip


class ContactsIn(Shape):
    """Contacts that were made."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _SENT})

    contacts: list[row_of(CONTACTS, optional=("contact_id",))] = Field(  # type: ignore[valid-type]  # the contract's
        min_length=1, max_length=MAX_ROWS
    )


@router.post(
    "/contacts",
    summary="Contacts that were made, up to 500 at a time",
    description=(
        "Keeps each contact that holds the contract of the table `contacts` (docs/data.md); it is stored once this is "
        "answered, and lands with the next arrivals. One without `contact_id` is named by customer, time, action and "
        f"channel. A customer who {MANAGER}. Flags: `breach`; `no_consent`: the customer had taken back that they may "
        "be approached by this channel."
    ),
    response_model=RowResults,
    responses=REPEATED | described({422: ("invalid_request", f"`contacts` must hold at most {MAX_ROWS}, got 501")}),
)
def contacts(
    request: Request,
    told: ContactsIn,
    caller: Annotated[Caller, Depends(requires("write"))],
    body: Annotated[bytes, Depends(raw_body)],
) -> Response:
    """Keep contacts until they land."""
    now = asked_at(request)

    def make(connection: Connection) -> tuple[int, Json]:
        kept = keep_contacts(connection, caller, told.contacts, request.app.state.door, now)
        said = answer([result(one.index, one.status, flags, one.problem) for one, flags in kept])
        counts: dict[str, str | int] = {name: said[name] for name in ("kept", "stood", "refused")}
        audit(connection, caller, "contacts.told", counts, at=now)
        return 200, said

    return once(request, caller, body, make)
