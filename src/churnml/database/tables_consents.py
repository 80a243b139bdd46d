"""The SQL table of consents that were told to the service: what holds at once, before the row has landed."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table

from churnml.database.tables import metadata

told_consents = Table(
    "told_consents",
    metadata,
    Column("batch", String(32), primary_key=True, comment="of the arrival that holds the row itself"),
    Column("place", Integer, primary_key=True, comment="of the arrival"),
    Column("customer_id", String(256), nullable=False),
    Column("purpose", String(16), nullable=False, comment="marketing or profiling"),
    Column("channel", String(64), nullable=False, comment="in small letters; empty for all"),
    Column("granted", Boolean, nullable=False),
    Column("said_at", BigInteger, nullable=False, comment="microseconds UTC"),
    Column("told_at", BigInteger, nullable=False, comment="microseconds UTC"),
    Index("told_consents_by_customer", "customer_id"),
)
