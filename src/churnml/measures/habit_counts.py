"""How often each customer did acts of each sort: many counts of few kinds, put into their places in one pass.

DuckDB brings the rows as numbers. It would group them by customer and sort, and then need a column for each sort, which
it fills by looking at every row once per column; a place in an array costs one look for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from churnml.events.books import Books

Counts = npt.NDArray[np.int32]

_ROOM = 2**25
"""Counts that are made at a time: a quarter of a gigabyte."""


@dataclass(frozen=True)
class Done:
    """What customers did, told apart by one field.

    Parameters
    ----------
    of_each : ndarray of int, shape (n_customers, n_sorts)
        Acts of each sort that was asked for.
    of_all : ndarray of int, shape (n_customers,)
        Acts of which the field says anything.
    """

    of_each: Counts
    of_all: Counts


def habit_counts(
    books: Books, acts: str, fields: Sequence[str], sorts: Mapping[str, Sequence[str]], given: Mapping[str, int]
) -> tuple[npt.NDArray[np.int32], dict[str, Done]]:
    """Return who acted, and what they did by each field.

    Parameters
    ----------
    acts : str
        The query of all acts: `customer_id` and a column for each of the fields, which may be empty.
    sorts : mapping of str to sequence of str
        By field, the values that are counted by themselves.
    given : mapping of str to int
        Parameters of the query.

    Returns
    -------
    who : ndarray of shape (n_customers,)
        Numbers of `numbered`, of those who acted at all.
    done : dict of str to Done
        By field.
    """
    asked = {f"values_{field}": list(sorts.get(field, ())) for field in fields}
    rows = books.frame(_as_numbers(books, acts, fields), {**given, **asked})
    there, who = np.unique(rows["who"].to_numpy(), return_inverse=True)
    return there.astype(np.int32), {
        field: _done(who, rows[field].to_numpy(), len(there), len(sorts.get(field, ()))) for field in fields
    }


def numbered(books: Books) -> str:
    """Name a table that gives each customer of the base a number, `who`."""
    return books.keep("numbered", "SELECT customer_id, (row_number() OVER () - 1)::INTEGER AS who FROM customers")


def _as_numbers(books: Books, acts: str, fields: Sequence[str]) -> str:
    """Return the query of acts in which a value is its place among those asked for; then any other; then none."""
    told, joined = [], []
    for field in fields:
        values = f"$values_{field}::VARCHAR[]"
        told.append(f"(coalesce(_{field}.place, len({values})) + ({field} IS NULL)::INTEGER)::SMALLINT AS {field}")
        places = f"SELECT unnest({values}) AS value, generate_subscripts({values}, 1) - 1 AS place"
        joined.append(f"LEFT JOIN ({places}) AS _{field} ON _{field}.value = {field}")
    return f"SELECT who, {', '.join(told)} FROM ({acts}) JOIN {numbered(books)} USING (customer_id) {' '.join(joined)}"


def _done(who: npt.NDArray[np.intp], place: npt.NDArray[np.int16], customers: int, sorts: int) -> Done:
    """Return the counts of one field, of so many customers at a time as there is room for."""
    width = sorts + 2
    counted = np.empty((customers, width), dtype=np.int32)
    step = max(_ROOM // width, 1)
    for first in range(0, customers, step):
        many = min(step, customers - first)
        mine = slice(None) if many == customers else (who >= first) & (who < first + many)
        at = (who[mine] - first) * width + place[mine]
        counted[first : first + many] = np.bincount(at, minlength=many * width).reshape(many, width)
    return Done(counted[:, :sorts], counted[:, : sorts + 1].sum(axis=1, dtype=np.int32))
