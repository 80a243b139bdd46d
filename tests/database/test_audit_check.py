"""Whoever changes, removes, puts in, moves or cuts off an entry of the audit log is found out."""

from types import SimpleNamespace

import pytest
from sqlalchemy import text

from churnml.database import audit, open_engine
from churnml.database.audit import GENESIS, entries, read_head
from churnml.database.audit_check import parse_head, verify
from churnml.errors import UsageError

ANN = SimpleNamespace(kind="person", name="ann")
SIX_INTO_THREE = """
INSERT INTO audit_entries SELECT 100, at, kind, name, what, about, previous, hash FROM audit_entries WHERE number = 3;
DELETE FROM audit_entries WHERE number = 3;
INSERT INTO audit_entries SELECT 3, at, kind, name, what, about, previous, hash FROM audit_entries WHERE number = 6;
DELETE FROM audit_entries WHERE number = 6;
INSERT INTO audit_entries SELECT 6, at, kind, name, what, about, previous, hash FROM audit_entries WHERE number = 100;
DELETE FROM audit_entries WHERE number = 100"""
PUT_IN = """
UPDATE audit_entries SET number = -number - 1 WHERE number >= 5;
UPDATE audit_entries SET number = -number WHERE number < 0;
INSERT INTO audit_entries SELECT 5, at, kind, 'eve', what, about, previous, hash FROM audit_entries WHERE number = 4;
UPDATE audit_head SET number = 11"""
CUT_OFF = """
DELETE FROM audit_entries WHERE number > 7;
UPDATE audit_head SET number = 7, hash = (SELECT hash FROM audit_entries WHERE number = 7)"""


@pytest.fixture
def engine(tmp_path):
    engine = open_engine(tmp_path / "audit.db")
    for number in range(10):
        with engine.begin() as connection:
            audit(connection, ANN, "key.created", {"key": number, "customer_id": "7"}, at=number)
    yield engine
    engine.dispose()


def look(engine, *written_down):
    with engine.connect() as connection:
        return verify(connection, written_down)


def head(engine):
    with engine.connect() as connection:
        return read_head(connection)


def tamper(engine, statements):
    """Do what one can do who has the database's file: drop the triggers, then anything."""
    with engine.begin() as connection:
        for name in ("update", "delete", "replace"):
            connection.execute(text(f"DROP TRIGGER IF EXISTS audit_no_{name}"))
        for statement in statements.split(";"):
            connection.execute(text(statement))


def test_a_log_that_nobody_touched_is_whole_and_says_where_it_ends(engine):
    verdict = look(engine, head(engine))
    assert (verdict.faults, str(verdict.head)) == ((), str(head(engine)))


@pytest.mark.parametrize(
    "column, value", [("at", "3"), ("kind", "'key'"), ("name", "'eve'"), ("what", "'x'"), ("about", "'{}'")]
)
def test_a_changed_entry_is_found_whatever_was_changed(engine, column, value):
    tamper(engine, f"UPDATE audit_entries SET {column} = {value} WHERE number = 5")
    assert look(engine).faults == ("entry 5 does not say what it said when it was written",)


def test_a_changed_entry_that_was_sealed_again_is_found_by_the_one_after_it(engine):
    from churnml.database.audit import _seal

    with engine.connect() as connection:
        fifth = vars(list(entries(connection))[4]) | {"name": "eve"}
    fifth.pop("hash")
    tamper(engine, f"UPDATE audit_entries SET name = 'eve', hash = '{_seal(fifth)}' WHERE number = 5")
    assert look(engine).faults == ("entry 6 was not written after the entry that stands before it",)


@pytest.mark.parametrize(
    "damage, said",
    [
        ("DELETE FROM audit_entries WHERE number = 5", "entry 6 follows entry 4"),
        ("DELETE FROM audit_entries WHERE number = 1", "entry 2 follows entry 0"),
        (SIX_INTO_THREE, "entry 3 does not say what it said"),
        (PUT_IN, "entry 5 does not say what it said"),
        ("DELETE FROM audit_entries WHERE number > 7", "the log ends at entry 7, its head says 10"),
        ("DELETE FROM audit_entries", "the log ends at entry 0, its head says 10"),
        ("UPDATE audit_head SET number = 9", "the log ends at entry 10, its head says 9"),
    ],
)
def test_a_removed_moved_or_inserted_entry_and_a_cut_off_end_are_found(engine, damage, said):
    tamper(engine, damage)
    assert said in look(engine).faults[0]


def test_a_cut_off_end_with_the_head_turned_back_is_found_by_what_was_written_down_and_only_by_that(engine):
    before = head(engine)
    tamper(engine, CUT_OFF)
    assert look(engine).faults == ()
    assert look(engine, before).faults == ("entry 10, written down before, is gone: the end was cut off",)


def test_a_log_that_was_written_anew_from_some_entry_on_is_found_by_what_was_written_down(engine):
    before = head(engine)
    tamper(engine, CUT_OFF)
    for number in range(3):
        with engine.begin() as connection:
            audit(connection, ANN, "nothing.happened", {"key": number}, at=50)
    assert look(engine).faults == ()
    assert "entry 10 is not the one that was there" in look(engine, before).faults[0]


@pytest.mark.parametrize("text", ["", "7", "7:abc", f"-1:{GENESIS}", f"{'9' * 30}:{GENESIS}"])
def test_a_head_that_nobody_printed_is_refused(text):
    with pytest.raises(UsageError, match="must read NUMBER:HASH"):
        parse_head(text)
