"""The SQL tables of cases: what a team does about one customer, how that came about, calls, and what was noted."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Date, Index, Integer, String, Table, Text

from churnml.database.tables import metadata

cases = Table(
    "cases",
    metadata,
    Column("customer_id", String(256), primary_key=True, comment="of a customer, not of a run: it outlives both"),
    Column("status", String(16), nullable=False, comment="open, claimed, waiting, done or dropped"),
    Column("owner", String(64), comment="who holds it; one at a time"),
    Column("follow_up_on", Date, comment="day on which somebody has promised to come back"),
    Column("snoozed_until", Date, comment="day before which nobody is to be reminded"),
    Column("call_result", String(16), comment="of the latest call"),
    Column("due_on", Date, nullable=False, comment="the later of the two days; 9999-12-31 where there is neither"),
    Column("version", Integer, nullable=False, comment="1, 2, 3 … with each change"),
    Column("opened_at", BigInteger, nullable=False, comment="microseconds UTC"),
    Column("changed_at", BigInteger, nullable=False, comment="microseconds UTC"),
    # the two lists that are walked: everybody's and one person's, by the day they are due
    Index("cases_by_due", "due_on", "customer_id"),
    Index("cases_by_owner", "owner", "due_on", "customer_id"),
)

case_changes = Table(
    "case_changes",
    metadata,
    Column("customer_id", String(256), primary_key=True),
    Column("version", Integer, primary_key=True, comment="which the change made"),
    Column("changed_by", String(128), nullable=False),
    Column("changed_at", BigInteger, nullable=False, comment="microseconds UTC"),
    Column("changed", JSON, nullable=False, comment="by field: what it was, and what it is from then on"),
)

case_notes = Table(
    "case_notes",
    metadata,
    Column("note_id", Integer, primary_key=True, autoincrement=True, comment="1, 2, 3 … in order"),
    Column("customer_id", String(256), nullable=False),
    Column("text", Text, nullable=False),
    Column("written_by", String(128), nullable=False),
    Column("written_at", BigInteger, nullable=False, comment="microseconds UTC"),
    Index("case_notes_by_customer", "customer_id", "note_id"),
)

calls = Table(
    "calls",
    metadata,
    Column("call_id", Integer, primary_key=True, autoincrement=True, comment="1, 2, 3 … in order"),
    Column("customer_id", String(256), nullable=False),
    Column("called_by", String(128), nullable=False),
    Column("called_at", BigInteger, nullable=False, comment="microseconds UTC"),
    Column("result", String(16), nullable=False, comment="as call_result of a case"),
    Index("calls_by_customer", "customer_id", "call_id"),
    Index("calls_by_time", "called_at"),  # a day's, of everybody
)
