"""The database is brought to the current schema when it is opened, or not opened at all."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import inspect, text

from churnml.database import open_engine
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


def test_readers_do_not_wait_and_foreign_keys_hold(opened):
    with opened.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1


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
