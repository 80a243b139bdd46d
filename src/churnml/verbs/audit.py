"""`churnml audit`: whether the log of who did what is whole, and what it says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from churnml.database.audit import entries, pseudonym
from churnml.database.audit_check import parse_head, read_checkpoint, verify, write_checkpoint
from churnml.errors import BrokenLogError, UsageError
from churnml.events.clock import midnight, moment
from churnml.verbs.session import Session

Json = dict[str, Any]  # Any: JSON


def check(session: Session, heads: Sequence[str] = ()) -> Json:
    """Look at the whole log, hold it against what was written down, and write down where it ends now.

    Parameters
    ----------
    heads : sequence of str
        Where it ended at earlier times, as this command printed it, kept elsewhere.

    Raises
    ------
    BrokenLogError
        If something is wrong; nothing is written down then.
    UsageError
        If a head is none.
    """
    kept = read_checkpoint(session.workspace)
    written_down = (*(parse_head(one) for one in heads), *(() if kept is None else (kept,)))
    with session.catalogue.engine.connect() as connection:
        verdict = verify(connection, written_down)
    body = {"entries": verdict.head.number, "head": str(verdict.head), "held_against": verdict.checkpoints}
    if verdict.faults:
        told = "; ".join(verdict.faults)
        raise BrokenLogError(
            f"the audit log is not whole: {told}; keep this database as it is, and compare it with a backup",
            report=body | {"faults": list(verdict.faults)},
        )
    write_checkpoint(session.workspace, verdict.head)
    return body


def show(session: Session, since: str | None = None, customer: str | None = None) -> Json:
    """Return the entries from a day on, of one customer or of all.

    Raises
    ------
    UsageError
        If the day is none.
    """
    try:
        start = None if since is None else midnight(date.fromisoformat(since), session.settings.time_zone)
    except ValueError as error:
        raise UsageError(f"--since must be a date such as 2017-12-31, got {since!r}") from error
    with session.catalogue.engine.connect() as connection:
        called = None if customer is None else pseudonym(connection, customer, make=False)
        found = [
            {
                "number": one.number,
                "at": moment(one.at, session.settings.time_zone).isoformat(timespec="seconds"),
                "who": f"{one.kind} {one.name}",
                "what": one.what,
                "about": json.loads(one.about),
            }
            for one in entries(connection, since=start)
        ]
    if called is not None:
        found = [one for one in found if called and one["about"].get("customer") == called]
    return {"entries": found}


def said(body: Json) -> str:
    """Return what is said of a log that is whole."""
    return (
        f"{body['entries']:,} entries, none changed, removed, put in or moved; held against {body['held_against']} "
        f"head(s) written down before.\nIt ends at {body['head']}\nWritten down in the workspace; keep this line "
        "elsewhere as well: who can write to both can cut off what came after what you kept."
    )


def lines(body: Json) -> str:
    """Return the entries as lines for people."""
    told = [
        f"{one['number']:>6}  {one['at']}  {one['who']}  {one['what']}  "
        + " ".join(f"{name}={value}" for name, value in one["about"].items())
        for one in body["entries"]
    ]
    return "\n".join(told) or "nothing was done so far"
