"""How likely each customer was to leave in the run before stands beside their record; views of lists are kept."""

import sqlalchemy as sa
from alembic import op

from churnml.database.tables import records
from churnml.database.tables_access import audit_entries

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None
_INDEX = next(index for index in records.indexes if index.name == "records_sorted_by_probability_change")
_BY_WHAT = next(index for index in audit_entries.indexes if index.name == "audit_entries_by_what")
_COLUMNS = {
    "records": (sa.Column("probability_before", sa.Float), sa.Column("probability_change", sa.Float)),
    "runs": (sa.Column("compared_with", sa.String(32)),),
}


def upgrade() -> None:
    """Add columns, index and table, which a database made by now has from the first.

    Runs of before stay without: to fill them would write a whole list anew. The next run is compared.
    """
    connection = op.get_bind()
    known = sa.inspect(connection)
    for table, columns in _COLUMNS.items():
        present = {one["name"] for one in known.get_columns(table)}
        for column in columns:
            if column.name not in present:
                op.add_column(table, column)
    for index in (_INDEX, _BY_WHAT):
        index.create(connection, checkfirst=True)
    if not known.has_table("views"):
        op.create_table(
            "views",
            sa.Column("owner", sa.String(64), primary_key=True),
            sa.Column("name", sa.String(64), primary_key=True),
            sa.Column("asked", sa.JSON, nullable=False),
            sa.Column("columns", sa.JSON, nullable=False),
            sa.Column("saved_by", sa.String(128), nullable=False),
            sa.Column("saved_at", sa.BigInteger, nullable=False),
        )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("views")
    for index in (_INDEX, _BY_WHAT):
        index.drop(op.get_bind(), checkfirst=True)
    for table, columns in _COLUMNS.items():
        for column in columns:
            op.drop_column(table, str(column.name))
