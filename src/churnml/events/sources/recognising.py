"""Which table a file is, and which of its columns is which, judged by names and by what the values look like.

Confidence runs from 0 to 1. A name of ours counts most, then a name we have met, then words in common; what the values
are can rule a column out, and decides between two that are named alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from churnml.events.schema import CURRENCY, TABLES, Column, Table
from churnml.events.sources.sampling import Looked, Seen
from churnml.events.sources.vocabulary import COLUMN_WORDS, TABLE_WORDS, parts, squeezed

_CLOCKS = {"customer_id", "occurred_at"}
_LEAST_COLUMN = 0.45
_NEARLY_ALL = 0.95  # a few broken values do not hide what a column is; ingest sets them aside
_ENOUGH = 0.5  # share of ids that must be known for the customers of two files to be the same
_ALONE = 0.9  # share from which ids that are known speak for a column whose name does not
_BY_NAME = 0.85  # from here on a name alone says which column is meant
_HOLDS = {
    "instant": "times",
    "money": "amounts",
    "number": "numbers",
    "integer": "whole numbers",
    "boolean": "a yes or no each",
    "json": "JSON objects",
}
LEAST_TABLE = 0.5
"""Below this confidence a file is called not recognised."""


@dataclass(frozen=True)
class Guess:
    """One of our columns, found in a file."""

    ours: Column
    theirs: Seen
    confidence: float
    why: str


@dataclass(frozen=True)
class Recognised:
    """What a file was taken for.

    Parameters
    ----------
    misfits : tuple of (str, str, str)
        Columns of the file that bear the name of one of ours but do not hold what that holds: theirs, ours, and what
        the values ought to be.
    """

    looked: Looked
    table: Table
    confidence: float
    why: str
    guesses: dict[str, Guess]
    missing: tuple[str, ...] = ()
    unused: tuple[str, ...] = field(default=())
    misfits: tuple[tuple[str, str, str], ...] = field(default=())


@dataclass(frozen=True)
class Met:
    """Which columns of a file hold the customers of another.

    Parameters
    ----------
    origin : str
        The file of customers.
    shares : mapping of str to float
        For each column that may hold ids, the share of its first values that are customers of that file.
    """

    origin: str
    shares: Mapping[str, float]


def recognise(looked: Looked, met: Met | None = None) -> Recognised:
    """Return the table that suits a file best, with its columns; a low confidence means that none does."""
    return max((_as_table(looked, table, met) for table in TABLES.values()), key=lambda one: one.confidence)


def _as_table(looked: Looked, table: Table, met: Met | None) -> Recognised:
    guesses = assign(looked.columns.values(), table, met)
    required = [column.name for column in table.columns if column.required]
    missing = tuple(name for name in required if name not in guesses)
    told = _told_by_name(looked.part.called, table)
    sure = sum(guesses[name].confidence for name in required if name in guesses) / len(required)
    covered = len(guesses) / max(len(looked.columns), 1)
    own = [one.confidence for name, one in guesses.items() if _tells(name, table)]
    telling = min(sum(own) / 3, 1.0)
    confidence = 0.45 * sure + 0.2 * covered + 0.15 * telling + 0.2 * told - 0.08 * len(missing)
    confidence *= 1.0 if told or own or table.name == "customers" else 0.8  # nothing speaks for this very table
    used = {one.theirs.name for one in guesses.values()}
    used |= {name for name in looked.columns if table.priced and name.casefold() == CURRENCY.name}  # ingest compares it
    unused = tuple(name for name in looked.columns if name not in used)
    why = f"{len(required) - len(missing)} of {len(required)} required columns found" + _named(told)
    why += "" if looked.rows else "; no row yet"
    strange = tuple(_misfits(looked, table, guesses, unused))
    return Recognised(looked, table, max(0.0, min(confidence, 1.0)), why, guesses, missing, unused, strange)


def _misfits(
    looked: Looked, table: Table, guesses: Mapping[str, Guess], unused: Iterable[str]
) -> Iterator[tuple[str, str, str]]:
    for name in unused:
        seen = looked.columns[name]
        for column in table.columns:
            surely = _by_name(column, name, table)[0] >= _BY_NAME and column.name not in guesses
            if surely and seen.filled and column.kind in _HOLDS and _fits(column, seen, table)[0] == 0:
                yield name, column.name, _HOLDS[column.kind]


def _tells(name: str, table: Table) -> bool:
    """Tell whether a column speaks for its table; an order's number does so for orders only."""
    return name not in _CLOCKS | _ANYWHERE and (name != "order_id" or table.name == "orders")


