"""Who stayed and who left, by orders and by contracts, and what was spent on those who stayed."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from churnml.events.schema import MONEY_SCALE
from churnml.measures.kpi_ground import Ground


def retention_by_orders(ground: Ground) -> Iterator[pd.DataFrame]:
    """Yield the sums of churn and retention by orders: who was active a horizon before the end of each period."""
    standing = _standing(ground)
    yield ground.sums("churn_rate", f"SELECT customer_id, period, (NOT stayed)::INT AS y, 1 AS x FROM {standing}")
    yield ground.sums("retention_rate", f"SELECT customer_id, period, stayed::INT AS y, 1 AS x FROM {standing}")


def retention_by_contracts(ground: Ground) -> Iterator[pd.DataFrame]:
    """Yield the sums of churn and retention by contracts: who held one when the days began that a period judges."""
    left = ground.keep(
        "kpi_left",
        f"""
        SELECT customer_id, period,
               coalesce(bool_or(NOT continued AND until < last - $grace_days::INTEGER), false) AS gone
        FROM {ground.contracts} JOIN {ground.calendar}
        ON day < period - $grace_days::INTEGER AND coalesce(until >= period - $grace_days::INTEGER, true)
        GROUP BY customer_id, period
        """,
    )
    yield ground.sums("contract_churn_rate", f"SELECT customer_id, period, gone::INT AS y, 1 AS x FROM {left}")
    yield ground.sums(
        "contract_retention_rate", f"SELECT customer_id, period, (NOT gone)::INT AS y, 1 AS x FROM {left}"
    )


def cost_to_retain(ground: Ground) -> pd.DataFrame:
    """Return the sums of what contacts cost in the days churn is judged by, over who stayed."""
    days = ground.keep(
        "kpi_judged_days",
        f"""
        SELECT period, unnest(generate_series(last - $horizon_days::INTEGER, last - 1, INTERVAL 1 DAY))::DATE AS day
        FROM {ground.calendar}
        """,
    )
    return ground.sums(
        "cost_to_retain",
        f"""
        SELECT customer_id, period, coalesce(spent, 0) AS y, stayed::INT AS x
        FROM {_standing(ground)} LEFT JOIN (
            SELECT customer_id, period, sum(spent) AS spent FROM {contact_costs(ground)} JOIN {days} USING (day)
            GROUP BY customer_id, period
        ) USING (customer_id, period)
        WHERE (SELECT count(*) FROM {contact_costs(ground)}) > 0
        """,
        whole=False,
    )


def contact_costs(ground: Ground) -> str:
    """Name a table of what contacts carried out cost, by customer and local day; none where no cost is known."""
    if "contacts" not in ground.books.tables:
        nothing = "SELECT NULL::VARCHAR AS customer_id, NULL::DATE AS day, 0.0 AS spent LIMIT 0"
        return ground.keep("kpi_no_costs", nothing)
    return ground.keep(
        "kpi_costs",
        f"""
        SELECT customer_id, local_time(occurred_at)::DATE AS day, sum(cost) / {MONEY_SCALE}.0 AS spent FROM contacts
        WHERE cost IS NOT NULL AND arm IS DISTINCT FROM 'control' GROUP BY ALL
        """,
    )


def _standing(ground: Ground) -> str:
    """Name a table of who was active a horizon before the end of each period, and whether they ordered since."""
    span = ground.keep(
        "kpi_churn_days",
        f"""
        SELECT period, last, last - $horizon_days::INTEGER AS cutoff,
               unnest(generate_series(last - $horizon_days::INTEGER - $population_days::INTEGER,
                                      last - $horizon_days::INTEGER - 1, INTERVAL 1 DAY))::DATE AS day
        FROM {ground.calendar}
        """,
    )
    return ground.keep(
        "kpi_stayed",
        f"""
        SELECT customer_id, period, coalesce(next < last, false) AS stayed
        FROM {ground.turns} JOIN {span} USING (day) JOIN {ground.people} USING (customer_id)
        WHERE coalesce(next >= cutoff, true) AND known < cutoff
        """,
    )
