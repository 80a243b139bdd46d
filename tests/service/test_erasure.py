"""Erasure leaves no trace: of a customer who was planted everywhere, no byte of the workspace tells afterwards."""

import shutil

import pytest
from planted import EXPORTS, plant
from sqlalchemy import update

from churnml.database.erasures import begin
from churnml.database.tables_push import messages
from churnml.events.erasing import Itself, finish_all
from erased import SECRET, WHO, rows_with_traces, traces
from small import NOW, Tiny

TABLES_HOLDING = {
    "arrivals", "assignments", "audit_pseudonyms", "batches", "case_notes", "records", "replaced_records", "requests",
    "told_consents", "webhook_customers",
}  # fmt: skip


@pytest.fixture
def secret(monkeypatch):
    monkeypatch.setenv("CHURNML_SECRET", SECRET)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One planted workspace, which tests copy."""
    tiny = plant(tmp_path_factory.mktemp("made"))
    tiny.catalogue.engine.dispose()
    return tiny


@pytest.fixture
def planted(made, tmp_path, secret):
    shutil.copytree(made.folder, tmp_path, dirs_exist_ok=True)
    tiny = Tiny.make(tmp_path)
    yield tiny
    tiny.catalogue.engine.dispose()


def erase(tiny, *whom):
    with tiny.catalogue.engine.begin() as connection:
        erasure_id = begin(connection, Itself(), whom, "request", at=NOW)
    finish_all(tiny.workspace, tiny.catalogue.engine, lambda: NOW)
    return erasure_id


def delivered(tiny):
    """Have every recipient told, after which a message about an erasure is forgotten."""
    with tiny.catalogue.engine.begin() as connection:
        connection.execute(update(messages).where(messages.c.event == "customer.erased").values(body=None))


def test_before_it_the_customer_is_everywhere(planted):
    found = set(traces(planted.workspace.root))
    assert found >= {*EXPORTS, "churnml.db", "paths.parquet"}
    assert set(rows_with_traces(planted.catalogue.engine)) >= TABLES_HOLDING


def test_after_it_no_byte_of_the_workspace_holds_the_customer(planted):
    erase(planted, WHO)
    delivered(planted)
    planted.catalogue.settle()
    assert traces(planted.workspace.root) == []
    assert rows_with_traces(planted.catalogue.engine) == []


@pytest.mark.parametrize(
    "left_out",
    ["database.cases.forget", "database.requests.forget", "events.quarantine.forget", "events.keeping.forget",
     "database.releases.forget", "database.forgetting.forget_pseudonym"],
)  # fmt: skip
def test_the_search_finds_what_one_part_forgets_to_forget(planted, monkeypatch, left_out):
    monkeypatch.setattr(f"churnml.{left_out}", lambda *_: 0)
    erase(planted, WHO)
    assert traces(planted.workspace.root) != []
