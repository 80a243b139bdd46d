"""What customers do and what they care for, as columns that groups are found by.

Each column is how much of a customer's acts is of one sort: visits among all acts, the app among all channels, garden
among all categories. Square roots of shares, so that their distance is Hellinger's and a rare sort still counts; beside
them, of behaviour, how much they do at all, as a logarithm. Nothing is taken from attributes: who somebody is forms no
habit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2s
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from churnml.events.books import Books
from churnml.measures.habit_counts import Done, habit_counts, numbered
from churnml.measures.habit_words import wording
from churnml.wording import Text

Side = Literal["behaviour", "interests"]
SIDES: tuple[Side, ...] = ("behaviour", "interests")

ACTIVITY = "activity"
_MOST = {"kind": 12, "channel": 6, "daypart": 4, "weekend": 2, "category": 20, "word": 20}
_COMMON = 20
"""A sort of acts tells something of a base in which one in so many does it."""
_DAY_PARTS = """
    CASE WHEN clock = date_trunc('day', clock) THEN NULL WHEN hour(clock) < 6 THEN 'night'
         WHEN hour(clock) < 12 THEN 'morning' WHEN hour(clock) < 18 THEN 'afternoon' ELSE 'evening' END
"""  # an act at midnight to the microsecond bears a date and no time


@dataclass(frozen=True)
class Habit:
    """One column.

    Parameters
    ----------
    field, value : str
        The sort of acts it counts: of the `field` (such as `channel`) those with the `value` (such as `app`).
    """

    field: str
    value: str

    @property
    def key(self) -> str:
        """What it is called for programs."""
        return f"{self.field}={self.value}" if self.field != ACTIVITY else ACTIVITY

    def words(self, *, much: bool) -> Text:
        """Return how somebody is called who does much of it, or little."""
        return wording(self.field, self.value, much=much)

    @classmethod
    def of(cls, key: str) -> Habit:
        """Return the column called so."""
        field, _, value = key.partition("=")
        return cls(field, value)


def sources(books: Books, side: Side) -> tuple[str, ...]:
    """Return the landed tables that tell of one side."""
    asked = ("interactions", "orders", "surveys") if side == "behaviour" else ("interactions", "order_lines")
    return tuple(name for name in asked if name in books.tables)


def habits(books: Books, side: Side, begin: int, end: int) -> tuple[Habit, ...]:
    """Return the columns of one side: sorts of acts that at least one in twenty of those who act at all does.

    Parameters
    ----------
    begin, end : int
        The span, microseconds UTC.
    """
    sorts = _sorts(books, side, begin, end)
    acting, done = _done(books, side, sorts, begin, end)
    common: dict[str, list[tuple[int, str]]] = {}
    for field, values in _by_field(sorts).items():
        having = (done[field].of_each > 0).sum(axis=0).tolist()
        common[field] = [(-n, value) for n, value in zip(having, values, strict=True) if n * _COMMON >= len(acting)]
    told = [
        Habit(field, value)
        for field, found in sorted(common.items())
        for value in sorted(value for _, value in sorted(found)[: _MOST[field]])
        if value != "weekday"
    ]
    fields = [habit.field for habit in told]
    return (
        *([Habit(ACTIVITY, "")] if side == "behaviour" else []),
        *(habit for habit in told if fields.count(habit.field) > 1 or habit.field == "weekend"),
    )


def habit_table(books: Books, side: Side, chosen: tuple[Habit, ...], begin: int, end: int, fewest: int) -> str:
    """Keep the columns of each customer who acted often enough, and return the table's name.

    Parameters
    ----------
    chosen : tuple of Habit
        The columns, which may be those of an earlier day.
    fewest : int
        Acts below which nothing can be told of a customer.

    Returns
    -------
    str
        Of a table with `customer_id`, and `h0`, `h1` … in the order of the columns; empty where a customer did nothing
        of the field, so that nothing is known of its sorts.
    """
    digest = blake2s(repr((chosen, begin, end, fewest)).encode(), digest_size=4).hexdigest()
    name, sorts = f"habits_{side}_{digest}", [habit for habit in chosen if habit.field != ACTIVITY]
    if books.columns(name):  # asked for before
        return name
    counts = books.add(f"counts_{name}", _frame(books, side, sorts, begin, end))
    columns = [
        f"ln(1 + acts) AS h{place}"
        if habit.field == ACTIVITY
        else f"sqrt(n{sorts.index(habit)} / nullif(of_{habit.field}, 0)) AS h{place}"
        for place, habit in enumerate(chosen)
    ]
    query = f"""
        SELECT customer_id, {", ".join(columns)}
        FROM (SELECT *, of_{_FIELDS[side][0]} AS acts FROM {counts} JOIN {numbered(books)} USING (who))
        WHERE acts >= $fewest
    """
    return books.keep(name, query, {"fewest": fewest})


def _frame(books: Books, side: Side, sorts: Sequence[Habit], begin: int, end: int) -> pd.DataFrame:
    """Return how often each customer did acts of each sort (`n0`, `n1` …), and of each field at all (`of_kind` …)."""
    (acting, done), by_field = _done(books, side, sorts, begin, end), _by_field(sorts)
    columns = {f"of_{field}": one.of_all for field, one in done.items()}
    for place, one in enumerate(sorts):
        columns[f"n{place}"] = done[one.field].of_each[:, by_field[one.field].index(one.value)]
    return pd.DataFrame({"who": acting, **columns})


def _done(
    books: Books, side: Side, sorts: Sequence[Habit], begin: int, end: int
) -> tuple[npt.NDArray[np.int32], dict[str, Done]]:
    return habit_counts(books, _acts(books, side), _FIELDS[side], _by_field(sorts), _given(books, side, begin, end))


def _by_field(sorts: Sequence[Habit]) -> dict[str, list[str]]:
    return {field: [one.value for one in sorts if one.field == field] for field in {one.field for one in sorts}}


def _sorts(books: Books, side: Side, begin: int, end: int) -> tuple[Habit, ...]:
    """Return the sorts of acts that may be common: those done as often as there would have to be customers who do."""
    fields = _FIELDS[side]
    query = f"""
        WITH acts AS ({_acts(books, side)}),
        done AS (
            SELECT {", ".join(fields)}, count(*) AS n FROM acts
            GROUP BY GROUPING SETS ({", ".join(f"({field})" for field in fields)})
        ),
        sorts AS ({_told_apart(fields)})
        SELECT field, value FROM sorts
        WHERE n * {_COMMON} >= (SELECT count(DISTINCT customer_id) FROM acts) ORDER BY field, value
    """
    table = books.keep(f"sorts_{side}_{begin}_{end}", query, _given(books, side, begin, end))
    found = books.connection.execute(f"SELECT field, value FROM {table} ORDER BY field, value").fetchall()
    return tuple(Habit(field, value) for field, value in found)


def _told_apart(fields: tuple[str, ...]) -> str:
    return " UNION ALL ".join(
        f"SELECT '{field}' AS field, {field} AS value, n FROM done WHERE {field} IS NOT NULL" for field in fields
    )


def _given(books: Books, side: Side, begin: int, end: int) -> dict[str, int]:
    return {"begin": begin, "end": end} if sources(books, side) else {}  # DuckDB refuses what no query asks for


_FIELDS: dict[Side, tuple[str, ...]] = {
    "behaviour": ("kind", "channel", "daypart", "weekend"),
    "interests": ("category", "word"),
}
"""What acts are told apart by; how much somebody does is counted by the first."""

_SPAN = "occurred_at >= $begin AND occurred_at < $end"
_NO_ACTS = """
    SELECT NULL::VARCHAR AS customer_id, NULL::BIGINT AS us, NULL::VARCHAR AS kind, NULL::VARCHAR AS channel WHERE false
