"""What writing requests were answered."""

from alembic import op

from churnml.database.tables import metadata
from churnml.database.tables_requests import requests

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
_TABLES = [requests]


def upgrade() -> None:
    """Add the tables."""
    metadata.create_all(op.get_bind(), tables=_TABLES)


def downgrade() -> None:
    """Drop them."""
    metadata.drop_all(op.get_bind(), tables=_TABLES)
