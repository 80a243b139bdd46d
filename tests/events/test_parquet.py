"""Parquet files come in with the types they have, or are refused in plain words."""

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churnml.errors import DataRefusedError
from churnml.events.sources.parquet import parquet_rows


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture
def read(connection, tmp_path):
    """Return a reader of a query's rows, by way of a Parquet file."""

    def read(query):
        path = tmp_path / "a'b orders.parquet"
        connection.execute(f"COPY ({query}) TO '{str(path).replace(chr(39), chr(39) * 2)}'")
        return parquet_rows(path, connection, tmp_path)

    return read


def test_types_stay_as_they_are_and_rows_are_numbered_from_one(read):
    rows = read("SELECT '00123' AS customer_id, 9007199254740993 AS n, DATE '2017-03-31' AS d, {'x': 1} AS s")
    assert rows.relation.columns == ["customer_id", "n", "d", "s", "source_row"]
    assert [str(kind) for kind in rows.relation.types[:3]] == ["VARCHAR", "BIGINT", "DATE"]
    assert rows.relation.fetchall()[0][-2:] == ({"x": 1}, 1)


def test_a_column_called_source_row_is_left_out_and_said_so(read):
    rows = read("SELECT i + 100 AS Source_Row, i AS id FROM range(3) t(i)")
    assert rows.relation.fetchall() == [(0, 1), (1, 2), (2, 3)]
    assert rows.notes == ("its own column `Source_Row` was left out: rows are numbered by their place",)


def test_a_column_called_file_row_number_is_kept(read):
    rows = read("SELECT 'mine' AS file_row_number, i AS id FROM range(3) t(i)")
    assert rows.relation.fetchall() == [("mine", 0, 1), ("mine", 1, 2), ("mine", 2, 3)]


def test_names_that_differ_in_capitals_only_are_refused(connection, tmp_path):
    columns = [pa.array([{"amount": 1, "x": 2}]), pa.array([1]), pa.array([2])]
    pq.write_table(pa.Table.from_arrays(columns, names=["nested", "Amount", "amount"]), tmp_path / "a.parquet")
    with pytest.raises(DataRefusedError, match="needs a name of its own, found `Amount` and `amount`"):
        parquet_rows(tmp_path / "a.parquet", connection, tmp_path)


def test_the_same_name_inside_a_nested_column_is_no_second_one(connection, tmp_path):
    columns = [pa.array([{"amount": 1, "deep": [{"amount": 2}]}]), pa.array([1])]
    pq.write_table(pa.Table.from_arrays(columns, names=["nested", "amount"]), tmp_path / "a.parquet")
    assert parquet_rows(tmp_path / "a.parquet", connection, tmp_path).relation.columns[-1] == "source_row"


@pytest.fixture
def whole(connection, tmp_path):
    """Return the bytes of a sound file."""
    connection.execute(f"COPY (SELECT i, md5(i::VARCHAR) AS h FROM range(5000) t(i)) TO '{tmp_path}/whole.parquet'")
    return (tmp_path / "whole.parquet").read_bytes()


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda whole: whole[:-1000], "one whose end is missing"),
        (lambda whole: whole[:3], "a file of another kind under that name"),
        (lambda _: b"", "a file of another kind under that name"),
        (lambda _: b"id,amount\n1,2\n", "a file of another kind under that name"),
        (lambda whole: whole[:400] + bytes(4000) + whole[4400:], "one that is damaged inside"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_in_plain_words(connection, tmp_path, whole, damage, found):
    (tmp_path / "orders.parquet").write_bytes(damage(whole))
    with pytest.raises(DataRefusedError, match=r"^orders\.parquet: expected a whole Parquet file, found ") as refused:
        parquet_rows(tmp_path / "orders.parquet", connection, tmp_path)
    assert found in str(refused.value)


def test_a_file_without_columns_is_told_so(connection, tmp_path):
    pq.write_table(pa.table({}), tmp_path / "none.parquet")
    with pytest.raises(DataRefusedError, match=r"none\.parquet: .* found one without columns"):
        parquet_rows(tmp_path / "none.parquet", connection, tmp_path)
