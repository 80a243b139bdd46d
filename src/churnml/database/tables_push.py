"""The SQL tables of what is pushed: the endpoints of webhooks, the messages in the outbox, and what became of each."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

from churnml.database.tables import CustomerId, metadata

endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("endpoint_id", String(32), primary_key=True),
    Column("url", Text, nullable=False),
    Column("events", Text, nullable=False, comment="apart by blanks"),
    Column("description", String(256), nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("created_at", BigInteger, nullable=False, comment="microseconds UTC"),
    Column("state", String(16), nullable=False, comment="enabled or disabled"),
    Column("why", String(32), comment="of a disabled one: by_hand, gone or failing"),
    Column("secret_version", Integer, nullable=False, comment="of the signing secret, which is derived, never kept"),
    Column("rotated_at", BigInteger, comment="since when; the version before signs as well for a day"),
    Column("failing_since", BigInteger, comment="the first failure after the last success"),
    Column("delivered_at", BigInteger, comment="the last success"),
    Column("rests_until", BigInteger, nullable=False, server_default="0", comment="nothing is sent to it before"),
    Column("lease", String(32), comment="of the one turn that may send to it"),
    Column("leased_until", BigInteger, nullable=False, server_default="0", comment="when the turn is anybody's again"),
    Column("turn_at", BigInteger, nullable=False, server_default="0", comment="of the latest turn: each has its own"),
)

messages = Table(
    "webhook_messages",
    metadata,
    Column("message_id", String(48), primary_key=True, comment="the webhook-id"),
    Column("event", String(32), nullable=False),
    Column("made_at", BigInteger, nullable=False, comment="of the deed, microseconds UTC"),
    Column("body", Text, comment="the data, JSON, without the customers it lists; empty once it had to be forgotten"),
)

message_customers = Table(
    "webhook_customers",
    metadata,
    Column("message_id", String(48), primary_key=True),
    Column("customer_id", CustomerId, primary_key=True),
    Column("band", String(16), comment="of band.changed: the band from then on"),
    Column("before", String(16), comment="and the band before"),
    Column("assignment_id", String(32), comment="of action.assigned"),
    # a refusal or an erasure takes one customer out of all messages
    Index("webhook_customers_by_customer", "customer_id"),
)

deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("delivery_id", Integer, primary_key=True, autoincrement=True),
    Column("message_id", ForeignKey("webhook_messages.message_id"), nullable=False),
    Column("endpoint_id", ForeignKey("webhook_endpoints.endpoint_id"), nullable=False),
    Column("state", String(16), nullable=False, comment="waiting, delivered or failed"),
    Column("attempts", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False, comment="when it is tried, if it waits; microseconds UTC"),
    Column("tried_at", BigInteger, comment="the latest attempt"),
    Column("status", Integer, comment="the HTTP status of the latest answer"),
    Column("problem", String(32), comment="why the latest attempt failed, a word of docs/webhooks.md"),
    Column("settled_at", BigInteger, comment="when it was delivered or given up"),
    Index("webhook_deliveries_due", "endpoint_id", "state", "next_at"),
    Index("webhook_deliveries_by_message", "message_id"),
)
