"""The books against the wall: what stands in them of random worlds is what `tests/wall.py` says may be seen."""

from collections import Counter
from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import wall
from churnml.events import TABLES
from churnml.events.books import open_books
from churnml.events.clock import local_days, midnight
from churnml.events.wall_clock import local_time, offsets
from small import Tiny

# of the seeds of the wall, three that hold all there is to get wrong: see the faults below
SEEDS = (36, 142, 166)
a_world, any_world = st.just(SEEDS[0]), st.integers(0, 10**6)
moments = st.tuples(st.integers(0, 10**4), st.sampled_from([0, 0, 0, 1, -1]))
often = settings(max_examples=8, derandomize=True, deadline=None)
hundreds = settings(max_examples=300, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))
PLAIN = [name for name, table in TABLES.items() if not table.later and not table.versioned]
TOLD_AGAIN = [name for name, table in TABLES.items() if table.later and not table.versioned]


def shown(table):
    """Return the columns that the books show of a table, beside both clocks and whose it is."""
    hidden = {"customer_id", "occurred_at", "ingested_at"}
    return [column.name for column in TABLES[table].columns if column.name not in hidden and not column.personal]


def rows(books, table):
    columns = ", ".join(["customer_id", "occurred_at", *shown(table)])
    return Counter(books.connection.execute(f"SELECT {columns} FROM {table}").fetchall())


def base(one, at):
    """Return who is known at a moment and may be profiled."""
    refusing = wall.refusing(one.kept)
    return {who for who in one.world.customers if wall.attributes(one.kept, who, at) is not None} - refusing


def plain(one, table, at):
    return Counter(row for row in wall.facts(one.kept, table, shown(table), at) if row[0] in base(one, at))


def told_again(one, table, at):
    """Return each row with the later facts that had come to be, each as it was first told."""
    (key,) = TABLES[table].key
    found = {}
    for who, event_at, name, *cells in wall.facts(one.kept, table, (key, *_first(table)), at):
        if who in base(one, at):
            found[name] = [who, event_at, dict(zip(_first(table), cells, strict=True))]
    for time, facts in TABLES[table].later.items():
        for fact in facts:
            for _, _, name, _, value in wall.facts(one.kept, f"{table}.{fact}", (key, time, fact), at):
                if name in found:
                    found[name][2].setdefault(fact, value)
    return Counter(
        (who, at, *(name if column == key else cells.get(column) for column in shown(table)))
        for name, (who, at, cells) in found.items()
    )


def _first(table):
    return [name for name in TABLES[table].first_facts if name not in TABLES[table].key]


def contracts(one, at):
    """Return each contract as the last version says that was known, whosever it is."""
    seen = [row for row in one.kept if row.table == "subscriptions" and row.seen(at)]
    return Counter(
        contract(one, [row for row in seen if wall.key_of(row) == key], at)
        for key in {wall.key_of(row) for row in seen}
        if wall._current(one.kept, next(row for row in seen if wall.key_of(row) == key), at)[0].customer_id
        in base(one, at)
    )


def contract(one, versions, at):
    versions = sorted(versions, key=wall._turn)
    current = wall._current(one.kept, versions[0], at)
    last = min(current, key=lambda row: row.cells.get("ended_at", float("inf")))
    begins = [row.cells["started_at"] for row in versions if "started_at" in row.cells]
    told = {name: last.cells.get(name) for name in ("subscription_id", "plan", "amount", "period")}
    told["started_at"] = begins[-1] if begins else min(row.event_at for row in versions)
    renews = "renews_at" in last.cells and wall._since(last, "renews_at") <= at
    told["renews_at"] = last.cells["renews_at"] if renews else None
    ended = last.cells.get("ended_at", at) < at
    told |= {name: last.cells.get(name) if ended else None for name in ("ended_at", "end_reason")}
    return (last.customer_id, min(row.event_at for row in versions), *(told[name] for name in shown("subscriptions")))


def customers(one, at):
    found = Counter()
    for who in base(one, at):
        versions = [row for row in one.kept if row.table == "customers" and row.customer_id == who and row.seen(at)]
        cells = wall.attributes(one.kept, who, at)
        found[who, min(row.event_at for row in versions), *(cells.get(name) for name in shown("customers"))] += 1
    return found


