"""The workspace's clocks in SQL: what they showed at an instant, without a database that knows of time zones.

A zone's offset from UTC changes at a few hundred instants; they are asked of Python's own time zones, to the
microsecond, and written into one expression. So DuckDB and `clock` count the same days, with no extension to install;
but for the hour that a clock shows once more when it is set back across midnight, as in St. John's until 2011: here it
is of the day that the clock shows, there of the day that had begun.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from zoneinfo import ZoneInfo

from churnml.events.clock import DAY, moment

_FIRST, _LAST = -70 * 365 * DAY, 130 * 366 * DAY
"""From 1900 to 2100: before and after, the offset at that end holds."""

Change = tuple[int, int]
"""From which instant on an offset holds, and the offset; both in microseconds."""

_STEP = 3 * DAY  # no zone of the time-zone database has two changes within six days


def local_time(us: str, time_zone: str, first: int, last: int) -> str:
    """Return SQL for the time that the clocks of a zone show at an instant, a TIMESTAMP.

    Parameters
    ----------
    us : str
        SQL for the instant, microseconds UTC.
    first, last : int
        Between which instants nearly all lie that will be asked about, so that few comparisons find the offset;
        beyond them the answer is as right and takes a few more.

    Examples
    --------
    >>> local_time("us", "UTC", 0, 1_700_000_000_000_000)
    'make_timestamp(us + 0)'
    """
    changes = offsets(time_zone)
    usual = [change for change in changes if first < change[0] <= last]
    before = [change for change in changes if change[0] <= first]
    offset = _choice(us, changes)
    if len(usual) + 1 < len(changes):
        within = _choice(us, [before[-1] if before else changes[0], *usual])
        offset = f"CASE WHEN {us} >= {first} AND {us} <= {last} THEN {within} ELSE {offset} END"
    return f"make_timestamp({us} + {offset})"


@lru_cache(maxsize=32)
def offsets(time_zone: str) -> tuple[Change, ...]:
    """Return every change of a zone's offset, the first of them what held before all others."""
    zone = ZoneInfo(time_zone)
    found = [(_FIRST, _offset(_FIRST, zone))]
    for at in range(_FIRST, _LAST, _STEP):
        if _offset(at + _STEP, zone) != found[-1][1]:
            since = _first_after(at, at + _STEP, zone)
            found.append((since, _offset(since, zone)))
    return tuple(found)


def _first_after(low: int, high: int, zone: ZoneInfo) -> int:
    """Return the first instant after `low` with the offset that holds at `high`."""
    new = _offset(high, zone)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _offset(middle, zone) == new else (middle, high)
    return high


def _offset(instant: int, zone: ZoneInfo) -> int:
    away = moment(instant).astimezone(zone).utcoffset()
    return 0 if away is None else away.days * DAY + away.seconds * 1_000_000 + away.microseconds


def _choice(us: str, changes: Sequence[Change]) -> str:
    """Return SQL that halves the changes until one is left: a few comparisons a row, however many there are."""
    if len(changes) == 1:
        return str(changes[0][1])
    middle = len(changes) // 2
    earlier, later = _choice(us, changes[:middle]), _choice(us, changes[middle:])
    return f"CASE WHEN {us} < {changes[middle][0]} THEN {earlier} ELSE {later} END"
