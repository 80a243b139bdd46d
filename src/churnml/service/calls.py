"""A call and all that follows from its result: the contact, the case, the assignment, the consent, a note.

In comes what an agent says after a call; everything is kept in the transaction of the caller, or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any

from sqlalchemy import Connection, select

from churnml.database import Outcome
from churnml.database.calls import add_call
from churnml.database.cases import CallResult, Case, Status, cases_of
from churnml.database.postings import post
from churnml.database.tables import assignments
from churnml.errors import ForbiddenError, TakenError, UsageError
from churnml.events.clock import moment
from churnml.events.row_check import Door
from churnml.service import casework
from churnml.service.access import Caller
from churnml.service.contacts import keep_contacts
from churnml.service.problems import Problem

Json = dict[str, Any]  # Any: JSON
PHONE = "phone"
OWN_CALL = "call"
"""What a contact is called whose customer was assigned nothing."""
_ENDS: Mapping[CallResult, Status] = {
    "reached": "done", "refused": "done", "accepted": "done", "no_answer": "waiting", "wrong_number": "dropped",
    "do_not_call": "dropped",
}  # fmt: skip
_CARRIED_OUT = frozenset({"reached", "refused", "accepted"})
_NEVER_DELIVERED = frozenset({"wrong_number", "do_not_call"})
_UNTOLD = frozenset({"open", "expired", "not_delivered"})


@dataclass(frozen=True)
class CallTold:
    """What somebody says after a call.

    Parameters
    ----------
    follow_up_on : date or None
        When to come back; by itself the day after, where nobody answered.
    note : str
        Empty for none.
    """

    customer_id: str
    result: CallResult
    follow_up_on: date | None = None
    note: str = ""


def keep_call(
    connection: Connection, caller: Caller, told: CallTold, record: Mapping[str, Any] | None, door: Door, now: int
) -> Case:
    """Keep a call, and return the case as it stands then.

    The contact waits to be landed like every row that arrives. Of an assigned action the ledger is told: a
    conversation carried it out; a wrong number, or the wish not to be called, is not delivered; where nobody answered
    nothing is told, for the next try may.

    Parameters
    ----------
    record : mapping or None
        The decision record of the customer, where there is one: which action, of which campaign.
    now : int
        Microseconds UTC.

    Raises
    ------
    ForbiddenError
        If the customer is held out, or a control, and the caller may not report a breach.
    TakenError
        If somebody else holds the case.
    NotFoundError
        If there is no such customer.
    """
    _require_open(told, door, now)
    [(result, _flags)] = keep_contacts(connection, caller, [_contact(told, record, now)], door, now)
    if result.problem is not None:
        raise _refusal(result.problem)
    if record is not None and record.get("arm") == "treated" and record.get("assignment_id"):
        _tell_ledger(connection, str(record["assignment_id"]), told.result, now)
    fields: dict[str, str | date | None] = {
        "call_result": told.result, "follow_up_on": _follow_up(told, door, now), "snoozed_until": None,
    }  # fmt: skip
    fields["status"] = "waiting" if fields["follow_up_on"] else _ENDS[told.result]
    standing = cases_of(connection, [told.customer_id]).get(told.customer_id)
    if caller.kind != "key" and (standing is None or standing.owner is None):
        fields["owner"] = caller.name
    found, _ = casework.change(connection, caller, told.customer_id, casework.wanted_of(caller, fields), door, now)
    add_call(connection, told.customer_id, told.result, caller.name, now)
    if told.note:
        casework.write_note(connection, caller, told.customer_id, told.note, now)
    return found


def today(door: Door, now: int) -> date:
    """Return the day it is where the company is."""
    return moment(now, door.time_zone).date()


def _require_open(told: CallTold, door: Door, now: int) -> None:
    if told.follow_up_on is None:
        return
    if told.result in _NEVER_DELIVERED:
        raise UsageError(f"`follow_up_on` must be empty for the result `{told.result}`: nobody is to call again")
    if told.follow_up_on < today(door, now):
        raise UsageError(f"`follow_up_on` must be today or later, got {told.follow_up_on}; choose another day")


def _follow_up(told: CallTold, door: Door, now: int) -> date | None:
    if told.follow_up_on is None and told.result == "no_answer":
        return today(door, now) + timedelta(days=1)
    return told.follow_up_on


def _contact(told: CallTold, record: Mapping[str, Any] | None, now: int) -> Json:
    treated = record is not None and record.get("arm") == "treated"
    contact = {
        "customer_id": told.customer_id,
        "occurred_at": moment(now).isoformat(),
        "action": record["action"] if record is not None and treated else OWN_CALL,
        "channel": PHONE,
        "result": told.result,
    }
    return contact | ({"campaign": record["campaign"]} if record is not None and record.get("campaign") else {})


def _tell_ledger(connection: Connection, assignment_id: str, result: CallResult, now: int) -> None:
    """Tell what came of an assignment, once; what was told before, by whichever way, stays."""
    here = select(assignments.c.state).where(assignments.c.assignment_id == assignment_id)
    state = connection.execute(here).scalar()
    if result in _CARRIED_OUT and state in _UNTOLD:
        post(connection, [Outcome(assignment_id, now, "carried_out")], now)
    elif result in _NEVER_DELIVERED and state in _UNTOLD - {"not_delivered"}:
        post(connection, [Outcome(assignment_id, now, "not_delivered")], now)


def _refusal(problem: Problem) -> UsageError:
    said = problem.detail.partition(": ")[2] or problem.detail
    kinds: dict[int, type[UsageError]] = {HTTPStatus.FORBIDDEN: ForbiddenError, HTTPStatus.CONFLICT: TakenError}
    return kinds.get(problem.status, UsageError)(said)
