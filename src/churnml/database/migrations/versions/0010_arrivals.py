"""Rows that arrive are kept before they are acknowledged, and what a run said before its records were made anew."""

from alembic import op

from churnml.database.tables import metadata
from churnml.database.tables_arrivals import arrivals, replaced

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    metadata.create_all(op.get_bind(), tables=[arrivals, replaced])


def downgrade() -> None:
    """Drop them."""
    metadata.drop_all(op.get_bind(), tables=[arrivals, replaced])
