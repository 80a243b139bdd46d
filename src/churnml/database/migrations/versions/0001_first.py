"""The first schema: batches, parts, sources, runs, aliases, records."""

from alembic import op

from churnml.database.tables import aliases, batches, metadata, parts, records, runs, sources

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the first six tables; later revisions add to them."""
    metadata.create_all(op.get_bind(), tables=[batches, parts, sources, runs, aliases, records])


def downgrade() -> None:
    """Drop every table."""
    metadata.drop_all(op.get_bind())