def the_books_hold_what_the_wall_lets_through(one, at):
    with open_books(one.store, at) as books:
        assert books.base == len(base(one, at))
        assert rows(books, "customers") == customers(one, at)
        for table in books.tables & set(PLAIN):
            assert rows(books, table) == plain(one, table, at), table
        for table in books.tables & set(TOLD_AGAIN):
            assert rows(books, table) == told_again(one, table, at), table
        if "subscriptions" in books.tables:
            assert rows(books, "subscriptions") == contracts(one, at)


@given(a_world, moments)
@settings(often, max_examples=5)
def test_the_books_hold_what_the_wall_lets_through(landed, seed, drawn):
    one = landed(seed)
    the_books_hold_what_the_wall_lets_through(one, *one.moments([drawn]))


@pytest.mark.long
@given(any_world, moments)
@hundreds
def test_the_books_hold_what_the_wall_lets_through_in_any_world(landed, seed, drawn):
    one = landed(seed)
    the_books_hold_what_the_wall_lets_through(one, *one.moments([drawn]))


class Faulty:
    """A connection in whose queries one thing stands for another."""

    def __init__(self, connection, right, wrong):
        self.connection, self.right, self.wrong = connection, right, wrong

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def __getattr__(self, name):
        return getattr(self.connection, name)

    def execute(self, query, *parameters):
        return self.connection.execute(query.replace(self.right, self.wrong), *parameters)