_ANYWHERE = {"channel", "kind", "category", "amount", "quantity", "discount", "cost"}
"""Columns that many tables have, and that tell none apart."""


def _named(told: float) -> str:
    return "; its name says so" if told == 1 else "; its name says something like it" if told else ""


def _told_by_name(stem: str, table: Table) -> float:
    """Return whether the name of a file is a name of the table: 1 wholly, 0.6 in part."""
    words = {squeezed(word) for word in (table.name, *TABLE_WORDS[table.name].split())}
    words |= {
        f"{word}{ending}" for word in words for ending in ("s", "es", "en", "n") if word.isascii() or ending in "en"
    }
    name = squeezed(" ".join(part for part in parts(stem) if not part.isdigit()))
    name = squeezed(
        "".join(letter for letter in name if not letter.isdigit()).removesuffix("export").removeprefix("export")
    )
    if name in words:
        return 1.0
    return 0.6 if any(word in name for word in words if len(word) > 3 or not word.isascii()) else 0.0


def assign(columns: Iterable[Seen], table: Table, met: Met | None = None) -> dict[str, Guess]:
    """Return for our columns the likeliest of theirs, each used once, the surest first."""
    columns = list(columns)
    likely = [
        guess
        for seen in columns
        for column in table.columns
        if (guess := _by_ids(_guess(column, seen, table), column, seen, table, met)) is not None
    ]
    chosen: dict[str, Guess] = {}
    used: set[str] = set()
    for guess in sorted(likely, key=lambda one: -one.confidence):
        if guess.ours.name not in chosen and guess.theirs.name not in used:
            chosen[guess.ours.name] = guess
            used.add(guess.theirs.name)
    _take_another_time(columns, table, chosen)
    return {name: chosen[name] for name in table.names if name in chosen}


def _take_another_time(columns: Iterable[Seen], table: Table, chosen: dict[str, Guess]) -> None:
    """Where no name tells when a row happened, take the only column that holds times, or when the contract began."""
    times, taken = [seen for seen in columns if seen.moments], {one.theirs.name for one in chosen.values()}
    when = table.column("occurred_at")
    if when.name in chosen:
        return
    if len(times) == 1 and times[0].name not in taken:
        chosen[when.name] = Guess(when, times[0], 0.6, "the only column that holds times")
    elif "started_at" in chosen:
        began = chosen["started_at"]
        why = "when the contract began, for want of another time"
        chosen[when.name] = Guess(when, began.theirs, 0.8 * began.confidence, why)


def _guess(column: Column, seen: Seen, table: Table) -> Guess | None:
    by_name, words = _by_name(column, seen.name, table)
    fits, evidence = _fits(column, seen, table)
    confidence = by_name * fits
    if confidence < _LEAST_COLUMN:
        return None
    return Guess(column, seen, confidence, "; ".join(filter(None, (words, evidence))))


