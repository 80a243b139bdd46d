"""One row per customer with everything that groups are formed by and described with: the portrait.

It is laid once and read by every segment. What the landed tables do not tell is empty, never zero: zero orders means
that orders have landed and this customer has none in the span.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from churnml.events import COMPLAINS
from churnml.events.books import Books
from churnml.events.schema import MONEY_SCALE
from churnml.features.rows import SCALES
from churnml.measures.rfm import rfm_table

SCORED = ("segment", "band", "rung", "churn_probability", "clv", "value_at_risk")
"""Columns of the table `scored` that may be laid into the books beside `customer_id`: what a model told of each."""

NOT_SCORED = "not_scored"
"""The cell of a customer of whom no model told anything, not even why: they were not known at its cutoff."""

COLUMNS: dict[str, str] = {
    "stage": "lifecycle stage at the end of the span, as a word such as `declining`",
    "segment": "value × risk, such as `high_value_high_risk`; of those who were not scored, why",
    "band": "risk band: `low`, `medium`, `high`; of those who were not scored, why",
    "rfm": "RFM segment, such as `champions`",
    "r": "score of recency, 1 to 5",
    "f": "score of frequency, 1 to 5",
    "m": "score of monetary value, 1 to 5",
    "recency_days": "days since the last day with an order",
    "frequency": "days with an order within the RFM window",
    "monetary_value": "sum of orders within the RFM window, in the currency",
    "orders": "paid orders in the span",
    "revenue": "sum of orders less returns in the span, in the currency",
    "margin": "revenue less cost, or times the margin rate where no cost is known, in the currency",
    "churn_probability": "by the latest scores",
    "clv": "by the latest scores, in the currency",
    "value_at_risk": "by the latest scores, in the currency",
    "acts": "acts of behaviour in the span",
    "visits": "acts of kind `visit` in the span",
    "searches": "acts of kind `search` in the span",
    "tickets": "questions and complaints in the span",
    "complaints": "tickets of kind `complaint`, `problem` or `incident` in the span",
    "satisfaction": "mean of the answers given in the span, from 0 (worst of the scale) to 100 (best)",
    "age": "in whole years, by the year of birth",
    "known_days": "days since they were first known",
    "region": "as in `customers`",
    "city": "as in `customers`",
    "income_band": "as in `customers`",
    "gender": "as in `customers`",
    "acquisition_channel": "as in `customers`",
}
"""What a portrait tells, and thus what a segment of one's own may ask; free attributes stand beside these."""


@dataclass(frozen=True)
class _Source:
    """Where some columns come from: a query with one row per customer, and each column's expression and type."""

    query: str
    columns: Mapping[str, tuple[str, str]]


def portrait(books: Books, begin: int, end: int, margin_rate: float, window_days: int) -> str:
    """Keep the portrait of each customer of the base, and return the table's name.

    Parameters
    ----------
    begin, end : int
        The span in which orders, acts, tickets and answers count, microseconds UTC; `end` as the books.
    margin_rate : float
        Margin per unit of revenue of orders without a cost.
    window_days : int
        See `measures.rfm`.

    Returns
    -------
    str
        Of a table with `customer_id` and `COLUMNS`, and a column for each free attribute whose name is not one of them.

    Notes
    -----
    Margin is counted as in `labels.value`: money that went back is taken off at the rate of what was kept. `stage`, and
    what a model told, come from tables `staged` and `scored` where they were laid into the books before.
    """
    sources = _sources(books, end, window_days)
    found = {name: expression for known, one in sources if known for name, (expression, _) in one.columns.items()}
    types = {name: kind for _, one in sources for name, (_, kind) in one.columns.items()}
    columns = {**{name: f"NULL::{kind}" for name, kind in types.items()}, **found, **_OF_CUSTOMERS}
    joined = " ".join(f"LEFT JOIN ({one.query}) USING (customer_id)" for known, one in sources if known)
    told = ", ".join(f"{columns[name]} AS {name}" for name in COLUMNS)
    free = {f"path{place}": name for place, name in enumerate(free_attributes(books))}
    more = "".join(f', json_extract_string(attributes, ${path}) AS "{name}"' for path, name in free.items())
    query = f"SELECT customer_id, {told}{more} FROM customers {joined}"
    given: dict[str, Any] = {"begin": begin, "end": end, "margin_rate": margin_rate, "scale": MONEY_SCALE}  # Any: SQL
    given |= {path: f'$."{name}"' for path, name in free.items()}
    return books.keep("portrait", query, {name: value for name, value in given.items() if f"${name}" in query})


def _sources(books: Books, end: int, window_days: int) -> list[tuple[bool, _Source]]:
    """Return each source, and whether it is there."""
    ordering = "orders" in books.tables
    orders = _orders("returns" in books.tables)
    rfm = f"SELECT * FROM {rfm_table(books, end, window_days)}" if ordering else ""
    return [
        (ordering, _Source(orders, _OF_ORDERS)),
        (ordering, _Source(rfm, _OF_RFM)),
        ("interactions" in books.tables, _Source(_ACTS, _OF_ACTS)),
        ("tickets" in books.tables, _Source(_TICKETS, _OF_TICKETS)),
        ("surveys" in books.tables, _Source(_ANSWERS, {"satisfaction": ("satisfaction", "DOUBLE")})),
        (bool(books.columns("staged")), _Source("SELECT * FROM staged", {"stage": ("stage", "VARCHAR")})),
        (bool(books.columns("scored")), _Source("SELECT * FROM scored", _OF_SCORES)),
    ]


