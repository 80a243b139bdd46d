"""The wall read slowly: what DESIGN 3, 4 and 6 say of a world's rows, in plain Python, one row at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from churnml.events import TABLES, Standing
from churnml.events.schema import FROM_LANDING

DAY, HOUR = 86_400_000_000, 3_600_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    """A row as it was told: when it happened, when it says it was learned, in which batch it came, its filled cells."""

    table: str
    customer_id: str
    event_at: int
    told_at: int | None
    batch: int
    cells: dict[str, Any] = field(default_factory=dict, hash=False)
    landed_at: int = field(default=0, compare=False)

    def seen(self, cutoff: int) -> bool:
        """Tell whether the row lies this side of both clocks."""
        return self.event_at < cutoff and self.told_at <= cutoff

    @property
    def known_at(self) -> int:
        return max(self.event_at, self.told_at)

    @property
    def dated(self) -> bool:
        """Tell whether the row says when it was learned; one learned as it happened may be undated backfill."""
        return self.told_at != self.event_at


def later(instant: int, days: int, zone: str) -> int:
    """Return the same local time so many days later."""
    local = (_EPOCH + timedelta(microseconds=instant)).astimezone(ZoneInfo(zone)) + timedelta(days=days)
    return (local.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


# 3. Keys and versions: which rows stand, and since when each was known


def landed(rows: Sequence[Row], landings: Sequence[int]) -> list[Row]:
    """Return the rows that stand after all landings, each with the instant at which it was learned."""
    kept: list[Row] = []
    for batch, now in enumerate(landings):
        standing = list(kept)
        for table in TABLES:
            backfill = not any(row.table == table for row in standing)
            arriving = [row for row in rows if (row.table, row.batch) == (table, batch)]
            dated = [row if row.told_at is not None else _learned(row, now, backfill=backfill) for row in arriving]
            stood = [row for row in standing if row.table == table]
            told = {name for row in arriving for name in row.cells}
            dated = [_carried_over(replace(row, landed_at=now), stood, told) for row in dated]
            kept += _that_stand(stood, dated, told)
    return kept


def _carried_over(row: Row, standing: Sequence[Row], told: set[str]) -> Row:
    """Return a version with what the one before it says in columns that its own file does not have."""
    before = [one for one in standing if key_of(one) == key_of(row) and one.told_at <= row.told_at]
    if not before or not TABLES[row.table].versioned:
        return row
    last = max(before, key=lambda one: one.told_at)
    cells = {name: value for name, value in last.cells.items() if name not in told} | row.cells
    undated = {name for time, dated in TABLES[row.table].later.items() if time not in cells for name in dated}
    return replace(row, cells={name: value for name, value in cells.items() if name not in undated})


def _learned(row: Row, now: int, *, backfill: bool) -> Row:
    return replace(row, told_at=row.event_at if backfill else now)


def local_day(instant: int, zone: str) -> date:
    """Return the day of the company's calendar on which an instant lies."""
    return (_EPOCH + timedelta(microseconds=instant)).astimezone(ZoneInfo(zone)).date()


def key_of(row: Row) -> tuple[Any, ...]:
    """Return what names a row."""
    own = {"customer_id": row.customer_id, "occurred_at": row.event_at, **row.cells}
    return (row.table, *(own.get(name) for name in TABLES[row.table].key))


def _that_stand(standing: list[Row], arriving: list[Row], told: set[str]) -> list[Row]:
    """Return which of some rows of one table stand: those that are new, tell a later fact, or are a newer version."""
    table = TABLES[arriving[0].table] if arriving else TABLES["orders"]
    kept: list[Row] = []
    for row in sorted(arriving, key=lambda row: row.told_at) if table.later or table.versioned else arriving:
        same = [one for one in (*standing, *kept) if key_of(one) == key_of(row)]
        if not same or (table.versioned and _is_newer(row, same, told)) or (not table.versioned and _fills(row, same)):
            kept.append(row)
    return kept


def _fills(row: Row, same: Iterable[Row]) -> bool:
    told = {name for one in same for name in one.cells}
    return any(name in row.cells and name not in told for names in TABLES[row.table].later.values() for name in names)


def _is_newer(row: Row, same: Sequence[Row], told: set[str]) -> bool:
    """Compare a version, as far as its file tells, with what was told before of the same time; the first is newer."""
    before = [one for one in same if one.event_at == row.event_at and one.told_at <= row.told_at]
    if not before:
        return True
    last = max(before, key=lambda one: one.told_at)
    says, said = ({name: value for name, value in one.cells.items() if name in told} for one in (row, last))
    return last.told_at < row.told_at and (last.customer_id, said) != (row.customer_id, says)


