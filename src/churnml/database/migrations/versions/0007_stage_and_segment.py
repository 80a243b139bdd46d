"""The list of customers at risk is filtered by lifecycle stage and by segment."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
_COLUMNS = ("lifecycle_stage", "segment")


def upgrade() -> None:
    """Add the columns, which a database made by now has from the first."""
    present = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("records")}
    for name in _COLUMNS:
        if name not in present:
            op.add_column("records", sa.Column(name, sa.String(32)))


def downgrade() -> None:
    """Drop both."""
    for name in _COLUMNS:
        op.drop_column("records", name)