FAULTS = {
    "what happens at the moment": ("occurred_at < ", "occurred_at <= ", 36, 10),
    "what was learned later": ("AND ingested_at <= ", "AND 0 * ingested_at <= ", 36, 10),
    "who refuses": ("DELETE FROM customers", "SELECT count(*) FROM customers", 166, 66),
    "a later fact ahead of its time": ("resolved_at < ", "resolved_at > 0 OR resolved_at < ", 142, 87),
    "a customer as last said to be": ("(ingested_at, occurred_at)) AS version", "occurred_at) AS version", 36, 59),
    "a contract by what came last": ("(occurred_at, ingested_at, -", "(ingested_at, occurred_at, -", 142, 213),
    "an end taken back": (
        "(occurred_at, ingested_at, -",
        "(ended_at IS NOT NULL, occurred_at, ingested_at, -",
        36,
        122,
    ),
    "a renewal before its landing": ("landed_at <= ", "landed_at > 0 OR landed_at <= ", 166, 73),
}
"""What stands for what in the queries, and at which instant of which world it shows."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_books_is_found(landed, monkeypatch, fault):
    connect, (right, wrong, seed, place) = duckdb.connect, FAULTS[fault]
    one = landed(seed)
    monkeypatch.setattr(duckdb, "connect", lambda: Faulty(connect(), right, wrong))
    with pytest.raises(AssertionError):
        the_books_hold_what_the_wall_lets_through(one, one.instants[place])


# By hand


def at(day):
    return midnight(date.fromisoformat(day), "UTC")


def read(tiny, query, day="2021-09-01"):
    with open_books(tiny.store, at(day)) as books:
        return books.connection.execute(query).fetchall()


CUSTOMERS = "customer_id occurred_at\na 2021-01-01\nb 2021-01-01"
HEAD = "customer_id subscription_id occurred_at ingested_at started_at plan amount"


def test_a_contract_handed_to_one_who_refuses_profiling_is_nobodys(tiny):
    tiny.land(
        customers=CUSTOMERS,
        subscriptions=f"{HEAD}\na s1 2021-02-01 2021-02-01 - gold 9\nb s1 2021-03-01 2021-03-01 - gold 9",
        consents="customer_id occurred_at purpose granted\nb 2021-01-02 profiling false",
    )
    assert read(tiny, "SELECT customer_id FROM subscriptions") == []
    assert read(tiny, "SELECT customer_id FROM customers") == [("a",)]


@pytest.mark.parametrize(
    ("versions", "paid_from"),
    [
        (["2021-03-01 2020-05-01 gold 9"], "2020-05-01"),
        (["2021-03-01 - trial 9", "2021-04-01 - gold 9"], "2021-04-01"),
        (["2021-03-01 2021-02-01 gold 0", "2021-04-01 2021-05-01 gold 9"], "2021-05-01"),
    ],
)
def test_a_contract_is_paid_for_from_its_first_paid_version_or_its_beginning(tiny, versions, paid_from):
    lines = (f"a s1 {line.split()[0]} {line}" for line in versions)
    tiny.land(customers=CUSTOMERS, subscriptions="\n".join([HEAD, *lines]))
    assert read(tiny, "SELECT paid, paid_from FROM subscriptions") == [(True, at(paid_from))]


def test_a_contract_began_when_the_last_version_that_says_so_says(tiny):
    tiny.land(
        customers=CUSTOMERS,
        subscriptions=f"{HEAD}\na s1 2021-02-01 2021-02-01 2021-01-15 gold 9\n"
        "a s1 2021-03-01 2021-03-01 2021-01-10 gold 9\na s1 2021-04-01 2021-04-01 - gold 9",
    )
    assert read(tiny, "SELECT started_at FROM subscriptions") == [(at("2021-01-10"),)]


def test_a_ticket_of_no_kind_stays_so_whatever_is_told_of_it_later(tiny):
    orders = "customer_id order_id occurred_at amount\na 1 2021-02-01 9"
    tiny.land(at("2021-02-03"), customers=CUSTOMERS, orders=orders,
              tickets="customer_id ticket_id occurred_at kind\na t 2021-02-02 -")  # fmt: skip
    tiny.land(at("2021-02-06"), tickets="customer_id ticket_id occurred_at kind resolved_at\n"
              "a t 2021-02-02 complaint 2021-02-05")  # fmt: skip
    assert read(tiny, "SELECT kind, resolved_at FROM tickets") == [(None, at("2021-02-05"))]


def test_a_workspace_may_lie_under_any_name(tmp_path):
    folder = tmp_path / "Anna's [new] shop *?"
    folder.mkdir()
    tiny = Tiny.make(folder)
    tiny.land(customers=CUSTOMERS, orders="customer_id order_id occurred_at amount\na 1 2021-02-01 9")
    assert read(tiny, "SELECT amount FROM orders") == [(90_000,)]
    tiny.catalogue.engine.dispose()


def test_several_landings_are_one_table(tiny):
    for day in range(1, 4):
        order = f"customer_id order_id occurred_at amount\na {day} 2021-02-{day:02} {day}"
        tiny.land(at("2021-03-01") + day, **({"customers": CUSTOMERS} if day == 1 else {}), orders=order)
    assert read(tiny, "SELECT count(*), sum(amount)::BIGINT FROM orders") == [(3, 60_000)]


def test_rows_that_do_not_fit_into_memory_lie_in_the_given_folder_and_nowhere_else(tiny):
    tiny.land(customers=CUSTOMERS, orders="customer_id order_id occurred_at amount\na 1 2021-02-01 9")
    much = "CREATE TEMP TABLE much AS SELECT md5(range::VARCHAR) AS word FROM range(1_200_000)"
    with open_books(tiny.store, at("2021-09-01")) as books, pytest.raises(duckdb.OutOfMemoryException):
        books.connection.execute("SET memory_limit = '24MB'").execute(much)
    scratch = tiny.folder / "scratch"
    with open_books(tiny.store, at("2021-09-01"), scratch) as books:
        books.connection.execute("SET memory_limit = '24MB'").execute(much)
        assert list(scratch.iterdir())


# Clocks

ZONES = (
    "UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/Caracas", "America/Santiago",
    "Africa/Cairo", "Pacific/Apia", "Africa/Monrovia", "Asia/Kathmandu", "Asia/Shanghai",
)  # fmt: skip


@pytest.mark.parametrize("zone", ZONES)
def test_the_days_of_sql_are_those_of_the_clock(zone):
    dice = np.random.default_rng(5)
    spread = dice.integers(at("1930-01-01"), at("2040-01-01"), 4_000)
    edges = [since + off for since, _ in offsets(zone)[1:] for off in (-1, 0, 1)]
    asked = np.array([*spread.tolist(), *(one for one in edges if at("1920-01-01") < one < at("2040-01-01"))])
    days, _ = local_days(asked, zone)
    assert _shown(asked, zone).astype("datetime64[D]").astype(np.int64).tolist() == days.tolist()


def test_an_hour_is_that_of_the_wall_in_summer_and_in_winter():
    asked = np.array([midnight(date(2021, month, 1), "UTC") for month in (1, 7)])
    assert [one.item().hour for one in _shown(asked, "Europe/Berlin").astype("datetime64[s]")] == [1, 2]


def _shown(instants, zone):
    told = local_time("us", zone, at("2018-01-01"), at("2024-01-01"))
    frame = pd.DataFrame({"us": instants})
    with duckdb.connect() as connection:
        connection.register("asked", frame)
        return connection.execute(f"SELECT {told} AS shown FROM asked").fetchnumpy()["shown"]
