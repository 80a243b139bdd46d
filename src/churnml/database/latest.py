"""Lists that show the latest first, such as those of jobs and runs: one page of one, whatever is added meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, RowMapping, and_, or_, select

Place = tuple[int, str]
"""Where in such a list something stands: its instant, microseconds UTC, and its id."""


def latest_page(
    connection: Connection,
    columns: Iterable[Column[Any]],  # Any: of any type
    by: tuple[Column[int], Column[str]],
    limit: int,
    after: Place | None = None,
    among: Mapping[Column[str], Collection[str]] | None = None,
) -> tuple[list[RowMapping], Place | None]:
    """Return up to `limit` rows of a table, the latest first, and the place of the last if more follow.

    What is added later stands before the first page, so that it moves none of those that follow.

    Parameters
    ----------
    columns : iterable of Column
        What is wanted of each row, `by` included.
    by : tuple of two Columns
        The instant and the id of a row; of one instant, the smaller id comes first.
    after : tuple of (int, str), optional
        The place of the page before.
    among : mapping of Column to collection of str, optional
        Keep only rows with one of these words in the column; an empty collection keeps all.
    """
    instant, name = by
    wanted: list[ColumnElement[bool]] = [column.in_(words) for column, words in (among or {}).items() if words]
    if after is not None:
        at, last = after
        wanted.append(or_(instant < at, and_(instant == at, name > last)))
    query = select(*columns).where(*wanted).order_by(instant.desc(), name).limit(limit + 1)
    found = list(connection.execute(query).mappings())
    shown = found[:limit]
    return shown, (shown[-1][instant], shown[-1][name]) if len(found) > limit else None
