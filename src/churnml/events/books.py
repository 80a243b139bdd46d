"""The landed tables as they were known at one moment, open to SQL: what `measures` count and sum.

It is the wall of `point_in_time` for questions about the past as a whole, in DuckDB instead of blocks of one customer
after another: a row is in the books if it happened before the moment and was learned by then, of a row that came in
versions the latest known stands alone, and a later fact is empty until its own time has come. The tables bear the names
and columns of the contract; instants are microseconds UTC and money is in 1/10,000 unit, as they landed. Whoever
refuses to be profiled is in no book, and neither is who was not known yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd

from churnml.events.clock import HOUR, microseconds, moment
from churnml.events.point_in_time import TRIAL, Store
from churnml.events.schema import TABLES, Table

_CLOCKS = ("customer_id", "occurred_at", "ingested_at")
_PAID = f"(amount > 0 AND NOT regexp_matches(coalesce(plan, ''), '{TRIAL}', 'i'))"
_SEEN = "occurred_at < {at} AND ingested_at <= {at}"


@dataclass(frozen=True)
class Books:
    """Landed tables as they were known at a moment.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Holds a table or view for each landed table, see `open_books`.
    tables : frozenset of str
        Which have landed.
    at : int
        The moment, microseconds UTC.
    time_zone : str
        Whose days count.
    refused : int
        Customers left out because they refuse to be profiled.
    """

    connection: duckdb.DuckDBPyConnection
    tables: frozenset[str]
    at: int
    time_zone: str
    refused: int
    _made: set[str] = field(default_factory=set, compare=False)

    def frame(self, query: str, given: Mapping[str, Any] | None = None) -> pd.DataFrame:  # Any: SQL parameters
        """Return what a query finds; values come as parameters, never as text within it."""
        return self.connection.execute(query, dict(given or {})).df()

    def keep(self, name: str, query: str, given: Mapping[str, Any] | None = None) -> str:  # Any: SQL parameters
        """Keep what a query finds as a table, once, and return its name: several measures may start from it."""
        if name not in self._made:
            self.connection.execute(f'CREATE TEMP TABLE "{name}" AS {query}', dict(given or {}))
            self._made.add(name)
        return name

    def add(self, name: str, frame: pd.DataFrame) -> str:
        """Lay a frame beside the tables under a name, once, and return the name."""
        if name not in self._made:
            self.connection.register("_given", frame)
            self.connection.execute(f'CREATE TEMP TABLE "{name}" AS SELECT * FROM _given')
            self.connection.unregister("_given")
            self._made.add(name)
        return name

    def columns(self, name: str) -> tuple[str, ...]:
        """Return the columns of a table beside `customer_id`, none where there is no such table."""
        query = "SELECT column_name FROM information_schema.columns WHERE table_name = $name ORDER BY ordinal_position"
        found = self.connection.execute(query, {"name": name}).fetchall()
        return tuple(column for (column,) in found if column != "customer_id")

    @cached_property
    def base(self) -> int:
        """How many customers are known and may be profiled."""
        return int(self.connection.execute("SELECT count(*) FROM customers").fetchall()[0][0])

    @property
    def order_days(self) -> str:
        """Name a table with one row per customer and local day with orders.

        `customer_id`, `day`, `orders` (those that were paid), `amount`, `cost`, `costed` (the amount of those orders whose
        cost is known), `discount`, `quantity`, `ordered`: whether the day is an order event, which its positive net
        amount makes it, and `first_at`, the instant of the first that was paid.
        """
        return self.keep(
            "order_days",
            """
            SELECT customer_id, local_time(occurred_at)::DATE AS day, count(*) FILTER (amount > 0) AS orders,
                   sum(amount)::BIGINT AS amount, sum(cost)::BIGINT AS cost,
                   coalesce(sum(amount) FILTER (cost IS NOT NULL), 0)::BIGINT AS costed,
                   sum(discount)::BIGINT AS discount, sum(quantity)::BIGINT AS quantity, sum(amount) > 0 AS ordered,
                   min(occurred_at) FILTER (amount > 0) AS first_at
            FROM orders GROUP BY ALL
            """,
        )


@contextmanager
def open_books(store: Store, at: int, scratch: Path | None = None) -> Iterator[Books]:
    """Open the tables as they were known at a moment.

    Each landed table has the columns of the contract but its second clock and what is personal. `customers` has one
    row per customer, by the latest version known, and `first_known_at`; `subscriptions` one row per contract, with
    `started_at` filled and `paid`, whether it costs something and is no trial. `local_time(occurred_at)` is the time
    on the workspace's clocks, as a TIMESTAMP, and `opened_at()` is `at`.

    Parameters
    ----------
    at : int
        Microseconds UTC.
    scratch : Path, optional
        Where rows may lie that do not fit into memory; by default they may not.
    """
    with duckdb.connect() as connection:
        connection.execute("SET preserve_insertion_order = false")
        connection.execute("SET enable_progress_bar = false")  # it would write where programs read
        connection.execute("SET temp_directory = $folder", {"folder": str(scratch or "")})
        _tell_time(connection, store, at)
        refused = _customers(connection, store, at)
        for name in sorted(store.tables - {"customers"}):
            _open(connection, store, TABLES[name], at)
        yield Books(connection, store.tables, at, store.time_zone, refused)


def _tell_time(connection: duckdb.DuckDBPyConnection, store: Store, at: int) -> None:
    """Make the macro `local_time`: the zone's offset changes at a few instants, which are written into it."""
    first = min(part.first_at for part in store.parts)
    changes = list(_offsets(first, at, store.time_zone))
    cases = " ".join(f"WHEN us < {until} THEN {offset}" for offset, until in changes[:-1])
    offset = f"CASE {cases} ELSE {changes[-1][0]} END" if cases else str(changes[-1][0])
    connection.execute(f"CREATE MACRO local_time(us) AS make_timestamp(us + {offset})")
    connection.execute(f"CREATE MACRO opened_at() AS {at}")


