"""Erasures: who asked for one, how far it is, and what went; while it goes on, and only then, whom it is about.

An erasure is `going_on` until everything has been forgotten, then `emptying`: whom it was about is gone as well, and
the files of the database are rid of deleted bytes; then `done`. Whoever is killed leaves one of the first two behind,
and whoever comes next goes on with it.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from sqlalchemy import Connection, delete, insert, select, update

from churnml.database import outbox
from churnml.database.audit import Answerable, audit
from churnml.database.dialect import insert_or_update, take_turn
from churnml.database.forgetting import forget_rows
from churnml.database.handed_out import handed_out
from churnml.database.tables_erasure import erasing, erasure_notes, erasures, tombstones
from churnml.database.tombstones import bury
from churnml.errors import BroughtBackError, NotFoundError, UsageError

State = Literal["going_on", "emptying", "done"]
Reason = Literal["request", "no_longer_needed", "consent_withdrawn", "objection", "unlawful", "legal_obligation"]
REASONS: tuple[Reason, ...] = get_args(Reason)
"""Somebody's plain request, and the grounds of GDPR, Article 17(1)(a) to (e)."""
MOST = 100
"""Customers in one erasure."""
RESTORED = "restored"
"""The reason of an erasure that is repeated because a backup had brought its customers back."""
AGAIN = "a backup was restored, and customers erased since it was made may be back; run `churnml erase --resume`"
_REPEAT = "repeat"
_TOLD = "told"
_SHOWN = 16


@dataclass(frozen=True)
class Erasure:
    """An erasure, as its receipt tells of it; it names nobody.

    Parameters
    ----------
    asked_by : str
        As the audit log calls them.
    asked_at, finished_at : int
        Microseconds UTC.
    customers : int
        How many were to be erased, whether or not anything was known of them.
    counts : dict of str to int
        What went so far, by place.
    handed_out : list of dict or None
        What may have told others of them before, see `handed_out.HandedOut`; None where it was not looked for.
    """

    erasure_id: str
    state: State
    reason: str
    asked_by: str
    asked_at: int
    finished_at: int | None
    customers: int
    counts: dict[str, int]
    handed_out: list[dict[str, Any]] | None  # Any: JSON


def begin(connection: Connection, who: Answerable, customer_ids: Collection[str], reason: str, *, at: int) -> str:
    """Begin an erasure and return its id; from here on nobody sees the customers, and nothing of them can arrive.

    Parameters
    ----------
    customer_ids : collection of str
        1 to 100, or as many as there are where it is repeated after a restore.

    Raises
    ------
    UsageError
        If the ids are none or too many, the reason is none of ours, or `CHURNML_SECRET` is missing or another one.
    """
    whom = sorted({one.strip() for one in customer_ids} - {""})
    if not whom or (len(whom) > MOST and reason != RESTORED):
        raise UsageError(f"an erasure must name 1 to {MOST} customers, got {len(whom)}; name them, some at a time")
    if reason not in (*REASONS, RESTORED):
        raise UsageError(f"the reason of an erasure must be one of {', '.join(REASONS)}, got {reason!r}; choose one")
    take_turn(connection)
    erasure_id = f"er_{uuid.uuid4().hex[:24]}"
    marks = bury(connection, whom, erasure_id, at)  # writes first: nothing that is read afterwards can be stale
    row: dict[str, Any] = {"erasure_id": erasure_id}  # Any: of several columns
    row |= {"state": "going_on", "reason": reason, "asked_by": who.name, "asked_at": at}
    row |= {"customers": len(whom), "handed_out": handed_out(connection, whom)}  # before they are gone
    connection.execute(insert(erasures), row | {"counts": forget_rows(connection, whom)})
    connection.execute(insert(erasing), [{"erasure_id": erasure_id, "customer_id": one} for one in whom])
    for one in whom:
        about = {"erasure": erasure_id, "tombstone": marks[one][:_SHOWN], "reason": reason}
        audit(connection, who, "erasure.asked", about, at=at)
    return erasure_id


def unfinished(connection: Connection) -> list[Erasure]:
    """Return the erasures that are not done, the first asked for first."""
    return _found(connection, erasures.c.state != "done")


