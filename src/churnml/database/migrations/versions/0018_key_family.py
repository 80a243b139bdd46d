"""A key that took another's place belongs to its family; keys made before are each the first of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, which a database made by now has from the first."""
    if "family" not in {column["name"] for column in sa.inspect(op.get_bind()).get_columns("keys")}:
        op.add_column("keys", sa.Column("family", sa.String(16)))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("keys", "family")
