"""Consents: what customers allow or take back; the latter holds from its acknowledgement."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import ConfigDict, Field
from sqlalchemy import Connection

from churnml.database.audit import audit
from churnml.events.schema import TABLES
from churnml.service.access import Caller, requires
from churnml.service.api.batches import MAX_ROWS, Json, RowResults, answer, result, row_of
from churnml.service.api.shapes import Shape
from churnml.service.arrivals import add
from churnml.service.clock import asked_at
from churnml.service.idempotency import REPEATED, once, raw_body
from churnml.service.problems import described, problem

router = APIRouter(prefix="/v1", tags=["writing"])
_CONSENTS = TABLES["consents"]
_SENT: Json = {
    "consents": [
        {"customer_id": "42", "occurred_at": "2018-01-09T10:30:00+08:00", "purpose": "marketing", "channel": "phone",
         "granted": False},
        {"customer_id": "43", "occurred_at": "2018-01-09", "purpose": "profiling", "granted": False},
        {"customer_id": "44", "occurred_at": "2118-01-09", "purpose": "marketing", "granted": True},
    ]
}  # fmt: skip
_AHEAD = (
    "row 2 of `consents`: `occurred_at` must not lie in the future: correct the date, or bring the row when it is due"
)
EXAMPLE = answer([
    result(0, "kept"), result(1, "kept"), result(2, "refused", problem=problem(422, "broken_row", _AHEAD)),
])  # fmt: skip


class ConsentsIn(Shape):
    """What customers said of being approached and profiled."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _SENT})

    consents: list[row_of(_CONSENTS)] = Field(  # type: ignore[valid-type]  # made from the contract
        min_length=1, max_length=MAX_ROWS
    )


@router.post(
    "/consents",
    summary="What customers allow or take back, up to 500 at a time",
    description=(
        "What is taken back holds from the answer on. `profiling`: every record of the customer is blanked. "
        "`marketing`: no open action by that channel, or by any where none is named, is shown any more, and "
        "`no_action_because` is `no_consent`. What is given holds from the next landing. The same twice is kept twice "
        "and means the same."
    ),
    response_model=RowResults,
    responses=REPEATED | described({422: ("invalid_request", f"`consents` must hold at most {MAX_ROWS}, got 501")}),
)
def consents(
    request: Request,
    told: ConsentsIn,
    caller: Annotated[Caller, Depends(requires("write"))],
    body: Annotated[bytes, Depends(raw_body)],
) -> Response:
    """Keep consents and let what is taken back hold at once."""
    now = asked_at(request)

    def make(connection: Connection) -> tuple[int, Json]:
        kept = add(connection, caller, "consents", told.consents, door=request.app.state.door, now=now)
        for one in kept:
            if one.status == "kept":
                row = told.consents[one.index]
                about = {"customer_id": str(row["customer_id"]).strip(), "purpose": str(row["purpose"]).strip().lower()}
                audit(connection, caller, "consent.told", {**about, "granted": str(row["granted"]).lower()}, at=now)
        return 200, answer([result(one.index, one.status, problem=one.problem) for one in kept])

    return once(request, caller, body, make)
