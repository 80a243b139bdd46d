"""How an alias moved, so that it can go back."""

from alembic import op

from churnml.database.tables import moves

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, and enter where an alias points now as its first move."""
    moves.create(op.get_bind(), checkfirst=True)
    op.execute(
        "INSERT INTO moves (name, bundle, back, why, moved_at) "
        "SELECT name, bundle, false, 'trained', moved_at FROM aliases "
        "WHERE name NOT IN (SELECT name FROM moves) ORDER BY moved_at"
    )


def downgrade() -> None:
    """Drop it."""
    moves.drop(op.get_bind())
