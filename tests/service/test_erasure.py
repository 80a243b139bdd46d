"""Erasure leaves no trace: of a customer who was planted everywhere, no byte of the workspace tells afterwards."""

import shutil
import time
from pathlib import Path

import pytest
from planted import EXPORTS, REPORTS, TABLES, TABLES_HOLDING, delivered, plant
from sample_run import ask, record

from churnml.database import Records
from churnml.database.audit_check import verify
from churnml.database.erasures import begin, must_repeat
from churnml.database.tombstones import require_known
from churnml.errors import NotSetUpError, UsageError
from churnml.events.erasing import Itself, finish_all, receipt
from churnml.service.problems import explain
from command import churnml
from erased import SECRET, WHO, rows_with_traces, traces
from small import NOW, Tiny


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


def test_before_it_the_customer_is_everywhere(planted):
    planted.catalogue.settle()  # what the log of the database holds goes into its file
    found = set(traces(planted.workspace.root))
    assert found >= {*EXPORTS, *REPORTS, "churnml.db", "paths.parquet", f".list.csv.{'0a' * 16}"}
    assert {Path(name).suffix for name in traces(planted.workspace.jobs)} == {".log", ".json"}
    assert set(rows_with_traces(planted.catalogue.engine)) >= TABLES_HOLDING


def test_after_it_no_byte_of_the_workspace_holds_the_customer(planted):
    erase(planted, WHO)
    delivered(planted)
    planted.catalogue.settle()
    assert traces(planted.workspace.root) == []
    assert rows_with_traces(planted.catalogue.engine) == []
    assert list(planted.folder.glob(".workspace.*")) == []  # what a restore that was killed had unpacked


@pytest.mark.parametrize(
    "left_out",
    ["database.cases.forget", "database.requests.forget", "events.quarantine.forget", "events.keeping.forget",
     "database.releases.forget", "database.forgetting.forget_pseudonym"],
)  # fmt: skip
def test_the_search_finds_what_one_part_forgets_to_forget(planted, monkeypatch, left_out):
    monkeypatch.setattr(f"churnml.{left_out}", lambda *_: 0)
    erase(planted, WHO)
    delivered(planted)
    planted.catalogue.settle()
    assert traces(planted.workspace.root) != []


def test_rows_of_an_erased_customer_do_not_land_again_nor_show_in_quarantine_or_report(planted):
    erase(planted, WHO)
    delivered(planted)
    for table, text in TABLES.items():
        again = planted.ingest(table, planted.file(f"{table}-again.csv", f"{text.rstrip()}\n"), NOW + 1)
        assert again.tables == [] or again.tables[0].erased == text.count(WHO)
    planted.catalogue.settle()
    assert traces(planted.workspace.root) == []


def test_what_comes_by_the_api_of_an_erased_customer_is_refused(planted):
    erase(planted, WHO)
    told = {"consents": [{"customer_id": WHO, "occurred_at": "2021-09-03", "purpose": "profiling", "granted": True}]}
    result = ask(planted.workspace).post("/v1/consents", json=told).json()["results"][0]
    assert (result["status"], result["problem"]["code"]) == ("refused", "erased")


def test_a_run_that_had_read_a_customer_before_they_were_erased_shows_nothing_of_them(planted):
    run_id = planted.catalogue.start("score", "inputs", NOW - 1)
    erase(planted, WHO)
    Records(planted.catalogue.engine).write(run_id, [record(WHO, 1), record("ann", 2)])
    planted.catalogue.finish(run_id, NOW, {})
    assert [one["customer_id"] for one in Records(planted.catalogue.engine).of_run(run_id)] == ["ann"]


def test_without_a_secret_nobody_is_erased_and_the_remedy_is_told(planted, monkeypatch):
    monkeypatch.delenv("CHURNML_SECRET")
    with pytest.raises(UsageError, match="`CHURNML_SECRET` must hold at least 32 random characters, found none"):
        erase(planted, WHO)
    assert "records" in rows_with_traces(planted.catalogue.engine)


def test_another_secret_than_that_of_the_tombstones_is_refused_in_words(planted, monkeypatch):
    erase(planted, WHO)
    monkeypatch.setenv("CHURNML_SECRET", SECRET[::-1])
    with pytest.raises(UsageError, match="found another; by another one nobody who was erased would be known again"):
        erase(planted, "ann")


