"""The database is brought to the current schema when it is opened, or not opened at all."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import SQLAlchemyError

from churnml.database import Catalogue, open_engine
from churnml.database.engine import SCHEMA_REVISION
from churnml.database.tables import metadata
from churnml.errors import DependencyError


@pytest.fixture
def opened(tmp_path):
    engine = open_engine(tmp_path / "new.db")
    yield engine
    engine.dispose()


def test_a_new_database_has_every_table_at_the_current_revision(opened):
    assert set(metadata.tables) < set(inspect(opened).get_table_names())
    with opened.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == SCHEMA_REVISION


def test_the_migrations_make_what_the_tables_declare(opened):
    for name, table in metadata.tables.items():
        assert {column["name"] for column in inspect(opened).get_columns(name)} == set(table.columns.keys())
        assert {index["name"] for index in inspect(opened).get_indexes(name)} == {index.name for index in table.indexes}


def test_a_database_of_before_gets_its_records_by_customer_and_loses_rows_from_summaries(opened, tmp_path):
    with opened.begin() as connection:
        connection.execute(text("DROP INDEX records_by_customer"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0002'"))
    catalogue = Catalogue(opened)
    run_id = catalogue.start("train features", "", 1)
    catalogue.finish(run_id, 2, {"set_aside": {"rows": 1, "examples": [{"value": "ann"}]}})
    again = open_engine(tmp_path / "new.db")
    assert {index["name"] for index in inspect(again).get_indexes("records")} > {"records_by_customer"}
    assert Catalogue(again).last_run("train features").summary == {"set_aside": {"rows": 1}}
    again.dispose()


def test_a_database_opens_again_with_what_it_held(opened, tmp_path):
    with opened.begin() as connection:
        connection.execute(text("INSERT INTO aliases VALUES ('champion', 'abc', 1)"))
    again = open_engine(tmp_path / "new.db")
    with again.connect() as connection:
        assert connection.execute(text("SELECT bundle FROM aliases")).scalar() == "abc"
    again.dispose()


def test_many_open_a_new_database_at_once(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        engines = list(pool.map(open_engine, [tmp_path / "at once.db"] * 8))
    for engine in engines:
        with engine.connect() as connection:
            assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == SCHEMA_REVISION
        engine.dispose()


@pytest.mark.parametrize(
    "pragma, value", [("journal_mode", "wal"), ("foreign_keys", 1), ("synchronous", 2), ("secure_delete", 1)]
)
def test_readers_do_not_wait_references_hold_what_is_written_lasts_and_what_is_deleted_does_not(opened, pragma, value):
    with opened.connect() as connection:
        assert connection.execute(text(f"PRAGMA {pragma}")).scalar() == value


def test_who_finds_the_database_taken_is_told_what_to_do(tmp_path):
    engine = open_engine(tmp_path / "taken.db", patience_seconds=0.05)
    other = sqlite3.connect(tmp_path / "taken.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DependencyError, match=r"must be free to write to, found another process.*do the same again"):
        Catalogue(engine).land(1, 99, [], {}, [])
    other.close()
    engine.dispose()


def test_an_error_of_the_database_does_not_show_what_was_to_be_written(opened):
    with opened.begin() as connection:
        connection.execute(text("DROP TABLE batches"))
    with pytest.raises(SQLAlchemyError) as told:
        Catalogue(opened).land(1, 99, [], {"examples": "ann@example.org"}, [])
    assert "ann@example.org" not in str(told.value)


def test_a_file_that_is_no_database_is_refused_and_left_as_it_was(tmp_path):
    path = tmp_path / "notes.db"
    path.write_bytes(b"dear diary " * 1000)
    with pytest.raises(DependencyError, match=r"cannot be opened as a database: .*; restore it or move it away"):
        open_engine(path)
    assert path.read_bytes() == b"dear diary " * 1000


def test_a_database_of_a_newer_version_is_refused(opened, tmp_path):
    with opened.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DependencyError, match="use a newer churnml"):
        open_engine(tmp_path / "new.db")
