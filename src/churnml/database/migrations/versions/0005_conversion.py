"""Prospects stand in a list of their own, the likeliest to become customers first."""

import sqlalchemy as sa
from alembic import op

from churnml.database.tables import records

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
_BY_CONVERSION = next(index for index in records.indexes if index.name == "records_by_conversion")


def upgrade() -> None:
    """Add the column, which a database made by now has from the first, and its index."""
    columns = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("records")}
    if "conversion_probability" not in columns:
        op.add_column("records", sa.Column("conversion_probability", sa.Float))
    _BY_CONVERSION.create(op.get_bind(), checkfirst=True)


def downgrade() -> None:
    """Drop both."""
    _BY_CONVERSION.drop(op.get_bind())
    op.drop_column("records", "conversion_probability")
