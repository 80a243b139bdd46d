"""A seeded CSV file of orders as a shop exports it, and one of the customers they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pv

from benchmarks.world import END, START, choice, ids, made_once

COLUMNS = {
    "customer_id": "VARCHAR",
    "occurred_at": "TIMESTAMP",
    "order_id": "VARCHAR",
    "amount": "DECIMAL(18, 4)",
    "discount": "DECIMAL(18, 4)",
    "quantity": "BIGINT",
    "channel": "VARCHAR",
}
"""The columns of the file and their true types, in DuckDB's words."""

_SECOND = 1_000_000
_ORDERS_PER_CUSTOMER = 20
_AT_ONCE = 1_000_000
_PLAIN = pv.WriteOptions(include_header=False, quoting_style="none")
_CHANNELS = ["web", "app", *(f"shop {number}" for number in range(20))]


@dataclass(frozen=True)
class Shop:
    """Two CSV files that wait to be ingested; the customers go first."""

    customers: Path
    orders: Path


def shop(home: Path, rows: int, seed: int = 0) -> Shop:
    """Return the files, written only if they are not there.

    Parameters
    ----------
    home : Path
        Where worlds are kept; it hides itself from git.
    rows : int
        Orders; there is a customer for every twenty of them.
    seed : int
        The same seed gives the same bytes.
    """

    def write(folder: Path) -> None:
        n_customers = max(rows // _ORDERS_PER_CUSTOMER, 1)
        _write_customers(folder / "customers.csv", n_customers)
        _write_orders(folder / "orders.csv", rows, n_customers, seed)

    folder = made_once(home, f"orders-{rows}-{seed}", [__file__], write)
    return Shop(folder / "customers.csv", folder / "orders.csv")


def _write_customers(path: Path, n_customers: int) -> None:
    """Write the customers, each known from the first day on."""
    first = pa.array(np.full(n_customers, START // _SECOND), type=pa.timestamp("s"))
    with path.open("wb") as file:
        file.write(b"customer_id,occurred_at\n")
        pv.write_csv(pa.table([ids("C", np.arange(n_customers)), first], names=["", " "]), file, _PLAIN)


def _write_orders(path: Path, rows: int, n_customers: int, seed: int) -> None:
    """Write the orders as they came in, a million at a time."""
    rng = np.random.default_rng(seed)
    with path.open("wb") as file:
        file.write((",".join(COLUMNS) + "\n").encode())
        for start in range(0, rows, _AT_ONCE):
            numbers = np.arange(start, min(start + _AT_ONCE, rows))
            pv.write_csv(_orders(rng, numbers, rows, n_customers), file, _PLAIN)


def _orders(rng: np.random.Generator, numbers: npt.NDArray[np.int64], rows: int, n_customers: int) -> pa.Table:
    """Return the orders of these numbers: evenly over the two years, by few customers often and by many seldom."""
    n = len(numbers)
    at = START + ((numbers + rng.random(n)) / rows * (END - START)).astype(np.int64)
    columns = [
        ids("C", (n_customers * rng.random(n) ** 2).astype(np.int64)),
        pa.array(at // _SECOND, type=pa.timestamp("s")),
        ids("O", numbers),
        rng.integers(50, 30_000, n) / 100,
        rng.integers(0, 400, n) * (rng.random(n) < 0.3) / 100,
        rng.integers(1, 9, n),
        choice(rng, n, _CHANNELS),
    ]
    return pa.table(columns, names=list(COLUMNS))
