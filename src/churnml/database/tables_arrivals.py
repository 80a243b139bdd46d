"""The SQL tables of arrivals: rows that were acknowledged and wait to be landed, and records made anew of them."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

from churnml.database.tables import metadata

arrivals = Table(
    "arrivals",
    metadata,
    Column("arrival_id", Integer, primary_key=True, autoincrement=True, comment="1, 2, 3 … in order of arrival"),
    Column("batch", String(32), nullable=False, comment="what was posted together"),
    Column("place", Integer, nullable=False, comment="of the row in its request, from 0"),
    Column("table_name", String(64), nullable=False),
    Column("customer_id", String(256), nullable=False),
    Column("body", Text, comment="the row, JSON; empty once it has landed or was set aside"),
    Column("state", String(16), nullable=False, comment="waiting, landed or refused"),
    Column("problem", JSON(none_as_null=True), comment="of a row set aside: column, rule, remedy; never its value"),
    Column(
        "arrived_at", BigInteger, nullable=False, comment="microseconds UTC; of several posted at once each its own"
    ),
    Column("settled_at", BigInteger, comment="when it was landed or set aside, microseconds UTC"),
    Index("arrivals_by_state", "state", "arrival_id"),
    Index("arrivals_by_batch", "batch", "place"),
    # a refusal or an erasure takes out what waits of one customer
    Index("arrivals_by_customer", "customer_id"),
)

replaced = Table(
    "replaced_records",
    metadata,
    Column("run_id", ForeignKey("runs.run_id"), primary_key=True),
    Column("customer_id", String(256), primary_key=True),
    Column("body", Text, nullable=False, comment="the record as the run made it, before it was scored anew; JSON"),
    # a refusal or an erasure takes out those of one customer
    Index("replaced_records_by_customer", "customer_id"),
)
