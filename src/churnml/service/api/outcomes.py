"""What came of the actions, told to the ledger."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import ConfigDict, Field
from sqlalchemy import Connection

from churnml.database import FLAGS, Outcome, Posted, assignment_id, units
from churnml.database.audit import audit
from churnml.database.ledger import overspent
from churnml.database.postings import Refused, post
from churnml.database.releases import take
from churnml.events.clock import moment
from churnml.events.outcome_file import OUTCOMES, millionths_of
from churnml.events.row_check import Broken, Door, check_row
from churnml.service.access import Caller, requires
from churnml.service.api.batches import MAX_ROWS, Json, RowResults, answer, result, row_of
from churnml.service.api.shapes import Shape
from churnml.service.clock import asked_at
from churnml.service.idempotency import REPEATED, once, raw_body
from churnml.service.problems import Problem, described, problem

router = APIRouter(prefix="/v1", tags=["writing"])
Writer = Annotated[Caller, Depends(requires("write"))]
Body = Annotated[bytes, Depends(raw_body)]
_ID = re.compile(r"[0-9a-f]{32}")
_TEXT: Json = {"type": "string"}
_BESIDE = {
    "campaign": _TEXT | {"description": "with `customer_id`, where the `assignment_id` is not at hand"},
    "customer_id": _TEXT | {"description": "whose assignment in `campaign` it is"},
}
_SENT: Json = {
    "outcomes": [
        {"assignment_id": "cd9e079dddcc6390f23d173f4fcb39e3", "occurred_at": "2018-01-09T10:30:00+08:00",
         "kind": "redeemed", "cost": 4.5},
        {"campaign": "retention-2018-01", "customer_id": "43", "occurred_at": "2018-01-10 09:00:00",
         "kind": "carried_out"},
        {"assignment_id": "0" * 32, "occurred_at": "2018-01-10", "kind": "value", "amount": 30},
    ]
}  # fmt: skip
UNKNOWN = "`assignment_id` must be an assignment of this workspace: write the `assignment_id` of the record"
EXAMPLE = {
    "results": [
        {"index": 0, "status": "kept", "flags": ["overspent"], "problem": None},
        {"index": 1, "status": "stood", "flags": [], "problem": None},
        {"index": 2, "status": "refused", "flags": [],
         "problem": problem(422, "unknown_assignment", f"outcome 2: {UNKNOWN}").model_dump()},
    ],
    "kept": 1, "stood": 1, "refused": 1, "overspent": {"retention-2018-01": 12.5},
}  # fmt: skip


class OutcomesIn(Shape):
    """What came of some assignments."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _SENT})

    outcomes: list[row_of(OUTCOMES, optional=("assignment_id",), more=_BESIDE)] = Field(  # type: ignore[valid-type]
        min_length=1, max_length=MAX_ROWS
    )


class OutcomesKept(RowResults):
    """What became of the outcomes, and which campaigns exceed their budget."""

    overspent: dict[str, float] = Field(description="campaigns that exceed their budget by now, and by how much")


@router.post(
    "/outcomes",
    summary="What came of assigned actions, up to 500 at a time",
    description=(
        "Keeps each outcome that holds the rules of `churnml measure outcomes`; the answer is given once they are "
        "stored. The same outcome twice is stored once. Flags: " + "; ".join(f"`{k}`: {v}" for k, v in FLAGS.items())
    ),
    response_model=OutcomesKept,
    responses=REPEATED | described({422: ("invalid_request", f"`outcomes` must hold at most {MAX_ROWS}, got 501")}),
)
def outcomes(request: Request, told: OutcomesIn, caller: Writer, body: Body) -> Response:
    """Post outcomes to the ledger."""
    now, door = asked_at(request), request.app.state.door

    def make(connection: Connection) -> tuple[int, Json]:
        take(connection)
        kept = _post(connection, told.outcomes, door, now)
        counts = {name: kept[name] for name in ("kept", "stood", "refused")}
        audit(connection, caller, "outcomes.told", counts, at=now)
        return 200, kept | {"overspent": {name: units(excess) for name, excess in overspent(connection).items()}}

    return once(request, caller, body, make)


def _post(connection: Connection, rows: list[Json], door: Door, now: int) -> Json:
    read = [_read(row, door, now) for row in rows]
    posted = iter(post(connection, [one for one in read if isinstance(one, Outcome)], now))
    return answer([
        _broken(index, one) if isinstance(one, Broken) else _became(index, next(posted))
        for index, one in enumerate(read)
    ])  # fmt: skip


def _read(row: Mapping[str, Any], door: Door, now: int) -> Outcome | Broken:  # Any: JSON
    """Return an outcome as the ledger takes it, or the first rule of the contract that it breaks."""
    plain = {name: value for name, value in row.items() if name not in _BESIDE}
    if "assignment_id" not in row and _BESIDE.keys() <= row.keys():
        whose = [row[name] for name in ("campaign", "customer_id")]
        if not all(isinstance(one, str) and one.isprintable() for one in whose):
            return Broken("customer_id", "must be a text, and so must `campaign`", "write both as in the record")
        plain["assignment_id"] = assignment_id(*whose)
    elif _BESIDE.keys() & row.keys():
        return Broken("campaign", "goes with `customer_id`, and without `assignment_id`", "name it by one of the two")
    found: Any = check_row(OUTCOMES, plain, door, now)  # Any: typed values, by column
    if isinstance(found, Broken):
        return found
    if not _ID.fullmatch(found["assignment_id"]):
        return Broken("assignment_id", "must be an assignment of this workspace", "write that of the record")
    cost, amount = millionths_of(found.get("cost")), millionths_of(found.get("amount"))
    return Outcome(found["assignment_id"], found["occurred_at"], found["kind"], cost, amount)


def _broken(index: int, why: Broken) -> Json:
    return result(index, "refused", problem=problem(422, "broken_row", f"outcome {index}: {why.told()}"))


def _became(index: int, posted: Posted) -> Json:
    why = None if posted.refused is None else _refused(index, posted.refused)
    return result(index, posted.became, posted.flags, why)


def _refused(index: int, why: Refused) -> Problem:
    code = "unknown_assignment" if why.column == "assignment_id" else "broken_row"
    if why.rule.startswith("must not contradict"):
        code = "contradicts"
    value = moment(int(str(why.value)), "UTC").isoformat() if why.column == "occurred_at" else why.value
    found = "" if why.column == "assignment_id" else f", found {value}"
    return problem(422, code, f"outcome {index}: `{why.column}` {why.rule}{found}: {why.remedy}")
