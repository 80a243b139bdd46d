"""The ledger: campaigns with their budgets, who was assigned what, and what came of it."""

from alembic import op

from churnml.database.tables import assignments, campaigns, metadata, outcomes

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the three tables."""
    metadata.create_all(op.get_bind(), tables=[campaigns, assignments, outcomes])


def downgrade() -> None:
    """Drop them."""
    metadata.drop_all(op.get_bind(), tables=[campaigns, assignments, outcomes])
