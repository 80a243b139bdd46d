"""What comes twice among numbers is found in one reading, whether or not they fit at once."""

from collections import Counter

import duckdb
import numpy as np
import pytest

from churnml.events import sorting
from churnml.events.sorting import repeated_of


@pytest.fixture
def connection():
    with duckdb.connect(config={"threads": 2}) as connection:
        yield connection


def numbers(seed, rows):
    """Return SQL for numbers of which some come once, some twice and some often."""
    return f"SELECT hash((n * n + {seed}) % {rows * 3 // 4}) AS hashed FROM range({rows}) AS rows (n)"


@pytest.mark.parametrize("at_once", [1_000_000, 1_000, 7])
def test_what_comes_twice_is_found_once_however_little_fits(connection, tmp_path, monkeypatch, at_once):
    monkeypatch.setattr(sorting, "_AT_ONCE", at_once)
    query = numbers(5, 3_000)
    times = Counter(value for (value,) in connection.execute(query).fetchall())
    found = np.concatenate(list(repeated_of(connection, query, tmp_path)))
    assert sorted(found.tolist()) == sorted(value for value, n in times.items() if n > 1)
    assert len(found) > 100


@pytest.mark.parametrize("query", ["SELECT 1::UBIGINT WHERE false", "SELECT n::UBIGINT FROM range(9) AS rows (n)"])
def test_nothing_is_found_where_nothing_comes_twice(connection, tmp_path, query, monkeypatch):
    monkeypatch.setattr(sorting, "_AT_ONCE", 4)
    assert not any(len(found) for found in repeated_of(connection, query, tmp_path))


def test_no_file_is_left(connection, tmp_path, monkeypatch):
    monkeypatch.setattr(sorting, "_AT_ONCE", 100)
    list(repeated_of(connection, numbers(1, 1_000), tmp_path))
    assert list(tmp_path.iterdir()) == []
