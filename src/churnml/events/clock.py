"""Days as the company counts them: midnights, windows and weekdays of the workspace's time zone.

A window of *w* days at cutoff *t* starts at the same local time *w* days earlier, so a day with 23 or 25 hours is
still one day. Instants are integer microseconds UTC throughout.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Instants = npt.NDArray[np.int64]

DAY = 86_400_000_000
HOUR = 3_600_000_000
SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def midnight(day: date, time_zone: str) -> int:
    """Return the instant at which `day` begins in the zone."""
    return microseconds(datetime.combine(day, time.min, ZoneInfo(time_zone)))


def microseconds(moment: datetime) -> int:
    """Return an aware moment as microseconds UTC."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(instant: int, time_zone: str = "UTC") -> datetime:
    """Return an instant as a moment in the zone."""
    return (_EPOCH + timedelta(microseconds=int(instant))).astimezone(ZoneInfo(time_zone))


def days_later(instant: int, days: int, time_zone: str) -> int:
    """Return the same local time `days` days later (earlier if negative)."""
    if time_zone == "UTC":
        return int(instant) + days * DAY
    return microseconds((moment(instant, time_zone) + timedelta(days=days)).astimezone(UTC))


def day_starts(first: int, last: int, time_zone: str) -> Instants:
    """Return the midnight of every local day from that of `first` to that of `last`, and one beyond."""
    start = moment(first, time_zone).date()
    n_days = (moment(last, time_zone).date() - start).days + 2
    return np.array([midnight(start + timedelta(days=k), time_zone) for k in range(n_days)], dtype=np.int64)


def local_days(instants: Instants, time_zone: str) -> tuple[Instants, Instants]:
    """Return for each instant its local day, counted from 1970-01-01, and the microseconds since its midnight.

    Parameters
    ----------
    instants : ndarray of shape (n,)
        In any order.

    Returns
    -------
    day : ndarray of shape (n,)
        Days since 1970-01-01, a Thursday.
    since_midnight : ndarray of shape (n,)
        Microseconds.
    """
    if len(instants) == 0 or time_zone == "UTC":
        day = np.floor_divide(instants, DAY)
        return day, instants - day * DAY
    starts = day_starts(int(instants.min()), int(instants.max()), time_zone)
    place = np.searchsorted(starts, instants, side="right") - 1
    first_day = (moment(int(starts[0]), time_zone).date() - date(1970, 1, 1)).days
    return place + first_day, instants - starts[place]