def _by_ids(guess: Guess | None, column: Column, seen: Seen, table: Table, met: Met | None) -> Guess | None:
    """Return a guess of `customer_id` with what its ids have in common with a file of customers."""
    if met is None or column.name != "customer_id" or seen.name not in met.shares:
        return guess
    share = met.shares[seen.name]
    evidence = f"{share:.0%} of its first values are customers of {met.origin}"
    if guess is not None:
        surer = min(1.0, guess.confidence + 0.1) if share >= _ENOUGH else guess.confidence * 0.7
        return replace(guess, confidence=surer, why="; ".join(filter(None, (guess.why, evidence))))
    # small numbers are among those of the customers by chance: 3 units of product 7
    counted = seen.numbers > _NEARLY_ALL and not set(parts(seen.name)) & set(TABLE_WORDS["customers"].split())
    if share < _ALONE or counted or table.name == "customers":
        return None
    return Guess(column, seen, 0.85, evidence)


def _by_name(column: Column, name: str, table: Table) -> tuple[float, str]:
    """Return how surely a name is that of a column, and why."""
    theirs = re.sub(r"(?<=[^\W\d])nr$", "nummer", squeezed(name))
    here = [squeezed(word) for word in COLUMN_WORDS.get(f"{table.name}.{column.name}", "").split()]
    anywhere = [squeezed(word) for word in COLUMN_WORDS.get(column.name, "").split()]
    known = {squeezed(column.name), *here, *anywhere}
    # of two usual names the one listed first is meant: `price` beside `total`
    later = 0.002 * anywhere.index(theirs) if theirs in anywhere else 0.0
    long = [word for word in known if len(word) > 3 or (not word.isascii() and len(word) > 1)]
    judged = (
        (theirs == squeezed(column.name), 1.0, "our own name"),
        (theirs in here, 0.97, "a usual name for it"),
        (theirs in anywhere, max(0.92 - later, 0.8), "a usual name for it"),
        (theirs == "id" and column.name == table.key[0], 0.85, "the id of the row"),
        (any(word in theirs for word in long), 0.7, "its name holds a usual one"),
        (bool(set(parts(name)) & known), 0.6, "a word of its name is usual"),
    )
    return next(((surety, words) for holds, surety, words in judged if holds), (0.0, ""))


def _fits(column: Column, seen: Seen, table: Table) -> tuple[float, str]:
    """Return how well values suit a column, from 0, impossible, to 1, and what they show."""
    if seen.filled == 0 and seen.none_yet:
        return 1.0, "no row yet"
    if seen.filled == 0:
        return (0.0, "") if column.required else (0.5, "no value in the first rows")
    if column.kind == "text":
        return _fits_text(column, seen, table)
    counted = not seen.unit  # numbers that are times are no amounts
    shows = {
        "instant": (seen.moments, "the values are times"),
        "money": (seen.numbers + seen.amounts > _NEARLY_ALL and counted, _amounts(seen)),
        "number": (seen.numbers > _NEARLY_ALL and counted, "the values are numbers"),
        # a mark in doubt may group thousands: it is asked about
        "integer": (
            (seen.numbers if seen.mark_open else seen.whole) > _NEARLY_ALL and counted,
            "the values are whole numbers",
        ),
        "boolean": (seen.truths == 1, "every value is a yes or no"),
        "json": (seen.objects == 1, "every value is a JSON object"),
    }
    suits, words = shows[column.kind]
    return (1.0, words) if suits else (0.0, "")


def _amounts(seen: Seen) -> str:
    return "the values are amounts with a currency" if seen.amounts else "the values are numbers"


def _fits_text(column: Column, seen: Seen, table: Table) -> tuple[float, str]:
    if column.name == "email":
        return (1.0, f"{seen.emails:.0%} look like e-mail addresses") if seen.emails > 0.5 else (0.3, "")
    if column.name == "phone":
        return (1.0, f"{seen.phones:.0%} look like telephone numbers") if seen.phones > 0.5 else (0.3, "")
    if seen.moments and column.name not in {"value", "comment"}:
        return 0.3, ""
    if (column.name,) == table.key:
        unique = seen.distinct >= 0.999
        return (1.0, "each value once") if unique else (0.55, f"{1 - seen.distinct:.0%} of its values come again")
    if column.name == "customer_id" and seen.filled < 0.5:
        return 0.6, f"{1 - seen.filled:.0%} are empty"
    return 1.0, ""
