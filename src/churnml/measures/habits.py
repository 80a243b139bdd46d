"""What customers do and what they care for, as columns that groups are found by.

Each column is how much of a customer's acts is of one sort: visits among all acts, the app among all channels, garden
among all categories. Square roots of shares, so that their distance is Hellinger's and a rare sort still counts; beside
them, of behaviour, how much they do at all, as a logarithm. Nothing is taken from attributes: who somebody is forms no
habit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from churnml.events.books import Books
from churnml.measures.habit_words import wording
from churnml.wording import Text

Side = Literal["behaviour", "interests"]
SIDES: tuple[Side, ...] = ("behaviour", "interests")

ACTIVITY = "activity"
_MOST = {"kind": 12, "channel": 6, "daypart": 4, "weekend": 2, "category": 20, "word": 20}
_COMMON = 0.05
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
    counts = _counts(books, side, begin, end)
    query = f"""
        WITH sorts AS (SELECT field, value, count(*) AS customers FROM {counts} GROUP BY ALL)
        SELECT field, value, customers, row_number() OVER (PARTITION BY field ORDER BY customers DESC, value) AS place
        FROM sorts
        WHERE customers >= {_COMMON} * (SELECT count(DISTINCT customer_id) FROM {counts})
        ORDER BY field, value
    """
    found = books.connection.execute(query).fetchall()
    told = [Habit(field, value) for field, value, _, place in found if place <= _MOST[field] and value != "weekday"]
    fields = [habit.field for habit in told]
    return (
        *([Habit(ACTIVITY, "")] if side == "behaviour" else []),
        *(habit for habit in told if fields.count(habit.field) > 1 or habit.field == "weekend"),
    )


def habit_table(
    books: Books, name: str, side: Side, chosen: tuple[Habit, ...], begin: int, end: int, fewest: int
) -> str:
    """Keep the columns of each customer who acted often enough, and return the table's name.

    Parameters
    ----------
    name : str
        What the table is called.
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
    given: dict[str, object] = {"fewest": fewest}
    columns = []
    for place, habit in enumerate(chosen):
        if habit.field == ACTIVITY:
            columns.append(f"ln(1 + acts) AS h{place}")
            continue
        given |= {f"field{place}": habit.field, f"value{place}": habit.value}
        of_field = f"sum(n) FILTER (field = $field{place})"
        of_value = f"sum(n) FILTER (field = $field{place} AND value = $value{place})"
        columns.append(f"sqrt(coalesce({of_value}, 0) / {of_field}) AS h{place}")
    first = "kind" if side == "behaviour" else "category"
    query = f"""
        SELECT customer_id, {", ".join(columns)}
        FROM (SELECT *, sum(n) FILTER (field = '{first}') OVER (PARTITION BY customer_id) AS acts
              FROM {_counts(books, side, begin, end)})
        WHERE acts >= $fewest GROUP BY customer_id, acts
    """
    return books.keep(name, query, given)


def _counts(books: Books, side: Side, begin: int, end: int) -> str:
    """Keep how often each customer did acts of each sort."""
    query = _behaviour(books) if side == "behaviour" else _interests(books)
    given = {"begin": begin, "end": end} if "$begin" in query else {}  # DuckDB refuses what no query asks for
    return books.keep(f"counts_{side}", query, given)


_SPAN = "occurred_at >= $begin AND occurred_at < $end"
_NO_ACTS = """
    SELECT NULL::VARCHAR AS customer_id, NULL::BIGINT AS us, NULL::VARCHAR AS kind, NULL::VARCHAR AS channel WHERE false
"""


def _behaviour(books: Books) -> str:
    acts = {
        "interactions": f"SELECT customer_id, occurred_at AS us, kind, channel FROM interactions WHERE {_SPAN}",
        "orders": f"SELECT customer_id, occurred_at, 'order', channel FROM orders WHERE {_SPAN} AND amount > 0",
        "surveys": "SELECT customer_id, answered_at, 'answer', NULL FROM surveys "
        "WHERE answered_at >= $begin AND answered_at < $end",
    }
    union = " UNION ALL ".join([_NO_ACTS, *(acts[name] for name in sources(books, "behaviour"))])
    fields = ("kind", "channel", "daypart", "weekend")
    each = " UNION ALL ".join(
        f"SELECT customer_id, '{field}' AS field, {field} AS value, sum(n)::BIGINT AS n FROM sorts "
        f"WHERE {field} IS NOT NULL GROUP BY ALL"
        for field in fields
    )
    return f"""
        WITH acts AS (SELECT *, local_time(us) AS clock FROM ({union})),
        sorts AS MATERIALIZED (
            SELECT customer_id, kind, channel, {_DAY_PARTS} AS daypart,
                   CASE WHEN isodow(clock) >= 6 THEN 'weekend' ELSE 'weekday' END AS weekend, count(*) AS n
            FROM acts GROUP BY ALL)
        {each}
    """


def _interests(books: Books) -> str:
    seen = "SELECT NULL::VARCHAR AS customer_id, NULL::VARCHAR AS field, NULL::VARCHAR AS value WHERE false"
    told = {
        "interactions": f"""
            SELECT customer_id, 'category', category FROM interactions WHERE category IS NOT NULL AND {_SPAN}
            UNION ALL
            SELECT customer_id, 'word', unnest(regexp_extract_all(lower(query), '\\p{{L}}{{2,}}'))
            FROM interactions WHERE query IS NOT NULL AND {_SPAN}
        """,
        "order_lines": f"SELECT customer_id, 'category', category FROM order_lines "
        f"WHERE category IS NOT NULL AND {_SPAN}",
    }
    union = " UNION ALL ".join([seen, *(told[name] for name in sources(books, "interests"))])
    return f"SELECT customer_id, field, value, count(*) AS n FROM ({union}) GROUP BY ALL"
