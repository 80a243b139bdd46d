"""An audit entry is chained to the one before, names no customer, and cannot be changed in either database."""

import importlib.util
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

import postgres_server
from churnml.database import audit, open_engine
from churnml.database.audit import GENESIS, entries, forget_pseudonym, pseudonym, read_head, sealed
from churnml.database.tables import metadata
from churnml.database.tables_access import ACCESS_TABLES, audit_head

ANN = SimpleNamespace(kind="person", name="ann")


@pytest.fixture(scope="module")
def postgres():
    if importlib.util.find_spec("psycopg") is None or not postgres_server.binaries():
        pytest.skip("no PostgreSQL here: install the extra `dev`")
    with postgres_server.running(postgres_server.binaries()[0]) as server:
        engine = create_engine(server.url().replace("postgresql://", "postgresql+psycopg://"))
        metadata.create_all(engine, tables=ACCESS_TABLES)
        with engine.begin() as connection:
            connection.execute(audit_head.insert().values(number=0, hash=GENESIS))
        yield engine
        engine.dispose()


@pytest.fixture
def sqlite(tmp_path):
    engine = open_engine(tmp_path / "audit.db")
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request):
    return request.getfixturevalue(request.param)


def wrote(engine, what="key.created", **about):
    with engine.begin() as connection:
        audit(connection, ANN, what, about, at=7)


def read(engine):
    with engine.connect() as connection:
        return list(entries(connection))


def test_an_entry_holds_the_hash_of_the_one_before(sqlite):
    wrote(sqlite, name="crm")
    wrote(sqlite, "key.revoked", name="crm")
    first, second = read(sqlite)
    assert (first.previous, second.previous) == (GENESIS, first.hash)
    assert all(sealed(one) for one in (first, second))
    with sqlite.connect() as connection:
        assert str(read_head(connection)) == f"2:{second.hash}"


def test_an_entry_counts_with_its_deed_or_not_at_all(sqlite):
    with sqlite.connect() as connection:
        audit(connection, ANN, "key.created", {}, at=7)
        connection.rollback()
    assert read(sqlite) == []


def test_a_customer_is_named_by_a_pseudonym_that_stays_until_its_key_is_destroyed(sqlite):
    wrote(sqlite, "customer.viewed", customer_id="00123")
    wrote(sqlite, "customer.viewed", customer_id="00123")
    wrote(sqlite, "customer.viewed", customer_id="00124")
    same, again, other = (one.about for one in read(sqlite))
    assert same == again != other
    assert "00123" not in same
    with sqlite.begin() as connection:
        assert pseudonym(connection, "00123") in same
        assert forget_pseudonym(connection, "00123")
        assert pseudonym(connection, "00123", make=False) == ""
    assert all(sealed(one) for one in read(sqlite))


@pytest.mark.parametrize("damage", ["UPDATE audit_entries SET name = 'eve'", "DELETE FROM audit_entries"])
def test_the_database_refuses_to_change_or_remove_an_entry(engine, damage):
    wrote(engine)
    with pytest.raises(DBAPIError, match="appended to, never changed"), engine.begin() as connection:
        connection.execute(text(damage))
    assert read(engine)[-1].name == "ann"


def test_sqlite_refuses_to_replace_an_entry_and_postgresql_to_truncate_them(sqlite, postgres):
    wrote(sqlite)
    replace = "INSERT OR REPLACE INTO audit_entries SELECT number, 9, kind, 'eve', what, about, previous, hash "
    with pytest.raises(DBAPIError, match="never changed"), sqlite.begin() as connection:
        connection.execute(text(replace + "FROM audit_entries"))
    with pytest.raises(DBAPIError, match="never changed"), postgres.begin() as connection:
        connection.execute(text("TRUNCATE audit_entries"))


def test_many_who_write_at_once_make_one_chain(engine):
    before = len(read(engine))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: wrote(engine, number=number, customer_id="7"), range(40)))
    found = read(engine)
    assert [one.number for one in found] == list(range(1, before + 41))
    assert [one.previous for one in found] == [GENESIS, *(one.hash for one in found[:-1])]
    assert len({one.about.rpartition("customer")[2][:36] for one in found[before:]}) == 1
