"""A name means a file, the tables of a folder, or what matches a pattern, and never anything outside it."""

import os

import duckdb
import pytest

from churnml.errors import DataRefusedError, UsageError
from churnml.events.sources.files import expand, file_source, open_rows

ROWS = "customer_id,occurred_at\n00123,2024-01-02\nNA,2024-01-03\n"


@pytest.fixture
def base(tmp_path):
    (tmp_path / "exports" / "deep").mkdir(parents=True)
    for name in ("orders.csv", "exports/b.csv", "exports/a.csv", "exports/.c.csv", "exports/notes.md"):
        (tmp_path / name).write_text(ROWS)
    (tmp_path / "exports" / "deep" / "d.csv").write_text(ROWS)
    return tmp_path


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


def names(paths):
    return [path.name for path in paths]


@pytest.mark.parametrize("pattern, found", [
    ("orders.csv", ["orders.csv"]), ("exports", ["a.csv", "b.csv"]), ("exports/?.csv", ["a.csv", "b.csv"]),
    ("**/d.csv", ["d.csv"]), ("exports/[ab].csv", ["a.csv", "b.csv"]), ("exports/../orders.csv", ["orders.csv"]),
])  # fmt: skip
def test_a_name_a_folder_and_a_pattern_mean_their_files_in_order(base, pattern, found):
    assert names(expand(pattern, base)) == found


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(base):
    (base / "orders [1].csv").write_text(ROWS)
    assert names(expand("orders [1].csv", base)) == ["orders [1].csv"]


def test_a_folder_whose_name_looks_like_a_pattern_is_that_folder(tmp_path):
    base = tmp_path / "exports [old]"
    base.mkdir()
    (base / "a.csv").write_text(ROWS)
    assert names(expand("*.csv", base)) == ["a.csv"]


def test_a_whole_path_is_taken_as_it_is(base):
    assert names(expand(str(base / "exports" / "*.csv"), base / "elsewhere")) == ["a.csv", "b.csv"]


def test_nothing_found_is_told_with_what_lies_near(base):
    with pytest.raises(UsageError) as caught:
        expand("order.csv", base)
    words = f"`order.csv` names no file that can be read; {base} holds exports, orders.csv; did you mean `orders.csv`?"
    assert str(caught.value) == words


def test_an_empty_folder_is_told_as_such(base):
    (base / "empty").mkdir()
    with pytest.raises(UsageError, match=r"`empty` names no file that can be read; .*empty is empty"):
        expand("empty", base)


@pytest.mark.parametrize("pattern", ["exports", "exports/*.csv"])
def test_a_link_that_leads_out_of_the_folder_is_refused(base, pattern):
    (base / "exports" / "e.csv").symlink_to(base / "orders.csv")
    with pytest.raises(UsageError, match=r"e.csv is a link that leads out of exports/"):
        expand(pattern, base)


def test_a_link_inside_the_folder_is_a_file_of_it(base):
    (base / "exports" / "e.csv").symlink_to(base / "exports" / "a.csv")
    assert names(expand("exports", base)) == ["a.csv", "b.csv", "e.csv"]


def test_a_file_is_read_as_text_in_its_order(base, connection):
    rows = open_rows(base / "orders.csv", connection, base)
    assert rows.relation.project("customer_id").fetchall() == [("00123",), ("NA",)]


def test_what_says_nothing_about_a_kind_of_file_is_refused(base, connection):
    with pytest.raises(UsageError, match=r"orders.csv: `sheet` says nothing about a CSV file; leave it out"):
        open_rows(base / "orders.csv", connection, base, sheet="Orders")


def test_a_file_source_names_its_file_and_reads_it(base, connection):
    source = file_source("customers", base / "orders.csv", "Europe/Berlin")
    assert (source.table, source.origin, source.files) == ("customers", "orders.csv", (base / "orders.csv",))
    assert len(source.rows(connection, base).relation.fetchall()) == 2


def test_a_duckdb_file_is_no_table_by_itself(base):
    with duckdb.connect(base / "crm.duckdb") as made:
        made.execute("CREATE TABLE tickets (a INT)")
    with pytest.raises(UsageError, match=r"a DuckDB file holds many tables; name it in sources.yaml as `duckdb`"):
        file_source("tickets", base / "crm.duckdb", "UTC")


def test_a_missing_file_and_a_pipe_are_refused_before_anything_is_read(base):
    os.mkfifo(base / "pipe.csv")
    for name in ("none.csv", "pipe.csv"):
        with pytest.raises((UsageError, DataRefusedError), match=name):
            file_source("customers", base / name, "UTC")