def _offsets(first: int, last: int, time_zone: str) -> Iterator[tuple[int, int]]:
    """Yield the zone's offsets from UTC in microseconds, and until when each holds; to the hour, as zones change."""
    zone, hour = ZoneInfo(time_zone), first - first % HOUR
    offset = _offset(hour, zone)
    day = 24 * HOUR
    while hour < last:
        if _offset(hour + day, zone) != offset:
            while _offset(hour, zone) == offset:
                hour += HOUR // 4
            yield offset, hour
            offset = _offset(hour, zone)
        else:
            hour += day
    yield offset, last


def _offset(instant: int, zone: ZoneInfo) -> int:
    local = moment(instant).astimezone(zone)
    return microseconds(local.replace(tzinfo=UTC)) - microseconds(local)


def _customers(connection: duckdb.DuckDBPyConnection, store: Store, at: int) -> int:
    """Make the table of customers, and of who is in no book; return how many of the base refuse to be profiled."""
    refusing = pd.DataFrame({"customer_id": sorted(store.refusing)}, dtype="string")
    connection.register("_refusing", refusing)
    connection.execute("CREATE TEMP TABLE refusing AS SELECT customer_id::VARCHAR AS customer_id FROM _refusing")
    connection.unregister("_refusing")
    latest = ", ".join(
        f"version.{column.name} AS {column.name}" for column in TABLES["customers"].columns if _shown(column.name)
    )
    pack = ", ".join(f"{column.name} := {column.name}" for column in TABLES["customers"].columns if _shown(column.name))
    connection.execute(
        f"""
        CREATE TEMP TABLE customers AS
        WITH latest AS (
            SELECT customer_id, min(occurred_at) AS first_known_at,
                   arg_max(struct_pack({pack}), (ingested_at, occurred_at)) AS version
            FROM {_rows(store, "customers")} WHERE {_SEEN.format(at=at)} GROUP BY customer_id
        )
        SELECT customer_id, first_known_at AS occurred_at, first_known_at, {latest} FROM latest
        """
    )
    counted = "SELECT count(*) FROM customers SEMI JOIN refusing USING (customer_id)"
    refused = int(connection.execute(counted).fetchall()[0][0])
    connection.execute("DELETE FROM customers WHERE customer_id IN (SELECT customer_id FROM refusing)")
    connection.execute(
        f"""
        CREATE TEMP TABLE hidden AS
        SELECT DISTINCT customer_id FROM {_rows(store, "customers")} ANTI JOIN customers USING (customer_id)
        """
    )
    return refused


