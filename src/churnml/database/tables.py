"""The SQL tables: batches and their parts, refusals, runs, aliases and how they moved, records, and the ledger.

Instants are integer microseconds UTC, as everywhere. A row of `records` keeps the whole record as JSON beside the
few columns that lists filter and sort by. The ledger (`campaigns`, `assignments`, `outcomes`) counts money in whole
millionths of a currency unit, so that sums are exact in any order.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
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

# by code points on every server, as in SQLite and in Python: a list is in one order, whatever the server's language
CustomerId = String(256).with_variant(String(256, collation="C"), "postgresql")

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
    Column("customer_id", CustomerId, primary_key=True, comment="refuses to be profiled, as of now"),
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
    Column("changes", Integer, nullable=False, server_default="0", comment="how often its records changed since"),
    Column(
        "compared_with", String(32), comment="the run of an earlier cutoff whose probabilities stand beside its own"
    ),
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
    Column("customer_id", CustomerId, primary_key=True),
    Column("churn_probability", Float, comment="empty outside the population"),
    Column("value_at_risk", Float, comment="money; empty outside the population"),
    Column("conversion_probability", Float, comment="of prospects and trials only"),
    Column("risk_band", String(16)),
    Column("lifecycle_stage", String(32)),
    Column("segment", String(32)),
    Column("action", String(64)),
    Column("clv", Float, comment="money; empty outside the population"),
    Column("expected_net_value", Float, comment="money; empty where nothing is to be done"),
    Column("last_order_at", BigInteger, comment="microseconds UTC"),
    Column("reason_group", String(32), comment="of the weightiest reason"),
    Column("arm", String(16), comment="treated, control, held_out or none; empty where nobody was assigned"),
    Column("no_action_because", String(32)),
    Column("rung", String(32), comment="how it was scored, or why it was not"),
    Column("probability_before", Float, comment="churn probability in the run before; empty where that did not score"),
    Column("probability_change", Float, comment="churn_probability less probability_before"),
    Column("body", Text, nullable=False, comment="the whole record, JSON"),
    # a refusal blanks, and an erasure removes, the records of one customer in every run
    Index("records_by_customer", "customer_id"),
)
# each list walks an index in its own order, so that page 1,000 costs what page 1 costs; who is not on it is not in it
for _name, _by in (
    ("records_by_value_at_risk", records.c.value_at_risk),
    ("records_by_conversion", records.c.conversion_probability),
):
    _listed = _by.is_not(None)
    Index(_name, records.c.run_id, _by.desc(), records.c.customer_id, sqlite_where=_listed, postgresql_where=_listed)
# each sort of the list at risk walks an index of its own, one way or the other
for _field in ("churn_probability", "probability_change", "clv", "expected_net_value", "last_order_at"):
    _told = records.c[_field].is_not(None)
    _columns = (records.c.run_id, records.c[_field].desc(), records.c.customer_id)
    Index(f"records_sorted_by_{_field}", *_columns, sqlite_where=_told, postgresql_where=_told)

campaigns = Table(
    "campaigns",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("budget", BigInteger, nullable=False, comment="millionths"),
    Column("reserved", BigInteger, nullable=False, comment="millionths; the sum of `reserved` over its assignments"),
    Column("spent", BigInteger, nullable=False, comment="millionths; what outcomes cost, those since erased included"),
    Column("opened_at", BigInteger, nullable=False),
    CheckConstraint("budget >= 0 AND reserved >= 0 AND spent >= 0", name="campaigns_money_is_not_negative"),
)

assignments = Table(
    "assignments",
    metadata,
    Column("assignment_id", String(32), primary_key=True, comment="made from campaign and customer"),
    Column("campaign", ForeignKey("campaigns.name"), nullable=False),
    Column("customer_id", CustomerId, nullable=False),
    Column("run_id", ForeignKey("runs.run_id"), nullable=False, comment="the run that chose"),
    Column("cutoff", BigInteger, nullable=False, comment="outcomes count from here on"),
    Column("assigned_at", BigInteger, nullable=False),
    Column("action", String(64), comment="this and what is empty beside it: the customer refuses to be profiled"),
    Column("arm", String(16), comment="treated or control"),
    Column("propensity", Float, comment="the probability with which the arm `treated` was drawn"),
    Column("drawn_by", String(16), comment="choice or explore"),
    Column("channel", String(16)),
    Column("details", JSON(none_as_null=True)),
    Column("settles", String(16), nullable=False, comment="the outcome after which nothing more can be charged"),
    Column("max_cost", BigInteger, nullable=False, comment="millionths"),
    Column("expires_at", BigInteger, nullable=False, comment="what is reserved then is released"),
    Column("state", String(16), nullable=False, comment="see docs/ledger.md"),
    Column("reserved", BigInteger, nullable=False, comment="millionths still set aside; never for a control"),
    Column("cost", BigInteger, nullable=False, comment="millionths; what its outcomes cost so far"),
    CheckConstraint("reserved >= 0 AND cost >= 0", name="assignments_money_is_not_negative"),
    # assigned once; and a refusal blanks, and an erasure removes, what was decided for one customer. No other index:
    # what expires, or was assigned by a run that stopped, is looked for once a run, and costs less than to keep one
    Index("assignments_by_customer", "customer_id", "campaign", unique=True),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("assignment_id", ForeignKey("assignments.assignment_id"), primary_key=True),
    Column("kind", String(16), primary_key=True, comment="carried_out, redeemed, not_delivered or value"),
    Column("occurred_at", BigInteger, primary_key=True),
    Column("cost", BigInteger, comment="millionths; empty where none was told"),
    Column("amount", BigInteger, comment="millionths; of `value` alone"),
    Column("flags", String(64), nullable=False, comment="overspent, unreserved, breach; apart by blanks, or empty"),
    Column("posted_at", BigInteger, nullable=False),
)
