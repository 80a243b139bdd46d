"""What customers buy: how often, for how much, again, back, and more than before."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from churnml.events.schema import MONEY_SCALE
from churnml.measures.exact import exact_sum
from churnml.measures.kpi_ground import Ground


def buying(ground: Ground) -> Iterator[pd.DataFrame]:
    """Yield the sums of frequency, basket, repeat purchase and dearer goods."""
    buyers = ground.buyers
    yield ground.sums("order_frequency", f"SELECT customer_id, period, days AS y, 1 AS x FROM {buyers} WHERE days > 0")
    yield ground.sums("basket", f"SELECT customer_id, period, amount AS y, orders AS x FROM {buyers}", whole=False)
    yield ground.sums(
        "repeat_rate",
        f"""
        SELECT customer_id, period, coalesce(again <= ordered + $repeat_days::INTEGER, false)::INT AS y, 1 AS x
        FROM {ground.first} AS f JOIN {ground.days(ground.windows.repeat_days)} AS d ON f.ordered = d.day
        """,
    )
    yield ground.sums("up_sell_rate", _dearer(ground))


def revenue(ground: Ground) -> pd.DataFrame:
    """Return the sums of what orders brought; where there are no orders, of what contracts cost, day by day."""
    if "orders" in ground.books.tables:
        brought = f"SELECT customer_id, period, amount AS y, 1 AS x FROM {ground.buyers}"
        return ground.sums("revenue", brought, whole=False)
    days = "least(coalesce(until, last), last) - greatest(day, period)"
    return ground.sums(
        "revenue",
        f"""
        SELECT customer_id, period, {exact_sum(f"fee * ({days})")} AS y, 1 AS x
        FROM {ground.fees} JOIN {ground.calendar} ON day < last AND coalesce(until > period, true)
        GROUP BY customer_id, period
        """,
        whole=False,
    )


def returning(ground: Ground) -> pd.DataFrame:
    """Return the sums of buyers who had bought before the period."""
    return ground.sums(
        "returning_rate",
        f"""
        SELECT customer_id, period, (ordered < period)::INT AS y, 1 AS x
        FROM {ground.buyers} JOIN {ground.first} USING (customer_id) WHERE days > 0
        """,
    )


def _dearer(ground: Ground) -> str:
    """Return the query of whose mean price per unit rose against the days before the period."""
    days = ground.keep(
        "kpi_price_days",
        f"""
        SELECT period, unnest(generate_series(period - $price_days::INTEGER, last - 1, INTERVAL 1 DAY))::DATE AS day
        FROM {ground.calendar}
        """,
    )
    return f"""
        SELECT customer_id, period, (now > before * (1 + $price_rise::DOUBLE))::INT AS y, 1 AS x FROM (
            SELECT customer_id, period,
                   sum(amount) FILTER (day >= period) / sum(quantity) FILTER (day >= period) AS now,
                   sum(amount) FILTER (day < period) / sum(quantity) FILTER (day < period) AS before
            FROM (SELECT customer_id, day, amount::DOUBLE AS amount, quantity::DOUBLE AS quantity
                  FROM {ground.books.order_days} WHERE ordered AND quantity > 0)
            JOIN {days} USING (day)
            GROUP BY customer_id, period
        ) WHERE now IS NOT NULL AND before IS NOT NULL
    """


def returned(ground: Ground) -> Iterator[pd.DataFrame]:
    """Yield the sums of orders and money that came back, of orders whose days to come back in ended in the period."""
    placed = ground.days(ground.windows.return_days)
    back = ground.keep(
        "kpi_returned",
        """
        SELECT o.customer_id, local_time(o.occurred_at)::DATE AS day, count(DISTINCT order_id) AS orders,
               sum(r.amount) AS amount
        FROM orders AS o JOIN returns AS r USING (order_id)
        WHERE o.amount > 0
          AND local_time(r.occurred_at)::DATE <= local_time(o.occurred_at)::DATE + $return_days::INTEGER
        GROUP BY ALL
        """,
    )
    both = ground.keep(
        "kpi_kept",
        f"""
        SELECT customer_id, period, sum(d.orders) AS orders, sum(d.amount) / {MONEY_SCALE}.0 AS amount,
               coalesce(sum(back.orders), 0) AS back_orders, coalesce(sum(back.amount), 0) / {MONEY_SCALE}.0 AS back
        FROM {ground.books.order_days} AS d JOIN {placed} USING (day) LEFT JOIN {back} AS back USING (customer_id, day)
        GROUP BY customer_id, period
        """,
    )
    yield ground.sums("return_rate", f"SELECT customer_id, period, back_orders AS y, orders AS x FROM {both}")
    yield ground.sums(
        "return_rate_money", f"SELECT customer_id, period, back AS y, amount AS x FROM {both}", whole=False
    )


def cross_sold(ground: Ground) -> pd.DataFrame:
    """Return the sums of buyers with earlier orders who bought a category for the first time."""
    fresh = ground.keep(
        "kpi_fresh",
        f"""
        SELECT DISTINCT customer_id, period FROM (
            SELECT customer_id, category, min(local_time(occurred_at)::DATE) AS day FROM order_lines
            WHERE amount > 0 AND category IS NOT NULL GROUP BY customer_id, category
        ) JOIN {ground.days()} USING (day)
        """,
    )
    return ground.sums(
        "cross_sell_rate",
        f"""
        SELECT b.customer_id, b.period, (fresh.period IS NOT NULL)::INT AS y, 1 AS x
        FROM {ground.buyers} AS b JOIN {ground.first} USING (customer_id)
        LEFT JOIN {fresh} AS fresh ON fresh.customer_id = b.customer_id AND fresh.period = b.period
        WHERE days > 0 AND ordered < b.period
          AND (SELECT count(*) FROM order_lines WHERE category IS NOT NULL) > 0
        """,
    )


def plans(ground: Ground) -> pd.DataFrame:
    """Return the sums of holders of contracts who pay more per month at the end of a period than at its beginning."""
    return ground.sums(
        "plan_up_rate",
        f"""
        SELECT customer_id, period, (later > earlier * (1 + 1e-9))::INT AS y, 1 AS x FROM (
            SELECT customer_id, period,
                   sum(fee) FILTER (day < period AND coalesce(until >= period, true)) AS earlier,
                   sum(fee) FILTER (day < last AND coalesce(until >= last, true)) AS later
            FROM {ground.fees} JOIN {ground.calendar} ON day < last AND coalesce(until >= period, true)
            GROUP BY customer_id, period
        ) WHERE earlier > 0 AND later > 0
        """,
    )
