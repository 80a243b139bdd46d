"""The SQL tables of signing in by an identity provider: who of its people is who of ours, and attempts used up."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, String, Table

from churnml.database.tables import metadata
from churnml.database.tables_access import people

LONGEST_SUBJECT = 255
"""OpenID Connect Core 1.0, section 2: a subject has at most 255 ASCII characters."""

identities = Table(
    "identities",
    metadata,
    Column("issuer", String(255), primary_key=True, comment="the provider's address, as its tokens say it"),
    Column("subject", String(LONGEST_SUBJECT), primary_key=True, comment="what the provider calls the person for good"),
    Column("person", ForeignKey(people.c.name), nullable=False),
    Column("linked_at", BigInteger, nullable=False),
    Index("identities_by_person", "person"),
)

used_attempts = Table(
    "used_attempts",
    metadata,
    Column("digest", String(64), primary_key=True, comment="SHA-256 of the `state` that came back"),
    Column("expires_at", BigInteger, nullable=False),
)
