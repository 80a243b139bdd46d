"""Erasure: tombstones of who may not be landed again, and what was erased when."""

from alembic import op

from churnml.database.tables import metadata
from churnml.database.tables_erasure import ERASURE_TABLES

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    metadata.create_all(op.get_bind(), tables=list(ERASURE_TABLES))


def downgrade() -> None:
    """Drop them."""
    metadata.drop_all(op.get_bind(), tables=list(ERASURE_TABLES))
