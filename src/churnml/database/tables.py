"""The SQL tables: batches and their parts, refusals, runs, aliases and how they moved, records.

Instants are integer microseconds UTC, as everywhere. A row of `records` keeps the whole record as JSON beside the
few columns that lists filter and sort by.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

batches = Table(
    "batches",
    metadata,
    Column("batch_id", Integer, primary_key=True, comment="1, 2, 3 … in order of landing"),
    Column("landed_at", BigInteger, nullable=False, comment="microseconds UTC"),
    Column("report", JSON, nullable=False, comment="what was checked, kept and set aside"),
)

parts = Table(
    "parts",
    metadata,
    Column("batch_id", ForeignKey("batches.batch_id"), primary_key=True),
    Column("table_name", String(64), primary_key=True),
    Column("path", Text, nullable=False, comment="relative to the workspace"),
    Column("rows", BigInteger, nullable=False),
    Column("first_at", BigInteger, nullable=False, comment="earliest occurred_at"),
    Column("last_at", BigInteger, nullable=False, comment="latest occurred_at"),
    Column("max_delay", BigInteger, nullable=False, comment="greatest ingested_at - occurred_at, microseconds"),
    Column("digest", String(64), nullable=False, comment="SHA-256 of the Parquet file"),
)

sources = Table(
    "sources",
    metadata,
    Column("digest", String(64), primary_key=True, comment="SHA-256 of a file already landed whole, and its mapping"),
    Column("batch_id", ForeignKey("batches.batch_id"), nullable=False),
)

refusals = Table(
    "refusals",
    metadata,
    Column("customer_id", String(256), primary_key=True, comment="refuses to be profiled, as of now"),
    Column("batch_id", ForeignKey("batches.batch_id"), nullable=False, comment="the landing that acknowledged it"),
)

runs = Table(
    "runs",
    metadata,
    Column("run_id", String(32), primary_key=True),
    Column("verb", String(16), nullable=False),
    Column("state", String(8), nullable=False, comment="running, done or failed; killed is failed"),
    Column("inputs", String(64), nullable=False, comment="SHA-256 of everything the result depends on"),
    Column("bundle", String(64), comment="the model it made or used"),
    Column("started_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("summary", JSON, nullable=False),
    Index("runs_by_inputs", "verb", "inputs"),
)

aliases = Table(
    "aliases",
    metadata,
    Column("name", String(32), primary_key=True, comment="champion, or that of the feature tables"),
    Column("bundle", String(64), nullable=False),
    Column("moved_at", BigInteger, nullable=False),
)

moves = Table(
    "moves",
    metadata,
    Column("move_id", Integer, primary_key=True, comment="1, 2, 3 … in order"),
    Column("name", String(32), nullable=False, comment="the alias that moved"),
    Column("bundle", String(64), nullable=False, comment="what it points at from then on"),
    Column("back", Boolean, nullable=False, comment="whether it went back to what it had pointed at before"),
    Column("why", Text, nullable=False, comment="in the words of whoever moved it"),
    Column("moved_at", BigInteger, nullable=False),
)

records = Table(
    "records",
    metadata,
    Column("run_id", ForeignKey("runs.run_id"), primary_key=True),
    Column("customer_id", String(256), primary_key=True),
    Column("churn_probability", Float, comment="empty outside the population"),
    Column("value_at_risk", Float, comment="money; empty outside the population"),
    Column("conversion_probability", Float, comment="of prospects and trials only"),
    Column("risk_band", String(16)),
    Column("action", String(64)),
    Column("body", Text, nullable=False, comment="the whole record, JSON"),
    # the at-risk list walks this index, so that page 1,000 costs what page 1 costs
    Index("records_by_value_at_risk", "run_id", "value_at_risk", "customer_id"),
    # the list of prospects likewise
    Index("records_by_conversion", "run_id", "conversion_probability", "customer_id"),
    # a refusal blanks, and an erasure removes, the records of one customer in every run
    Index("records_by_customer", "customer_id"),
)
