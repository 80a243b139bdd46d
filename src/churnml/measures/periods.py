"""Periods of a company's calendar: weeks from Monday, months, quarters, years, in the workspace's zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Literal

from churnml.errors import NoSuchPeriodsError
from churnml.events.clock import midnight, moment
from churnml.wording import Text

Every = Literal["week", "month", "quarter", "year"]
EVERY: tuple[Every, ...] = ("week", "month", "quarter", "year")
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_MOST = 400


@dataclass(frozen=True)
class Period:
    """A stretch of whole local days: from the first, up to but without the last.

    Parameters
    ----------
    first, last : date
        `last` is the day after the period's last.
    begin, end : int
        Their midnights, microseconds UTC.
    """

    first: date
    last: date
    begin: int
    end: int

    @property
    def name(self) -> str:
        """The first day, ISO 8601, by which a period is named wherever it is shown."""
        return self.first.isoformat()


def periods(begin: int, end: int, every: Every, time_zone: str) -> tuple[Period, ...]:
    """Return the whole periods within a stretch of time, in order; what is left at either side belongs to none.

    Parameters
    ----------
    begin, end : int
        Microseconds UTC.

    Raises
    ------
    NoSuchPeriodsError
        If no whole period lies within, or more than 400 do.

    Examples
    --------
    >>> from datetime import date
    >>> january, july = (midnight(date(2024, month, 3), "UTC") for month in (1, 7))
    >>> [one.name for one in periods(january, july, "quarter", "UTC")]
    ['2024-04-01']
    """
    ends = turns(begin, end, every, time_zone)
    whole = max(len(ends) - 1, 0)
    if not 0 < whole <= _MOST:
        first, last = (moment(one, time_zone).date().isoformat() for one in (begin, end))
        raise NoSuchPeriodsError(
            Text(
                f"--every {every} needs 1 to {_MOST} whole periods between --from and --to, found {whole} between "
                f"{first} and {last}; ask for {'longer' if whole else 'shorter'} periods or other days",
                f"--every {every} 要求 --from 与 --to 之间有 1 至 {_MOST} 个完整周期，{first} 与 {last} 之间有 "
                f"{whole} 个；请选择更{'长' if whole else '短'}的周期或其他日期",
            )
        )
    days = [moment(one, time_zone).date() for one in ends]
    return tuple(Period(*pair, *instants) for pair, instants in zip(pairwise(days), pairwise(ends), strict=True))


def turns(begin: int, end: int, every: Every, time_zone: str) -> tuple[int, ...]:
    """Return the midnights at which a period begins, from `begin` to `end`, both included; microseconds UTC.

    Between each and the next lies a whole period; a stretch in which no period begins has none.

    Examples
    --------
    >>> from datetime import date
    >>> january, july = (midnight(date(2024, month, 3), "UTC") for month in (1, 7))
    >>> [moment(one).date().isoformat() for one in turns(january, july, "quarter", "UTC")]
    ['2024-04-01', '2024-07-01']
    """
    day, found = _at_or_after(begin, every, time_zone), []
    while (instant := midnight(day, time_zone)) <= end:
        found.append(instant)
        day = _next(day, every)
    return tuple(found)


def _at_or_after(begin: int, every: Every, time_zone: str) -> date:
    """Return the first day on which a period begins; an instant within a day is after its beginning."""
    day = moment(begin, time_zone).date()
    if midnight(day, time_zone) < begin:
        day += timedelta(days=1)
    start = _start(day, every)
    return start if start == day else _next(start, every)


def _start(day: date, every: Every) -> date:
    if every == "week":
        return day - timedelta(days=day.weekday())
    months = _MONTHS[every]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def _next(first: date, every: Every) -> date:
    if every == "week":
        return first + timedelta(days=7)
    month = first.month - 1 + _MONTHS[every]
    return date(first.year + month // 12, month % 12 + 1, 1)
