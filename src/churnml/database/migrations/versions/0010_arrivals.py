"""Rows that arrive are kept before they are acknowledged."""

from alembic import op

from churnml.database.tables import metadata
from churnml.database.tables_arrivals import arrivals

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    metadata.create_all(op.get_bind(), tables=[arrivals])


def downgrade() -> None:
    """Drop it."""
    metadata.drop_all(op.get_bind(), tables=[arrivals])
