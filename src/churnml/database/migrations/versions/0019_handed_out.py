"""An erasure remembers what had been handed out before it; of those before nobody can say."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, which a database made by now has from the first."""
    if "handed_out" not in {column["name"] for column in sa.inspect(op.get_bind()).get_columns("erasures")}:
        op.add_column("erasures", sa.Column("handed_out", sa.JSON()))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("erasures", "handed_out")
