"""Erasure leaves no trace on a PostgreSQL either: not in a row of any table, nor in a file of the database."""

import pytest
from planted import EXPORTS, REPORTS, TABLES_HOLDING, delivered, plant
from sqlalchemy import text

from churnml.database.erasures import begin
from churnml.database.server import VARIABLE
from churnml.events.erasing import Itself, finish_all
from command import churnml
from erased import SECRET, WHO, bytes_with_traces, rows_with_traces, traces
from small import NOW

pytestmark = pytest.mark.long


@pytest.fixture
def planted(postgres, tmp_path, monkeypatch):
    where = postgres.new_database()
    monkeypatch.setenv("CHURNML_SECRET", SECRET)
    monkeypatch.setenv(VARIABLE, where.render_as_string(hide_password=False))
    tiny = plant(tmp_path, where)
    assert churnml("backup", "--to", tiny.workspace.root / "kept", "--workspace", tiny.workspace.root).code == 0
    yield tiny
    tiny.catalogue.engine.dispose()


def test_after_it_neither_a_row_nor_a_byte_holds_the_customer(postgres, planted):
    engine, root = planted.catalogue.engine, planted.workspace.root
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))
    assert set(traces(root)) >= {*EXPORTS, *REPORTS}
    assert set(rows_with_traces(engine)) >= TABLES_HOLDING
    assert bytes_with_traces(postgres.data / "base") != []
    with engine.begin() as connection:
        begin(connection, Itself(), [WHO], "request", at=NOW)
    finish_all(planted.workspace, engine, lambda: NOW)
    delivered(planted)
    planted.catalogue.settle()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))  # files that are no longer used go
    assert (traces(root), rows_with_traces(engine)) == ([], [])
    assert bytes_with_traces(postgres.data / "base") == []
