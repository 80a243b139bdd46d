"""What customers are worth, and what winning and converting them costs."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from churnml.events.schema import MONEY_SCALE
from churnml.measures.exact import EXACT
from churnml.measures.kpi_ground import Ground
from churnml.measures.kpi_growth import prospects
from churnml.measures.kpi_retention import contact_costs

FORECASTS = "kpi_forecasts"
"""The table, laid into the books, of what the model said of each customer it scored last: `customer_id` and `clv`."""


def worth(ground: Ground) -> Iterator[pd.DataFrame]:
    """Yield the sums of historic CLV and of its ratio to acquisition cost."""
    so_far = _margin(ground)
    yield ground.running("clv_historic", f"SELECT customer_id, period, margin AS y, before, 1 AS x FROM {so_far}")
    yield ground.running(
        "clv_to_cac",
        f"""
        SELECT customer_id, period, margin AS y, before, acquisition_cost AS x
        FROM {so_far} JOIN {ground.people} USING (customer_id) WHERE acquisition_cost > 0
        """,
    )


def forecast(ground: Ground) -> pd.DataFrame:
    """Return the sums of predicted CLV, of the last period alone; of who has left the books since, none."""
    return ground.sums(
        "clv_predicted",
        f"""
        SELECT customer_id, (SELECT max(period) FROM {ground.calendar}) AS period, clv AS y, 1 AS x
        FROM {FORECASTS} SEMI JOIN customers USING (customer_id) WHERE clv IS NOT NULL
        """,
        whole=False,
    )


def total_to_cost(ground: Ground) -> pd.DataFrame:
    """Return the sums of margin so far with what is to come, over acquisition cost."""
    return ground.sums(
        "clv_total_to_cac",
        f"""
        SELECT customer_id, (SELECT max(period) FROM {ground.calendar}) AS period, margin + clv AS y,
               acquisition_cost AS x
        FROM (SELECT customer_id, arg_max(margin, period) AS margin FROM {_margin(ground)} GROUP BY customer_id)
        JOIN {FORECASTS} USING (customer_id) JOIN {ground.people} USING (customer_id)
        WHERE clv IS NOT NULL AND acquisition_cost > 0
        """,
        whole=False,
    )


def acquisition(ground: Ground) -> Iterator[pd.DataFrame]:
    """Yield the sums of acquisition cost per new customer and of marketing cost per conversion."""
    yield ground.sums(
        "cac",
        f"""
        SELECT customer_id, period, acquisition_cost AS y, 1 AS x
        FROM {ground.first} JOIN {ground.days()} USING (day) JOIN {ground.people} USING (customer_id)
        WHERE acquisition_cost IS NOT NULL
        """,
        whole=False,
    )
    yield ground.sums(
        "cost_per_conversion",
        f"""
        SELECT p.customer_id, p.period, any_value(p.acquisition_cost) + coalesce(sum(c.spent), 0) AS y,
               any_value(p.converted)::INT AS x
        FROM {prospects(ground)} AS p LEFT JOIN {contact_costs(ground)} AS c
        ON c.customer_id = p.customer_id AND c.day >= p.known AND c.day < p.until
        WHERE p.acquisition_cost IS NOT NULL GROUP BY p.customer_id, p.period
        """,
        whole=False,
    )


def _margin(ground: Ground) -> str:
    """Name a table of the margin so far of each customer who ever ordered: a row for each period in which it changes.

    `before` is what it was until then, empty in the period in which they began. As `labels.value.margin` counts it:
    money that went back is taken off at the rate of what was kept.
    """
    brought = _by_orders(ground) if "orders" in ground.books.tables else _by_contracts(ground)
    return ground.keep(
        "kpi_margin",
        f"""
        WITH brought AS (
            SELECT customer_id, period, sum(revenue) AS revenue, sum(known) AS known, sum(rated) AS rated,
                   sum(back) AS back
            FROM (
                SELECT * REPLACE (greatest(day, (SELECT min(period) FROM {ground.calendar})) AS day)
                FROM ({brought} UNION ALL SELECT customer_id, day, 0, 0, 0, 0 FROM {ground.first})
            ) JOIN {ground.days()} USING (day) GROUP BY customer_id, period
        ),
        added AS (
            SELECT customer_id, period,
                   period > greatest(f.day, (SELECT min(period) FROM {ground.calendar})) AS goes_on,
                   {", ".join(f"b.{name} AS own_{name}, sum(b.{name}) OVER so_far AS {name}" for name in _ADDED)}
            FROM brought AS b JOIN {ground.calendar} USING (period) JOIN {ground.first} AS f USING (customer_id)
            WHERE f.day < last
            WINDOW so_far AS (PARTITION BY customer_id ORDER BY period)
        ),
        so_far AS (
            SELECT customer_id, period, goes_on, revenue::DOUBLE AS revenue, back::DOUBLE AS back,
                   known::DOUBLE + $margin_rate::DOUBLE * rated::DOUBLE AS margin,
                   (revenue - own_revenue)::DOUBLE AS revenue_before, (back - own_back)::DOUBLE AS back_before,
                   (known - own_known)::DOUBLE + $margin_rate::DOUBLE * (rated - own_rated)::DOUBLE AS margin_before
            FROM added
        )
        SELECT customer_id, period, {_kept("revenue", "margin", "back")} AS margin,
               CASE WHEN goes_on THEN {_kept("revenue_before", "margin_before", "back_before")} END AS before
        FROM so_far
        """,
    )


_ADDED = ("revenue", "known", "rated", "back")
"""In 1/10,000 unit: what came in, its margin where costs are known, what takes the margin rate, and what went back."""


def _kept(revenue: str, margin: str, back: str) -> str:
    """Return the expression of what is left of a margin when money went back, in the currency."""
    rate = f"CASE WHEN {revenue} > 0 THEN {margin} / {revenue} ELSE $margin_rate::DOUBLE END"
    return f"({margin} - {back} * {rate}) / {MONEY_SCALE}.0"


def _by_orders(ground: Ground) -> str:
    """Return the query of what each customer brought by day, in 1/10,000 unit, in which sums are exact."""
    back = "SELECT customer_id, local_time(occurred_at)::DATE, 0, 0, 0, amount FROM returns"
    return f"""
        SELECT customer_id, day, amount AS revenue, costed - coalesce(cost, 0) AS known, amount - costed AS rated,
               0 AS back
        FROM {ground.books.order_days} {f"UNION ALL {back}" if "returns" in ground.books.tables else ""}
    """


def _by_contracts(ground: Ground) -> str:
    """Return the same of what contracts cost, all days of a period on its first."""
    return f"""
        SELECT customer_id, period AS day, ({MONEY_SCALE} * fee * days)::{EXACT} AS revenue, 0 AS known,
               ({MONEY_SCALE} * fee * days)::{EXACT} AS rated, 0 AS back
        FROM (
            SELECT customer_id, period, fee, least(coalesce(until, last), last) - greatest(day, opens) AS days
            FROM {ground.fees} JOIN (
                SELECT *, CASE WHEN period = min(period) OVER () THEN DATE '0001-01-01' ELSE period END AS opens
                FROM {ground.calendar}
            ) ON day < last AND coalesce(until > opens, true)
        )
    """