# 4. Two clocks and one wall

Fact = tuple[Any, ...]


def refusing(kept: Iterable[Row]) -> set[str]:
    """Return who refuses to be profiled: their latest word counts, and of two at one moment the refusal."""
    words: dict[str, tuple[int, bool]] = {}
    for row in kept:
        if row.table == "consents" and row.cells["purpose"] == "profiling":
            word = (row.event_at, not row.cells["granted"])
            words[row.customer_id] = max(words.get(row.customer_id, word), word)
    return {who for who, (_, refuses) in words.items() if refuses}


def facts(kept: Sequence[Row], name: str, columns: Sequence[str], cutoff: int) -> list[Fact]:
    """Return every fact of a table, or of a later fact such as `tickets.resolved_at`, that a cutoff may see."""
    table, _, fact = name.partition(".")
    rows = [row for row in kept if row.table == table and row.seen(cutoff)]
    if table != "customers":
        refused = refusing(kept)
        rows = [row for row in rows if row.customer_id not in refused]
    if fact:
        rows = [row for row in rows if not TABLES[table].versioned or row in _current(kept, row, cutoff)]
        rows = [row for row in rows if fact in row.cells and _since(row, fact) <= cutoff]
        rows.sort(key=lambda row: (_since(row, fact), row.event_at), reverse=True)
        rows = list({(key_of(row), row.cells.get(_time(table, fact))): row for row in rows}.values())
    elif not TABLES[table].versioned:
        rows = list({key_of(row): row for row in reversed(rows)}.values())
    return sorted(((r.customer_id, r.event_at, *(r.cells.get(c) for c in columns)) for r in rows), key=repr)


def _time(table: str, fact: str) -> str:
    return TABLES[table].column(fact).known_from


def _since(row: Row, fact: str) -> int:
    """Return the first cutoff that sees a later fact of a row: after its own time, and once it was learned.

    What is known from its landing only, such as the next renewal, is what the export said on the day it was written.
    """
    time = _time(row.table, fact)
    if time == FROM_LANDING:
        return row.known_at if row.dated else max(row.known_at, row.landed_at)
    return max(row.known_at, row.cells[time] + 1)


def _current(kept: Sequence[Row], row: Row, cutoff: int) -> list[Row]:
    """Return what the latest version known at a cutoff consists of, of the thing that a row is a version of."""
    versions = [one for one in kept if key_of(one) == key_of(row) and one.seen(cutoff)]
    return [one for one in versions if _turn(one) == max(map(_turn, versions))]


def _turn(row: Row) -> tuple[int, int]:
    return row.event_at, row.told_at


def attributes(kept: Sequence[Row], who: str, cutoff: int) -> dict[str, Any] | None:
    """Return what was known of a customer at a cutoff; None of one who was not known yet."""
    versions = [row for row in kept if row.table == "customers" and row.customer_id == who and row.seen(cutoff)]
    return max(versions, key=lambda row: (row.told_at, row.event_at)).cells if versions else None


# 6. Labels, population


def contracts(kept: Sequence[Row], who: str, cutoff: int) -> list[Row]:
    """Return the last that a cutoff knows of each contract that was a customer's, whosever it is now."""
    mine = [row for row in kept if row.table == "subscriptions" and row.customer_id == who and row.seen(cutoff)]
    return list({key_of(row): _current(kept, row, cutoff)[0] for row in mine}.values())


def holds_contract(kept: Sequence[Row], who: str, cutoff: int) -> bool:
    """Tell whether a customer held a paid contract, as the last of its versions known at the cutoff says."""
    return any(
        row.customer_id == who
        and _paid(row)
        and _begins(row) < cutoff
        and not row.cells.get("ended_at", cutoff) < cutoff
        for row in contracts(kept, who, cutoff)
    )


def has_held_contract(kept: Sequence[Row], who: str, cutoff: int) -> bool:
    """Tell whether a contract of a customer had begun, as the last says that a cutoff knows of it in their hands.

    Of a contract that was never known to be paid for it is not told.
    """
    mine = [row for row in kept if row.customer_id == who]
    paid = {key_of(row) for row in mine if row.table == "subscriptions" and row.seen(cutoff) and _paid(row)}
    return any(_begins(row) < cutoff and key_of(row) in paid for row in contracts(mine, who, cutoff))


def _paid(row: Row) -> bool:
    """Tell whether a version of a contract is paid for: it costs something and is called no trial."""
    return row.cells["amount"] > 0 and "trial" not in (row.cells.get("plan") or "").split()


