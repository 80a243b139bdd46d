"""What customers are worth, and what winning and converting them costs."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from churnml.events.schema import MONEY_SCALE
from churnml.measures.kpi_ground import Ground
from churnml.measures.kpi_growth import prospects
from churnml.measures.kpi_retention import contact_costs

FORECASTS = "kpi_forecasts"
"""The table, laid into the books, of what the model said of each customer it scored last: `customer_id` and `clv`."""


def worth(ground: Ground) -> Iterator[pd.DataFrame]:
    """Yield the sums of historic CLV and of its ratio to acquisition cost."""
    so_far = _margin(ground)
    yield ground.sums("clv_historic", f"SELECT customer_id, period, margin AS y, 1 AS x FROM {so_far}")
    yield ground.sums(
        "clv_to_cac",
        f"""
        SELECT customer_id, period, margin AS y, acquisition_cost AS x
        FROM {so_far} JOIN {ground.people} USING (customer_id) WHERE acquisition_cost > 0
        """,
    )


def forecast(ground: Ground) -> pd.DataFrame:
    """Return the sums of predicted CLV, of the last period alone."""
    return ground.sums(
        "clv_predicted",
        f"""
        SELECT customer_id, (SELECT max(period) FROM {ground.calendar}) AS period, clv AS y, 1 AS x FROM {FORECASTS}
        WHERE clv IS NOT NULL
        """,
    )


def total_to_cost(ground: Ground) -> pd.DataFrame:
    """Return the sums of margin so far with what is to come, over acquisition cost."""
    return ground.sums(
        "clv_total_to_cac",
        f"""
        SELECT customer_id, period, margin + clv AS y, acquisition_cost AS x
        FROM {_margin(ground)} JOIN {FORECASTS} USING (customer_id) JOIN {ground.people} USING (customer_id)
        WHERE clv IS NOT NULL AND acquisition_cost > 0 AND period = (SELECT max(period) FROM {ground.calendar})
        """,
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
    )


def _margin(ground: Ground) -> str:
    """Name a table of the margin of each customer who ever ordered, up to the end of each period.

    As `labels.value.margin` counts it: money that went back is taken off at the rate of what was kept.
    """
    return ground.keep(
        "kpi_margin",
        f"""
        WITH so_far AS (
            SELECT f.customer_id, c.period, sum(s.revenue) OVER so_far AS revenue, sum(s.margin) OVER so_far AS margin,
                   sum(s.back) OVER so_far AS back
            FROM {ground.first} AS f JOIN {ground.calendar} AS c ON f.day < c.last
            LEFT JOIN ({_by_orders(ground) if "orders" in ground.books.tables else _by_contracts(ground)}) AS s
            ON s.customer_id = f.customer_id AND s.period = c.period
            WINDOW so_far AS (PARTITION BY f.customer_id ORDER BY c.period)
        )
        SELECT customer_id, period,
               coalesce(margin - back * CASE WHEN revenue > 0 THEN margin / revenue ELSE $margin_rate::DOUBLE END, 0)
               AS margin
        FROM so_far
        """,
    )


def _by_orders(ground: Ground) -> str:
    """Return the query of what each customer brought by period, all that lay before the first one in it."""
    back = "SELECT customer_id, local_time(occurred_at)::DATE, 0, 0, amount FROM returns"
    return f"""
        SELECT customer_id, period, sum(revenue) / {MONEY_SCALE}.0 AS revenue, sum(margin) / {MONEY_SCALE}.0 AS margin,
               sum(back) / {MONEY_SCALE}.0 AS back
        FROM (
            SELECT customer_id, day, amount AS revenue,
                   costed - coalesce(cost, 0) + $margin_rate::DOUBLE * (amount - costed) AS margin, 0 AS back
            FROM {ground.books.order_days} {f"UNION ALL {back}" if "returns" in ground.books.tables else ""}
        ) ASOF JOIN {ground.calendar} ON day < last GROUP BY customer_id, period
    """


def _by_contracts(ground: Ground) -> str:
    """Return the same of what contracts cost, day by day."""
    return f"""
        SELECT customer_id, period, sum(fee * days) AS revenue, sum($margin_rate::DOUBLE * fee * days) AS margin,
               0 AS back
        FROM (
            SELECT customer_id, period, fee, least(coalesce(until, last), last) - greatest(day, opens) AS days
            FROM {ground.fees} JOIN (
                SELECT *, CASE WHEN period = min(period) OVER () THEN DATE '0001-01-01' ELSE period END AS opens
                FROM {ground.calendar}
            ) ON day < last AND coalesce(until > opens, true)
        ) GROUP BY customer_id, period
    """
