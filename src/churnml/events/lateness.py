"""How late news usually are, in days: the 95th percentile of delays, from a count of each day rather than all of them.

Fifty million delays need not lie in memory for one of them: between two neighbours in the order of size the percentile
is a matter of the longest delay of one day and the shortest of the next.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor

import numpy as np
import numpy.typing as npt

from churnml.events.clock import DAY

MOST_DAYS = 30
"""Rows that were learned later are no history: no cutoff near them sees them, and no label waits for them."""

_SHARE = 0.95

DAY_BEGUN = f"least((delay + {DAY - 1}) // {DAY}, {MOST_DAYS + 1})"
"""`day_begun` of a column `delay`, as SQL."""


def day_begun(delay: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the day in which each positive delay in microseconds ends, all beyond the most as one."""
    return np.minimum((delay + DAY - 1) // DAY, MOST_DAYS + 1)


Counted = tuple[int, int, int, int]
"""A day, how many delays end in it, and the shortest and the longest of them in microseconds."""


def usual_days(counted: Iterable[Counted]) -> int:
    """Return within how many days 19 of 20 rows were learned that came late at all, at most 30; 0 where none did.

    Parameters
    ----------
    counted : iterable of (day, rows, shortest, longest)
        By `day_begun`; a day may come in several pieces.

    Returns
    -------
    int
        The percentile with linear interpolation between neighbours, rounded up to whole days.
    """
    days: dict[int, tuple[int, int, int]] = {}
    for day, rows, shortest, longest in counted:
        before, low, high = days.get(day, (0, shortest, longest))
        days[day] = before + rows, min(low, shortest), max(high, longest)
    position = (sum(rows for rows, _, _ in days.values()) - 1) * _SHARE
    passed = 0
    ordered = sorted(days.items())
    for place, (day, (rows, _, longest)) in enumerate(ordered):
        passed += rows
        if passed - 1 >= ceil(position):
            return min(day, MOST_DAYS)
        if passed - 1 == floor(position):
            following = ordered[place + 1][1][1]
            between = longest + (position - floor(position)) * (following - longest)
            return min(ceil(between / DAY), MOST_DAYS)
    return 0
