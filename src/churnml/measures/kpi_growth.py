"""How many customers there are, come and go, and how many prospects become one."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from churnml.measures.kpi_ground import Ground


def growth(ground: Ground) -> Iterator[pd.DataFrame]:
    """Yield the sums of the family `growth`; see `kpi_list` for what each is."""
    people, calendar = ground.people, ground.calendar
    yield ground.sums(
        "customers", f"SELECT customer_id, period, 1 AS y, 1 AS x FROM {people} JOIN {calendar} ON known < last"
    )
    active = _active(ground)
    yield ground.sums("active_customers", f"SELECT customer_id, period, 1 AS y, 1 AS x FROM {active} WHERE at_last")
    change = "at_last::INT - at_first::INT AS y"
    yield ground.sums("growth_rate", f"SELECT customer_id, period, {change}, at_first::INT AS x FROM {active}")
    yield ground.sums("net_growth", f"SELECT customer_id, period, {change}, 1 AS x FROM {active}")
    yield ground.sums("new_customers", _new(ground))
    yield ground.sums(
        "conversion_rate", f"SELECT customer_id, period, converted::INT AS y, 1 AS x FROM {prospects(ground)}"
    )


def _new(ground: Ground) -> str:
    return f"SELECT customer_id, period, 1 AS y, 1 AS x FROM {ground.first} JOIN {ground.days()} USING (day)"


def prospects(ground: Ground) -> str:
    """Name a table of the prospects whose days to convert in ended in each period, whether they did, and until when.

    `until` is the day they converted, else the first after their days: what a conversion cost was spent before it.
    """
    return ground.keep(
        "kpi_prospects",
        f"""
        SELECT customer_id, period, known, acquisition_cost,
               coalesce(f.day <= known + $conversion_days::INTEGER, false) AS converted,
               least(coalesce(f.day, known + $conversion_days::INTEGER), known + $conversion_days::INTEGER) AS until
        FROM (SELECT period, day AS known FROM {ground.days(ground.windows.conversion_days)})
        JOIN {ground.people} USING (known) LEFT JOIN {ground.first} AS f USING (customer_id)
        WHERE coalesce(f.day > known, true)
        """,
    )


def _active(ground: Ground) -> str:
    """Name a table of who was active at the first or the last midnight of each period."""
    edges = ground.keep(
        "kpi_edges", f"SELECT period AS edge FROM {ground.calendar} UNION SELECT last FROM {ground.calendar}"
    )
    found = []
    if "orders" in ground.books.tables:
        span = ground.keep(
            "kpi_edge_days",
            f"""
            SELECT edge,
                   unnest(generate_series(edge - $population_days::INTEGER, edge - 1, INTERVAL 1 DAY))::DATE AS day
            FROM {edges}
            """,
        )
        found.append(
            f"SELECT DISTINCT customer_id, edge FROM {ground.books.order_days} JOIN {span} USING (day) WHERE ordered"
        )
    if "subscriptions" in ground.books.tables:
        found.append(
            f"""
            SELECT customer_id, edge FROM {ground.contracts} JOIN {edges}
            ON day < edge AND coalesce(until >= edge, true)
            """
        )
    standing = ground.keep("kpi_standing", " UNION ".join(found))
    return ground.keep(
        "kpi_active",
        f"""
        SELECT customer_id, period, bool_or(edge = period) AS at_first, bool_or(edge = last) AS at_last
        FROM {standing} JOIN {ground.calendar} ON edge = period OR edge = last GROUP BY customer_id, period
        """,
    )