def _open(connection: duckdb.DuckDBPyConnection, store: Store, table: Table, at: int) -> None:
    rows = f"(SELECT * FROM {_rows(store, table.name)} WHERE {_SEEN.format(at=at)})"
    if connection.execute("SELECT count(*) FROM hidden").fetchall()[0][0]:
        rows = f"(SELECT * FROM {rows} ANTI JOIN hidden USING (customer_id))"
    if table.name == "subscriptions":
        connection.execute(f"CREATE TEMP TABLE subscriptions AS {_contracts(rows, at)}")
        connection.execute(f"CREATE TEMP VIEW contract_versions AS {_versions(rows)}")
    elif table.later:
        connection.execute(f"CREATE TEMP TABLE {table.name} AS {_with_later_facts(table, rows, at)}")
    else:
        columns = ", ".join(name for name in table.names if name != "ingested_at")
        connection.execute(f"CREATE TEMP VIEW {table.name} AS SELECT {columns} FROM {rows}")


def _with_later_facts(table: Table, rows: str, at: int) -> str:
    """Return the query of a table whose rows come again to tell what happened since: the first telling stands."""
    first = [f"arg_min({name}, ingested_at) AS {name}" for name in table.first_facts if name not in table.key]
    told = [
        f"arg_min({fact}, ({time}, ingested_at)) FILTER ({time} < {at}) AS {fact}"
        for time, facts in table.later.items()
        for fact in facts
    ]
    columns = ", ".join([*table.key, "min(occurred_at) AS occurred_at", *first, *told])
    return f"SELECT customer_id, {columns} FROM {rows} GROUP BY customer_id, row_key, {', '.join(table.key)}"


def _contracts(rows: str, at: int) -> str:
    """Return the query of contracts by the last version known, whosever it is; an end that was taken back is none."""
    return f"""
        WITH versions AS (
            SELECT *, coalesce(started_at, occurred_at) AS begins,
                   CASE WHEN ended_at < {at} THEN ended_at END AS ends,
                   {_PAID} AS paid
            FROM {rows}
        ),
        latest AS (
            SELECT subscription_id, min(occurred_at) AS occurred_at, min(begins) AS started_at,
                   min(CASE WHEN paid THEN greatest(begins, occurred_at) END) AS paid_from,
                   arg_max(struct_pack(customer_id, plan, amount, period, renews_at, ends, end_reason, paid),
                           (occurred_at, ingested_at, -coalesce(ended_at, {2**62}))) AS version
            FROM versions GROUP BY subscription_id, row_key
        )
        SELECT version.customer_id AS customer_id, occurred_at, subscription_id, version.plan AS plan,
               version.amount AS amount, version.period AS period, started_at, version.renews_at AS renews_at,
               version.ends AS ended_at, CASE WHEN version.ends IS NOT NULL THEN version.end_reason END AS end_reason,
               version.paid AS paid, CASE WHEN version.paid THEN paid_from END AS paid_from
        FROM latest
    """


def _versions(rows: str) -> str:
    """Return the query of what each contract was from when on: of versions that began together, the last one told."""
    return f"""
        SELECT subscription_id, occurred_at, version.customer_id AS customer_id, version.plan AS plan,
               version.amount AS amount, version.period AS period, version.paid AS paid
        FROM (
            SELECT subscription_id, occurred_at,
                   arg_max(struct_pack(customer_id, plan, amount, period, paid := {_PAID}), ingested_at) AS version
            FROM {rows} GROUP BY subscription_id, row_key, occurred_at
        )
    """


def _rows(store: Store, name: str) -> str:
    files = [str(store.root / part.path).replace("'", "''") for part in store.parts if part.table_name == name]
    return "read_parquet([{}], union_by_name = true)".format(", ".join(f"'{file}'" for file in files))


def _shown(name: str) -> bool:
    column = TABLES["customers"].column(name)
    return name not in _CLOCKS and not column.personal
