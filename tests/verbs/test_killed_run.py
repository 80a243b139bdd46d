"""A run that is killed leaves nothing that counts, and the next run or landing marks it and removes what it left."""

import contextlib
from itertools import count
from multiprocessing import get_context

import pytest
from sqlalchemy import func, select

from churnml.database.tables import records, runs
from churnml.verbs.score import write_records
from churnml.verbs.session import Session
from command import churnml

_PROCESSES = get_context("spawn")
CUSTOMERS = "customer_id,occurred_at\nann,2020-01-01\n"


@pytest.fixture
def session(tmp_path):
    """Return a session on an empty workspace."""
    session = Session.open(tmp_path / "workspace", tmp_path / "configs", create=True)
    assert session.catalogue.running() == []  # the database is made by being opened
    yield session
    session.catalogue.engine.dispose()


def _write(folder, line):
    """Write records of a score, and halt after the first thousands of them."""
    session = Session.open(folder / "workspace", folder / "configs")
    with session.running("score", "inputs") as run_id:
        session.records.write(run_id, _bodies(line, run_id))


def _bodies(line, run_id):
    for number in count():
        if number == 21_000:
            line.send(run_id)
            line.recv()
        yield {"customer_id": f"C{number}"}


@contextlib.contextmanager
def scoring(folder):
    """Give the process of a score that halts in the middle of its records, and the id of its run."""
    ours, theirs = _PROCESSES.Pipe()
    process = _PROCESSES.Process(target=_write, args=(folder, theirs), daemon=True)
    process.start()
    theirs.close()  # so that one that dies is not waited for
    try:
        yield process, ours.recv()
    finally:
        process.kill()
        process.join()


@pytest.fixture
def killed(session, tmp_path):
    """Return the run of a score that was killed in the middle of its records."""
    with scoring(tmp_path) as (_, run_id):
        pass
    assert left(session, run_id) == ("running", 20_000)
    return run_id


def left(session, run_id):
    """Return the state of a run and how many records it has."""
    with session.catalogue.engine.connect() as connection:
        state = connection.execute(select(runs.c.state).where(runs.c.run_id == run_id)).scalar_one()
        theirs = select(func.count()).select_from(records).where(records.c.run_id == run_id)
        return state, connection.execute(theirs).scalar_one()


def test_the_next_run_marks_it_failed_and_removes_its_records(session, killed, capsys):
    with session.running("assign", "others") as run_id:
        assert left(session, killed) == ("failed", 0)
        session.catalogue.finish(run_id, 1, {})
    assert "a `score` was stopped before its end and is marked as failed; the 20,000 records" in capsys.readouterr().err
    assert not list(session.workspace.root.glob(".run-*"))


def test_the_next_landing_does_so_too(session, killed, tmp_path):
    (tmp_path / "customers.csv").write_text(CUSTOMERS)
    where = ("--workspace", tmp_path / "workspace", "--configs", tmp_path / "configs")
    said = churnml("ingest", tmp_path / "customers.csv", "--table", "customers", *where)
    assert "the 20,000 records it had written, which nobody saw, were removed" in said.err
    assert left(session, killed) == ("failed", 0)


def test_a_check_leaves_it_for_it_writes_nothing(session, killed, tmp_path):
    (tmp_path / "customers.csv").write_text(CUSTOMERS)
    where = ("--workspace", tmp_path / "workspace", "--configs", tmp_path / "configs")
    churnml("ingest", tmp_path / "customers.csv", "--table", "customers", "--check", *where)
    assert left(session, killed) == ("running", 20_000)


def test_a_run_that_goes_on_is_left_alone(session, tmp_path):
    with scoring(tmp_path) as (_, run_id):
        session.sweep()
        assert left(session, run_id) == ("running", 20_000)


def test_one_that_ended_since_it_was_looked_for_stays_as_it_is(session):
    with session.running("score", "inputs") as run_id:
        session.records.write(run_id, [{"customer_id": "ann"}])
        session.catalogue.finish(run_id, 1, {})
    assert session.catalogue.interrupt(run_id, 2) == 0
    assert left(session, run_id) == ("done", 1)


def test_half_a_bundle_goes_once_no_run_goes_on(session):
    draft = session.workspace.models / f".draft-{'0' * 32}"
    draft.mkdir(parents=True)
    with session.running("train", "inputs"):
        session.sweep()
        assert not draft.exists()
        draft.mkdir()
        session.sweep()
        assert draft.exists()


def test_half_a_file_of_records_goes_when_the_file_is_written_again(session, tmp_path):
    half, another = tmp_path / f".out.jsonl.{'0' * 32}", tmp_path / ".out.jsonl.mine"
    for path in (half, another):
        path.write_text("{")
    write_records(session, tmp_path / "out.jsonl")
    assert (half.exists(), another.exists()) == (False, True)