def _orders(returned: bool) -> str:  # noqa: FBT001  # whether there are returns decides between two queries
    back = f"LEFT JOIN (SELECT customer_id, sum(amount) AS back FROM returns WHERE {_SPAN} GROUP BY ALL)"
    return f"""
        SELECT *, paid_margin - back * CASE WHEN paid > 0 THEN paid_margin / paid ELSE $margin_rate END AS kept_margin
        FROM (SELECT customer_id, orders, paid, costed - cost + $margin_rate * (paid - costed) AS paid_margin,
                     {"coalesce(back, 0)" if returned else "0"} AS back
              FROM (SELECT customer_id, count(*) FILTER (amount > 0) AS orders, sum(amount) AS paid,
                           coalesce(sum(amount) FILTER (cost IS NOT NULL), 0) AS costed, coalesce(sum(cost), 0) AS cost
                    FROM orders WHERE {_SPAN} GROUP BY ALL)
              {f"{back} USING (customer_id)" if returned else ""})
    """


_SPAN = "occurred_at >= $begin AND occurred_at < $end"
_OF_CUSTOMERS = {
    **{name: name for name in ("region", "city", "income_band", "gender", "acquisition_channel")},
    "age": "(year(local_time($end)) - birth_year)",
    "known_days": "(local_time($end)::DATE - local_time(first_known_at)::DATE)",
}
_OF_ORDERS = {
    "orders": ("coalesce(orders, 0)", "BIGINT"),
    "revenue": ("coalesce(paid - back, 0)::DOUBLE / $scale", "DOUBLE"),
    "margin": ("coalesce(kept_margin, 0)::DOUBLE / $scale", "DOUBLE"),
}
_OF_RFM = {
    "rfm": ("coalesce(rfm, 'no_order')", "VARCHAR"),
    **{score: (score, "INTEGER") for score in ("r", "f", "m")},
    "recency_days": ("recency_days", "BIGINT"),
    "frequency": ("coalesce(frequency, 0)", "BIGINT"),
    "monetary_value": ("coalesce(monetary, 0)::DOUBLE / $scale", "DOUBLE"),
}
_ACTS = f"""
    SELECT customer_id, count(*) AS acts, count(*) FILTER (kind = 'visit') AS visits,
           count(*) FILTER (kind = 'search') AS searches FROM interactions WHERE {_SPAN} GROUP BY ALL
"""
_OF_ACTS = {name: (f"coalesce({name}, 0)", "BIGINT") for name in ("acts", "visits", "searches")}
_TICKETS = f"""
    SELECT customer_id, count(*) AS tickets, count(*) FILTER ({COMPLAINS}) AS complaints
    FROM tickets WHERE {_SPAN} GROUP BY ALL
"""
_OF_TICKETS = {name: (f"coalesce({name}, 0)", "BIGINT") for name in ("tickets", "complaints")}
_SCALES = ", ".join(f"('{name}', {worst}, {best})" for name, (worst, best) in SCALES.items())
_ANSWERS = f"""
    SELECT customer_id, 100 * avg(least(greatest((score - low) / (high - low), 0), 1)) AS satisfaction
    FROM (SELECT customer_id, score, coalesce(scale_min, usual_min) AS low, coalesce(scale_max, usual_max) AS high
          FROM surveys LEFT JOIN (VALUES {_SCALES}) AS usual (instrument, usual_min, usual_max) USING (instrument)
          WHERE answered_at >= $begin AND answered_at < $end AND score IS NOT NULL)
    WHERE high > low GROUP BY ALL
"""
_OF_SCORES = {
    "segment": (f"coalesce(segment, rung, '{NOT_SCORED}')", "VARCHAR"),
    "band": (f"coalesce(band, rung, '{NOT_SCORED}')", "VARCHAR"),
    **{name: (name, "DOUBLE") for name in ("churn_probability", "clv", "value_at_risk")},
}


TYPES: dict[str, str] = {
    **{
        name: kind
        for columns in (_OF_ORDERS, _OF_RFM, _OF_ACTS, _OF_TICKETS, _OF_SCORES)
        for name, (_, kind) in columns.items()
    },
    "stage": "VARCHAR",
    "satisfaction": "DOUBLE",
    "age": "BIGINT",
    "known_days": "BIGINT",
    **dict.fromkeys(("region", "city", "income_band", "gender", "acquisition_channel"), "VARCHAR"),
}
"""What each column of `COLUMNS` holds, in DuckDB's words; free attributes are texts."""


_TABLES: tuple[tuple[Collection[str], tuple[str, ...]], ...] = (
    (_OF_ORDERS, ("orders", "returns")),
    (_OF_RFM, ("orders",)),
    (_OF_ACTS, ("interactions",)),
    (_OF_TICKETS, ("tickets",)),
    (("satisfaction",), ("surveys",)),
    (("stage",), ("orders", "subscriptions")),
    (_OF_SCORES, ("records",)),
)


def tables_of(books: Books, columns: Iterable[str]) -> tuple[str, ...]:
    """Return the tables that have landed of those that some columns are read from, `records` for what a model told."""
    asked = set(columns)
    read = dict.fromkeys(table for told, tables in _TABLES if asked.intersection(told) for table in tables)
    scored = {"records"} if books.columns("scored") else set[str]()
    return ("customers", *(table for table in read if table in books.tables | scored))


def free_attributes(books: Books) -> tuple[str, ...]:
    """Return the names of free attributes that can name a column and do not yet name one, whatever their case."""
    keys = "SELECT DISTINCT unnest(json_keys(attributes)) AS name FROM customers WHERE attributes IS NOT NULL"
    found = (name for (name,) in books.connection.execute(f"SELECT name FROM ({keys}) ORDER BY name").fetchall())
    taken = {"customer_id", *COLUMNS}
    return tuple(
        name for name in {one.lower(): one for one in found}.values() if name.lower() not in taken and '"' not in name
    )
