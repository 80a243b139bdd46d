"""Random worlds over all tables of the contract, drawn from a seed, landed for real, and changed beyond a cutoff.

Times lie on a grid of six hours, some a microsecond off it, so that ties and rows on an edge are common. A row may
name when it was learned or leave that to its landing; a ticket, a survey, a contract and a customer may be told again.
"""

from __future__ import annotations

import csv
import io
import itertools
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from churnml.events import TABLES, ingest
from churnml.events.sources.files import file_source
from wall import DAY, HOUR, Row, key_of, later

FIRST_DAY, DAYS = date(2021, 3, 10), 40  # in Berlin, the night to 28 March is an hour short
FAR = 300  # days after the first, when nothing is left to wait for
DELAYS = (-DAY, 0, 0, 6 * HOUR, 3 * DAY, 15 * DAY, 3 * DAY + 1)
ANSWERS = (0, 6 * HOUR, 2 * DAY, 9 * DAY, 30 * DAY)
OPTIONAL = tuple(name for name in TABLES if name not in {"customers", "orders", "subscriptions"})


@dataclass(frozen=True)
class World:
    """Rows in the order in which they are told, the zone of the workspace, and when each batch lands."""

    zone: str
    landings: tuple[int, ...]
    rows: tuple[Row, ...]

    def at(self, day: float) -> int:
        """Return an instant so many days after the first midnight of the world."""
        midnight = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC)
        start = (midnight - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        whole = later(start - HOUR * (self.zone != "UTC"), int(day // 1), self.zone)
        return whole + int(day % 1 * 24) * HOUR

    @property
    def customers(self) -> list[str]:
        """Everyone who ever appears."""
        return sorted({row.customer_id for row in self.rows})


class _Drawing:
    """A world while it is being drawn."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)  # noqa: S311 a world, not a key
        self.world = World(self.one_of("UTC", "UTC", "Europe/Berlin"), (), ())
        self.days = sorted(self.dice.sample([14, 22, 30, DAYS], self.one_of(1, 2, 3)))
        self.rows: list[Row] = []
        self.numbers = itertools.count()

    def one_of(self, *choices: Any) -> Any:
        return self.dice.choice(choices)

    def time(self, batch: int) -> int:
        """Return a time no later than a day after the batch lands."""
        quarter = self.dice.randrange(self.days[batch] * 4)
        return self.world.at(quarter / 4) + self.one_of(0, 0, 0, 0, 1, -1)

    def batches(self, first: int) -> list[int]:
        """Return the batches in which something is told, one for each time it is."""
        return sorted(self.dice.choices(range(first, len(self.days)), k=self.one_of(1, 1, 2, 3)))

    def tell(self, table: str, who: str, event_at: int, batch: int, again: int = 0, **cells: Any) -> None:
        told_at = event_at + self.one_of(*DELAYS) + again
        told_at = told_at if again else self.one_of(None, told_at)  # two versions are told apart by when they came
        filled = {name: value for name, value in cells.items() if value is not None}
        self.rows.append(Row(table, who, event_at, told_at, batch, filled))

    def customer(self, who: str, first: int) -> None:
        met = self.time(first)
        for again, batch in enumerate([first, *self.batches(first)[1:]]):
            event_at = self.one_of(met, met, met, self.time(batch))
            region, pets = self.one_of("north", "south", None), self.one_of(None, '{"pets": "2"}')
            self.tell("customers", who, event_at, batch, again, region=region, attributes=pets)

    def ticket(self, who: str, batch: int) -> None:
        opened, number = self.time(batch), f"t{next(self.numbers)}"
        facts = {name: opened + self.one_of(*ANSWERS) for name in TABLES["tickets"].later}
        for again in self.batches(batch):
            told = {name: at for name, at in facts.items() if self.one_of(True, True, False)}
            self.tell("tickets", who, opened, again, ticket_id=number, kind="complaint", **told)

    def survey(self, who: str, batch: int) -> None:
        sent, number = self.time(batch), f"v{next(self.numbers)}"
        facts = {"score": self.one_of(0.0, 7.0, 10.0), "comment": "fine"}
        answered = {"answered_at": sent + self.one_of(*ANSWERS)}
        for again in self.batches(batch):
            told = {name: value for name, value in facts.items() if self.one_of(True, False)}
            told = self.one_of({}, answered | told, answered | told)
            self.tell("surveys", who, sent, again, survey_id=number, instrument="nps", **told)

    def contract(self, who: str, batch: int) -> None:
        began, number = self.time(batch), f"s{next(self.numbers)}"
        ends = began + self.one_of(*ANSWERS, 60 * DAY)
        for again, batch_again in enumerate(self.batches(batch)):
            version = self.one_of(began, began, max(began, self.time(batch_again)))
            ended = self.one_of(None, None, {"ended_at": ends}, {"ended_at": ends, "end_reason": "price"}) or {}
            plan, start = self.one_of("basic", "gold", "free trial"), self.one_of(None, began)
            renews = self.one_of(None, version + 30 * DAY, self.time(batch_again))
            cells = {"plan": plan, "amount": 50_000, "started_at": start, "renews_at": renews, **ended}
            owner = self.one_of(who, who, who, who, "000")  # who is there from the first landing on
            self.tell("subscriptions", owner, version, batch_again, again, subscription_id=number, **cells)

    def order(self, who: str, batch: int) -> None:
        number, placed = f"o{next(self.numbers)}", self.time(batch)
        cells = {"order_id": number, "cost": self.one_of(None, 20_000), "channel": self.one_of(None, "web")}
        for again in self.one_of([batch], [batch], self.batches(batch)):
            amount = self.one_of(0, 125_000, 125_000, 30_001, -40_000)
            self.tell("orders", who, placed, again, amount=amount, **cells)
        if self.one_of(True, False, False):  # taken back, as a rule on the same day
            cells = {"order_id": f"o{next(self.numbers)}", "amount": self.one_of(-125_000, -30_001)}
            self.tell("orders", who, placed + self.one_of(0, HOUR, 6 * HOUR, 12 * HOUR), batch, **cells)

    def money_back(self, who: str, batch: int) -> None:
        own = [row for row in self.rows if row.table == "orders"] or [None]
        order = self.dice.choice(own)
        number = order.cells["order_id"] if order else "unknown"
        event_at = self.time(batch)
        self.tell("returns", who, event_at, batch, order_id=number, return_id=f"{next(self.numbers)}", amount=10_000)

    def plain(self, table: str, who: str, batch: int) -> None:
        number = f"x{next(self.numbers)}"
        cells: dict[str, dict[str, Any]] = {
            "profile_changes": {"attribute": "region", "value": self.one_of(None, "west")},
            "consents": {"purpose": self.one_of("profiling", "marketing", "marketing", "marketing"),
                         "granted": self.one_of(True, False), "channel": self.one_of(None, "mail")},
            "order_lines": {"order_id": number, "line": 1, "category": self.one_of(None, "tea"), "amount": 10_000},
            "interactions": {"kind": self.one_of("redeem", "visit"), "item": self.one_of(None, number)},
            "contacts": {"contact_id": number, "action": "mail", "arm": self.one_of(None, "treated", "control")},
        }  # fmt: skip
        self.tell(table, who, self.time(batch), batch, **cells[table])


def draw(seed: int) -> World:
    """Return the world of a seed: a handful of customers, most tables, one to three landings."""
    drawing = _Drawing(seed)
    makers = {"orders": drawing.order, "returns": drawing.money_back, "tickets": drawing.ticket}
    makers |= {"surveys": drawing.survey, "subscriptions": drawing.contract}
    main = drawing.one_of(("orders",), ("subscriptions",), ("orders", "subscriptions"), ("orders", "subscriptions"))
    tables = [*main, *drawing.dice.sample(OPTIONAL, 6)]
    for number in range(5):
        who = f"{number:03}"
        first = drawing.one_of(*[0] * (3 if number else 1), *[len(drawing.days) - 1] * bool(number))
        drawing.customer(who, first)
        for table in tables:
            for _ in range(drawing.one_of(0, 1, 2, 3) or (number == 0 and table == main[0])):
                batch = drawing.dice.randrange(first, len(drawing.days)) if number else first
                makers.get(table, lambda who, batch, table=table: drawing.plain(table, who, batch))(who, batch)
    landings = tuple(drawing.world.at(day) for day in drawing.days)
    return replace(drawing.world, landings=landings, rows=tuple(drawing.rows))


def land(tiny: Any, world: World) -> None:
    """Land a world, batch after batch, all tables of a batch at once."""
    for batch, now in enumerate(world.landings):
        sources = []
        for table in TABLES:
            rows = [row for row in world.rows if (row.table, row.batch) == (table, batch)]
            if rows:
                path = tiny.file(f"{table}-{batch}.csv", _csv(table, rows))
                sources.append(file_source(table, path, tiny.config.time_zone))
        ingest(tiny.workspace, tiny.catalogue, sources, tiny.config, now)


def _csv(table: str, rows: list[Row]) -> str:
    """Return rows as a file with the columns that some row fills, or has with nothing in it."""
    dated = any(row.told_at is not None for row in rows)
    cells = [
        {"customer_id": r.customer_id, "occurred_at": r.event_at, "ingested_at": r.told_at, **r.cells} for r in rows
    ]
    used = {name for row in cells for name in row if name != "ingested_at" or dated}
    columns = [column for column in TABLES[table].columns if column.name in used]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.name for column in columns])
    writer.writerows([[_written(column.kind, row.get(column.name)) for column in columns] for row in cells])
    return out.getvalue()


def _written(kind: str, value: Any) -> str:
    if value is None:
        return ""
    if kind == "instant":
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value)).strftime("%Y-%m-%d %H:%M:%S.%fZ")
    return f"{value / 10_000:.4f}" if kind == "money" else str(value).lower() if kind == "boolean" else str(value)


def beyond(world: World, kept: list[Row], cutoff: int, change: str) -> World:
    """Return the landed rows of a world with everything beyond either clock at `cutoff` deleted, changed or joined.

    Consents stay: a refusal acts at once. So does the row by which a customer became known, because the others need it.
    And files of versions keep their columns: one that has a column tells that a version has nothing in it, one without
    that it is as it was before, whatever becomes of the rows that filled it.
    """
    first = {row.customer_id: row for row in reversed(kept) if row.table == "customers"}
    change_one = {"deleted": _deleted, "changed": _changed, "added": _added}[change]
    someone, far, last = min(first.values(), key=lambda row: row.batch), world.at(FAR - 1), len(world.landings)
    # no store goes without
    rows = [Row("orders", someone.customer_id, far, far, last, {"order_id": "far", "amount": 10_000})]
    for row in kept:
        if row.table == "consents" or (row is first[row.customer_id] and not row.seen(cutoff)):
            rows.append(row)
        else:
            rows += change_one(row, kept, cutoff)
    # no landing says any longer when a row was learned; but versions tell what is known from their landing only
    headers: dict[tuple[str, int], dict[str, None]] = {}
    for row in world.rows:
        headers.setdefault((row.table, row.batch), {}).update(dict.fromkeys(row.cells))
    dealt = (
        replace(row, cells=headers.get((row.table, row.batch), {}) | row.cells)
        if TABLES[row.table].versioned
        else replace(row, batch=last)
        for row in rows
    )
    landings = [at if at <= cutoff else world.at(FAR + batch) for batch, at in enumerate(world.landings)]
    return World(world.zone, (*landings, world.at(FAR + last)), tuple(dealt))


def _deleted(row: Row, kept: list[Row], cutoff: int) -> list[Row]:
    if TABLES[row.table].versioned:  # a version that tells of an end ahead stays a version
        return [row] if row.told_at <= cutoff else []
    hidden = _hidden(row, cutoff)
    cells = {name: value for name, value in row.cells.items() if name not in hidden}
    return [replace(row, cells=cells)] if row.seen(cutoff) else []


def _changed(row: Row, kept: list[Row], cutoff: int) -> list[Row]:
    others: dict[str, Any] = {"kind": "new", "item": "new", "category": "new", "region": "new", "value": "new"}
    others |= {"plan": "new", "amount": 7_770_000, "score": 1.0, "comment": "new", "end_reason": "new"}
    if row.seen(cutoff) or (TABLES[row.table].versioned and row.told_at <= cutoff):
        cells = {name: others.get(name, row.cells[name]) for name in _hidden(row, cutoff)}
        cells |= {name: row.cells[name] + DAY + 7 for name in cells if TABLES[row.table].column(name).kind == "instant"}
    elif TABLES[row.table].later and any(key_of(one) == key_of(row) and one.seen(cutoff) for one in kept):
        return []
    else:
        cells = {name: others[name] for name in row.cells if name in others}
    return [replace(row, cells=row.cells | cells)]


def _added(row: Row, kept: list[Row], cutoff: int) -> list[Row]:
    """Return the row, with later facts that lie ahead, and others like it at the cutoff and learned just after it."""
    table, told = TABLES[row.table], {name for one in kept if key_of(one) == key_of(row) for name in one.cells}
    times = (*table.later, *(table.from_landing if _unlearned(row, cutoff) else ()))
    ahead = {name: max(cutoff, row.event_at) + DAY + 7 for name in times if name not in row.cells}
    if not table.versioned:
        ahead = {name: at for name, at in ahead.items() if name not in told}
    named = {
        name: f"{row.cells.get(name, '')}+" for name in table.key if name.endswith("_id") and name != "customer_id"
    }
    named |= {"item": "+"} if row.table == "interactions" else {}
    twin = replace(row, cells=row.cells | named | {name: "+" for name in ("region", "plan") if table.versioned})
    more = [replace(twin, told_at=cutoff + 1)]
    if table.versioned:
        return [replace(row, cells=row.cells | ahead), *(more * (row.seen(cutoff) and row.table == "customers"))]
    if row.table != "profile_changes":  # of which one instant holds one only
        more.append(replace(twin, event_at=cutoff, told_at=cutoff, cells=_without_later(twin)))
        more = more[1:] if row.table in {"tickets", "surveys", "orders"} else more
    return [replace(row, cells=row.cells | ahead), *more]


def _without_later(row: Row) -> dict[str, Any]:
    dated = {name for names in TABLES[row.table].later.values() for name in names}
    return {name: value for name, value in row.cells.items() if name not in dated}


def _unlearned(row: Row, cutoff: int) -> bool:
    """Tell whether what is known from its landing only is not known of a row at a cutoff."""
    return not row.dated and row.landed_at > cutoff


def _hidden(row: Row, cutoff: int) -> set[str]:
    """Return the cells of a row that came to be at the cutoff or after it."""
    times = {time: names for time, names in TABLES[row.table].later.items() if row.cells.get(time, -1) >= cutoff}
    names = {name for names in times.values() for name in names}
    names |= set(TABLES[row.table].from_landing if _unlearned(row, cutoff) else ())
    return names & row.cells.keys()
