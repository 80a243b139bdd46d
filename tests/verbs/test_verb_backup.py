"""A backup holds the workspace as it stood, is taken while others write, and restores whole or not at all."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError

from callers import TESTER
from churnml.database import Catalogue, Records, Workspace, audit, jobs, open_engine
from churnml.database.audit import entries
from churnml.database.audit_check import verify
from churnml.database.server import VARIABLE
from churnml.database.tables import metadata
from churnml.database.tables_access import audit_entries
from command import churnml

CUSTOMERS = "customer_id,occurred_at\n00123,2020-01-01\nann,2020-01-02\n"
ORDERS = "order_id,customer_id,occurred_at,amount\n1,ann,2020-02-01,5\n"
BUNDLE = "b" * 64
LOG = ("audit_entries", "audit_head")
"""The log says of a backup that it was made, and of a workspace that it was restored; so the two differ."""


class Shop:
    """A workspace with landed tables, a run with records, and a model."""

    def __init__(self, folder):
        self.root = folder / "workspace"
        for table, text in {"customers": CUSTOMERS, "orders": ORDERS}.items():
            (folder / f"{table}.csv").write_text(text)
            assert self("ingest", folder / f"{table}.csv", "--table", table).code == 0
        self.workspace = Workspace.open(self.root)
        (self.workspace.models / BUNDLE).mkdir(parents=True)
        (self.workspace.models / BUNDLE / "manifest.json").write_text("{}")
        self.catalogue = Catalogue(open_engine(self.workspace.database))
        self.score(1)
        self.catalogue.move_alias("champion", BUNDLE, 5)

    def __call__(self, verb, *words):
        """Run a verb on this workspace."""
        return churnml(verb, "--workspace", self.root, *words)

    def score(self, now):
        """Finish a run of two records."""
        run_id = self.catalogue.start("score", "inputs", now)
        bodies = [{"customer_id": name, "value_at_risk": float(now)} for name in ("00123", "ann")]
        Records(self.catalogue.engine).write(run_id, bodies)
        self.catalogue.finish(run_id, now, {"cutoff": "2020-03-01"}, bundle=BUNDLE)


@pytest.fixture
def shop(either, tmp_path):
    shop = Shop(tmp_path)
    yield shop
    shop.catalogue.engine.dispose()


def rows_of(where):
    """Return every row of every table of a database."""
    engine = open_engine(where)
    with engine.connect() as connection:
        found = {
            name: sorted(map(repr, connection.execute(select(*table.columns)).all()))
            for name, table in metadata.tables.items()
        }
    engine.dispose()
    return found


def but(rows, *names):
    """Return rows by table, some tables left out."""
    return {name: found for name, found in rows.items() if name not in names}


def files_of(workspace):
    """Return every file of a workspace that is neither database nor lock, with its bytes."""
    found = {
        path.relative_to(workspace.root): path.read_bytes()
        for path in workspace.root.rglob("*")
        if path.is_file() and not path.name.endswith(".lock") and not path.name.startswith("churnml.db")
    }
    return found | {path.relative_to(workspace.models): path.read_bytes() for path in workspace.models.rglob("*.json")}


@pytest.fixture
def elsewhere(either, tmp_path, request, monkeypatch):
    """Return a caller that restores into a folder elsewhere, from now on with another database of the same kind."""

    def restore(backup, *words):
        if either == "postgresql":
            where = request.getfixturevalue("postgres").new_database()
            monkeypatch.setenv(VARIABLE, where.render_as_string(hide_password=False))
        done = churnml("restore", backup, "--workspace", tmp_path / "else where" / "other", *words)
        assert done.code == 0, done.err
        return Workspace.open(tmp_path / "else where" / "other"), done

    return restore


@pytest.mark.parametrize("name", ["copy", "copy.tar"])
def test_what_was_backed_up_under_writes_is_restored_equal_in_another_folder(shop, tmp_path, elsewhere, name):
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(lambda: [shop.score(now) for now in range(2, 12)])
        made = shop("backup", "--to", tmp_path / name, "--json")
        writing.result()
    assert made.code == 0, made.err
    assert (made.body["parts"], made.body["bundles"]) == (2, 1)
    restored, _ = elsewhere(tmp_path / name, "--json")
    assert files_of(restored) == files_of(shop.workspace)
    kept, stood = rows_of(restored.database), rows_of(shop.workspace.database)
    assert but(kept, *LOG, "runs", "records") == but(stood, *LOG, "runs", "records")
    assert set(kept["records"]) <= set(stood["records"])
    finished = [row for row in kept["runs"] if "'done'" in row]
    assert set(finished) <= set(stood["runs"])
    assert len(kept["records"]) >= 2 * sum("'score'" in row for row in finished)


def test_a_restored_workspace_goes_on_numbering_where_it_stood(shop, tmp_path, elsewhere):
    assert shop("backup", "--to", tmp_path / "copy").code == 0
    restored, _ = elsewhere(tmp_path / "copy")
    engine = open_engine(restored.database)
    catalogue = Catalogue(engine)
    catalogue.move_alias("champion", "c" * 64, 9)
    assert [move.bundle for move in catalogue.moves("champion")] == [BUNDLE, "c" * 64]
    assert catalogue.next_batch_id() == 3
    engine.dispose()


def test_the_audit_log_is_restored_whole_goes_on_and_still_refuses_to_be_changed(shop, tmp_path, elsewhere):
    with shop.catalogue.engine.begin() as connection:
        audit(connection, TESTER, "key.created", {"customer_id": "ann"}, at=1)
    assert shop("backup", "--to", tmp_path / "copy").code == 0
    engine = open_engine(elsewhere(tmp_path / "copy")[0].database)
    with engine.begin() as connection:
        audit(connection, TESTER, "key.revoked", {"customer_id": "ann"}, at=2)
    with engine.connect() as connection:
        found = verify(connection)
    assert (found.head.number, found.faults) == (3, ())  # the restoring is told as well
    with pytest.raises(DBAPIError, match="never changed"), engine.begin() as connection:
        connection.execute(delete(audit_entries))
    engine.dispose()


def test_what_must_be_repeated_after_a_restore_is_told(shop, tmp_path, elsewhere):
    shop("backup", "--to", tmp_path / "copy")
    assert "customers erased since" in elsewhere(tmp_path / "copy")[1].err


@pytest.fixture
def copy(tmp_path):
    """Return a shop whose database is a file, and its backup."""
    shop = Shop(tmp_path)
    assert shop("backup", "--to", tmp_path / "copy").code == 0
    yield tmp_path / "copy"
    shop.catalogue.engine.dispose()


def names(folder):
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def test_one_damaged_byte_of_any_file_is_found_and_nothing_is_restored(copy, tmp_path):
    for name in names(copy):
        whole = (copy / name).read_bytes()
        place = len(whole) // 2
        (copy / name).write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        said = churnml("restore", copy, "--workspace", tmp_path / "other")
        assert (said.code, "damaged" in said.err) == (3, True), name
        (copy / name).write_bytes(whole)
    assert not (tmp_path / "other").exists()
    assert not list(tmp_path.glob(".other*"))


def test_a_file_too_few_or_too_many_is_found(copy, tmp_path):
    (copy / "more.txt").write_text("?")
    assert "more.txt of the backup is not named" in churnml("restore", copy, "--workspace", tmp_path / "other").err
    (copy / "more.txt").unlink()
    (copy / names(copy)[-1]).unlink()
    assert "of the backup is missing" in churnml("restore", copy, "--workspace", tmp_path / "other").err


@pytest.mark.parametrize("name", ["nothing", "customers.csv", "workspace"])
def test_what_is_no_backup_is_refused(copy, tmp_path, name):
    said = churnml("restore", tmp_path / name, "--workspace", tmp_path / "other")
    assert said.code == 3
    assert "name what `churnml backup` made" in said.err


def test_a_backup_of_a_newer_schema_is_refused(copy, tmp_path):
    import sqlite3

    from churnml.database.backup import Manifest
    from churnml.database.workspace import digest_of_file

    with sqlite3.connect(copy / "churnml.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    for left in copy.glob("churnml.db-*"):
        left.unlink()
    manifest = Manifest.read(copy)
    manifest.files["churnml.db"] = [digest_of_file(copy / "churnml.db"), (copy / "churnml.db").stat().st_size]
    (copy / "manifest.json").write_text(json.dumps(manifest.to_json()))
    said = churnml("restore", copy, "--workspace", tmp_path / "other")
    assert (said.code, "whose schema is 9999; restore it by a newer churnml" in said.err) == (3, True)


def test_a_workspace_is_not_restored_over_unless_it_may_go(copy, tmp_path):
    root = tmp_path / "workspace"
    (root / "mlflow").mkdir()
    (root / "notes.txt").write_text("mine")
    said = churnml("restore", copy, "--workspace", root)
    assert (said.code, "or --replace if all that is in it may go" in said.err) == (2, True)
    assert (root / "notes.txt").exists()
    assert churnml("restore", copy, "--workspace", root, "--replace").code == 0
    assert (root / "notes.txt").exists() is False
    assert (root / "mlflow").is_dir()


def test_a_part_that_is_damaged_or_gone_is_told_at_the_backup(tmp_path):
    shop = Shop(tmp_path)
    part = shop.root / shop.catalogue.parts()[0].path
    whole = part.read_bytes()
    part.write_bytes(whole[:-1] + b"?")
    assert "is damaged: its digest is not the catalogue's" in shop("backup", "--to", tmp_path / "copy").err
    part.unlink()
    assert "is missing; restore an older backup" in shop("backup", "--to", tmp_path / "copy").err
    assert not (tmp_path / "copy").exists()
    shop.catalogue.engine.dispose()


def test_a_backup_is_not_written_over_anything(copy, tmp_path):
    said = churnml("backup", "--to", copy, "--workspace", tmp_path / "workspace")
    assert (said.code, "must be written where nothing is" in said.err) == (2, True)


def test_a_workspace_moves_from_a_file_to_a_server(copy, postgres, tmp_path, monkeypatch):
    before = rows_of(tmp_path / "workspace" / "churnml.db")
    where = postgres.new_database()
    monkeypatch.setenv(VARIABLE, where.render_as_string(hide_password=False))
    said = churnml("restore", copy, "--workspace", tmp_path / "workspace", "--replace")
    assert said.code == 0, said.err
    assert but(rows_of(where), *LOG) == but(before, *LOG)
    assert not (tmp_path / "workspace" / "churnml.db").exists()
    shutil.rmtree(tmp_path / "workspace")
    again = churnml("restore", copy, "--workspace", tmp_path / "workspace")
    assert (again.code, "the database must be empty to restore into" in again.err) == (2, True)


def test_the_audit_log_says_who_restored_a_backup(copy, tmp_path):
    done = churnml("restore", copy, "--workspace", tmp_path / "else where")
    assert done.code == 0, done.err
    engine = open_engine(Workspace.open(tmp_path / "else where").database)
    with engine.connect() as connection:
        assert [(one.kind, one.what) for one in entries(connection)] == [("command", "backup.restored")]
    engine.dispose()


def test_the_audit_log_says_who_made_a_backup(shop, tmp_path):
    assert shop("backup", "--to", tmp_path / "copy").code == 0
    with shop.catalogue.engine.connect() as connection:
        assert [(one.kind, one.what) for one in entries(connection)] == [("command", "backup.made")]


def test_jobs_that_waited_when_a_backup_was_made_are_lost_with_it(shop, tmp_path, elsewhere):
    with shop.catalogue.engine.begin() as connection:
        jobs.ask(connection, "train", {}, ["train"], "crm", 1)
    shop("backup", "--to", tmp_path / "copy")
    engine = open_engine(elsewhere(tmp_path / "copy")[0].database)
    with engine.connect() as connection:
        assert [(one.state, one.error) for one in jobs.page(connection, 9)[0]] == [("lost", jobs.RESTORED)]
    engine.dispose()
