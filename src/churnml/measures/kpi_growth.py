"""How many customers there are, come and go, and how many prospects become one."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from churnml.measures.kpi_ground import Ground


def growth(ground: Ground) -> Iterator[pd.DataFrame]:
    """Yield the sums of the family `growth`; see `kpi_list` for what each is."""
    yield ground.tallied(
        "customers",
        f"""
        SELECT period, part, n, 1 AS y, 1 AS x FROM {ground.calendar}
        JOIN (SELECT known, part, count(*) AS n FROM {ground.people} GROUP BY ALL) ON known < last
        """,
    )
    active = _active(ground)
    yield ground.tallied("active_customers", f"SELECT period, part, n, 1 AS y, 1 AS x FROM {active} WHERE at_last")
    change = "at_last::INT - at_first::INT AS y"
    yield ground.tallied("growth_rate", f"SELECT period, part, n, {change}, at_first::INT AS x FROM {active}")
    yield ground.tallied("net_growth", f"SELECT period, part, n, {change}, 1 AS x FROM {active}")
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
    """Name a table of how many (`n`) of a part were active at the first or the last midnight of each period."""
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
            f"SELECT customer_id, edge FROM {ground.turns} JOIN {span} USING (day) WHERE coalesce(next >= edge, true)"
        )
    if "subscriptions" in ground.books.tables:
        found.append(
            f"""
            SELECT customer_id, edge FROM {ground.contracts} JOIN {edges}
            ON day < edge AND coalesce(until >= edge, true)
            """
        )
    standing = ground.keep(
        "kpi_standing",
        f"SELECT customer_id, part, edge FROM ({' UNION '.join(found)}) JOIN {ground.people} USING (customer_id)",
    )
    return ground.keep(
        "kpi_active",
        f"""
        WITH there AS (SELECT edge, part, count(*) AS n FROM {standing} GROUP BY ALL),
        firsts AS (SELECT period, part, n FROM there JOIN {ground.calendar} ON edge = period),
        lasts AS (SELECT period, part, n FROM there JOIN {ground.calendar} ON edge = last),
        boths AS (
            SELECT period, one.part AS part, count(*) AS n
            FROM {standing} AS one JOIN {ground.calendar} ON one.edge = period
            JOIN {standing} AS other ON other.customer_id = one.customer_id AND other.edge = last GROUP BY ALL
        ),
        every AS (
            SELECT period, part, coalesce(f.n, 0) AS n_first, coalesce(l.n, 0) AS n_last, coalesce(b.n, 0) AS n_both
            FROM firsts AS f FULL JOIN lasts AS l USING (period, part) LEFT JOIN boths AS b USING (period, part)
        )
        SELECT period, part, true AS at_first, true AS at_last, n_both AS n FROM every
        UNION ALL SELECT period, part, true, false, n_first - n_both FROM every
        UNION ALL SELECT period, part, false, true, n_last - n_both FROM every
        """,
    )
