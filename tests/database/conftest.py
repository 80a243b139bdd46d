"""What is kept is kept alike in a file and on a server: every test here that has a workspace runs on both."""

import pytest
from sqlalchemy import insert, text

from churnml.database.audit import GENESIS
from churnml.database.tables import metadata
from churnml.database.tables_access import audit_head, keep_log_again, let_log_be_replaced
from small import Tiny


@pytest.fixture(params=["sqlite", "postgresql"])
def tiny(request, tmp_path):
    """Return an empty workspace whose database is a file, and then one whose database is on a server."""
    where = None
    if request.param == "postgresql":
        where, engine = request.getfixturevalue("on_server")
        with engine.begin() as connection:
            let_log_be_replaced(connection)
            connection.execute(text(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY CASCADE"))
            connection.execute(insert(audit_head), {"number": 0, "hash": GENESIS})
            keep_log_again(connection)
    tiny = Tiny.make(tmp_path, where)
    yield tiny
    tiny.catalogue.engine.dispose()
