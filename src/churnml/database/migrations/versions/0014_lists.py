"""The list at risk is sorted and filtered by more columns, each sort by an index of its own."""

import json

import sqlalchemy as sa
from alembic import op

from churnml.database.records import listed_by
from churnml.database.tables import records

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None
_COLUMNS = ("clv", "expected_net_value", "last_order_at", "reason_group", "arm", "no_action_because")
_SORTED_BY = {f"records_sorted_by_{one}" for one in ("churn_probability", "clv", "expected_net_value", "last_order_at")}
_INDEXES = [index for index in records.indexes if index.name in _SORTED_BY]
_CHUNK = 1_000


def upgrade() -> None:
    """Add columns and indexes, which a database made by now has from the first, and fill them from the records."""
    connection = op.get_bind()
    present = {column["name"] for column in sa.inspect(connection).get_columns("records")}
    missing = [name for name in _COLUMNS if name not in present]
    for name in missing:
        op.add_column("records", sa.Column(name, records.c[name].type))
    if missing:
        _fill(connection)
    for index in _INDEXES:
        index.create(connection, checkfirst=True)


def downgrade() -> None:
    """Drop all of them."""
    for index in _INDEXES:
        index.drop(op.get_bind(), checkfirst=True)
    for name in _COLUMNS:
        op.drop_column("records", name)


def _fill(connection: sa.Connection) -> None:
    """Read the bodies in the order of their key, some at a time, and write beside each what lists ask of it."""
    key = sa.tuple_(records.c.run_id, records.c.customer_id)
    query = sa.select(records.c.run_id, records.c.customer_id, records.c.body).order_by(*key.clauses).limit(_CHUNK)
    which = [records.c[name] == sa.bindparam(f"the_{name}") for name in ("run_id", "customer_id")]
    change = sa.update(records).where(*which).values({name: sa.bindparam(f"new_{name}") for name in _COLUMNS})
    rows = connection.execute(query).all()
    while rows:
        told = [
            {"the_run_id": row.run_id, "the_customer_id": row.customer_id}
            | {f"new_{name}": listed_by(json.loads(row.body))[name] for name in _COLUMNS}
            for row in rows
        ]
        connection.execute(change, told)
        rows = connection.execute(query.where(key > (rows[-1].run_id, rows[-1].customer_id))).all()
