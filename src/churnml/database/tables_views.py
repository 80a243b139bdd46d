"""The SQL table of views: which part of the list somebody wants to see, and how."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, String, Table

from churnml.database.tables import metadata

views = Table(
    "views",
    metadata,
    Column("owner", String(64), primary_key=True, comment="whose view it is; empty: everybody's"),
    Column("name", String(64), primary_key=True),
    Column("asked", JSON, nullable=False, comment="filters and sort, in the words of the page's address"),
    Column("columns", JSON, nullable=False, comment="the columns shown, in order; an empty list: the usual ones"),
    Column("saved_by", String(128), nullable=False),
    Column("saved_at", BigInteger, nullable=False, comment="microseconds UTC"),
)
