"""Whether the audit log is whole: no entry changed, removed, put in or moved, and none cut off its end.

The chain finds the first four by itself. A tail that was cut off, with the head turned back, leaves a chain that is
whole: it is found against a head that was written down before, outside the database.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from churnml.database.audit import GENESIS, Entry, Head, entries, read_head, sealed
from churnml.database.workspace import Workspace
from churnml.errors import UsageError

_MOST_TOLD = 20
_HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})")


@dataclass(frozen=True)
class Verdict:
    """What a look at the whole log found."""

    head: Head
    """where it ends"""
    faults: tuple[str, ...]
    """what is wrong, the first twenty; empty if nothing is"""
    checkpoints: int
    """how many heads that were written down before it was held against"""


def verify(connection: Connection, written_down: tuple[Head, ...] = ()) -> Verdict:
    """Read the whole log and say what is wrong with it.

    Parameters
    ----------
    connection : sqlalchemy.Connection
        To the database; reads only.
    written_down : tuple of Head
        Where the log ended at earlier times, as kept outside the database.
    """
    claimed = read_head(connection)
    faults: list[str] = []
    expected = {head.number: head.hash for head in written_down if head.number > 0}
    last = Head(0, GENESIS)
    for entry in entries(connection):
        faults += _faults(entry, last)
        if expected.pop(entry.number, entry.hash) != entry.hash:
            faults.append(f"entry {entry.number} is not the one that was there when the head was written down")
        last = Head(entry.number, entry.hash)
        if len(faults) >= _MOST_TOLD:
            return Verdict(last, tuple(faults[:_MOST_TOLD]), len(written_down))
    if last != claimed:
        faults.append(
            f"the log ends at entry {last.number}, its head says {claimed.number}: the end was changed or cut off"
        )
    faults += [f"entry {number}, written down before, is gone: the end was cut off" for number in sorted(expected)]
    return Verdict(last, tuple(faults), len(written_down))


def _faults(entry: Entry, last: Head) -> Iterator[str]:
    if entry.number != last.number + 1:
        yield f"entry {entry.number} follows entry {last.number}: what was between them was removed"
    if not sealed(entry):
        yield f"entry {entry.number} does not say what it said when it was written"
    elif entry.previous != last.hash:
        yield f"entry {entry.number} was not written after the entry that stands before it"


def parse_head(text: str) -> Head:
    """Return a head as `churnml audit verify` printed it.

    Raises
    ------
    UsageError
        If the text is none.
    """
    match = _HEAD.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"a head must read NUMBER:HASH as `churnml audit verify` prints it, got {text[:80]!r}")
    return Head(int(match[1]), match[2])


def read_checkpoint(workspace: Workspace) -> Head | None:
    """Return the head that was written down in the workspace at the last look, or None before the first.

    Raises
    ------
    UsageError
        If the file says something else.
    """
    path = _checkpoint(workspace)
    if not path.exists():
        return None
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return parse_head(kept["head"])
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} must hold the head of the audit log, found something else; restore it") from error


def write_checkpoint(workspace: Workspace, head: Head) -> Path:
    """Write a head down in the workspace, and return where."""
    path = _checkpoint(workspace)
    with workspace.atomically(path) as draft:
        draft.write_text(json.dumps({"head": str(head)}) + "\n", encoding="utf-8")
    return path


def _checkpoint(workspace: Workspace) -> Path:
    return workspace.root / "audit-checkpoint.json"
