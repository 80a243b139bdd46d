"""Records are found by customer; summaries of runs keep no row of the files they read."""

from alembic import op

from churnml.database.tables import records

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
_BY_CUSTOMER = next(index for index in records.indexes if index.name == "records_by_customer")


def upgrade() -> None:
    """Add the index, which a database made by now has from the first, and take examples of rows out of summaries."""
    _BY_CUSTOMER.create(op.get_bind(), checkfirst=True)
    if op.get_bind().dialect.name == "sqlite":  # no other was in use when summaries still kept rows
        op.execute(
            "UPDATE runs SET summary = json_remove(summary, '$.set_aside.examples') WHERE summary LIKE '%examples%'"
        )


def downgrade() -> None:
    """Drop the index."""
    _BY_CUSTOMER.drop(op.get_bind())
