"""A database that draws no progress bar, in a terminal and in a notebook."""

from __future__ import annotations

import duckdb


def without_bar(connection: duckdb.DuckDBPyConnection) -> None:
    """Turn the progress bar of a DuckDB connection off.

    In a notebook that lacks what draws it the bar is off already, and DuckDB refuses to set it to anything at all.
    """
    shown = connection.execute("SELECT current_setting('enable_progress_bar')").fetchone()
    if shown and shown[0]:
        connection.execute("SET enable_progress_bar = false")