"""
_NOTHING_SEEN = """
    SELECT NULL::VARCHAR AS customer_id, NULL::VARCHAR AS category, NULL::VARCHAR AS word WHERE false
"""


def _acts(books: Books, side: Side) -> str:
    """Return the query of all acts of one side: `customer_id`, and a column for each of its fields."""
    return _behaviour(books) if side == "behaviour" else _interests(books)


def _behaviour(books: Books) -> str:
    acts = {
        "interactions": f"SELECT customer_id, occurred_at AS us, kind, channel FROM interactions WHERE {_SPAN}",
        "orders": f"SELECT customer_id, occurred_at, 'order', channel FROM orders WHERE {_SPAN} AND amount > 0",
        "surveys": "SELECT customer_id, answered_at, 'answer', NULL FROM surveys "
        "WHERE answered_at >= $begin AND answered_at < $end",
    }
    union = " UNION ALL ".join([_NO_ACTS, *(acts[name] for name in sources(books, "behaviour"))])
    return f"""
        SELECT customer_id, kind, channel, {_DAY_PARTS} AS daypart,
               CASE WHEN isodow(clock) >= 6 THEN 'weekend' ELSE 'weekday' END AS weekend
        FROM (SELECT *, local_time(us) AS clock FROM ({union}))
    """


def _interests(books: Books) -> str:
    told = {
        "interactions": f"""
            SELECT customer_id, category, NULL FROM interactions WHERE category IS NOT NULL AND {_SPAN}
            UNION ALL
            SELECT customer_id, NULL, unnest(regexp_extract_all(lower(query), '\\p{{L}}{{2,}}'))
            FROM interactions WHERE query IS NOT NULL AND {_SPAN}
        """,
        "order_lines": f"SELECT customer_id, category, NULL FROM order_lines WHERE category IS NOT NULL AND {_SPAN}",
    }
    return " UNION ALL ".join([_NOTHING_SEEN, *(told[name] for name in sources(books, "interests"))])
