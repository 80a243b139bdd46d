"""Outcomes on their way into the ledger: what keeps the rules is kept, and the money it cost takes its reserve's place.

An outcome is named by its assignment and its kind, and a `value`, of which there may be many, by its time as well. One
that comes again the same changes nothing; one that comes again otherwise is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal, get_args

from sqlalchemy import Connection, bindparam, insert, select, update

from churnml.database.money import MILLION, MOST, units
from churnml.database.tables import assignments, campaigns, outcomes

Kind = Literal["carried_out", "redeemed", "not_delivered", "value"]
Flag = Literal["overspent", "unreserved", "breach"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FLAGS: dict[Flag, str] = {
    "overspent": "its outcomes cost more than the `max_cost` that was reserved",
    "unreserved": "its reserve had been released before, so its cost was taken from what was left of the budget",
    "breach": "the action was to be withheld from this control; they stay among the controls, and nothing was reserved",
}
"""What is kept and told."""
_CHUNK = 5_000
_SLIP = 100
"""A cost beyond so many times the most it can be is a slip of the unit; what is kept cannot be corrected."""
_DAY = 86_400_000_000
_MOST = MOST * 1_000_000


@dataclass(frozen=True)
class Outcome:
    """Something that came of an assignment.

    Parameters
    ----------
    occurred_at : int
        Microseconds UTC.
    kind : {'carried_out', 'redeemed', 'not_delivered', 'value'}
        What happened.
    cost : int, optional
        What it cost, millionths; of `carried_out` and `redeemed` only.
    amount : int, optional
        What it brought, millionths; of `value` only.
    """

    assignment_id: str
    occurred_at: int
    kind: str
    cost: int | None = None
    amount: int | None = None


@dataclass(frozen=True)
class Refused:
    """Why an outcome was not kept: the column, its value, the rule it broke and what to do."""

    column: str
    value: object
    rule: str
    remedy: str


@dataclass(frozen=True)
class Posted:
    """What became of one outcome: `kept`, `stood` already, or `refused`; and what is to be told of one that is kept."""

    became: Literal["kept", "stood", "refused"]
    flags: tuple[Flag, ...] = ()
    refused: Refused | None = None


@dataclass(frozen=True)
class Posting:
    """What became of outcomes, in their order, and by how much each campaign exceeds its budget now, millionths."""

    posted: list[Posted]
    overspent: dict[str, int]


_KEPT, _STOOD = Posted("kept"), Posted("stood")


@dataclass
class _Standing:
    """An assignment while outcomes are posted to it."""

    campaign: str
    arm: str | None
    settles: str
    cutoff: int
    max_cost: int
    state: str
    reserved: int
    cost: int
    outcomes: dict[tuple[str, int], tuple[int, int | None, int | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Money:
    """How the reserves and the spending of campaigns change."""

    reserved: Counter[str] = field(default_factory=Counter)
    spent: Counter[str] = field(default_factory=Counter)


def post(connection: Connection, posted: Iterable[Outcome], now: int) -> list[Posted]:
    """Keep outcomes within a transaction whose ledger is taken, and return what became of each, in order."""
    found: list[Posted] = []
    rest = iter(posted)
    while chunk := list(islice(rest, _CHUNK)):
        standing = _standing(connection, {one.assignment_id for one in chunk})
        money, rows, changed = _Money(), list[dict[str, Any]](), set[str]()  # Any: SQL values
        for one in chunk:
            became = _post_one(standing.get(one.assignment_id), one, money, now)
            if became.became == "kept":
                rows.append({**vars(one), "flags": " ".join(became.flags), "posted_at": now})
                changed.add(one.assignment_id)
            found.append(became)
        if rows:
            _write(connection, rows, {name: standing[name] for name in changed}, money)
    return found


def _standing(connection: Connection, ids: set[str]) -> dict[str, _Standing]:
    names = ("campaign", "arm", "settles", "cutoff", "max_cost", "state", "reserved", "cost")
    columns = (assignments.c.assignment_id, *(assignments.c[name] for name in names))
    rows = connection.execute(select(*columns).where(assignments.c.assignment_id.in_(ids)))
    standing = {row[0]: _Standing(*row[1:]) for row in rows}
    told = select(outcomes).where(outcomes.c.assignment_id.in_(list(standing)))
    for row in connection.execute(told):
        standing[row.assignment_id].outcomes[_key(row.kind, row.occurred_at)] = (row.occurred_at, row.cost, row.amount)
    return standing


def _write(
    connection: Connection,
    rows: list[dict[str, Any]],  # Any: SQL values
    changed: dict[str, _Standing],
    money: _Money,
) -> None:
    connection.execute(insert(outcomes), rows)
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in ("state", "reserved", "cost")}
    changes = [
        {"its_id": name, "new_state": one.state, "new_reserved": one.reserved, "new_cost": one.cost}
        for name, one in changed.items()
    ]
    connection.execute(
        update(assignments).where(assignments.c.assignment_id == bindparam("its_id")).values(**values), changes
    )
    for name in {*money.reserved, *money.spent}:
        connection.execute(
            update(campaigns)
            .where(campaigns.c.name == name)
            .values(reserved=campaigns.c.reserved + money.reserved[name], spent=campaigns.c.spent + money.spent[name])
        )


def _key(kind: str, occurred_at: int) -> tuple[str, int]:
    """Return what names an outcome within its assignment: values by their time, all others come once."""
    return (kind, occurred_at if kind == "value" else 0)


def _post_one(standing: _Standing | None, one: Outcome, money: _Money, now: int) -> Posted:
    """Post one outcome to the assignment as it stands by now, and change that and the money with it."""
    refused = next(_broken(standing, one, now), None)
    if refused is not None or standing is None:
        return Posted("refused", refused=refused)
    told, key = (one.occurred_at, one.cost, one.amount), _key(one.kind, one.occurred_at)
    if key in standing.outcomes:
        stands = standing.outcomes[key]
        return _STOOD if stands == told else Posted("refused", refused=_otherwise(one, stands))
    standing.outcomes[key] = told
    flags = _move(standing, one, money) if one.kind != "value" else ()
    return Posted("kept", flags) if flags else _KEPT


def _broken(standing: _Standing | None, one: Outcome, now: int) -> Iterator[Refused]:
    if standing is None:
        rule = "must be an assignment of this workspace"
        yield Refused("assignment_id", one.assignment_id, rule, "write the `assignment_id` of the record")
    if one.kind not in KINDS:
        yield Refused("kind", one.kind, f"must be one of {', '.join(KINDS)}", "correct it")
    if standing is not None and one.occurred_at < standing.cutoff:
        rule = "must not lie before its assignment"
        yield Refused("occurred_at", one.occurred_at, rule, "correct the date, or the `assignment_id`")
    if one.occurred_at > now + _DAY:
        yield Refused("occurred_at", one.occurred_at, "must not lie in the future", "bring it when it has happened")
    if standing is not None and (one.cost or 0) > _SLIP * max(standing.max_cost, MILLION):
        rule = f"must be at most {_SLIP} times the `max_cost` of the action, {units(standing.max_cost):,.2f}"
        yield Refused("cost", units(one.cost or 0), rule, "look at its unit, and post it again")
    yield from _broken_amounts(one)


def _broken_amounts(one: Outcome) -> Iterator[Refused]:
    charged = one.kind in {"carried_out", "redeemed"}
    if one.cost is not None and not charged:
        rule = f"must be empty for the kind `{one.kind}`"
        yield Refused("cost", units(one.cost), rule, "tell what it cost as `carried_out` or `redeemed`")
    if one.cost is not None and not 0 <= one.cost <= _MOST:
        rule = f"must be between 0 and {MOST:,}"
        yield Refused("cost", units(one.cost), rule, "correct it; what came back is an `amount` of the kind `value`")
    if one.cost is None and one.kind == "redeemed":
        yield Refused("cost", None, "must be filled for the kind `redeemed`", "say what it cost, 0 if nothing")
    if one.amount is None and one.kind == "value":
        yield Refused("amount", None, "must be filled for the kind `value`", "say what it brought, 0 if nothing")
    if one.amount is not None and one.kind != "value":
        rule = f"must be empty for the kind `{one.kind}`"
        yield Refused("amount", units(one.amount), rule, "bring it as a row of its own, of the kind `value`")
    if one.amount is not None and abs(one.amount) > _MOST:
        yield Refused("amount", units(one.amount), f"must be between -{MOST:,} and {MOST:,}", "correct it")


def _otherwise(one: Outcome, stands: tuple[int, int | None, int | None]) -> Refused:
    """Return why an outcome is refused that stands otherwise, by the first column that differs."""
    occurred_at, cost, _ = stands
    differs = "occurred_at" if one.occurred_at != occurred_at else "cost" if one.cost != cost else "amount"
    told = {"occurred_at": one.occurred_at, "cost": _shown(one.cost), "amount": _shown(one.amount)}
    both = "; if both happened, bring their sum, or each at its own time" if one.kind == "value" else ""
    return Refused(
        differs,
        told[differs],
        f"must not contradict the `{one.kind}` that stands",
        f"what stands remains; correct the export{both}",
    )


def _shown(amount: int | None) -> float | None:
    return None if amount is None else units(amount)


def _move(standing: _Standing, one: Outcome, money: _Money) -> tuple[Flag, ...]:
    """Let what an outcome cost take the place of its reserve, and return what is to be told of it."""
    if one.kind == "not_delivered":
        _release(standing, standing.reserved, money)
        standing.state = "not_delivered" if standing.state in {"open", "expired"} else standing.state
        return ()
    cost, settled = _charged(standing, one), one.kind in {standing.settles, "redeemed"}
    covered = min(cost, standing.reserved)
    _release(standing, standing.reserved if settled else covered, money)
    standing.cost += cost
    money.spent[standing.campaign] += cost
    flags: list[Flag] = ["breach"] if standing.arm == "control" else []
    if standing.cost > standing.max_cost:
        flags.append("overspent")
    elif cost > covered and not flags:
        flags.append("unreserved")
    if standing.arm == "control":
        standing.state = "breach"
    elif standing.arm == "treated" and standing.state != "redeemed":
        standing.state = one.kind
    return tuple(flags)


def _charged(standing: _Standing, one: Outcome) -> int:
    """Return what an outcome is counted with.

    Where nobody says what it cost to carry an action out, it is what it can cost at most, unless the customer's use of
    it is charged, and not this.
    """
    if one.cost is not None:
        return one.cost
    return standing.max_cost if standing.settles == "carried_out" and standing.arm is not None else 0


def _release(standing: _Standing, amount: int, money: _Money) -> None:
    standing.reserved -= amount
    money.reserved[standing.campaign] -= amount
