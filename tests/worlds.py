"""Random worlds, and what the definitions of DESIGN 4 and 6 say of them when read slowly, in plain Python."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from churnml.events.clock import microseconds
from churnml.events.schema import MONEY_SCALE

START = datetime(2020, 1, 1, tzinfo=UTC)
DAYS = 120
COLUMNS = {
    "customers": ("region",),
    "orders": ("order_id", "amount", "discount", "cost", "quantity", "channel"),
    "order_lines": ("order_id", "line", "category", "amount", "discount"),
    "interactions": ("kind", "item"),
    "contacts": ("contact_id", "action", "arm"),
}


@dataclass(frozen=True)
class Row:
    """One row of a world: both clocks as microseconds UTC, the batch it lands in, the rest as the file says it."""

    customer_id: str
    event_at: int
    ingested_at: int
    batch: int
    cells: dict[str, str] = field(default_factory=dict)

    @property
    def known_at(self) -> int:
        return max(self.event_at, self.ingested_at)

    @property
    def amount(self) -> int:
        return round(float(self.cells["amount"]) * MONEY_SCALE)


World = dict[str, list[Row]]


def instant(day: float) -> int:
    """Return the instant `day` days after the world's start."""
    return microseconds(START + timedelta(days=day))


def day_of(event_at: int) -> date:
    """Return the day, in UTC, on which something happened."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=event_at)).date()


def draw(seed: int, n_customers: int) -> World:
    """Return a world whose times lie on a grid of six hours, so that ties and rows on a window's edge are common."""
    dice = random.Random(seed)  # noqa: S311 a world, not a key
    world: World = {table: [] for table in COLUMNS}
    for number in range(n_customers):
        customer_id = f"{number:05}"
        met = dice.randrange(0, DAYS // 2 * 4) / 4
        world["customers"].append(_row(dice, customer_id, met, {"region": dice.choice(["north", "south", ""])}))
        for table in ("orders", "order_lines", "interactions", "contacts"):
            for k in range(dice.choice([0, 1, 2, 5, 12])):
                at = dice.randrange(int(met * 4), DAYS * 4) / 4
                world[table].append(_row(dice, customer_id, at, _cells(dice, table, f"{customer_id}/{k}")))
    return world


def _row(dice: random.Random, customer_id: str, at: float, cells: dict[str, str]) -> Row:
    delay = dice.choice([0, 0, 0, 0.25, 3, 40])
    return Row(customer_id, instant(at), instant(at + delay), dice.choice([1, 1, 2]), cells)


def _cells(dice: random.Random, table: str, key: str) -> dict[str, str]:
    cells = {
        "order_id": key,
        "line": key.split("/")[1],
        "contact_id": key,
        "item": key,
        "amount": dice.choice(["0", "12.5", "3.0001", "99", "-4"]),
        "discount": dice.choice(["", "0", "1.5"]),
        "cost": dice.choice(["", "2", "7.25"]),
        "quantity": dice.choice(["", "1", "3"]),
        "channel": dice.choice(["", "web", "shop"]),
        "category": dice.choice(["", "tea", "milk", "bread"]),
        "kind": dice.choice(["redeem", "visit"]),
        "action": "mail",
        "arm": dice.choice(["", "treated", "control"]),
    }
    return {name: cells[name] for name in COLUMNS[table]}


def land(tiny, world: World) -> None:
    """Land a world, batch after batch; customers first, because the other tables refer to them."""
    for batch in (1, 2):
        for table, rows in world.items():
            mine = [row for row in rows if table == "customers" or row.batch == batch]
            if mine and not (table == "customers" and batch == 2):
                tiny.ingest(table, tiny.file(f"{table}{batch}.csv", _csv(table, mine)))


def _csv(table: str, rows: list[Row]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["customer_id", "occurred_at", "ingested_at", *COLUMNS[table]])
    for row in rows:
        clocks = (_written(row.event_at), _written(row.ingested_at))
        writer.writerow([row.customer_id, *clocks, *(row.cells[name] for name in COLUMNS[table])])
    return out.getvalue()


def _written(at: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).strftime("%Y-%m-%d %H:%M:%S")


def known(rows: list[Row], customer_id: str, cutoff: int) -> list[Row]:
    """Return what was known of a customer at a cutoff: happened before it, learned by then."""
    return [row for row in rows if row.customer_id == customer_id and row.event_at < cutoff and row.known_at <= cutoff]


def within(rows: list[Row], customer_id: str, start: int, end: int) -> list[Row]:
    """Return what a customer did in ``[start, end)``, whenever we learned of it."""
    return [row for row in rows if row.customer_id == customer_id and start <= row.event_at < end]


def beyond(world: World, cutoff: int, change: str) -> World:
    """Return the world with the rows beyond either clock at `cutoff` deleted, changed, or joined by more."""
    return {table: _beyond(table, rows, cutoff, change) for table, rows in world.items()}


def _beyond(table: str, rows: list[Row], cutoff: int, change: str) -> list[Row]:
    seen = [row for row in rows if row.event_at < cutoff and row.known_at <= cutoff]
    unseen = [row for row in rows if not (row.event_at < cutoff and row.known_at <= cutoff)]
    if change == "deleted":
        # a customer goes only with everything they ever did
        return rows if table == "customers" else seen
    more = [_other(row, change) for row in unseen]
    return seen + (more if change == "changed" and table != "customers" else unseen + more * (table != "customers"))


def _other(row: Row, change: str) -> Row:
    cells = row.cells | {name: "777" for name in ("amount", "discount") if name in row.cells}
    cells |= {name: "new" for name in ("category", "channel", "item", "arm") if name in row.cells}
    keys = {name: f"{change}{row.cells[name]}" for name in ("order_id", "contact_id") if name in row.cells}
    return replace(row, cells=cells | keys)
