"""Cases: who looks after a customer, how far they are, and what they noted; by customer, whatever run is served."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import Connection

from churnml.database import cases as store
from churnml.database.cases import Case, Place
from churnml.errors import StaleError, UsageError
from churnml.events.clock import moment
from churnml.service import casework, cursors
from churnml.service.access import Caller, requires
from churnml.service.api.batches import Json, RowResults, answer, result
from churnml.service.api.case_shapes import CaseBody, CaseChange, CaseList, CaseQuery, CasesClaimed
from churnml.service.api.texts import CustomerId
from churnml.service.clock import asked_at
from churnml.service.idempotency import REPEATED, once, raw_body
from churnml.service.problems import described, explain
from churnml.service.sight import require_seen, seen_by

router = APIRouter(prefix="/v1", tags=["writing"])
Reader = Annotated[Caller, Depends(requires("read"))]
Writer = Annotated[Caller, Depends(requires("write"))]
Body = Annotated[bytes, Depends(raw_body)]
NO_CASE = "customer `42` has no case yet; a PATCH of /v1/cases/ID opens one. Ids are compared as text"
NO_CUSTOMER = (
    "no customer `nobody` in the records of any run; ids are compared as text, and `churnml score` makes the records "
    "of those who have landed"
)
EXAMPLE = {
    "customer_id": "42", "status": "waiting", "owner": "li", "follow_up_on": "2018-01-12", "snoozed_until": None,
    "call_result": "no_answer", "version": 3, "opened_at": "2018-01-02T08:14:03+00:00",
    "changed_at": "2018-01-09T10:30:00+00:00",
}  # fmt: skip
_TAKEN = "the case of customer `42` is held by `li`; name them as `expected_owner` to take it over"
EXAMPLES: dict[tuple[str, str], Json] = {
    ("/v1/cases", "get"): {"items": [EXAMPLE], "next_cursor": None},
    ("/v1/cases", "post"): answer([
        result(0, "kept"), result(1, "stood"),
    ]),
    ("/v1/cases/{customer_id}", "get"): EXAMPLE,
    ("/v1/cases/{customer_id}", "patch"): EXAMPLE,
}  # fmt: skip


@router.get(
    "/cases",
    summary="Cases, by the day they are due",
    response_model=CaseList,
    responses=described(
        {400: ("usage", cursors.NOT_OURS), 422: ("invalid_request", "`limit` must be at most 500, got 501")}
    ),
)
def list_cases(request: Request, query: Annotated[CaseQuery, Query()], _caller: Reader) -> JSONResponse:
    """Return a page of cases; those without a day come last."""
    asked = cursors.asked_for(query.model_dump(mode="json", exclude={"limit", "cursor"}))
    after = None if query.cursor is None else _place(query.cursor, asked)
    with request.app.state.engine.connect() as connection:
        found, following = store.page_of_cases(
            connection, query.limit, after, owners=query.owner, statuses=query.status, unowned=query.unowned,
            due_before=query.due_before, seen_by=seen_by(request),
        )  # fmt: skip
    cursor = cursors.write_whole("cases", asked, following and (following[0].toordinal(), following[1]))
    return JSONResponse({"items": [case_body(one) for one in found], "next_cursor": cursor})


@router.post(
    "/cases",
    summary="Give up to 500 customers to somebody",
    response_model=RowResults,
    responses=REPEATED | described({422: ("invalid_request", "`customer_ids` must hold at most 500, got 501")}),
)
def claim_cases(request: Request, asked: CasesClaimed, caller: Writer, body: Body) -> Response:
    """Claim each case that nobody holds, opening it where there is none; one that somebody else holds is refused."""
    owner = asked.owner or casework.self_of(caller)
    casework.require_own(caller, owner)
    more = {"follow_up_on": asked.follow_up_on} if asked.follow_up_on else None

    def make(connection: Connection) -> tuple[int, Json]:
        became = casework.claim(connection, caller, asked.customer_ids, owner, asked_at(request), more)
        return 200, answer([_claimed(index, one) for index, one in enumerate(became)])

    return once(request, caller, body, make)


@router.get(
    "/cases/{customer_id:path}",
    summary="The case of one customer",
    response_model=CaseBody,
    responses=described(
        {
            403: ("forbidden", "`li` looks after this customer, and you see your own and nobody's; …"),
            404: ("not_found", NO_CASE),
            422: ("invalid_request", "`customer_id` must not be empty"),
        }
    ),
)
def one_case(request: Request, customer_id: CustomerId, _caller: Reader) -> JSONResponse:
    """Return the case, with its version as `ETag`. Escape `/` in ids as `%2F`."""
    require_seen(request, customer_id)
    with request.app.state.engine.connect() as connection:
        found = store.find_case(connection, customer_id)
    return JSONResponse(case_body(found), headers={"etag": f'"{found.version}"'})


@router.patch(
    "/cases/{customer_id:path}",
    summary="Claim, hand over, or change the case of one customer",
    response_model=CaseBody,
    responses=REPEATED
    | described({
        404: ("not_found", NO_CUSTOMER),
        409: ("taken", _TAKEN),
        412: ("stale", "the case of customer `42` must be at version 2, found 3; read it again"),
        422: ("invalid_request", "`status` must be `open`, `claimed`, `waiting`, `done` or `dropped`, got 'lost'"),
    }),
)  # fmt: skip
def change_case(
    request: Request,
    customer_id: CustomerId,
    asked: CaseChange,
    caller: Writer,
    body: Body,
    if_match: Annotated[str | None, Header(description="the `ETag` of the version that must stand")] = None,
) -> Response:
    """Change what is told, opening the case if there is none; of several who claim it at once one gets it.

    The call result `do_not_call` takes back that the customer may be approached by phone, from the answer on.
    """
    told = _told(asked, caller)
    casework.require_own(caller, told.get("owner"))
    compares = "expected_owner" in asked.model_fields_set
    wanted = casework.wanted_of(caller, told, asked.expected_owner, compares=compares, version=_version(if_match))
    now = asked_at(request)

    def make(connection: Connection) -> tuple[int, Json]:
        found, _ = casework.change(connection, caller, customer_id, wanted, request.app.state.door, now)
        return 200, case_body(found)

    return once(request, caller, body, make)


def case_body(one: Case) -> Json:
    """Return a case as JSON."""
    days = {name: str(day) if (day := getattr(one, name)) else None for name in ("follow_up_on", "snoozed_until")}
    times = {name: moment(getattr(one, name)).isoformat() for name in ("opened_at", "changed_at")}
    return asdict(one) | days | times


def _place(cursor: str, asked: str) -> Place:
    """Return where the page begins that a cursor asks for."""
    day, customer = cursors.read_whole(cursor, "cases", asked)
    try:
        return date.fromordinal(day), customer
    except (ValueError, OverflowError) as error:
        raise UsageError(cursors.NOT_OURS) from error


def _told(asked: CaseChange, caller: Caller) -> dict[str, str | date | None]:
    """Return the fields of a case that a request tells; a person who claims says so by the status alone."""
    told = {name: getattr(asked, name) for name in asked.model_fields_set if name != "expected_owner"}
    if told.get("status") is None:
        told.pop("status", None)
    if told.get("status") == "claimed" and "owner" not in told and caller.kind == "person":
        told["owner"] = caller.name
    return told


def _claimed(index: int, one: casework.Claimed) -> Json:
    if one.refused is not None:
        return result(index, "refused", problem=explain(one.refused))
    return result(index, "kept" if one.new else "stood")


def _version(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    found = re.fullmatch(r'(?:W/)?"?([0-9]{1,9})"?', if_match.strip())
    if found is None:
        raise StaleError(f'`If-Match` must be the `ETag` of a case, such as "3", got {if_match[:40]!r}; read it again')
    return int(found.group(1))
