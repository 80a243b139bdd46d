"""Commands that are asked for through the service, and how far each is."""

from alembic import op

from churnml.database.tables import metadata
from churnml.database.tables_jobs import jobs

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    metadata.create_all(op.get_bind(), tables=[jobs])


def downgrade() -> None:
    """Drop it."""
    metadata.drop_all(op.get_bind(), tables=[jobs])
