"""Who signs in by an identity provider: whom of its people is which of ours, and which attempts were used up."""

from alembic import op

from churnml.database.tables import metadata
from churnml.database.tables_identities import identities, used_attempts

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None
_TABLES = [identities, used_attempts]


def upgrade() -> None:
    """Add the tables."""
    metadata.create_all(op.get_bind(), tables=_TABLES)


def downgrade() -> None:
    """Drop them."""
    metadata.drop_all(op.get_bind(), tables=_TABLES)
