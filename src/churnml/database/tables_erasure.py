"""The SQL tables of erasure: who may not be landed again, by a mark that names nobody, and what was erased when."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, String, Table

from churnml.database.tables import CustomerId, metadata

tombstones = Table(
    "tombstones",
    metadata,
    Column("mark", String(64), primary_key=True, comment="HMAC-SHA-256 of the customer's id; see tombstones.py"),
    Column("erasure_id", String(32), nullable=False),
    Column("erased_at", BigInteger, nullable=False, comment="microseconds UTC"),
    Index("tombstones_by_age", "erased_at"),
)

erasures = Table(
    "erasures",
    metadata,
    Column("erasure_id", String(32), primary_key=True),
    Column("state", String(16), nullable=False, comment="going_on, emptying or done"),
    Column("reason", String(32), nullable=False),
    Column("asked_by", String(128), nullable=False, comment="as the audit log calls them"),
    Column("asked_at", BigInteger, nullable=False, comment="microseconds UTC"),
    Column("finished_at", BigInteger, comment="microseconds UTC"),
    Column("customers", Integer, nullable=False, comment="how many were to be erased"),
    Column("counts", JSON, nullable=False, comment="what went so far, by place"),
    Column("handed_out", JSON, comment="what had left before; empty where it was not looked for"),
)

erasing = Table(
    "erasing",
    metadata,
    Column("erasure_id", ForeignKey("erasures.erasure_id"), primary_key=True),
    Column("customer_id", CustomerId, primary_key=True, comment="gone as soon as the erasure is through"),
)

erasure_notes = Table(
    "erasure_notes",
    metadata,
    Column("name", String(16), primary_key=True, comment="check, repeat or told"),
    Column("value", String(64), nullable=False, comment="by what the secret is known; since when it is due"),
)

ERASURE_TABLES = (tombstones, erasures, erasing, erasure_notes)
"""In the order in which they can be made."""
