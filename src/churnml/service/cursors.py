"""Cursors: where in a list a reader stands, bound to the run, the filters and the sort they were given out for."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from dataclasses import dataclass

from churnml.database.lists import Place
from churnml.errors import UsageError

_LARGEST, _LONGEST, _DIGEST = 2**53, 2**63, 9
NOT_OURS = "`cursor` is not one that this list gave out; leave it out to start from the top"


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
    return _text(json.dumps(told, separators=(",", ":")).encode())


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
        raise UsageError(NOT_OURS) from error
    if of_run != run_id:
        raise UsageError("`cursor` belongs to an earlier run; leave it out to start from the top of the new list")
    if of_list != asked:
        raise UsageError(
            "`cursor` was given out for other filters or another sort; ask with those again, or leave it out to start "
            "from the top"
        )
    return cursor


def read_whole(text: str, name: str, asked: str) -> tuple[int, str]:
    """Return the place that a text stands for in a list that goes by instants or days, and has no run.

    Raises
    ------
    UsageError
        As `read`.
    """
    value, last = read(text, name, asked).place
    if not isinstance(value, int):
        raise UsageError(NOT_OURS)
    return value, last


def write_whole(name: str, asked: str, place: tuple[int, str] | None) -> str | None:
    """Return the cursor of a place in such a list; None where nothing follows."""
    return None if place is None else write(name, asked, Cursor(place, 0, 0))


def _text(told: bytes) -> str:
    """Return what a cursor says as text, behind a digest that a slip breaks; what opens nothing needs no signature."""
    digest = hashlib.sha256(told).digest()[:_DIGEST]
    return base64.urlsafe_b64encode(digest + told).decode().rstrip("=")


def _unpack(text: str) -> tuple[str, str, Cursor]:
    padded = text.encode("ascii") + b"=" * (-len(text) % 4)
    told = base64.b64decode(padded, altchars=b"-_", validate=True)[_DIGEST:]
    if _text(told) != text:
        raise ValueError(text)
    match json.loads(told):
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
