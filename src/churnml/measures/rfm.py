"""How lately, how often and for how much somebody ordered: scores of one to five, and segments with names.

A score says where a customer stands among all who ever ordered: the middle of the customers with the same value, in
fifths (a ridit). Ties therefore share a score, and where everybody is alike all are in the middle instead of at an end.
The steps between scores are values, so that a later date can be scored by those of an earlier one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from churnml.events.books import Books
from churnml.wording import Text

RfmSegment = Literal[
    "champions",
    "loyal",
    "potential_loyalists",
    "new",
    "promising",
    "need_attention",
    "about_to_sleep",
    "at_risk",
    "cannot_lose",
    "hibernating",
    "lost",
    "no_order",
]
RFM_SEGMENTS: dict[RfmSegment, Text] = {
    "champions": Text("Champions", "冠军客户"),
    "loyal": Text("Loyal", "忠诚客户"),
    "potential_loyalists": Text("Potential loyalists", "潜在忠诚客户"),
    "new": Text("New", "新客户"),
    "promising": Text("Promising", "有希望的客户"),
    "need_attention": Text("Need attention", "需要关注"),
    "about_to_sleep": Text("About to sleep", "即将沉睡"),
    "at_risk": Text("At risk", "有流失风险"),
    "cannot_lose": Text("Cannot lose them", "不能失去的客户"),
    "hibernating": Text("Hibernating", "休眠客户"),
    "lost": Text("Lost", "已流失客户"),
    "no_order": Text("No order yet", "尚未下单"),
}
"""How each is worded, in the order in which they are shown."""

GRID: tuple[tuple[RfmSegment, ...], ...] = (
    # how much:  1                2                      3                      4              5       how lately:
    ("lost", "lost", "at_risk", "at_risk", "cannot_lose"),  # 1
    ("hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose"),  # 2
    ("about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"),  # 3
    ("promising", "potential_loyalists", "potential_loyalists", "loyal", "loyal"),  # 4
    ("new", "potential_loyalists", "potential_loyalists", "champions", "champions"),  # 5
)
"""Which segment is where: a row for each score of recency, a column for each of frequency and money together."""

SCORES = (1, 2, 3, 4, 5)
Steps = tuple[int | None, ...]


@dataclass(frozen=True)
class RfmCuts:
    """From which value on each score is given; None where nobody has it.

    Parameters
    ----------
    recency : tuple of int or None, length 4
        The most days since the last order for the scores 2 to 5.
    frequency : tuple of int or None, length 4
        The fewest days with an order.
    monetary : tuple of int or None, length 4
        The least sum of orders, in 1/10,000 unit.
    """

    recency: Steps
    frequency: Steps
    monetary: Steps


def rfm_values(books: Books, at: int, window_days: int) -> str:
    """Keep what is scored of each customer who had ordered by a moment, and return the table's name.

    Parameters
    ----------
    at : int
        Microseconds UTC, no later than the books; a day that begins then is not yet seen.
    window_days : int
        Before it, in which orders count for frequency and money.

    Returns
    -------
    str
        Of a table with `customer_id`, `recency_days` since the last day with an order, `frequency`, the days with an
        order in the window, and `monetary`, their sum in 1/10,000 unit.

    References
    ----------
    Hughes, A. M. (1994). Strategic Database Marketing. Probus.
    """
    return books.keep(
        f"rfm_values_{at}_{window_days}",
        f"""
        WITH asked AS (SELECT local_time($at)::DATE AS today)
        SELECT customer_id, any_value(today) - max(day) AS recency_days,
               count(*) FILTER (day >= today - $window::INTEGER) AS frequency,
               coalesce(sum(amount) FILTER (day >= today - $window::INTEGER), 0)::BIGINT AS monetary
        FROM {books.order_days}, asked WHERE ordered AND day < today GROUP BY customer_id
        """,
        {"at": at, "window": window_days},
    )


def rfm_cuts(books: Books, at: int, window_days: int) -> RfmCuts:
    r"""Return the steps between scores, of the customers who had ordered by a moment.

    A value has the score :math:`\lceil 5 (c - n / 2) / N \rceil`, where *n* of the *N* customers have it, and *c* have
    it or a worse one.

    References
    ----------
    Bross, I. D. J. (1958). How to use ridit analysis. Biometrics 14, 18-38.
    """
    values = rfm_values(books, at, window_days)
    recency, frequency, monetary = (
        _steps(books, values, column) for column in ("-recency_days", "frequency", "monetary")
    )
    return RfmCuts(tuple(None if step is None else -step for step in recency), frequency, monetary)


def _steps(books: Books, table: str, column: str) -> Steps:
    steps = ", ".join(f"min(value) FILTER (5 * (2 * upto - n) > {2 * score} * whole)" for score in SCORES[:-1])
    query = f"""
        WITH counted AS (SELECT {column} AS value, count(*) AS n FROM {table} GROUP BY 1),
        ranked AS (SELECT value, n, sum(n) OVER (ORDER BY value) AS upto, sum(n) OVER () AS whole FROM counted)
        SELECT {steps} FROM ranked
    """
    found = books.connection.execute(query).fetchall()[0]
    return tuple(None if step is None else int(step) for step in found)


def rfm_table(books: Books, at: int, window_days: int, cut_at: int | None = None) -> str:
    """Keep the scores and the segment of each customer of the base at a moment, and return the table's name.

    Parameters
    ----------
    at : int
        Microseconds UTC, no later than the books.
    window_days : int
        See `rfm_values`.
    cut_at : int, optional
        The moment whose customers set the steps between scores; `at` by default.

    Returns
    -------
    str
        Of a table with `customer_id`, `recency_days`, `frequency`, `monetary`, the scores `r`, `f` and `m`, and `rfm`,
        of `RFM_SEGMENTS`. Whoever was known and had never ordered is in it, with `no_order` and nothing else.

    References
    ----------
    The names are those that products use, such as the ten of https://docs.clevertap.com/docs/rfm, with *lost* told
    apart from *hibernating*. Which cell has which name is settled by `GRID`: products draw their lines apart, and some
    overlap.
    """
    cuts = rfm_cuts(books, at if cut_at is None else cut_at, window_days)
    given = {
        f"{name}{place}": step
        for name, steps in (("r", cuts.recency), ("f", cuts.frequency), ("m", cuts.monetary))
        for place, step in enumerate(steps)
    }
    score = {
        "r": _score("r", "recency_days <= "),
        "f": _score("f", "frequency >= "),
        "m": _score("m", "monetary >= "),
    }
    return books.keep(
        f"rfm_{at}_{window_days}_{cut_at or at}",
        f"""
        WITH scored AS (
            SELECT *, {score["r"]} AS r, {score["f"]} AS f, {score["m"]} AS m
            FROM {rfm_values(books, at, window_days)}
        )
        SELECT customer_id, recency_days, frequency, monetary, r, f, m,
               CASE WHEN r IS NULL THEN 'no_order'
                    ELSE list_extract($grid::VARCHAR[], (5 * (r - 1) + (f + m + 1) // 2)::BIGINT) END AS rfm
        FROM (SELECT customer_id FROM customers WHERE first_known_at < $at
              UNION SELECT customer_id FROM scored) LEFT JOIN scored USING (customer_id)
        """,
        {"at": at, "grid": [segment for row in GRID for segment in row], **given},
    )


def _score(name: str, holds: str) -> str:
    return "1 + " + " + ".join(f"coalesce({holds}${name}{place}, false)::INTEGER" for place in range(len(SCORES) - 1))
