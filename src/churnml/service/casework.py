"""What a team does about a customer, whether a program asks for it or a page: who may, what goes with it, what is kept.

Each function works within the transaction of its caller; a deed and its entry in the audit log stand or fall together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection

from churnml.database import cases as store
from churnml.database.audit import audit
from churnml.database.cases import Case, Note, Wanted
from churnml.errors import UsageError
from churnml.events.clock import moment
from churnml.events.row_check import Door
from churnml.service.access import Caller
from churnml.service.arrivals import add

_LONGEST = timedelta(days=731)
Told = Mapping[str, str | date | None]
"""The fields of a case that are to change."""


@dataclass(frozen=True)
class Claimed:
    """What became of one customer who was to be given to somebody: whether anything is new, or why not."""

    customer_id: str
    new: bool
    refused: UsageError | None = None


def change(
    connection: Connection, caller: Caller, customer_id: str, wanted: Wanted, door: Door, now: int
) -> tuple[Case, bool]:
    """Change a case, opening it if there is none, and return it and whether anything is new.

    The call result `do_not_call` takes back that the customer may be approached by phone.

    Raises
    ------
    NotFoundError, TakenError, StaleError, UsageError
        As `database.cases.change_case`.
    """
    _require_ahead(wanted.fields.get("snoozed_until"), moment(now, door.time_zone).date())
    found, new = store.change_case(connection, customer_id, wanted, caller.name, now)
    if new:
        if wanted.fields.get("call_result") == "do_not_call":
            withdraw_phone(connection, caller, customer_id, door, now)
        audit(connection, caller, "case.changed", {"customer_id": customer_id, "version": found.version}, at=now)
    return found, new


def _require_ahead(until: str | date | None, today: date) -> None:
    """Refuse a day to put a case off to that is no later day, or none that anybody would wait for."""
    if isinstance(until, date) and not today < until <= today + _LONGEST:
        raise UsageError(
            f"`snoozed_until` must be a day after {today}, and at most two years ahead, got {until}; choose another"
        )


def claim(
    connection: Connection, caller: Caller, customer_ids: Sequence[str], owner: str, now: int, more: Told | None = None
) -> list[Claimed]:
    """Give each customer whose case nobody holds to somebody, and return what became of each, in their order.

    One that somebody else holds is refused and the others are given all the same.

    Parameters
    ----------
    owner : str
        Who holds them from then on.
    more : mapping, optional
        Further fields of each case.
    """
    wanted = wanted_of(caller, {"owner": owner} | dict(more or {}))
    results: dict[int, Claimed] = {}
    # in the order of ids, so that two who claim the same do not wait for each other
    for index, customer in sorted(enumerate(customer_ids), key=lambda one: (one[1], one[0])):
        try:
            _, new = store.change_case(connection, customer, wanted, caller.name, now)
            results[index] = Claimed(customer, new)
        except UsageError as error:  # of this one alone
            results[index] = Claimed(customer, new=False, refused=error)
    became = [results[index] for index in range(len(results))]
    audit(connection, caller, "cases.claimed", {"owner": owner} | counts(became), at=now)
    return became


def counts(became: Sequence[Claimed]) -> dict[str, str | int]:
    """Return how many were given, held already, and refused."""
    refused = sum(one.refused is not None for one in became)
    kept = sum(one.new for one in became)
    return {"kept": kept, "stood": len(became) - kept - refused, "refused": refused}


def write_note(connection: Connection, caller: Caller, customer_id: str, text: str, now: int) -> Note:
    """Note something about a customer.

    Raises
    ------
    NotFoundError
        If there is no such customer.
    TakenError
        If somebody else holds the case, and the caller writes about their own customers only.
    """
    if caller.only_own:
        standing = store.cases_of(connection, [customer_id]).get(customer_id)
        store.require_ours(standing or Case(customer_id), caller.name)
    note = store.add_note(connection, customer_id, text, caller.name, now)
    audit(connection, caller, "case.noted", {"customer_id": customer_id, "note": note.note_id}, at=now)
    return note


def withdraw_phone(connection: Connection, caller: Caller, customer_id: str, door: Door, now: int) -> None:
    """Keep that a customer who said so is not to be called any more; it holds at once, as of POST /v1/consents."""
    said = {
        "customer_id": customer_id,
        "occurred_at": moment(now).isoformat(),
        "purpose": "marketing",
        "channel": "phone",
        "granted": False,
    }
    add(connection, caller, "consents", [said], door=door, now=now)
    about: dict[str, str | int] = {"customer_id": customer_id, "purpose": "marketing", "granted": "false"}
    audit(connection, caller, "consent.told", about, at=now)


def wanted_of(
    caller: Caller, told: Told, expected_owner: str | None = None, *, compares: bool = False, version: int | None = None
) -> Wanted:
    """Return a change as the database takes it; an agent changes their own cases and those that nobody holds."""
    return Wanted(told, expected_owner, compares, version, caller.name if caller.only_own else None)


def require_own(caller: Caller, owner: object) -> None:
    """Refuse an agent who gives a case to somebody else.

    Raises
    ------
    UsageError
    """
    if caller.only_own and owner not in {None, caller.name}:
        raise UsageError(
            f"`owner` must be yourself, got `{owner}`: an agent claims cases and gives them back; ask an administrator "
            "to give them to others"
        )


def self_of(caller: Caller) -> str:
    """Return who holds what a caller claims without saying for whom.

    Raises
    ------
    UsageError
        If a key asks: it cannot hold a case.
    """
    if caller.kind == "key":
        raise UsageError("`owner` must name who holds the cases from then on, found none; a key cannot hold one")
    return caller.name
