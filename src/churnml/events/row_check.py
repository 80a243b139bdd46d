"""One row at a time, held against the contract: what ingest says of a row of a file, said of a row in a request.

The rules stand in `rules.py`, and here once more for a row that is already in memory; tests hold both against each
other. What needs other rows, such as whether a customer is known, is asked by whoever has them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, partial

from churnml.errors import nearest
from churnml.events.clock import DAY
from churnml.events.row_values import UnreadableError, Value, read_value
from churnml.events.rules import MOST_MONEY, WORDS
from churnml.events.schema import CURRENCY, MONEY_SCALE, TABLES, Column, Table

Row = Mapping[str, object]
_LONGEST_ID = 256
_LARGEST = 1e308
_ODD = re.compile(r"^[\s]|[\s]$|[\x00-\x1f\x7f]", re.ASCII)
_NO_TEXT = ("must be a text, found {}", "bring the value itself")
_NO_TEXTS = {bool: "true or false", list: "a list", dict: "an object"}
_LENIENT = ("customer_id", "purpose", "channel")
_NUMBERS = frozenset({int, float})
_REFUSABLE = ("marketing", "profiling")


@dataclass(frozen=True)
class Broken:
    """The first rule that a row breaks.

    Parameters
    ----------
    column : str
        The column it is about.
    rule, remedy : str
        In words.
    """

    column: str
    rule: str
    remedy: str

    def told(self) -> str:
        """Return it as one sentence; the value is left out, for it may tell of a person."""
        return f"`{self.column}` {self.rule}: {self.remedy}"


@dataclass(frozen=True)
class Door:
    """What rows are read by that do not say it themselves.

    Parameters
    ----------
    time_zone : str
        The IANA zone of instants without an offset.
    currency : str
        The workspace's, ISO 4217; a row that names another is broken.
    """

    time_zone: str = "UTC"
    currency: str = ""


def check_row(table: Table, row: Row, door: Door, now: int) -> dict[str, Value] | Broken:
    """Return the typed values of a row, without those that are empty, or the first rule that it breaks.

    Parameters
    ----------
    row : mapping of str to object
        Values as JSON gives them; a number or a truth may stand as a text.
    now : int
        Microseconds UTC; nothing may have happened more than a day after it.
    """
    return check_rows(table, [row], door, now)[0]


def check_rows(table: Table, rows: Iterable[Row], door: Door, now: int) -> list[dict[str, Value] | Broken]:
    """Return what `check_row` says of each of some rows; a value that comes again in its column is judged once.

    What was judged is forgotten with the answer: nothing that tells of a person outlives it.
    """
    plan = _plan_of(table.name) if TABLES.get(table.name) is table else _plan(table)
    judged = [(column, _Judged(column, door.time_zone, lenient=plan.lenient)) for column in plan.columns]
    return [_check_one(table, plan, row, door, now, judged) for row in rows]


def _check_one(
    table: Table, plan: _Plan, row: Row, door: Door, now: int, judged: Sequence[tuple[Column, _Judged]]
) -> dict[str, Value] | Broken:
    if not row.keys() <= plan.known:
        name = next(name for name in row if name not in plan.known)
        return Broken(name, "is no column of the table", f"leave it out{nearest(name, sorted(plan.known))}")
    found: dict[str, Value] = {}
    broken = _of_another_currency(row, door.currency) if plan.priced else []
    for column, known in judged:
        given = row.get(column.name)
        if given.__class__ is str or given.__class__ in _NUMBERS:
            kept = known[str(given)]  # a number is judged as the text it would be in a file
        elif given is None and not column.required:
            continue
        else:
            kept = known.judge(given)
        if isinstance(kept, Broken):
            broken.append(kept)
        elif kept is not None:
            found[column.name] = kept
    broken += _between(plan, found, now)
    return found if not broken or (plan.lenient and _holds_undated(table, found, broken[0])) else broken[0]


class _Judged(dict[str, Value | Broken | None]):
    """What was judged of the texts of a column."""

    def __init__(self, column: Column, time_zone: str, *, lenient: bool) -> None:
        super().__init__()
        self.judge = partial(_check, column, time_zone=time_zone, lenient=lenient)

    def __missing__(self, text: str) -> Value | Broken | None:
        kept = self[text] = self.judge(text)
        return kept


@dataclass(frozen=True)
class _Plan:
    """What is asked of every row of a table, put together once."""

    known: frozenset[str]
    columns: tuple[Column, ...]
    later: tuple[tuple[str, tuple[str, ...]], ...]
    priced: bool
    lenient: bool
    versioned: bool


@cache
def _plan_of(name: str) -> _Plan:
    """Return the plan of a table of the contract; a name is found sooner than a whole table."""
    return _plan(TABLES[name])


@cache
def _plan(table: Table) -> _Plan:
    known = frozenset({*table.names, *([CURRENCY.name] if table.priced else [])})
    later = tuple(table.later.items())
    return _Plan(known, table.columns, later, table.priced, table.name == "consents", table.versioned)


def _holds_undated(table: Table, found: Mapping[str, Value], broken: Broken) -> bool:
    """Tell whether a row takes a consent back and only its date is wrong: that holds from its landing on."""
    undated = broken.column in table.names and table.column(broken.column).kind == "instant"
    refuses = found.get("granted") is False and found.get("purpose") in _REFUSABLE
    return undated and refuses and "customer_id" in found


def as_text(value: object) -> str | None:
    """Return a JSON value as the text that a file would hold, None where it is null or cannot be written."""
    if value is None:
        return None
    if isinstance(value, str):
        text = value
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, int | float | Decimal):
        return str(value)
    else:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if text.isascii() or _is_unicode(text) else None


def _is_unicode(text: str) -> bool:
    """Tell whether a text can be written: half of a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _of_another_currency(row: Row, currency: str) -> list[Broken]:
    said = row.get(CURRENCY.name)
    if said is None or (isinstance(said, str) and said.strip(" ").upper() in {"", currency}):
        return []
    rule = f"must be in {currency}, the workspace's currency"
    return [Broken(CURRENCY.name, rule, "bring them converted, or in a workspace of their own")]


