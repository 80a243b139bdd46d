"""A PostgreSQL is named by the environment alone, shown without its password, and never waited for without end."""

import os
import signal
import time
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import text

from churnml.database import Catalogue, Workspace, open_engine
from churnml.database.engine import SCHEMA_REVISION
from churnml.database.server import VARIABLE, name_of, named_server
from churnml.errors import ConfigError, DependencyError


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_server_is_named_by_the_environment_and_shown_without_user_and_password(scheme):
    url = named_server({VARIABLE: f"{scheme}://ann:secret@db.example.org/shop"})
    assert name_of(url) == "PostgreSQL at db.example.org:5432, database shop"
    assert "secret" not in str(url)


@pytest.mark.parametrize("told", [{}, {VARIABLE: ""}, {VARIABLE: " "}])
def test_without_the_variable_the_database_is_a_file(told):
    assert named_server(told) is None


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("secret@@@", "cannot be read"),
        ("postgresql://ann:secret@host:port/shop", "cannot be read"),
        ("mysql://ann:secret@host/shop", "found another kind of database"),
        ("postgresql://ann:secret@host", "found no name of a database"),
    ],
)
def test_what_is_no_url_of_a_postgresql_is_told_without_showing_it(told, words):
    with pytest.raises(ConfigError, match=f"{VARIABLE} must look like postgresql://.*{words}") as refused:
        named_server({VARIABLE: told})
    assert "secret" not in str(refused.value)


def test_a_workspace_with_a_file_is_not_opened_beside_a_server(tmp_path, monkeypatch):
    (tmp_path / "churnml.db").touch()
    monkeypatch.setenv(VARIABLE, "postgresql://ann:secret@host/shop")
    with pytest.raises(ConfigError, match=r"must have one database, found .*churnml\.db and, by CHURNML_DATABASE_URL"):
        Workspace.open(tmp_path)


def test_a_server_that_is_not_there_or_does_not_know_us_is_told_without_the_password(postgres):
    nobody = named_server({VARIABLE: postgres.url(password="wrong-secret")})  # noqa: S106
    nowhere = nobody.set(port=1)
    with pytest.raises(DependencyError, match="did not let us in") as told:
        open_engine(nobody)
    with pytest.raises(DependencyError, match="cannot be reached; see that it runs"):
        open_engine(nowhere)
    assert "wrong-secret" not in str(told.value)


@contextmanager
def frozen(engine):
    """Freeze the process of the server that answers an engine's one connection."""
    with engine.connect() as connection:
        backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    os.kill(backend, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(backend, signal.SIGCONT)


def test_who_is_in_a_hurry_waits_two_seconds_for_a_frozen_server_and_is_well_again_after(on_server):
    hasty, standing = open_engine(on_server[0], patience_seconds=2), Catalogue(on_server[1]).running()
    with frozen(hasty):
        began = time.monotonic()
        with pytest.raises(DependencyError, match="does not answer; see that it runs"):
            Catalogue(hasty).running()
        assert time.monotonic() - began < 3
    assert Catalogue(hasty).running() == standing
    hasty.dispose()


def test_a_connection_that_was_cut_is_made_anew(on_server):
    where, engine = on_server
    standing = Catalogue(engine).running()
    with psycopg.connect(where.set(drivername="postgresql").render_as_string(hide_password=False)) as session:
        session.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    assert Catalogue(engine).running() == standing


def test_who_finds_the_turn_taken_is_told_what_to_do(on_server):
    hasty = open_engine(on_server[0], patience_seconds=0.05)
    with on_server[1].begin() as holding:
        holding.execute(text("SELECT pg_advisory_xact_lock(4807526976)"))
        with pytest.raises(
            DependencyError, match=r"must be free to write to, found another process.*do the same again"
        ):
            Catalogue(hasty).land(1, 99, [], {}, [])
    hasty.dispose()


def test_many_open_a_new_database_at_once_and_all_find_it_current(postgres):
    from concurrent.futures import ThreadPoolExecutor

    where = postgres.new_database()
    with ThreadPoolExecutor(4) as pool:
        engines = list(pool.map(open_engine, [where] * 4))
    for engine in engines:
        with engine.connect() as connection:
            assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == SCHEMA_REVISION
        engine.dispose()


def test_a_database_of_a_newer_version_is_refused(postgres):
    where = postgres.new_database()
    engine = open_engine(where)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DependencyError, match="has a schema this version does not know; use a newer churnml"):
        open_engine(where)
    engine.dispose()
