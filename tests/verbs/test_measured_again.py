"""A measure that is told again of the same rows is the same to the last bit, however many threads counted."""

import duckdb
import pytest

from churnml.events import books


@pytest.fixture
def on_threads(monkeypatch):
    """Return a function that has DuckDB count on so many threads from then on."""
    connect = duckdb.connect

    def on(number):
        monkeypatch.setattr(books.duckdb, "connect", lambda: connect(config={"threads": number}))

    return on


@pytest.mark.parametrize("what", [("kpis",), ("drivers", "--from", "2017-08-01")], ids=lambda what: what[0])
def test_one_thread_and_two_tell_the_same_bytes(own_journey, on_threads, what):
    told = []
    for number in (1, 2):
        on_threads(number)
        told.append(own_journey.churnml(f"measure {what[0]}", *what[1:], "--json"))
    assert told[0].code == 0, told[0].err
    assert told[0].out == told[1].out
