"""Cases: who looks after a customer, how far they are, and what they noted; by customer, whatever run is served."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import Connection

from churnml.database import cases as store
from churnml.database.audit import audit
from churnml.database.cases import Case, Place, Wanted
from churnml.errors import StaleError, UsageError
from churnml.events.clock import moment
from churnml.service import cursors
from churnml.service.access import Caller, requires
from churnml.service.api.batches import Json, RowResults, answer, result
from churnml.service.api.case_shapes import CaseBody, CaseChange, CaseList, CaseQuery, CasesClaimed
from churnml.service.api.texts import CustomerId
from churnml.service.arrivals import add
from churnml.service.clock import asked_at
from churnml.service.idempotency import REPEATED, once, raw_body
from churnml.service.problems import described, explain

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
            due_before=query.due_before,
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
    owner = asked.owner or _self(caller)
    told = {"owner": owner} | ({"follow_up_on": asked.follow_up_on} if asked.follow_up_on else {})
    _require_own(caller, owner)

    def make(connection: Connection) -> tuple[int, Json]:
        results: dict[int, Json] = {}
        # in the order of ids, so that two who claim the same do not wait for each other
        for index, customer in sorted(enumerate(asked.customer_ids), key=lambda one: (one[1], one[0])):
            try:
                _, new = store.change_case(connection, customer, _wanted(caller, told), caller.name, asked_at(request))
                results[index] = result(index, "kept" if new else "stood")
            except UsageError as error:  # of this one alone
                results[index] = result(index, "refused", problem=explain(error))
        kept = answer([results[index] for index in range(len(results))])
        counts: dict[str, str | int] = {"owner": owner}
        counts |= {name: kept[name] for name in ("kept", "stood", "refused")}
        audit(connection, caller, "cases.claimed", counts, at=asked_at(request))
        return 200, kept

    return once(request, caller, body, make)


@router.get(
    "/cases/{customer_id:path}",
    summary="The case of one customer",
    response_model=CaseBody,
    responses=described({404: ("not_found", NO_CASE), 422: ("invalid_request", "`customer_id` must not be empty")}),
)
def one_case(request: Request, customer_id: CustomerId, _caller: Reader) -> JSONResponse:
    """Return the case, with its version as `ETag`. Escape `/` in ids as `%2F`."""
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
    _require_own(caller, told.get("owner"))
    compares = "expected_owner" in asked.model_fields_set
    wanted = _wanted(caller, told, asked.expected_owner, compares=compares, version=_version(if_match))
    now = asked_at(request)

    def make(connection: Connection) -> tuple[int, Json]:
        found, new = store.change_case(connection, customer_id, wanted, caller.name, now)
        if new:
            about: dict[str, str | int] = {"customer_id": customer_id, "version": found.version}
            if told.get("call_result") == "do_not_call":
                _withdraw_phone(connection, request, caller, customer_id)
            audit(connection, caller, "case.changed", about, at=now)
        return 200, case_body(found)

    return once(request, caller, body, make)


def _withdraw_phone(connection: Connection, request: Request, caller: Caller, customer_id: str) -> None:
    """Keep that a customer who said so is not to be called any more; it holds at once, as of POST /v1/consents."""
    now = asked_at(request)
    said = {
        "customer_id": customer_id,
        "occurred_at": moment(now).isoformat(),
        "purpose": "marketing",
        "channel": "phone",
        "granted": False,
    }
    add(connection, caller, "consents", [said], door=request.app.state.door, now=now)
    about: dict[str, str | int] = {"customer_id": customer_id, "purpose": "marketing", "granted": "false"}
    audit(connection, caller, "consent.told", about, at=now)


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


def _wanted(
    caller: Caller,
    told: Mapping[str, str | date | None],
    expected_owner: str | None = None,
    *,
    compares: bool = False,
    version: int | None = None,
) -> Wanted:
    return Wanted(told, expected_owner, compares, version, caller.name if caller.only_own else None)


def _require_own(caller: Caller, owner: object) -> None:
    if caller.only_own and owner not in {None, caller.name}:
        raise UsageError(
            f"`owner` must be yourself, got `{owner}`: an agent claims cases and gives them back; ask an administrator "
            "to give them to others"
        )


def _self(caller: Caller) -> str:
    if caller.kind == "key":
        raise UsageError("`owner` must name who holds the cases from then on, found none; a key cannot hold one")
    return caller.name


def _version(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    found = re.fullmatch(r'"?([0-9]{1,9})"?', if_match.strip())
    if found is None:
        raise StaleError(f'`If-Match` must be the `ETag` of a case, such as "3", got {if_match[:40]!r}; read it again')
    return int(found.group(1))
