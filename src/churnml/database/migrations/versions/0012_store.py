"""Lists walk their indexes in their own order; a record's rung is a column; a run counts the changes of its records."""

import sqlalchemy as sa
from alembic import op

from churnml.database.tables import records

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None
_LISTS = ("records_by_value_at_risk", "records_by_conversion")


def upgrade() -> None:
    """Add the columns, which a database made by now has from the first, and make the indexes of the lists anew."""
    bind = op.get_bind()
    if "changes" not in {column["name"] for column in sa.inspect(bind).get_columns("runs")}:
        op.add_column("runs", sa.Column("changes", sa.Integer, nullable=False, server_default="0"))
    if "rung" not in {column["name"] for column in sa.inspect(bind).get_columns("records")}:
        op.add_column("records", sa.Column("rung", sa.String(32)))
        op.execute("UPDATE records SET rung = json_extract(body, '$.rung')")  # databases of before are SQLite's alone
    for index in (index for index in records.indexes if index.name in _LISTS):
        op.execute(f"DROP INDEX IF EXISTS {index.name}")
        index.create(bind)


def downgrade() -> None:
    """Drop the columns, and make the indexes as they were."""
    for name, column in zip(_LISTS, ("value_at_risk", "conversion_probability"), strict=True):
        op.drop_index(name, "records")
        op.create_index(name, "records", ["run_id", column, "customer_id"])
    op.drop_column("records", "rung")
    op.drop_column("runs", "changes")