@pytest.mark.parametrize("step", ["stray_files.forget", "forget", "erasures.through", "Catalogue.settle"])
def test_an_erasure_that_is_killed_before_a_step_is_known_and_finished_by_the_next(planted, monkeypatch, step):
    with monkeypatch.context() as patch:
        patch.setattr(f"churnml.events.erasing.{step}", _killed)
        with pytest.raises(KeyboardInterrupt):
            erase(planted, WHO)
    (done,) = finish_all(planted.workspace, planted.catalogue.engine, lambda: NOW)
    delivered(planted)
    planted.catalogue.settle()
    assert (done.state, traces(planted.workspace.root)) == ("done", [])


def _killed(*_, **__):
    raise KeyboardInterrupt


def test_the_receipt_names_nobody_and_the_audit_log_stays_whole(planted):
    erasure_id = erase(planted, WHO)
    with planted.catalogue.engine.connect() as connection:
        told, verdict = receipt(connection, erasure_id), verify(connection, ())
    assert (told["state"], told["counts"]["table_orders"], verdict.faults) == ("done", 1, ())
    assert WHO not in str(told)


def test_the_route_accepts_at_once_and_the_receipt_follows(planted):
    with ask(planted.workspace) as client:
        asked = client.post("/v1/erasures", json={"customer_ids": [WHO]}, headers={"Idempotency-Key": "e"})
        assert client.get(f"/v1/customers/{WHO}").status_code == 404
        found = _until_done(client, asked.json()["erasure_id"])
    assert (asked.status_code, found["state"]) == (202, "done")


def _until_done(client, erasure_id):
    for _ in range(100):
        found = client.get(f"/v1/erasures/{erasure_id}").json()
        if found["state"] == "done":
            break
        time.sleep(0.05)
    return found


def test_after_a_restore_they_are_erased_again_before_anybody_is_served(planted, tmp_path):
    where = ("--workspace", planted.workspace.root)
    assert churnml("backup", *where, "--to", tmp_path / "kept").code == 0
    assert churnml("erase", WHO, *where, "--yes").code == 0
    planted.catalogue.engine.dispose()
    said = churnml("restore", tmp_path / "kept", *where, "--replace", "--json")
    delivered(planted)
    planted.catalogue.settle()
    assert (said.code, said.body["erased_again"]) == (0, 1)
    assert traces(planted.workspace.root) == []


def test_backups_within_the_workspace_forget_as_well_and_still_restore(planted, tmp_path):
    where, kept = ("--workspace", planted.workspace.root), planted.workspace.root / "kept"
    for name in ("folder", "packed.tar"):
        assert churnml("backup", *where, "--to", kept / name).code == 0
    erase(planted, WHO)
    delivered(planted)
    planted.catalogue.settle()
    assert traces(planted.workspace.root) == []
    for name in ("folder", "packed.tar"):
        assert churnml("restore", kept / name, "--workspace", tmp_path / f"from-{name}").code == 0


def test_elsewhere_the_tombstones_that_were_exported_do_the_same(planted, tmp_path):
    where, elsewhere = ("--workspace", planted.workspace.root), tmp_path / "elsewhere"
    churnml("backup", *where, "--to", tmp_path / "kept")
    churnml("erase", WHO, *where, "--yes")
    churnml("erase", "--export", tmp_path / "marks.json", *where)
    given = ("--workspace", elsewhere, "--tombstones", tmp_path / "marks.json", "--json")
    assert churnml("restore", tmp_path / "kept", *given).body["erased_again"] == 1
    assert WHO not in (tmp_path / "marks.json").read_text()


def test_a_customer_who_comes_back_lands_again_once_their_tombstone_is_lifted(planted):
    erase(planted, WHO)
    assert churnml("erase", "--lift", WHO, "--workspace", planted.workspace.root).code == 0
    again = planted.ingest("customers", planted.file("customers.csv", TABLES["customers"]), NOW + 1)
    assert (again.tables[0].landed, again.tables[0].erased) == (1, 0)


def test_the_service_is_not_ready_while_a_restore_is_to_be_followed_by_erasures(planted):
    with planted.catalogue.engine.begin() as connection:
        must_repeat(connection, NOW)
    answer = ask(planted.workspace).get("/readyz")
    assert (answer.status_code, "churnml erase --resume" in answer.json()["detail"]) == (503, True)


def test_a_service_that_could_not_know_the_erased_says_so_as_its_own_fault(planted, monkeypatch):
    erase(planted, WHO)
    monkeypatch.delenv("CHURNML_SECRET")
    with planted.catalogue.engine.connect() as connection, pytest.raises(NotSetUpError) as refused:
        require_known(connection)
    told = explain(refused.value)
    assert (told.status, told.code) == (503, "not_set_up")
