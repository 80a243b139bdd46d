"""Contacts that somebody made: kept like every row that arrives, and held against who was to be left in peace."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from churnml.database.audit import audit
from churnml.database.consents import pending_withdrawals
from churnml.database.held_out import Withheld, held_out_of, withheld_of
from churnml.database.postings import Outcome, post
from churnml.database.releases import take
from churnml.events.outcome_file import millionths_of
from churnml.events.row_check import Broken, Door, check_rows
from churnml.events.row_values import Value
from churnml.events.schema import TABLES
from churnml.service.access import Caller
from churnml.service.arrivals import Result, add
from churnml.service.problems import problem
from churnml.service.sight import held_by_others

Json = dict[str, Any]  # Any: JSON
CONTACTS = TABLES["contacts"]
MANAGER = (
    "is held out of retention actions, so that their effect can be measured: answer if they write, do not approach; a "
    "contact that was made all the same is told by a caller with the scope `operate` as well, and counts as a breach"
)


@dataclass(frozen=True)
class _Read:
    """A row that keeps the contract, and what its customer was to be spared."""

    row: Json
    found: Mapping[str, Value]
    withheld: tuple[Withheld, ...]
    held_out: bool

    @property
    def spared(self) -> bool:
        """Whether somebody approached one who was to be left in peace; what was withheld approached nobody."""
        return self.found.get("arm") != "control" and (self.held_out or bool(self.withheld))


def keep_contacts(
    connection: Connection, caller: Caller, rows: list[Json], door: Door, now: int
) -> list[tuple[Result, tuple[str, ...]]]:
    """Keep contacts as rows that wait to be landed, and return what became of each, and what is to be told of it.

    A contact with a customer who is held out, or a control, is kept only of a caller with the scope `operate`; then the
    ledger is told that the control was approached: a breach, after which they stay a control. Of an agent nothing is
    kept about a customer whom somebody else holds, nor is it told whether that one is held out.
    """
    take(connection)
    named = [row if row.get("contact_id") not in (None, "") else row | {"contact_id": _name(row)} for row in rows]
    read = _read(connection, named, door, now)
    allowed = "operate" in caller.scopes
    others = _of_others(connection, caller, read)
    results: dict[int, Result] = {}
    kept: list[int] = []
    for index, one in enumerate(read):
        if isinstance(one, Broken):
            results[index] = Result(index, "refused", problem(422, "broken_row", f"contact {index}: {one.told()}"))
        elif (customer := str(one.found["customer_id"])) in others:
            said = f"the case of customer `{customer}` is held by `{others[customer]}`; ask them to hand it over"
            results[index] = Result(index, "refused", problem(409, "taken", f"contact {index}: {said}"))
        elif one.spared and not allowed:
            said = f"contact {index}: the customer {MANAGER}"
            results[index] = Result(index, "refused", problem(403, "held_out", said))
        else:
            kept.append(index)
    arrived = add(connection, caller, "contacts", [named[index] for index in kept], door=door, now=now)
    results |= {index: Result(index, one.status, one.problem) for index, one in zip(kept, arrived, strict=True)}
    withdrawn = _withdrawn(connection)
    flags: dict[int, tuple[str, ...]] = {}
    for index in kept:
        one = read[index]
        if isinstance(one, _Read):
            flags[index] = _flags(one, withdrawn)
            if one.spared:
                _breach(connection, caller, one, now)
    return [(results[index], flags.get(index, ())) for index in range(len(rows))]


def _read(connection: Connection, rows: list[Json], door: Door, now: int) -> list[_Read | Broken]:
    checked = check_rows(CONTACTS, rows, door, now)
    whom = {str(one["customer_id"]) for one in checked if not isinstance(one, Broken)}
    withheld, held_out = withheld_of(connection, whom, now), held_out_of(connection, whom)
    read: list[_Read | Broken] = []
    for row, found in zip(rows, checked, strict=True):
        if isinstance(found, Broken):
            read.append(found)
        else:
            customer = str(found["customer_id"])
            read.append(_Read(row, found, tuple(withheld.get(customer, ())), customer in held_out))
    return read


def _of_others(connection: Connection, caller: Caller, read: Sequence[_Read | Broken]) -> dict[str, str]:
    """Return which customers of some rows somebody else holds, and who, where that keeps the caller out."""
    if not caller.only_own:
        return {}
    whom = {str(one.found["customer_id"]) for one in read if isinstance(one, _Read)}
    return held_by_others(connection, whom, caller.name)


def _name(row: Mapping[str, object]) -> str:
    """Return the name of a contact that has none: the same for the same customer, time, action and channel."""
    told = json.dumps([row.get(name) for name in ("customer_id", "occurred_at", "action", "channel")], default=str)
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _withdrawn(connection: Connection) -> frozenset[tuple[str, str]]:
    return frozenset((one.customer_id, one.channel) for one in pending_withdrawals(connection))


def _flags(one: _Read, withdrawn: frozenset[tuple[str, str]]) -> tuple[str, ...]:
    customer, channel = str(one.found["customer_id"]), str(one.found.get("channel", "")).strip().casefold()
    flags = ["breach"] if one.spared else []
    if (customer, channel) in withdrawn or (customer, "") in withdrawn:
        flags.append("no_consent")
    return tuple(flags)


def _breach(connection: Connection, caller: Caller, one: _Read, now: int) -> None:
    """Tell the ledger that a control was approached, and the audit log who says so.

    What it cost is what was told; of the action itself, where nothing was told, what it can cost at most.
    """
    for assigned in one.withheld:
        same = one.found["action"] == assigned.action
        cost = millionths_of(None if one.found.get("cost") is None else int(one.found["cost"]))
        at = max(int(one.found["occurred_at"]), assigned.cutoff)
        told = Outcome(assigned.assignment_id, at, "carried_out", cost if same else cost or 0)
        if assigned.state != "breach":  # told before: each kind of outcome comes once
            post(connection, [told], now)
    about = {"customer_id": str(one.found["customer_id"]), "contact": str(one.found["contact_id"])}
    audit(connection, caller, "contact.breach", about, at=now)
