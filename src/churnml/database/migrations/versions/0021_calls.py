"""Calls: each try to reach a customer by telephone, and what came of it."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, which a database made by now has from the first."""
    if sa.inspect(op.get_bind()).has_table("calls"):
        return
    op.create_table(
        "calls",
        sa.Column("call_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("customer_id", sa.String(256), nullable=False),
        sa.Column("called_by", sa.String(128), nullable=False),
        sa.Column("called_at", sa.BigInteger, nullable=False),
        sa.Column("result", sa.String(16), nullable=False),
    )
    op.create_index("calls_by_customer", "calls", ["customer_id", "call_id"])
    op.create_index("calls_by_time", "calls", ["called_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("calls")
