"""Who has landed as a customer before: readers see it, so that what dates no customer does not date them anew."""

from __future__ import annotations

import duckdb

from churnml.events.sources import STANDING


def standing(connection: duckdb.DuckDBPyConnection) -> str:
    """Return SQL for the customers of earlier landings: `customer_id`, and `met_at`, the first contact as text, UTC.

    Where nothing has landed yet, or nobody knows, there are none.
    """
    nobody = "SELECT ''::VARCHAR AS customer_id, 0::BIGINT AS met_at WHERE false"
    connection.execute(f"CREATE TEMP VIEW IF NOT EXISTS {STANDING} AS {nobody}")
    met_at = "strftime(make_timestamp(met_at), '%Y-%m-%dT%H:%M:%S.%fZ') AS met_at"
    return f"SELECT customer_id, {met_at} FROM {STANDING}"
