"""The first schema: batches, parts, sources, runs, aliases, records."""

from alembic import op

from churnml.database.tables import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table; later revisions alter what stands, this one starts from nothing."""
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    """Drop every table."""
    metadata.drop_all(op.get_bind())
