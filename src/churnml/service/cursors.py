"""Cursors: where in a list a reader stands, bound to the run, the filters and the sort they were given out for."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from dataclasses import dataclass

from churnml.database.lists import Place
from churnml.errors import UsageError

_LARGEST, _LONGEST = 2**53, 2**63


@dataclass(frozen=True)
class Cursor:
    """A place in a list, and what has been told of the list so far.

    Parameters
    ----------
    place : tuple of (float or None, str)
        That of the last record that was given out.
    before : int
        Records given out so far.
    total : int
        Records in the list, as counted for its first page.
    """

    place: Place
    before: int
    total: int


def asked_for(*what: object) -> str:
    """Return a digest of what a list was asked for by: filters, sort, kind."""
    return hashlib.sha256(repr(what).encode()).hexdigest()[:16]


def write(run_id: str, asked: str, cursor: Cursor) -> str:
    """Return a cursor as text that stands in an address as it is."""
    told = [run_id, asked, *cursor.place, cursor.before, cursor.total]
    return base64.urlsafe_b64encode(json.dumps(told, separators=(",", ":")).encode()).decode().rstrip("=")


def read(text: str, run_id: str, asked: str) -> Cursor:
    """Return the cursor that a text stands for.

    Raises
    ------
    UsageError
        If it is not one of ours, belongs to an earlier run, or was given out for another list.
    """
    try:
        of_run, of_list, cursor = _unpack(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise UsageError("`cursor` is not one that this list gave out; leave it out to start from the top") from error
    if of_run != run_id:
        raise UsageError("`cursor` belongs to an earlier run; leave it out to start from the top of the new list")
    if of_list != asked:
        raise UsageError(
            "`cursor` was given out for other filters or another sort; ask with those again, or leave it out to start "
            "from the top"
        )
    return cursor


def _unpack(text: str) -> tuple[str, str, Cursor]:
    padded = text.encode("ascii") + b"=" * (-len(text) % 4)
    match json.loads(base64.b64decode(padded, altchars=b"-_", validate=True)):
        case [str(run_id), str(asked), float() | int() | None as value, str(customer), int(before), int(total)] if (
            _sound(value) and "\0" not in customer and 0 <= before < _LARGEST and 0 <= total < _LARGEST
        ):
            customer.encode()  # half a surrogate pair is no text
            return run_id, asked, Cursor((value, customer), before, total)
    raise ValueError(text)


def _sound(value: float | None) -> bool:
    """Tell whether a list can be sorted by a value: a finite number, or one of microseconds; JSON's `true` is none."""
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or (not isinstance(value, bool) and abs(value) < _LONGEST)
