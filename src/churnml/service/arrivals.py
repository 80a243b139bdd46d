"""Rows in: each is held against the contract, kept in the database, and only then acknowledged."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sqlalchemy import Connection

from churnml.database.arrivals import keep
from churnml.database.consents import Told, acknowledge
from churnml.database.tombstones import erased_among
from churnml.events import TABLES
from churnml.events.row_check import Broken, Door, check_rows
from churnml.events.row_values import Value
from churnml.service.access import Caller
from churnml.service.problems import Problem, problem

ERASED = (
    "its customer was erased, so nothing of it is kept; if they came back, `churnml erase --lift ID` lets them in again"
)


@dataclass(frozen=True)
class Result:
    """What became of one row at the door.

    Parameters
    ----------
    index : int
        Its place in the request.
    status : {'kept', 'refused'}
        Whether it waits to be landed.
    problem : Problem or None
        Why it does not.
    """

    index: int
    status: Literal["kept", "refused"]
    problem: Problem | None = None

    def to_json(self) -> dict[str, Any]:  # Any: JSON
        """Return the result as an answer holds it."""
        return asdict(self) | {"problem": self.problem and self.problem.model_dump()}


def add(
    connection: Connection,
    caller: Caller,
    table: str,
    rows: Sequence[Mapping[str, object]],
    *,
    door: Door,
    now: int,
    batch: str = "",
) -> list[Result]:
    """Keep the rows that hold the contract, and return what became of each; they are kept once this is committed.

    A row of a customer who was erased is refused.

    Parameters
    ----------
    caller : Caller
        Who brings them.
    table : str
        Of the contract.
    rows : sequence of mapping
        As JSON gave them.
    door : Door
        The workspace's time zone and currency.
    now : int
        Microseconds UTC: when they were learned, where they do not say it.
    batch : str, optional
        Under which one can ask what became of them; by default one of their own.
    """
    declared, told = TABLES[table], list[Told]()
    results, kept = list[Result](), list[tuple[int, str, Mapping[str, object]]]()
    batch = batch or uuid.uuid4().hex
    checked = check_rows(declared, rows, door, now)
    whom = frozenset(str(one["customer_id"]) for one in checked if not isinstance(one, Broken))
    erased = erased_among(connection, whom)
    for index, (row, found) in enumerate(zip(rows, checked, strict=True)):
        if isinstance(found, Broken):
            why = problem(422, "broken_row", f"row {index} of `{table}`: {found.told()}")
            results.append(Result(index, "refused", why))
        elif str(found["customer_id"]) in erased:
            results.append(Result(index, "refused", problem(410, "erased", f"row {index} of `{table}`: {ERASED}")))
        else:
            kept.append((index, str(found["customer_id"]), row))
            if table == "consents":
                told.append(_told(index, found, now))
            results.append(Result(index, "kept"))
    keep(connection, batch, table, kept, caller.name, now)
    if told:
        acknowledge(connection, batch, told, now)
    return results


def _told(index: int, found: Mapping[str, Value], now: int) -> Told:
    """Return a consent as it holds from now on; one whose date lies ahead, or cannot be read, is said now."""
    said_at = min(int(found.get("occurred_at", now)), now)
    channel = str(found.get("channel", ""))[:64]
    return Told(index, str(found["customer_id"]), str(found["purpose"]), channel, bool(found["granted"]), said_at)
