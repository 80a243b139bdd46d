"""The landed tables as they were known at one moment, open to SQL: what `measures` count and sum.

It is the wall of `point_in_time` for questions about the past as a whole, in DuckDB instead of blocks of one customer
after another: a row is in the books if it happened before the moment and was learned by then, of a row that came in
versions the latest known stands alone, and a later fact is empty until its own time has come. The tables bear the names
and columns of the contract; instants are microseconds UTC and money is in 1/10,000 unit, as they landed. Whoever
refuses to be profiled is in no book, and neither is who was not known yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from churnml.events.point_in_time import TRIAL, Store
from churnml.events.schema import TABLES, Table
from churnml.events.wall_clock import local_time

_CLOCKS = ("customer_id", "occurred_at", "ingested_at")
_PAID = f"(amount > 0 AND NOT regexp_matches(coalesce(plan, ''), '{TRIAL}', 'i'))"
_SHOWN = tuple(one.name for one in TABLES["customers"].columns if one.name not in _CLOCKS and not one.personal)
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

        `customer_id`, `day`, `orders` (those that were paid), `amount`, `cost`, `costed` (the amount of those orders
        whose cost is known), `discount`, `quantity`, `ordered`: whether the day is an order event, which its positive
        net amount makes it, and `first_at`, the instant of the first that was paid.
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
        with suppress(duckdb.InvalidInputException):  # a notebook without widgets has no bar to put away
            connection.execute("SET enable_progress_bar = false")  # it would write where programs read
        # with no folder DuckDB keeps no row on any disk, and says that memory is short instead
        connection.execute("SET temp_directory = $folder", {"folder": str(scratch or "")})
        for name, held in store.held.items():
            told = held([*TABLES[name].names, "row_key"], True)  # with when each row landed
            connection.register(f"held_{name}", told)
        _tell_time(connection, store, at)
        refused = _customers(connection, store, at)
        known = _of_the_known(connection)
        for name in sorted(store.tables - {"customers"}):
            _open(connection, store, TABLES[name], at, known)
        yield Books(connection, store.tables, at, store.time_zone, refused)


def _tell_time(connection: duckdb.DuckDBPyConnection, store: Store, at: int) -> None:
    first = min(part.first_at for part in store.parts)
    connection.execute(f"CREATE MACRO local_time(us) AS {local_time('us', store.time_zone, first, at)}")
    connection.execute(f"CREATE MACRO opened_at() AS {at}")


def _customers(connection: duckdb.DuckDBPyConnection, store: Store, at: int) -> int:
    """Make the table of customers, and of who is in no book; return how many of the base refuse to be profiled."""
    refusing = pd.DataFrame({"customer_id": sorted(store.refusing)}, dtype="string")
    connection.register("_refusing", refusing)
    connection.execute("CREATE TEMP TABLE refusing AS SELECT customer_id::VARCHAR AS customer_id FROM _refusing")
    connection.unregister("_refusing")
    seen = f"(SELECT * FROM {_rows(store, 'customers')} WHERE {_SEEN.format(at=at)})"
    if _each_comes_once(connection, seen):
        query = f"SELECT customer_id, occurred_at, occurred_at AS first_known_at, {', '.join(_SHOWN)} FROM {seen}"
    else:
        query = f"""
            WITH latest AS (
                SELECT customer_id, min(occurred_at) AS first_known_at,
                       arg_max(struct_pack({", ".join(_SHOWN)}), (ingested_at, occurred_at)) AS version
                FROM {seen} GROUP BY customer_id
            )
            SELECT customer_id, first_known_at AS occurred_at, first_known_at,
                   {", ".join(f"version.{name} AS {name}" for name in _SHOWN)} FROM latest
        """
    connection.execute(f"CREATE TEMP TABLE customers AS {query}")
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


def _open(connection: duckdb.DuckDBPyConnection, store: Store, table: Table, at: int, known: str) -> None:
    if table.name == "consents":  # which may land before their customer does
        known = "SEMI JOIN customers USING (customer_id)"
    rows = f"(SELECT * FROM {_rows(store, table.name)} {known} WHERE {_SEEN.format(at=at)})"
    if table.name == "subscriptions":
        # whose a contract is its last version says, so who is in no book leaves only after that is known
        latest = _contracts(_with_landings(connection, store, at), at)
        query = f"SELECT * FROM ({latest}) {known}"
        connection.execute(f"CREATE TEMP TABLE subscriptions AS {query}")
        every = _versions(f"(SELECT * FROM {_rows(store, table.name)} WHERE {_SEEN.format(at=at)})")
        theirs = f"SELECT * FROM ({every}) SEMI JOIN subscriptions USING (subscription_id)"
        connection.execute(f"CREATE TEMP VIEW contract_versions AS SELECT * FROM ({theirs}) {known}")
    elif table.later:
        facts = _told_once if _each_comes_once(connection, rows) else _with_later_facts
        connection.execute(f"CREATE TEMP TABLE {table.name} AS {facts(table, rows, at)}")
    else:
        columns = ", ".join(name for name in table.names if name != "ingested_at")
        connection.execute(f"CREATE TEMP VIEW {table.name} AS SELECT {columns} FROM {rows}")


def _of_the_known(connection: duckdb.DuckDBPyConnection) -> str:
    """Return the join that leaves only customers who are in the books; none where nobody is in none."""
    hidden = connection.execute("SELECT count(*) FROM hidden").fetchall()[0][0]
    return "ANTI JOIN hidden USING (customer_id)" if hidden else ""


def _each_comes_once(connection: duckdb.DuckDBPyConnection, rows: str) -> bool:
    """Tell whether no row came again, so that none has to be looked for; it is by far the cheaper question."""
    query = f"SELECT count(*) = count(DISTINCT row_key) FROM {rows}"
    return bool(connection.execute(query).fetchall()[0][0])


def _with_landings(connection: duckdb.DuckDBPyConnection, store: Store, at: int) -> str:
    """Return the versions of contracts that were seen, each with when it landed."""
    if store.held:  # whose rows say themselves when they landed
        return f"(SELECT * FROM held_subscriptions WHERE {_SEEN.format(at=at)})"
    parts = [part for part in store.parts if part.table_name == "subscriptions"]
    landings = {str(store.root / part.path): store.landings[part.batch_id] for part in parts}
    connection.execute("CREATE TEMP TABLE landings (filename VARCHAR, landed_at BIGINT)")
    connection.executemany("INSERT INTO landings VALUES (?, ?)", list(landings.items()))
    rows = _rows(store, "subscriptions", filename=True)
    return f"(SELECT * FROM {rows} JOIN landings USING (filename) WHERE {_SEEN.format(at=at)})"


def _with_later_facts(table: Table, rows: str, at: int) -> str:
    """Return the query of a table whose rows come again to tell what happened since: the first telling stands."""
    facts = [name for name in table.first_facts if name not in table.key]
    pack = ", ".join(f"{name} := {name}" for name in facts)
    first = [f"told.{name} AS {name}" for name in facts]
    later = [
        f"arg_min({fact}, ({time}, ingested_at)) FILTER ({time} < {at}) AS {fact}"
        for time, dated in table.later.items()
        for fact in dated
    ]
    names = [name for dated in table.later.values() for name in dated]
    return f"""
        SELECT customer_id, {", ".join([*table.key, "occurred_at", *first, *names])}
        FROM (
            SELECT customer_id, {", ".join([*table.key, "occurred_at", *later])},
                   arg_min(struct_pack({pack}), ingested_at) AS told
            FROM {rows} GROUP BY customer_id, row_key, occurred_at, {", ".join(table.key)}
        )
    """


def _told_once(table: Table, rows: str, at: int) -> str:
    """Return the same query where no row came again."""
    facts = [name for name in table.first_facts if name not in table.key]
    later = [
        f"CASE WHEN {time} < {at} THEN {fact} END AS {fact}" for time, dated in table.later.items() for fact in dated
    ]
    return f"SELECT customer_id, {', '.join([*table.key, 'occurred_at', *facts, *later])} FROM {rows}"


def _contracts(rows: str, at: int) -> str:
    """Return the query of contracts by the last version known, whosever it is; an end that was taken back is none.

    A contract began when its last version that says so says, else with its first. It is paid for from its first paid
    version on, or from its beginning if that is the first there is. When it renews is known from the landing only,
    where a version does not say that it was learned before.
    """
    turn = "(occurred_at, ingested_at)"
    return f"""
        WITH versions AS (
            SELECT *, CASE WHEN ended_at < {at} THEN ended_at END AS ends,
                   {_PAID} AS paid,
                   CASE WHEN ingested_at <> occurred_at OR landed_at <= {at} THEN renews_at END AS renews
            FROM {rows}
        ),
        latest AS (
            SELECT subscription_id, min(occurred_at) AS occurred_at,
                   coalesce(arg_max(started_at, {turn}), min(occurred_at)) AS begins,
                   arg_min(paid, {turn}) AS paid_at_first, min(occurred_at) FILTER (paid) AS first_paid,
                   arg_max(struct_pack(customer_id, plan, amount, period, renews, ends, end_reason, paid),
                           (occurred_at, ingested_at, -coalesce(ended_at, {2**62}))) AS version
            FROM versions GROUP BY subscription_id, row_key
        )
        SELECT version.customer_id AS customer_id, occurred_at, subscription_id, version.plan AS plan,
               version.amount AS amount, version.period AS period, begins AS started_at, version.renews AS renews_at,
               version.ends AS ended_at, CASE WHEN version.ends IS NOT NULL THEN version.end_reason END AS end_reason,
               version.paid AS paid,
               CASE WHEN version.paid AND paid_at_first THEN begins
                    WHEN version.paid THEN greatest(begins, first_paid) END AS paid_from
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


def _rows(store: Store, name: str, *, filename: bool = False) -> str:
    if store.held:
        return f"held_{name}"
    files = [str(store.root / part.path).replace("'", "''") for part in store.parts if part.table_name == name]
    listed = ", ".join(f"'{file}'" for file in files)
    return f"read_parquet([{listed}], union_by_name = true, filename = {filename})"
