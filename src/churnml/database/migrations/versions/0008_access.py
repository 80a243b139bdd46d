"""Who may ask, and what they did: keys, people, sessions, and the audit log."""

from alembic import op

from churnml.database.audit import GENESIS
from churnml.database.tables import metadata
from churnml.database.tables_access import ACCESS_TABLES, audit_head

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables, with the triggers that keep the audit log, and the head of a log without entries."""
    metadata.create_all(op.get_bind(), tables=ACCESS_TABLES)
    op.execute(audit_head.insert().values(number=0, hash=GENESIS))


def downgrade() -> None:
    """Drop them."""
    metadata.drop_all(op.get_bind(), tables=ACCESS_TABLES)
