"""The same features in DuckDB, as a competent analyst would write them: one query a cutoff, an aggregate a table.

Windows are `FILTER` clauses, so each table is grouped once for all of them. Different channels, categories and days
come from a grouping by them first, which is cheaper than a `count(DISTINCT …)` for each window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from benchmarks.polars_features import AWAY, COMPLAINTS, DAY, HOUR, MONEY, SLICES, WINDOWS

_SENT = ("contacts", "redemptions")


def build(paths: Mapping[str, Path], cutoffs: Sequence[int], names: Sequence[str]) -> pa.Table:
    """Return one row per customer of the base and cutoff, and the features named: a query for each cutoff."""
    with duckdb.connect() as connection:
        return pa.concat_tables([connection.sql(_query(paths, one, names)).to_arrow_table() for one in cutoffs])


def _query(paths: Mapping[str, Path], cutoff: int, names: Sequence[str]) -> str:
    groups = {
        "of_orders": _of_orders(cutoff),
        "of_days": _of_days(cutoff),
        "of_channels": _of_channels("channels", "orders", cutoff),
        "of_lines": f"""SELECT customer_id, avg((coalesce(discount, 0) > 0)::INT) AS discounted_lines_share_90d
            FROM order_lines WHERE {_since(cutoff, 90)} GROUP BY customer_id""",
        "of_categories": _of_categories(cutoff),
        "of_contacts": _of_sent("contacts", "contacts WHERE arm IS DISTINCT FROM 'control'", cutoff),
        "of_redemptions": _of_sent("redemptions", "interactions WHERE kind = 'redeem'", cutoff),
        "of_acts": _of_acts(cutoff),
        "of_act_days": _of_act_days(cutoff),
        "of_act_channels": _of_channels("act_channels", "acts", cutoff),
        "of_tickets": _of_tickets(cutoff),
    }
    seen = {table: f"FROM read_parquet('{path}') WHERE occurred_at < {cutoff}" for table, path in paths.items()}
    acts = {"acts": f"FROM interactions WHERE kind NOT IN {AWAY}"}
    tables = ",\n".join(f"{name} AS ({made})" for name, made in (seen | acts | groups).items())
    joins = "\n".join(f"LEFT JOIN {name} USING (customer_id)" for name in groups)
    derived = _derived(cutoff // DAY)
    values = ",\n".join(f"{derived.get(name, _or_zero(name))} AS {name}" for name in names)
    return f"WITH {tables}\nSELECT customer_id, {cutoff} AS cutoff,\n{values}\nFROM customers\n{joins}"


def _since(cutoff: int, days: int, lag: int = 0) -> str:
    """Return the condition of a window; a lag of 0 needs no end, since rows are from before the cutoff."""
    start = f"occurred_at >= {cutoff - (days + lag) * DAY}"
    return f"{start} AND occurred_at < {cutoff - lag * DAY}" if lag else start


def _windows(aggregate: str, name: str, cutoff: int, days: Sequence[int]) -> str:
    return ", ".join(f"{aggregate} FILTER (WHERE {_since(cutoff, width)}) AS {name}_{width}d" for width in days)


def _slices(aggregate: str, name: str, cutoff: int) -> str:
    return ", ".join(f"{aggregate} FILTER (WHERE {_since(cutoff, 30, 30 * k)}) AS {name}_slice_{k}" for k in SLICES)


def _of_orders(cutoff: int) -> str:
    return f"""SELECT customer_id,
        {_windows("sum(amount)", "spend", cutoff, WINDOWS)}, {_slices("sum(amount)", "spend", cutoff)},
        sum(amount) FILTER (WHERE {_since(cutoff, 90, 90)}) AS spend_before_90d,
        sum(amount) AS spend_all, count(*) AS n_all,
        {_windows("count(*)", "n", cutoff, [90])}, {_windows("sum(quantity)", "items", cutoff, [90])},
        sum(quantity) AS items_all, {_windows("sum(discount)", "discount", cutoff, [90])},
        sum(discount) AS discount_all, sum((amount // 100) * (amount // 100)) AS cents_squared,
        arg_max(amount, occurred_at) AS last_order_amount, {_windows("max(amount)", "basket_max", cutoff, [180])}
        FROM orders GROUP BY customer_id"""


def _of_days(cutoff: int) -> str:
    return f"""SELECT customer_id,
        {_windows("count(*)", "orders", cutoff, WINDOWS)}, {_slices("count(*)", "orders", cutoff)},
        count(*) FILTER (WHERE {_since(cutoff, 90, 90)}) AS orders_before_90d,
        count(*) AS orders_all, min(day) AS first_day, max(day) AS last_day,
        sum(gap) AS gap_sum, sum(gap * gap) AS gap_squares, count(gap) AS gaps,
        arg_max(gap, day) AS gap_last_days, max(gap) AS gap_max_days,
        {_windows("sum(gap)", "gap_sum", cutoff, [90])}, {_windows("count(gap)", "gaps", cutoff, [90])},
        count(*) FILTER (WHERE (day + 3) % 7 >= 5) AS weekend,
        count(*) FILTER (WHERE occurred_at % {DAY} >= 18 * {HOUR}) AS evening
        FROM (
            SELECT *, day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap
            FROM (
                SELECT customer_id, occurred_at // {DAY} AS day, min(occurred_at) AS occurred_at
                FROM orders WHERE amount > 0 GROUP BY ALL
            )
        )
        GROUP BY customer_id"""


def _of_channels(name: str, table: str, cutoff: int) -> str:
    return f"""SELECT customer_id, count(*) AS {name}_all, {_windows("count(*)", name, cutoff, [90])}
        FROM (
            SELECT customer_id, channel, max(occurred_at) AS occurred_at
            FROM {table} WHERE channel IS NOT NULL GROUP BY ALL
        )
        GROUP BY customer_id"""


def _of_categories(cutoff: int) -> str:
    return f"""SELECT customer_id, count(*) AS categories_all, {_windows("count(*)", "categories", cutoff, [30, 90])},
        count(*) FILTER (WHERE first_at >= {cutoff - 90 * DAY}) AS new_categories_90d
        FROM (
            SELECT customer_id, category, min(occurred_at) AS first_at, max(occurred_at) AS occurred_at
            FROM order_lines WHERE category IS NOT NULL GROUP BY ALL
        )
        GROUP BY customer_id"""


def _of_sent(name: str, rows: str, cutoff: int) -> str:
    return f"""SELECT customer_id, {_windows("count(*)", name, cutoff, [30, 90, 180])},
        count(*) AS {name}_all, max(occurred_at) // {DAY} AS last_{name}
        FROM {rows} GROUP BY customer_id"""


def _of_acts(cutoff: int) -> str:
    counted = {
        ("visit", "visits"): [30, 90],
        ("view", "views"): [30, 90],
        ("search", "searches"): [30, 90],
        ("cart", "carts"): [30],
        ("login", "logins"): [90],
    }
    counts = ", ".join(
        f"count(*) FILTER (WHERE kind = '{kind}' AND {_since(cutoff, width)}) AS {name}_{width}d"
        for (kind, name), days in counted.items()
        for width in days
    )
    recent_visit = f"kind = 'visit' AND {_since(cutoff, 90)}"
    return f"""SELECT customer_id, {counts},
        count(duration_seconds) FILTER (WHERE {recent_visit}) AS timed_90d,
        sum(duration_seconds) FILTER (WHERE {recent_visit}) AS seconds_90d,
        min(occurred_at) // {DAY} AS first_act, max(occurred_at) // {DAY} AS last_act
        FROM acts GROUP BY customer_id"""


def _of_act_days(cutoff: int) -> str:
    return f"""SELECT customer_id, count(*) AS active_days_all,
        {_windows("count(*)", "active_days", cutoff, [30, 90])}
        FROM (
            SELECT customer_id, occurred_at // {DAY} AS day, min(occurred_at) AS occurred_at FROM acts GROUP BY ALL
        )
        GROUP BY customer_id"""


def _of_tickets(cutoff: int) -> str:
    resolved = f"resolved_at < {cutoff} AND {_since(cutoff, 365)}"
    complaint = f"kind IN {COMPLAINTS}"
    return f"""SELECT customer_id, {_windows("count(*)", "tickets", cutoff, [90, 365])},
        count(*) FILTER (WHERE {complaint} AND {_since(cutoff, 365)}) AS complaints_365d,
        count(*) FILTER (WHERE {complaint}) AS complaints_all,
        max(occurred_at) FILTER (WHERE {complaint}) // {DAY} AS last_complaint,
        count(*) FILTER (WHERE {resolved}) AS resolved_365d,
        sum((resolved_at - occurred_at) // {HOUR}) FILTER (WHERE {resolved}) AS hours_365d
        FROM tickets GROUP BY customer_id"""


def _derived(day: int) -> dict[str, str]:
    """Return the features that are more than a count: money, means, ratios, spreads and days since."""
    gap_mean = _share("gap_sum", "gaps")
    gap_variance = "greatest(gap_squares - gap_sum / gaps * gap_sum, 0) / (gaps - 1)"
    gap_sd = f"CASE WHEN gaps > 1 THEN sqrt({gap_variance}) END"
    mean = f"(spend_all / {MONEY} / n_all)"
    basket_variance = f"greatest(cents_squared / 10000 / n_all - {mean} * {mean}, 0) * n_all / (n_all - 1)"
    spent = [*(f"spend_{width}d" for width in WINDOWS), "spend_all", *(f"spend_slice_{k}" for k in SLICES)]
    return {name: f"{_or_zero(name)} / {MONEY}" for name in spent} | {
        "last_order_amount": f"last_order_amount / {MONEY}",
        "basket_max_180d": f"basket_max_180d / {MONEY}",
        "discounted_lines_share_90d": "discounted_lines_share_90d",
        "gap_last_days": "gap_last_days",
        "gap_max_days": "gap_max_days",
        "gap_mean_days": gap_mean,
        "gap_sd_days": gap_sd,
        "gap_mean_90d": _share("gap_sum_90d", "gaps_90d"),
        "recency_days": f"{day} - last_day",
        "tenure_days": f"{day} - first_day",
        "overdue_ratio": f"({day} - last_day) / ({gap_mean})",
        "overdue_spreads": f"({day} - last_day - {gap_mean}) / CASE WHEN gaps > 1 THEN greatest({gap_sd}, 1) END",
        "orders_per_30_days": f"orders_all * 30 / greatest({day} - first_day, 30)",
        "basket_90d": f"{_share('spend_90d', 'n_90d')} / {MONEY}",
        "basket_all": f"{_share('spend_all', 'n_all')} / {MONEY}",
        "discount_share_90d": _share("discount_90d", "(spend_90d + discount_90d)"),
        "discount_share_all": _share("discount_all", "(spend_all + discount_all)"),
        "basket_sd": f"CASE WHEN n_all > 1 THEN sqrt({basket_variance}) END",
        "orders_per_order_day": _share("n_all", "orders_all"),
        "orders_change_30d": f"{_or_zero('orders_30d')} - {_or_zero('orders_slice_1')}",
        "orders_change_90d": f"{_or_zero('orders_90d')} - {_or_zero('orders_before_90d')}",
        "spend_change_30d": f"{_log('spend_30d')} - {_log('spend_slice_1')}",
        "spend_change_90d": f"{_log('spend_90d')} - {_log('spend_before_90d')}",
        "weekend_share": _share("weekend", "orders_all"),
        "evening_share": _share("evening", "orders_all"),
        "days_since_activity": f"{day} - last_act",
        "active_days_per_30_days": f"active_days_all * 30 / greatest({day} - first_act, 30)",
        "minutes_per_visit_90d": f"{_share('seconds_90d', 'timed_90d')} / 60",
        "orders_per_active_day_90d": _share("orders_90d", "active_days_90d"),
        "searches_per_order_90d": _share("searches_90d", "orders_90d"),
        "carts_left_30d": f"greatest({_or_zero('carts_30d')} - {_or_zero('orders_30d')}, 0)",
        "days_since_complaint": f"{day} - last_complaint",
        "complaints_per_order": _share("complaints_all", "orders_all"),
        "open_tickets_365d": f"{_or_zero('tickets_365d')} - {_or_zero('resolved_365d')}",
        "hours_to_resolution_mean_365d": _share("hours_365d", "resolved_365d"),
        **{f"days_since_{name[:-1]}": f"{day} - last_{name}" for name in _SENT},
        "redemptions_per_contact": _share("redemptions_all", "contacts_all"),
    }


def _or_zero(name: str) -> str:
    return f"coalesce({name}, 0)"


def _share(part: str, whole: str) -> str:
    return f"{_or_zero(part)} / nullif({whole}, 0)"


def _log(name: str) -> str:
    return f"ln(1 + {_or_zero(name)} / {MONEY})"
