"""Webhooks: endpoints, the outbox of messages with the customers they list, and their deliveries."""

from alembic import op

from churnml.database.tables import metadata
from churnml.database.tables_push import deliveries, endpoints, message_customers, messages

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
_TABLES = [endpoints, messages, message_customers, deliveries]


def upgrade() -> None:
    """Add the tables."""
    metadata.create_all(op.get_bind(), tables=_TABLES)


def downgrade() -> None:
    """Drop them."""
    metadata.drop_all(op.get_bind(), tables=_TABLES)
