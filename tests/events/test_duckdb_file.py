"""A query on a DuckDB file gives its rows in order; it cannot write, nor reach anything else."""

import subprocess
import sys

import duckdb
import pytest

from churnml.errors import ConfigError, DataRefusedError, DependencyError, UsageError
from churnml.events.sources.duckdb_file import duckdb_rows

HOLDS_OPEN = """
import duckdb, sys
with duckdb.connect(sys.argv[1]):
    sys.stdout.write("open\\n"), sys.stdout.flush(), sys.stdin.read()
"""


@pytest.fixture
def connection():
    with duckdb.connect(config={"memory_limit": "400MB"}) as connection:
        yield connection


@pytest.fixture
def shop(tmp_path):
    """Return the path of a database with a table of orders."""
    path = tmp_path / "our 'shop'.duckdb"
    with duckdb.connect(str(path)) as database:
        database.execute("CREATE TABLE orders AS SELECT i AS id, (1000 - i) AS amount FROM range(1000) t(i)")
        database.execute("CREATE VIEW recent AS SELECT * FROM orders WHERE id >= 990")
        database.execute("CREATE SCHEMA crm; CREATE TABLE crm.people AS SELECT '00123' AS customer_id")
    return path


@pytest.fixture
def ask(shop, connection, tmp_path):
    """Return a caller that asks the shop."""
    scratch = tmp_path / "scratch folder"
    scratch.mkdir()
    return lambda query: duckdb_rows(shop, connection, scratch, query=query)


def test_rows_come_in_the_order_of_the_query_numbered_from_one(ask):
    rows = ask("SELECT id, amount FROM orders ORDER BY amount, 'é;' || id ; -- cheapest; first")
    assert rows.relation.columns == ["id", "amount", "source_row"]
    assert rows.relation.limit(2).fetchall() == [(999, 1, 1), (998, 2, 2)]


@pytest.mark.parametrize(
    ("query", "row"),
    [
        ("FROM recent LIMIT 1", (990, 10, 1)),
        ("TABLE crm.people", ("00123", 1)),
        ("WITH a AS (SELECT 'NA' AS x) SELECT * FROM a", ("NA", 1)),
        ("SELECT 9007199254740993 AS n, sum(id) + 100000000000000000000000000000000000000::HUGEINT AS h FROM orders",
         (9007199254740993, "100000000000000000000000000000000499500", 1)),
        ("SELECT 1 AS x -- a remark at the end", (1, 1)),
    ],
)  # fmt: skip
def test_a_query_may_use_what_the_file_holds_and_values_are_exact(ask, query, row):
    assert ask(query).relation.fetchall() == [row]


def test_no_rows_are_a_table_too(ask):
    assert ask("SELECT id FROM orders WHERE false").relation.fetchall() == []


def test_a_column_called_source_row_is_left_out_and_said_so(ask):
    rows = ask("SELECT 7 AS source_row, 1 AS id")
    assert rows.relation.fetchall() == [(1, 1)]
    assert rows.notes == ("its own column `source_row` was left out: rows are numbered by their place",)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT * FROM ordrs", "; the file holds orders, recent; did you mean `orders`?; mend it in sources.yaml"),
        ("SELECT amont FROM orders", 'Referenced column "amont" not found'),
        ("SELEC 1", 'syntax error at or near "SELEC"'),
        ("SELECT 1; SELECT 2", "must be one SELECT that reads, found 2 statements"),
        ("", "must be one SELECT that reads, found 0 statements"),
        ("DROP TABLE orders", "must be one SELECT that reads, found DROP"),
        ("COPY orders TO 'leak.csv'", "must be one SELECT that reads, found COPY"),
        ("ATTACH 'other.duckdb'", "must be one SELECT that reads, found ATTACH"),
        ("SELECT id, amount AS ID FROM orders", "each column needs a name of its own, found `id` and `ID`"),
        ("SELECT * FROM read_csv('/etc/hostname')", "Cannot access file"),
        ("SELECT 'abc'::INTEGER", "Could not convert string 'abc' to INT32"),
        ("SELECT 1) TO 'leak.csv'; --", "syntax error"),
    ],
)
def test_a_query_that_cannot_be_run_is_refused_in_plain_words(ask, query, words):
    with pytest.raises(ConfigError, match=r"^the query on our 'shop'\.duckdb") as refused:
        ask(query)
    assert words in str(refused.value)


def test_the_file_stays_byte_for_byte_as_it_was(ask, shop):
    before = shop.read_bytes()
    ask("FROM orders")
    assert shop.read_bytes() == before


def test_a_file_open_for_writing_elsewhere_is_named(ask, shop):
    with subprocess.Popen([sys.executable, "-c", HOLDS_OPEN, shop], stdin=-1, stdout=-1) as other:
        other.stdout.readline()
        with pytest.raises(DependencyError, match="is open for writing in another program; close it there"):
            ask("FROM orders")
        other.stdin.close()


def test_a_file_open_for_writing_here_is_named(ask, shop):
    with duckdb.connect(str(shop)), pytest.raises(DependencyError, match="is open for writing in another program"):
        ask("FROM orders")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda _: b"id,amount\n1,2\n" * 99, "found a file of another kind under that name"),
        (lambda _: b"", "found a file of another kind under that name"),
        (lambda whole: whole[:5000], "the database is damaged, or another version of DuckDB wrote it"),
        (lambda whole: whole[:12] + b"\xc8\x00" + whole[14:], "its storage version is 200, DuckDB here is"),
        (lambda whole: whole[: len(whole) // 2] + bytes(len(whole) // 2), "the database is damaged"),
    ],
)
def test_a_file_that_is_no_sound_database_is_refused(ask, shop, damage, words):
    shop.write_bytes(damage(shop.read_bytes()))
    with pytest.raises(DataRefusedError, match=r"^our 'shop'\.duckdb: ") as refused:
        ask("FROM orders")
    assert words in str(refused.value)


def test_a_file_that_is_not_there_is_asked_for(connection, tmp_path):
    with pytest.raises(UsageError, match=r"none\.duckdb is not a file; name the DuckDB file"):
        duckdb_rows(tmp_path / "none.duckdb", connection, tmp_path, query="FROM orders")
