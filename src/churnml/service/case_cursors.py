"""Where in the list of cases a reader stands: bound to the filters that a cursor was given out for."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import date
from typing import Any

from churnml.database.cases import Place
from churnml.errors import UsageError
from churnml.service.api.case_shapes import CaseQuery

BAD_CURSOR = "`cursor` is not one that this list gave out for these filters; leave it out to start from the top"


def read_cursor(query: CaseQuery) -> Place | None:
    """Return where the page begins that a cursor asks for, None for the first.

    Raises
    ------
    UsageError
        If the cursor is not one of ours, or was given out for other filters.
    """
    if query.cursor is None:
        return None
    try:
        padded = query.cursor.encode("ascii") + b"=" * (-len(query.cursor) % 4)
        match json.loads(base64.b64decode(padded, altchars=b"-_", validate=True)):
            case [str(of), str(day), str(customer)] if of == _filters(query) and "\0" not in customer:
                customer.encode()  # half a surrogate pair is no text
                return date.fromisoformat(day), customer
    except (ValueError, TypeError, RecursionError) as error:
        raise UsageError(BAD_CURSOR) from error
    raise UsageError(BAD_CURSOR)


def write_cursor(query: CaseQuery, place: Place) -> str:
    """Return the cursor of the page that begins at a place."""
    told = json.dumps([_filters(query), str(place[0]), place[1]])
    return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


def _filters(query: CaseQuery) -> str:
    told: dict[str, Any] = query.model_dump(mode="json", exclude={"limit", "cursor"})  # Any: JSON
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]