def erasure_of(connection: Connection, erasure_id: str) -> Erasure:
    """Return one erasure.

    Raises
    ------
    NotFoundError
        If there is none of that id.
    """
    found = _found(connection, erasures.c.erasure_id == erasure_id)
    if not found:
        raise NotFoundError(f"there is no erasure `{erasure_id}`; its id is in the answer that accepted it")
    return found[0]


def tombstones_of(connection: Connection, erasure_id: str) -> list[str]:
    """Return the beginnings of the tombstones of an erasure, by which its audit entries are found."""
    query = select(tombstones.c.mark).where(tombstones.c.erasure_id == erasure_id).order_by(tombstones.c.mark)
    return [mark[:_SHOWN] for mark in connection.execute(query).scalars()]


def whom_of(connection: Connection, erasure_id: str) -> frozenset[str]:
    """Return whom an erasure that goes on is about; nobody once it is through."""
    query = select(erasing.c.customer_id).where(erasing.c.erasure_id == erasure_id)
    return frozenset(connection.execute(query).scalars())


def being_erased(connection: Connection) -> frozenset[str]:
    """Return everybody whose erasure goes on."""
    return frozenset(connection.execute(select(erasing.c.customer_id)).scalars())


def through(connection: Connection, erasure_id: str, counts: Mapping[str, int], *, at: int) -> None:
    """Say that everything was forgotten, tell recipients, and forget whom it was about."""
    whom = sorted(whom_of(connection, erasure_id))
    for one in whom:
        outbox.post(connection, "customer.erased", {"customer_id": one, "erasure_id": erasure_id}, at=at)
    standing = erasure_of(connection, erasure_id).counts
    added = {name: standing.get(name, 0) + counts.get(name, 0) for name in sorted({*standing, *counts})}
    this = erasures.c.erasure_id == erasure_id
    connection.execute(update(erasures).where(this).values(state="emptying", counts=added))
    connection.execute(delete(erasing).where(erasing.c.erasure_id == erasure_id))


def finish(connection: Connection, who: Answerable, erasure_id: str, *, at: int) -> None:
    """Say that an erasure is done; its last trace is gone from the files as well."""
    this = erasures.c.erasure_id == erasure_id
    connection.execute(update(erasures).where(this).values(state="done", finished_at=at))
    audit(connection, who, "customer.erased", {"erasure": erasure_id}, at=at)


def repeat_due(connection: Connection) -> bool:
    """Tell whether a restore may have brought erased customers back, and they are still to be erased again."""
    query = select(erasure_notes.c.name).where(erasure_notes.c.name == _REPEAT)
    return connection.execute(query).first() is not None


def require_repeated(connection: Connection) -> None:
    """Refuse to go on while customers whom a restore may have brought back are still to be erased again.

    Raises
    ------
    BroughtBackError
        If that is due.
    """
    if repeat_due(connection):
        raise BroughtBackError(AGAIN)


def must_repeat(connection: Connection, now: int) -> None:
    """Note that whoever has a tombstone must be erased again before anyone is served."""
    insert_or_update(connection, erasure_notes, [{"name": _REPEAT, "value": str(now)}], ["name"], ["value"])


def repeated(connection: Connection) -> None:
    """Note that this was done."""
    connection.execute(delete(erasure_notes).where(erasure_notes.c.name == _REPEAT))


def must_empty(connection: Connection, now: int) -> None:
    """Note that recipients were told whom an erasure was about, so that the bytes of the message are to go as well."""
    insert_or_update(connection, erasure_notes, [{"name": _TOLD, "value": str(now)}], ["name"], ["value"])


def empty_due(connection: Connection) -> str | None:
    """Return since when bytes of such messages are to be overwritten, as it is kept; None where none are."""
    return connection.execute(select(erasure_notes.c.value).where(erasure_notes.c.name == _TOLD)).scalar()


def emptied(connection: Connection, since: str) -> None:
    """Note that this was done, of all that was told until then."""
    this = (erasure_notes.c.name == _TOLD) & (erasure_notes.c.value == since)
    connection.execute(delete(erasure_notes).where(this))


def _found(connection: Connection, which: Any) -> list[Erasure]:  # Any: SQLAlchemy's clause
    query = select(*(erasures.c[field.name] for field in fields(Erasure))).where(which)
    return [Erasure(*row) for row in connection.execute(query.order_by(erasures.c.asked_at, erasures.c.erasure_id))]
