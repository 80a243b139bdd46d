"""What writing requests were answered, the cases of customers, and the consents they told."""

from alembic import op

from churnml.database.tables import metadata
from churnml.database.tables_cases import case_changes, case_notes, cases
from churnml.database.tables_consents import told_consents
from churnml.database.tables_requests import requests

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
_TABLES = [requests, told_consents, cases, case_changes, case_notes]


def upgrade() -> None:
    """Add the tables."""
    metadata.create_all(op.get_bind(), tables=_TABLES)


def downgrade() -> None:
    """Drop them."""
    metadata.drop_all(op.get_bind(), tables=_TABLES)
