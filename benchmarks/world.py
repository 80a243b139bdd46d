"""A seeded world of customers in the contract's form: who they are and five tables of what they did, landed by ingest.

It is made piece by piece, each of customers of its own and from a seed of its own, so that a large world takes as
little memory as a small one.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from churnml.config import WorkspaceConfig
from churnml.database import Catalogue, Workspace, open_engine
from churnml.events import Store, ingest, landing
from churnml.events.clock import DAY, HOUR, midnight
from churnml.events.sources.files import file_source

Integers = npt.NDArray[np.int64]
TIME_ZONE = "UTC"
START, END = midnight(date(2023, 1, 1), TIME_ZONE), midnight(date(2025, 1, 1), TIME_ZONE)
CUTOFFS = tuple(midnight(date(2024 + month // 12, month % 12 + 1, 1), TIME_ZONE) for month in range(1, 13))
"""Twelve first days of a month; the last is the end of the world, so that one cutoff sees every row."""

_SHARES = {"orders": 0.18, "interactions": 0.30, "contacts": 0.05, "tickets": 0.02}
_ROWS_PER_CUSTOMER = 50
_ROWS_PER_PIECE = 1_000_000
_KINDS = ["visit", "visit", "view", "view", "view", "search", "cart", "login", "email_open", "redeem"]
_MEAN_LIFE = 300 * DAY
_CATEGORIES, _PRODUCTS, _SHOPS = 60, 5_000, 20


@dataclass(frozen=True)
class Lives:
    """When each customer joined and fell silent, and how busy they were between; arrays of shape (n_customers,).

    `first` is the number of the first of them, and that of the first row of every table.
    """

    first: int
    joined: Integers
    silent: Integers
    weight: npt.NDArray[np.float64]

    def draw(self, rng: np.random.Generator, rows: int) -> tuple[Integers, Integers]:
        """Return the customer and the time of so many events, each at some moment of the customer's life."""
        who = np.repeat(np.arange(len(self.weight)), rng.multinomial(rows, self.weight))
        span = self.silent[who] - self.joined[who]
        return who, self.joined[who] + 1 + (rng.random(rows) * (span - 1)).astype(np.int64)

    def ids(self, who: Integers) -> pa.Array:
        """Return the ids of some of the customers."""
        return ids("C", self.first // _ROWS_PER_CUSTOMER + who)


def generate(rows: int, seed: int = 0) -> Iterator[dict[str, pa.Table]]:
    """Yield the customers and the five tables of their events, piece by piece.

    Parameters
    ----------
    rows : int
        Orders, order lines, interactions, contacts and tickets together; customers come on top, one for every fifty.
    seed : int
        The same seed gives the same world.
    """
    for first in range(0, rows, _ROWS_PER_PIECE):
        yield _piece(np.random.default_rng([seed, first]), first, min(_ROWS_PER_PIECE, rows - first))


def _piece(rng: np.random.Generator, first: int, rows: int) -> dict[str, pa.Table]:
    lives = _lives(rng, first, max(rows // _ROWS_PER_CUSTOMER, 1))
    counts = {name: int(rows * share) for name, share in _SHARES.items()}
    orders, lines = _orders_and_lines(rng, lives, counts["orders"], rows - sum(counts.values()))
    return {
        "customers": _customers(rng, lives),
        "orders": orders,
        "order_lines": lines,
        "interactions": _interactions(rng, lives, counts["interactions"]),
        "contacts": _contacts(rng, lives, counts["contacts"]),
        "tickets": _tickets(rng, lives, counts["tickets"]),
    }


def landed(home: Path, rows: int, seed: int = 0, progress: Callable[[str], None] = lambda _: None) -> Path:
    """Return the workspace in which the world has landed, generating and ingesting it only if it is not there.

    Parameters
    ----------
    home : Path
        Where worlds are kept; it hides itself from git.
    progress : callable
        Told the origin of each table that is ingested.
    """
    folder = made_once(
        home,
        f"{rows}-{seed}",
        [__file__, landing.__file__],
        lambda folder: _land(folder, generate(rows, seed), progress),
    )
    return folder / "workspace"


def made_once(home: Path, name: str, recipe: Sequence[str], make: Callable[[Path], None]) -> Path:
    """Return the folder that `make` fills, calling it only if it has not done so already.

    Parameters
    ----------
    home : Path
        Where worlds are kept; it hides itself from git.
    recipe : sequence of str
        The modules that decide what comes out; if one changes, the folder is made anew.
    """
    code = b"".join(Path(module).read_bytes() for module in recipe)
    folder = home / f"{name}-{hashlib.sha256(code).hexdigest()[:8]}"
    if not folder.exists():
        home.mkdir(parents=True, exist_ok=True)
        (home / ".gitignore").write_text("*\n", encoding="utf-8")
        draft = folder.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        make(draft)
        draft.rename(folder)
    return folder


def open_store(root: Path) -> Store:
    """Return the store of a landed world."""
    workspace = Workspace.open(root)
    return Store.open(workspace, Catalogue(open_engine(workspace.database)), TIME_ZONE)


def _land(folder: Path, pieces: Iterator[dict[str, pa.Table]], progress: Callable[[str], None]) -> None:
    written = _write(folder / "source", pieces)
    workspace = Workspace.open(folder / "workspace", create=True)
    catalogue = Catalogue(open_engine(workspace.database))
    sources = [file_source(name, path, TIME_ZONE) for name, path in written.items()]
    ingest(workspace, catalogue, sources, WorkspaceConfig(time_zone=TIME_ZONE), END, progress=progress)
    catalogue.engine.dispose()
    shutil.rmtree(folder / "source")


def _write(folder: Path, pieces: Iterator[dict[str, pa.Table]]) -> dict[str, Path]:
    """Write each table to a file of its own, one row group a piece, and return the files by table."""
    folder.mkdir(parents=True)
    writers: dict[str, pq.ParquetWriter] = {}
    with ExitStack() as open_files:
        for piece in pieces:
            for name, table in piece.items():
                if name not in writers:
                    writer = pq.ParquetWriter(folder / f"{name}.parquet", table.schema)
                    writers[name] = open_files.enter_context(writer)
                writers[name].write_table(table)
    return {name: folder / f"{name}.parquet" for name in writers}


def _lives(rng: np.random.Generator, first: int, n: int) -> Lives:
    joined = START + (rng.beta(0.7, 1.5, n) * 0.9 * (END - START)).astype(np.int64)
    silent = np.minimum(joined + DAY + rng.exponential(_MEAN_LIFE, n).astype(np.int64), END)
    weight = rng.gamma(0.8, size=n) * (silent - joined)
    return Lives(first, joined, silent, weight / weight.sum())


def _customers(rng: np.random.Generator, lives: Lives) -> pa.Table:
    n = len(lives.joined)
    return pa.table(
        {
            "customer_id": lives.ids(np.arange(n)),
            "occurred_at": _instants(lives.joined),
            "region": choice(rng, n, ["north", "east", "south", "west"]),
            "income_band": choice(rng, n, ["low", "middle", "high"]),
            "acquisition_channel": choice(rng, n, ["search", "friend", "shop", "advert"]),
            "attributes": choice(rng, n, [f'{{"household_size": "{size}"}}' for size in range(1, 6)]),
        }
    )


def _orders_and_lines(rng: np.random.Generator, lives: Lives, n_orders: int, n_lines: int) -> tuple[pa.Table, pa.Table]:
    """Return orders and their lines; every order has a line, and its amounts are the sums of theirs."""
    who, at = lives.draw(rng, n_orders)
    per_order = 1 + rng.multinomial(n_lines - n_orders, np.full(n_orders, 1 / n_orders))
    first = np.cumsum(per_order) - per_order
    order = np.repeat(np.arange(n_orders), per_order)
    cents, off = rng.integers(50, 8_000, n_lines), rng.integers(0, 400, n_lines) * (rng.random(n_lines) < 0.3)
    quantity, product = rng.integers(1, 5, n_lines), (_PRODUCTS * rng.random(n_lines) ** 3).astype(np.int64)
    orders = pa.table(
        {
            "customer_id": lives.ids(who),
            "occurred_at": _instants(at),
            "order_id": ids("O", lives.first + np.arange(n_orders)),
            "amount": np.add.reduceat(cents, first) / 100,
            "discount": np.add.reduceat(off, first) / 100,
            "quantity": np.add.reduceat(quantity, first),
            "channel": choice(rng, n_orders, ["web", "app", *(f"shop {number}" for number in range(_SHOPS))]),
        }
    )
    lines = pa.table(
        {
            "customer_id": lives.ids(who[order]),
            "occurred_at": _instants(at[order]),
            "order_id": ids("O", lives.first + order),
            "line": np.arange(n_lines) - first[order],
            "product_id": ids("P", product),
            "category": ids("category ", product % _CATEGORIES),
            "quantity": quantity,
            "amount": cents / 100,
            "discount": off / 100,
        }
    )
    return orders, lines


def _interactions(rng: np.random.Generator, lives: Lives, n: int) -> pa.Table:
    who, at = lives.draw(rng, n)
    return pa.table(
        {
            "customer_id": lives.ids(who),
            "occurred_at": _instants(at),
            "kind": choice(rng, n, _KINDS),
            "session_id": ids("S", (lives.first + np.arange(n)) // 3),
            "channel": choice(rng, n, ["web", "app"]),
            "item": ids("P", rng.integers(0, _PRODUCTS, n)),
            "duration_seconds": rng.integers(1, 600, n),
        }
    )


def _contacts(rng: np.random.Generator, lives: Lives, n: int) -> pa.Table:
    who, at = lives.draw(rng, n)
    return pa.table(
        {
            "customer_id": lives.ids(who),
            "occurred_at": _instants(at),
            "contact_id": ids("K", lives.first + np.arange(n)),
            "action": choice(rng, n, ["coupon", "call", "letter"]),
            "campaign": ids("campaign ", rng.integers(0, 40, n)),
            "channel": choice(rng, n, ["email", "mail", "phone"]),
            "cost": rng.integers(5, 900, n) / 100,
            "arm": choice(rng, n, ["treated"] * 9 + ["control"]),
            "propensity": np.full(n, 0.9),
        }
    )


def _tickets(rng: np.random.Generator, lives: Lives, n: int) -> pa.Table:
    """Return questions and complaints; one in seven is never resolved, nor what the end of the world cut off."""
    who, at = lives.draw(rng, n)
    answered = at + rng.exponential(5 * HOUR, n).astype(np.int64)
    resolved = answered + rng.exponential(40 * HOUR, n).astype(np.int64)
    return pa.table(
        {
            "customer_id": lives.ids(who),
            "occurred_at": _instants(at),
            "ticket_id": ids("T", lives.first + np.arange(n)),
            "kind": choice(rng, n, ["question", "question", "question", "complaint", "problem"]),
            "channel": choice(rng, n, ["email", "phone", "chat"]),
            "priority": choice(rng, n, ["low", "normal", "normal", "high"]),
            "first_response_at": _instants(answered, answered >= END),
            "resolved_at": _instants(resolved, (resolved >= END) | (rng.random(n) < 1 / 7)),
        }
    )


def ids(prefix: str, numbers: npt.NDArray[np.integer]) -> pa.Array:
    """Return numbers as ids: a text before each."""
    return pc.binary_join_element_wise(prefix, pc.cast(pa.array(numbers), pa.string()), "")


def _instants(microseconds: Integers, empty: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    return pa.array(microseconds, type=pa.timestamp("us", tz="UTC"), mask=empty)


def choice(rng: np.random.Generator, n: int, words: list[str]) -> pa.Array:
    """Return `n` of the words, drawn at random."""
    return pa.array(words).take(pa.array(rng.integers(0, len(words), n)))
