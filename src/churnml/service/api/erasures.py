"""Erasures: customers forgotten everywhere; accepted at once, and done as soon as files and database are rewritten."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ConfigDict, Field
from sqlalchemy import Connection

from churnml.database.erasures import MOST, begin
from churnml.database.secret import VARIABLE
from churnml.events.erasing import receipt
from churnml.events.erasure_words import OUT_OF_REACH
from churnml.service.access import Caller, requires
from churnml.service.api.shapes import Bilingual, CustomerId, Shape
from churnml.service.clock import asked_at
from churnml.service.idempotency import REPEATED, once, raw_body
from churnml.service.problems import described

router = APIRouter(prefix="/v1/erasures", tags=["operations"])
Admin = Annotated[Caller, Depends(requires("admin"))]
Json = dict[str, Any]  # Any: JSON
Reason = Literal["request", "no_longer_needed", "consent_withdrawn", "objection", "unlawful", "legal_obligation"]
_ID = "er_5c0e2f4b9a7d4c7f8a1b6d3e"
_ASKED: Json = {"customer_ids": ["42"], "reason": "request"}
_RECEIPT: Json = {
    "erasure_id": _ID, "state": "done", "reason": "request", "asked_by": "crm (ck_1a2b)", "customers": 1,
    "asked_at": "2026-11-27T03:10:02+00:00", "finished_at": "2026-11-27T03:10:09+00:00",
    "tombstones": ["9f8e7d6c5b4a3928"],
    "counts": {"records": 12, "table_customers": 1, "table_orders": 31},
    "handed_out": [{
        "what": "list.exported", "form": "salesforce", "by": "command ada", "times": 3,
        "first_at": "2026-11-02T03:00:00+00:00", "last_at": "2026-11-26T03:00:00+00:00",
    }],
    "out_of_reach": [asdict(one) for one in OUT_OF_REACH],
}  # fmt: skip
_ACCEPTED: Json = _RECEIPT | {"state": "going_on", "finished_at": None, "counts": {"records": 12}}
_NO_SECRET = (
    f"`{VARIABLE}` must hold at least 32 random characters, found none; set it in the environment, as `openssl rand "
    "-base64 48` makes one, and keep it: what was derived from it cannot be made without it"
)
_NONE = {
    404: ("not_found", "there is no erasure `er_0`; its id is in the answer that accepted it"),
    422: ("invalid_request", "`erasure_id` should have at most 64 characters"),
}


class ErasureIn(Shape):
    """Whom to erase, and why."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _ASKED})

    customer_ids: list[CustomerId] = Field(min_length=1, max_length=MOST)
    reason: Reason = Field("request", description="a plain request, or the ground of GDPR, Article 17(1)(a) to (e)")


class Left(Shape):
    """What was handed out alike, however often."""

    what: Literal[
        "list.exported", "records.exported", "features.exported", "digest.sent", "backup.made", "webhook.sent"
    ]
    form: str = Field(description="the tool or kind of file, the id of the webhook, or nothing")
    by: str = Field(description="who did it, as the audit log calls them")
    times: int
    first_at: datetime
    last_at: datetime


class Receipt(Shape):
    """What an erasure removed; it names nobody."""

    erasure_id: str
    state: Literal["going_on", "emptying", "done"] = Field(
        description="`going_on`: nobody sees the customers any more, files are being rewritten; `emptying`: deleted "
        "bytes are being overwritten; `done`"
    )
    reason: str
    asked_by: str
    customers: int = Field(description="how many were named, whether or not anything was known of them")
    asked_at: datetime
    finished_at: datetime | None
    tombstones: list[str] = Field(description="beginnings of the marks by which they are known if brought again")
    counts: dict[str, int] = Field(description="what went so far, by place")
    handed_out: list[Left] | None = Field(
        description="what may have told others of them before, by the audit log and the outbox; null where it was not "
        "looked for, by an earlier version"
    )
    out_of_reach: list[Bilingual] = Field(description="what is left for you to do")


@router.post(
    "",
    status_code=202,
    summary="Erase up to 100 customers everywhere",
    description="From the answer on nobody sees the customers, and nothing of them is taken in. Files and database are "
    "then rewritten, which takes seconds to minutes: ask /v1/erasures/{erasure_id} for the receipt. Needs "
    f"`{VARIABLE}`; see docs/erasure.md.",
    response_model=Receipt,
    responses=REPEATED
    | described({503: ("not_set_up", _NO_SECRET), 422: ("invalid_request", f"`customer_ids` must hold at most {MOST}")})
    | {202: {"content": {"application/json": {"example": _ACCEPTED}}}},
)
def erase(request: Request, asked: ErasureIn, caller: Admin, body: Annotated[bytes, Depends(raw_body)]) -> Response:
    """Begin an erasure and have it brought to its end."""
    now = asked_at(request)

    def make(connection: Connection) -> tuple[int, Json]:
        erasure_id = begin(connection, caller, asked.customer_ids, asked.reason, at=now)
        return 202, receipt(connection, erasure_id)

    answer = once(request, caller, body, make)
    request.app.state.eraser.wake()
    return answer


@router.get(
    "/{erasure_id}",
    summary="How far an erasure is, and its receipt",
    response_model=Receipt,
    responses={200: {"content": {"application/json": {"example": _RECEIPT}}}, **described(_NONE)},
)
def erasure(request: Request, erasure_id: Annotated[str, Path(max_length=64)], _caller: Admin) -> JSONResponse:
    """Return the receipt as it stands."""
    with request.app.state.engine.connect() as connection:
        return JSONResponse(receipt(connection, erasure_id))
