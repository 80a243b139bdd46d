"""Who refuses to be profiled."""

from alembic import op

from churnml.database.tables import refusals

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of refusals."""
    refusals.create(op.get_bind())


def downgrade() -> None:
    """Drop it."""
    refusals.drop(op.get_bind())
