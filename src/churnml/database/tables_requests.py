"""The SQL table of writing requests: what each was answered, so that one that comes again is not done again."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from churnml.database.tables import metadata

requests = Table(
    "requests",
    metadata,
    Column("caller", String(300), primary_key=True, comment="who asked; a key is theirs alone"),
    Column("key", String(255), primary_key=True, comment="their `Idempotency-Key`"),
    Column("digest", String(64), nullable=False, comment="SHA-256 of method, address and body"),
    Column("status", Integer, comment="the HTTP status it was answered with"),
    Column("answer", Text, comment="JSON, to the byte; empty if a customer in it has been erased since"),
    Column("asked_at", BigInteger, nullable=False, comment="microseconds UTC"),
    # what is older than a day is purged
    Index("requests_by_age", "asked_at"),
)