def _check(column: Column, given: object, time_zone: str, *, lenient: bool) -> Value | Broken | None:
    """Return the typed value of a column, None where it is empty, or the rule that it breaks."""
    text = "" if given is None else as_text(given)
    if text is None:
        return Broken(column.name, "must be a text", "write it in UTF-8")
    if lenient and column.name in _LENIENT:
        text = text.strip() if column.name == "customer_id" else text.strip().lower()
    if column.kind == "text" and isinstance(given, bool | list | dict):
        return Broken(column.name, _NO_TEXT[0].format(_NO_TEXTS[type(given)]), _NO_TEXT[1])
    if not text:
        return Broken(column.name, "must be filled", WORDS[column.kind][1]) if column.required else None
    try:
        value = text if column.kind == "text" else read_value(column.kind, text, time_zone)
    except UnreadableError:
        return _unreadable(column, text)
    return _bounded(column, value) if _is_bounded(column) else value


def _unreadable(column: Column, text: str) -> Broken:
    try:
        too_large = column.kind == "money" and MOST_MONEY <= abs(float(text)) <= _LARGEST
    except ValueError:
        too_large = False
    if too_large:
        return Broken(column.name, f"must be an amount between {-MOST_MONEY:,} and {MOST_MONEY:,}", "correct it")
    return Broken(column.name, *WORDS[column.kind])


def _is_bounded(column: Column) -> bool:
    return column.at_least is not None or bool(column.among) or column.name == "customer_id"


def _bounded(column: Column, value: Value) -> Value | Broken:
    scale = MONEY_SCALE if column.kind == "money" else 1
    if isinstance(value, int | float):
        if column.at_least is not None and value < column.at_least * scale:
            return Broken(column.name, f"must be at least {column.at_least}", "correct it")
        if column.at_most is not None and value > column.at_most * scale:
            return Broken(column.name, f"must be at most {column.at_most}", "correct it")
    if column.among and value not in column.among:
        return Broken(column.name, f"must be one of {', '.join(column.among)}", "correct it")
    return _id_kept(value) if column.name == "customer_id" else value


def _id_kept(value: Value) -> Value | Broken:
    if len(str(value).encode()) > _LONGEST_ID:
        return Broken("customer_id", f"must be at most {_LONGEST_ID} bytes long", "use a shorter id")
    if _ODD.search(str(value)):
        return Broken("customer_id", "must have no blank at its ends and no control character", "strip it")
    return value


def _between(plan: _Plan, found: Mapping[str, Value], now: int) -> Iterator[Broken]:
    """Yield the rules that columns of a row break together, worded as in `rules.py`."""
    happened = found.get("occurred_at")
    for time, dated in plan.later:
        for name in dated:
            if name in found and time not in found:
                yield Broken(name, f"must have a `{time}`", f"say in `{time}` when it came to be known")
        told = found.get(time)
        if not plan.versioned and told is not None and happened is not None and told < happened:  # type: ignore[operator]  # both are instants
            yield Broken(time, "must not lie before `occurred_at`", "correct either of the two")
    score = found.get("score")
    if score is not None and not found.get("scale_min", score) <= score <= found.get("scale_max", score):  # type: ignore[operator]  # all are numbers
        yield Broken("score", "must lie between `scale_min` and `scale_max`", "correct it or the scale")
    if happened is not None and int(happened) > now + DAY:
        yield Broken("occurred_at", "must not lie in the future", "correct the date, or bring the row when it is due")
