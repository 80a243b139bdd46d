"""One value at a time, read as ingest reads it from a text: the Python twin of the SQL in `values.py`.

A request of one row cannot wait for a database to start, so what ingest says in SQL is said here once more. Tests hold
both against each other on generated texts; whoever changes one of them changes the other.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Context, Decimal, InvalidOperation
from functools import lru_cache
from typing import NoReturn
from zoneinfo import ZoneInfo

from churnml.events.schema import MONEY_SCALE, Kind
from churnml.events.values import bounds

Value = str | int | float | bool

_WHOLE = re.compile(r"[+-]?[0-9]+([.]0*)?")
_DECIMAL = re.compile(r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?")
_AMOUNT = re.compile(r"\s*[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?\s*", re.ASCII)
_INSTANT = re.compile(
    r"([0-9]{4})([-/])([0-9]{1,2})\2([0-9]{1,2})"
    r"(?:[ T]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.]([0-9]+))?)?"
    r"( ?(?:Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
)
_TRUE, _FALSE = frozenset({"true", "t", "yes", "y", "1"}), frozenset({"false", "f", "no", "n", "0"})
_LEAST, _MOST = -(2**63), 2**63 - 1
_PLACES = Decimal(1).scaleb(-4)
_EXACT = Context(prec=400)
_FIRST, _LAST = bounds()


class UnreadableError(ValueError):
    """A text that is no value of its kind."""


def read_value(kind: Kind, text: str, time_zone: str) -> Value:
    """Return what a text that is not empty says, in our type.

    Parameters
    ----------
    kind : str
        As a column of the contract declares it.
    text : str
        As it was written.
    time_zone : str
        The IANA zone of times without an offset.

    Returns
    -------
    str, int, float or bool
        Money in 1/10,000 unit, instants in microseconds UTC.

    Raises
    ------
    UnreadableError
        If it is none of its kind.
    """
    return _instant(text, time_zone) if kind == "instant" else _READERS[kind](text)


def _text(text: str) -> str:
    return text


def _object(text: str) -> str:
    def refuse(_name: str) -> NoReturn:
        raise UnreadableError(text)

    try:
        found = json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(text) from error
    if not isinstance(found, dict):
        raise UnreadableError(text)
    return text


def _boolean(text: str) -> bool:
    said = text.lower()
    if said in _TRUE or said in _FALSE:
        return said in _TRUE
    raise UnreadableError(text)


def _integer(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise UnreadableError(text)
    return _within(int(text.partition(".")[0]), text)


def _number(text: str) -> float:
    if not _DECIMAL.fullmatch(text):
        raise UnreadableError(text)
    number = float(text)
    if not math.isfinite(number):
        raise UnreadableError(text)
    return number


def _money(text: str) -> int:
    """Return 1/10,000 unit, rounded once, half away from zero."""
    if not _AMOUNT.fullmatch(text):
        raise UnreadableError(text)
    try:
        units = Decimal(text.strip()).quantize(_PLACES, rounding="ROUND_HALF_UP", context=_EXACT)
        amount = _EXACT.multiply(units, MONEY_SCALE)
    except InvalidOperation as error:
        raise UnreadableError(text) from error
    return _within(int(amount), text)


def _within(number: int, text: str) -> int:
    if not _LEAST <= number <= _MOST:
        raise UnreadableError(text)
    return number


def _instant(text: str, time_zone: str) -> int:
    """Return microseconds UTC; where clocks went forward the time after is meant, where they went back the second."""
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise UnreadableError(text)
    year, _, month, day, hour, minute, second, fraction, offset = found.groups()
    try:
        at = datetime(int(year), int(month), int(day))  # its zone is told apart below
        at += _since_midnight(int(hour or 0), int(minute or 0), int(second or 0), text)
    except (ValueError, OverflowError) as error:
        raise UnreadableError(text) from error
    local = (at - _EPOCH) // _MICROSECOND + int((fraction or "0")[:6].ljust(6, "0"))
    instant = local - _ahead(at, time_zone) if offset is None else local - _offset(offset.strip())
    if not _FIRST <= instant <= _LAST:
        raise UnreadableError(text)
    return instant


_EPOCH = datetime(1970, 1, 1)  # as above
_MICROSECOND = timedelta(microseconds=1)
_MIDNIGHT = 24


def _since_midnight(hour: int, minute: int, second: int, text: str) -> timedelta:
    """Return a time of day; that of midnight may be written as the twenty-fourth hour."""
    if hour > _MIDNIGHT or (hour == _MIDNIGHT and (minute or second)) or minute > 59 or second > 59:
        raise UnreadableError(text)
    return timedelta(hours=hour, minutes=minute, seconds=second)


def _ahead(local: datetime, time_zone: str) -> int:
    """Return by how much a zone is ahead of UTC at a local time, in microseconds."""
    if time_zone == "UTC":
        return 0
    zone = _zone(time_zone)
    # of a time that was not there, or there twice, the two folds differ: the lesser offset gives the later instant
    offsets = (local.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta() for fold in (0, 1))
    return min(offsets) // _MICROSECOND


@lru_cache(maxsize=64)
def _zone(time_zone: str) -> ZoneInfo:
    return ZoneInfo(time_zone)


def _offset(text: str) -> int:
    if text in {"Z", "UTC"}:
        return 0
    digits = text[1:].replace(":", "")
    ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0)) // _MICROSECOND
    return -ahead if text[0] == "-" else ahead


_READERS: dict[Kind, Callable[[str], Value]] = {
    "text": _text,
    "json": _object,
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "money": _money,
}

__all__ = ["UnreadableError", "Value", "read_value"]
