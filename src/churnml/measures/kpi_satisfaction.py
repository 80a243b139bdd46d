"""How content customers are, how they are served, and whether they speak for the company."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from churnml.events import COMPLAINS
from churnml.features.rows import SCALES
from churnml.measures.exact import exact_sum
from churnml.measures.kpi_ground import Ground
from churnml.measures.open_ended import medians
from churnml.measures.parts import EVERYBODY

_HOURS = {"first_response_hours": "first_response_at", "resolution_hours": "resolved_at"}
_SCORES = {
    "csat": "(points >= 0.75)::INT",
    "nps": "100 * ((points >= 0.9)::INT - (points <= 0.6)::INT)",
    "ces": "100 * points",
    "review": "1 + 4 * points",
}
"""What an answer counts, by where it lies between the worst (0) and the best (1) end of its scale."""


def answers(ground: Ground) -> Iterator[pd.DataFrame]:
    """Yield the sums of what surveys said and how many were answered.

    References
    ----------
    Reichheld, F. F. (2003). The one number you need to grow. Harvard Business Review 81(12): promoters and detractors.
    Dixon, M., Freeman, K. & Toman, N. (2010). Stop trying to delight your customers. Harvard Business Review 88(7/8):
    the effort score.
    """
    scales = ", ".join(f"('{name}', {low}, {high})" for name, (low, high) in SCALES.items())
    points = ground.keep(
        "kpi_answers",
        f"""
        SELECT customer_id, period, instrument, greatest(least((score - low) / (high - low), 1), 0) AS points FROM (
            SELECT customer_id, instrument, score, local_time(answered_at)::DATE AS day,
                   coalesce(scale_min, usual_low) AS low, coalesce(scale_max, usual_high) AS high
            FROM surveys JOIN (VALUES {scales}) AS usual(instrument, usual_low, usual_high) USING (instrument)
            WHERE score IS NOT NULL
        ) JOIN {ground.days()} USING (day) WHERE high > low
        """,
    )
    for name, counts in _SCORES.items():
        yield ground.sums(
            name,
            f"""
            SELECT customer_id, period, {exact_sum(counts)} AS y, count(*) AS x FROM {points}
            WHERE instrument = '{name}' GROUP BY customer_id, period
            """,
            whole=False,
        )
    yield ground.sums(
        "answer_rate",
        f"""
        SELECT customer_id, period, count(*) AS x,
               count(*) FILTER (local_time(answered_at)::DATE <= day + $answer_days::INTEGER) AS y
        FROM (SELECT *, local_time(occurred_at)::DATE AS day FROM surveys)
        JOIN {ground.days(ground.windows.answer_days)} USING (day) GROUP BY customer_id, period
        """,
    )


def feedback(ground: Ground) -> pd.DataFrame:
    """Return the sums of who answered a survey, of those who were there."""
    return _of_present(ground, "feedback_rate", "SELECT customer_id, answered_at AS instant FROM surveys")


def complaints_by_order(ground: Ground) -> pd.DataFrame:
    """Return the sums of complaints per hundred orders."""
    return ground.sums(
        "complaints_per_100_orders",
        f"""
        SELECT customer_id, period, coalesce(100 * complaints, 0) AS y, coalesce(orders, 0) AS x
        FROM {ground.buyers} FULL JOIN (
            SELECT customer_id, period, count(*) AS complaints
            FROM (SELECT customer_id, local_time(occurred_at)::DATE AS day FROM tickets WHERE {COMPLAINS})
            JOIN {ground.days()} USING (day) GROUP BY customer_id, period
        ) USING (customer_id, period)
        """,
    )


def complaining(ground: Ground) -> pd.DataFrame:
    """Return the sums of who complained, of those who were there."""
    return _of_present(
        ground, "complaint_rate", f"SELECT customer_id, occurred_at AS instant FROM tickets WHERE {COMPLAINS}"
    )


def referring(ground: Ground) -> pd.DataFrame:
    """Return the sums of who referred or shared, of those who were there."""
    acts = "SELECT customer_id, occurred_at AS instant FROM interactions WHERE lower(kind) IN ('referral', 'share')"
    return _of_present(ground, "referral_rate", acts)


def waiting(ground: Ground) -> pd.DataFrame:
    """Return the median hours to the first answer and to the resolution of tickets, by period and part, and of all.

    Returns
    -------
    DataFrame
        `kpi`, `period`, `part` (`all` for everybody), `value`, `low`, `high`, and `customers`.
    """
    found = []
    for kpi, until in _HOURS.items():
        rows = ground.keep(
            f"kpi_{kpi}",
            f"""
            SELECT customer_id, period, part, {until} IS NOT NULL AS ended,
                   greatest(coalesce({until}, opened_at()) - occurred_at, 0) / 3.6e9 AS length
            FROM (SELECT *, local_time(occurred_at)::DATE AS day FROM tickets)
            JOIN {ground.days()} USING (day) JOIN {ground.people} USING (customer_id)
            """,
        )
        parted = medians(ground.books, f"SELECT * FROM {rows} WHERE part <> '{EVERYBODY}'", ("period", "part"))
        whole = medians(ground.books, f"SELECT * REPLACE ('{EVERYBODY}' AS part) FROM {rows}", ("period", "part"))
        found += [one.assign(kpi=kpi) for one in (whole, parted) if len(one)]
    names = ["kpi", "period", "part", "value", "low", "high", "customers"]
    if not found:
        return pd.DataFrame({name: pd.Series(dtype=np.float64) for name in names})
    return pd.concat(found, ignore_index=True)[names]


def _of_present(ground: Ground, kpi: str, acts: str) -> pd.DataFrame:
    """Return the sums of who acted, of those who were there; none where nobody ever did: it is not recorded then."""
    return ground.sums(
        kpi,
        f"""
        SELECT p.customer_id, p.period, (did.period IS NOT NULL)::INT AS y, 1 AS x
        FROM {ground.present} AS p LEFT JOIN (
            SELECT DISTINCT customer_id, period
            FROM (SELECT customer_id, local_time(instant)::DATE AS day FROM ({acts})) JOIN {ground.days()} USING (day)
        ) AS did ON did.customer_id = p.customer_id AND did.period = p.period
        WHERE EXISTS (FROM ({acts}))
        """,
    )
