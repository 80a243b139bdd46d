"""What an agent does from a page: claims, hands over, puts off, calls, notes; each form leads back to its page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, Engine

from churnml.database.cases import CALL_RESULTS, STATUSES, CallResult, cases_of
from churnml.database.people import find_person
from churnml.errors import ConflictError, NotFoundError, StaleError, UsageError
from churnml.service import casework
from churnml.service.access import Caller, requires
from churnml.service.api.shapes import readings
from churnml.service.api.texts import CustomerId, NoteText
from churnml.service.calls import CallTold, keep_call
from churnml.service.clock import asked_at
from churnml.service.idempotency import in_one
from churnml.service.pages.posting import Form, SentForm, back
from churnml.service.queue import claim_next
from churnml.service.readings import Readings

router = APIRouter()
Writer = Annotated[Caller, Depends(requires("write"))]
Reader = Annotated[Readings, Depends(readings)]
Answer = TypeVar("Answer")
_DEEDS = ("claim", "give_back", "give", "put_off", "status")
_MOST_CLAIMED = 100
_DIGITS = 10
_CUSTOMER: TypeAdapter[str] = TypeAdapter(CustomerId)
_NOTE: TypeAdapter[str] = TypeAdapter(NoteText)
_RESULTS: dict[str, CallResult] = {one: one for one in CALL_RESULTS}


@router.post("/today/claim")
def claim(request: Request, form: SentForm, caller: Writer, reader: Reader) -> RedirectResponse:
    """Claim the next customers for whoever asks."""
    run, count, owner = reader.run(), form.one("count"), casework.self_of(caller)
    if not count.isdecimal() or not 1 <= int(count) <= _MOST_CLAIMED:
        raise UsageError(f"`count` must be a whole number from 1 to {_MOST_CLAIMED}, got {count[:40]!r}")
    got = _done(request, lambda connection: claim_next(connection, caller, owner, run, int(count), asked_at(request)))
    return back(form, "claimed", len(got)) if got else back(form, "nobody_left")


@router.post("/cases")
def assign(request: Request, form: SentForm, caller: Writer) -> RedirectResponse:
    """Give the chosen customers to somebody; those whom somebody else holds stay theirs."""
    whom = [_customer(one) for one in form.all("customer_id")]
    if not whom:
        return back(form, "nobody_chosen")
    owner = form.one("owner") or casework.self_of(caller)
    casework.require_own(caller, owner)
    now = asked_at(request)

    def give(connection: Connection) -> list[casework.Claimed]:
        if owner != caller.name and find_person(connection, owner) is None:
            raise NotFoundError(f"nobody with an account is called `{owner}`; choose one of the list")
        return casework.claim(connection, caller, whom, owner, now)

    counted = casework.counts(_done(request, give))
    taken = int(counted["refused"])
    return back(form, "given_but" if taken else "given", len(whom) - taken, owner, taken)


@router.post("/cases/one")
def change(request: Request, form: SentForm, caller: Writer) -> RedirectResponse:
    """Change the case of one customer: who holds it, how far it is, until when it is put off."""
    customer, deed = _customer(form.one("customer_id")), form.among("deed", _DEEDS)
    told: casework.Told
    match deed:
        case "claim":
            told = {"owner": casework.self_of(caller)}
        case "give_back":
            told = {"owner": None}
        case "give":
            told = {"owner": form.one("owner") or None}
        case "put_off":
            told = {"snoozed_until": form.day("until")}
        case _:
            told = {"status": form.among("status", STATUSES)}
    return _changed(request, form, caller, customer, deed, told)


@router.post("/calls")
def call(request: Request, form: SentForm, caller: Writer, reader: Reader) -> RedirectResponse:
    """Keep what came of a call."""
    customer, result = _customer(form.one("customer_id")), form.among("result", CALL_RESULTS)
    told = CallTold(customer, _RESULTS[result], form.day("follow_up_on"), _note(form))
    record, door, now = reader.find(customer), request.app.state.door, asked_at(request)
    try:
        case = _done(request, lambda connection: keep_call(connection, caller, told, record, door, now))
    except ConflictError:
        return _taken(request, form, customer)
    return back(form, "called", result, customer, case.follow_up_on or "")


@router.post("/notes")
def note(request: Request, form: SentForm, caller: Writer) -> RedirectResponse:
    """Keep a note about a customer."""
    customer, text = _customer(form.one("customer_id")), _note(form)
    if not text:
        return back(form, "no_note")
    _done(request, lambda connection: casework.write_note(connection, caller, customer, text, asked_at(request)))
    return back(form, "noted")


def _changed(
    request: Request, form: Form, caller: Caller, customer: str, deed: str, told: casework.Told
) -> RedirectResponse:
    casework.require_own(caller, told.get("owner"))
    now, door = asked_at(request), request.app.state.door
    expected = form.one("version")
    version = int(expected) if expected.isdecimal() and len(expected) < _DIGITS else None
    wanted = casework.wanted_of(caller, told, form.one("holder") or None, compares="owner" in told, version=version)

    def make(connection: Connection) -> None:
        owner = told.get("owner")
        if owner is not None and owner != caller.name and find_person(connection, str(owner)) is None:
            raise NotFoundError(f"nobody with an account is called `{owner}`; choose one of the list")
        casework.change(connection, caller, customer, wanted, door, now)

    try:
        _done(request, make)
    except (ConflictError, StaleError):
        return _taken(request, form, customer)
    return back(form, deed, *(one or "" for one in told.values()))


def _taken(request: Request, form: Form, customer: str) -> RedirectResponse:
    """Lead back with who holds the case by now: somebody else was quicker."""
    with request.app.state.engine.connect() as connection:
        held = cases_of(connection, [customer]).get(customer)
    return back(form, "taken", customer, held.owner or "" if held else "")


def _done(request: Request, deed: Callable[[Connection], Answer]) -> Answer:
    engine: Engine = request.app.state.engine
    return in_one(engine, deed)


def _customer(text: str) -> str:
    try:
        return _CUSTOMER.validate_python(text)
    except ValidationError:
        raise UsageError(f"`customer_id` must be an id of at most 256 characters, got {text[:40]!r}") from None


def _note(form: Form) -> str:
    text = form.one("note").replace("\r\n", "\n")
    try:
        return _NOTE.validate_python(text) if text else ""
    except ValidationError:
        raise UsageError("`note` must be at most 4,000 characters, without control characters; shorten it") from None