def _begins(row: Row) -> int:
    return row.cells.get("started_at", row.event_at)


def order_events(orders: Iterable[tuple[int, int]], zone: str) -> list[int]:
    """Return when each order event was, of the times and amounts of a customer's orders.

    A day is an order event if its net amount is positive, at the time of the first that was paid.
    """
    days: dict[date, list[tuple[int, int]]] = {}
    for at, amount in orders:
        days.setdefault(local_day(at, zone), []).append((at, amount))
    return [
        min(at for at, amount in day if amount > 0) for day in days.values() if sum(amount for _, amount in day) > 0
    ]


def standing(kept: Sequence[Row], who: str, cutoff: int, population_days: int, zone: str) -> Standing:
    """Return where a customer stands at a cutoff."""
    if attributes(kept, who, cutoff) is None:
        return Standing.UNKNOWN
    if who in refusing(kept):
        return Standing.NO_PROFILING
    orders = [(at, amount) for one, at, amount in facts(kept, "orders", ["amount"], cutoff) if one == who]
    events = order_events(orders, zone)
    if holds_contract(kept, who, cutoff) or any(at >= later(cutoff, -population_days, zone) for at in events):
        return Standing.POPULATION
    return Standing.GONE if events or has_held_contract(kept, who, cutoff) else Standing.PROSPECT


def outcome(
    kept: Sequence[Row], who: str, cutoff: int, horizon_days: int, known_by: int, label_lag_days: int, zone: str
) -> dict[str, int]:
    """Return what a customer ordered in the horizon, and what of it went back before the label was final."""
    end = later(cutoff, horizon_days, zone)
    mine = [row for row in kept if row.customer_id == who and row.known_at <= known_by]
    orders = [row for row in mine if row.table == "orders" and cutoff <= row.event_at < end]
    costed = [row for row in orders if "cost" in row.cells]
    numbers = {row.cells["order_id"] for row in orders}
    back = [row for row in mine if row.table == "returns" and row.event_at < later(end, label_lag_days, zone)]
    events = order_events([(row.event_at, row.cells["amount"]) for row in orders], zone)
    days = [day for at in events for day in range(horizon_days) if at < later(cutoff, day + 1, zone)]
    return {
        "orders": len(events),
        "first_order_day": min(days, default=-1),
        "revenue": sum(row.cells["amount"] for row in orders),
        "cost": sum(row.cells["cost"] for row in costed),
        "costed_revenue": sum(row.cells["amount"] for row in costed),
        "returned": sum(row.cells["amount"] for row in back if row.cells["order_id"] in numbers),
    }


def contracts_outcome(
    kept: Sequence[Row], who: str, cutoff: int, horizon_days: int, known_by: int, grace_days: int, zone: str
) -> dict[str, int]:
    """Return how many of a customer's paid contracts ended in the horizon, and how many of these another continued.

    Another does that is paid for, began before the grace period after the end was over, and that outlasts the end.
    """
    known = [row for row in kept if row.known_at <= known_by]
    terms = [(begins, ends) for begins, ends, paid in _terms(known, who, known_by) if paid < ends]
    end = later(cutoff, horizon_days, zone)
    ended = [(begins, ends) for begins, ends in terms if cutoff <= ends < later(cutoff, horizon_days, zone)]
    return {
        "contracts_begun": sum(cutoff <= paid < min(ends, end) for _, ends, paid in _terms(known, who, known_by)),
        "contracts_ended": len(ended),
        "contracts_continued": sum(
            any(begins < later(end, grace_days, zone) and ends > end for begins, ends in terms) for _, end in ended
        ),
    }


def _terms(known: Sequence[Row], who: str, known_by: int) -> list[tuple[int, float, float]]:
    """Return when each contract of a customer began and ended for them, and from when on it was paid for.

    What lies ahead has not happened yet.
    """
    found = []
    mine = [row for row in known if row.table == "subscriptions" and row.customer_id == who]
    for number in {key_of(row) for row in mine}:
        versions = [row for row in known if key_of(row) == number]
        last = max((row for row in versions if row.customer_id == who), key=_turn)
        handed_over = [row.event_at for row in versions if _turn(row) > _turn(last)]
        ends = min([last.cells.get("ended_at", known_by), *handed_over])
        own = sorted((row for row in versions if row.customer_id == who), key=_turn)
        paid = [row.event_at for row in own if _paid(row)]
        since = _begins(last) if _paid(own[0]) else max(min(paid, default=float("inf")), _begins(last))
        found.append((_begins(last), ends if ends < known_by else float("inf"), since))
    return [(begins, ends, since) for begins, ends, since in found if begins < min(ends, known_by)]
