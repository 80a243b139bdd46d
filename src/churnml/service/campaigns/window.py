"""Until when outcomes of a campaign are counted; by the data's clock, what landed says whether all are there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from churnml.events.clock import days_later, microseconds, midnight, moment


@dataclass(frozen=True)
class Window:
    """The days after an assignment in which outcomes count.

    Parameters
    ----------
    days : int
        How many they are.
    assigned_on, closes_on : str
        The day of the assignment, and the first that counts no more; ISO 8601.
    final_on : str
        The day from which on an outcome of them can be told late no more.
    closed : bool
        Whether all of it has landed.
    """

    days: int
    assigned_on: str
    closes_on: str
    final_on: str
    closed: bool


def window_of(cutoff: str, days: int, lag: int, until: int | None, zone: str) -> Window:
    """Return the window of what was assigned at a cutoff.

    Parameters
    ----------
    cutoff : str
        ISO 8601.
    days, lag : int
        How long outcomes count, and how much later they may still be told.
    until : int or None
        The last instant, microseconds UTC, of which orders or contracts have landed.
    zone : str
        IANA zone of days.
    """
    begins = microseconds(datetime.fromisoformat(cutoff))
    closes, final = days_later(begins, days, zone), days_later(begins, days + lag, zone)
    known_to = None if until is None else days_later(midnight(moment(until, zone).date(), zone), 1, zone)
    assigned_on, closes_on, final_on = (str(moment(one, zone).date()) for one in (begins, closes, final))
    return Window(days, assigned_on, closes_on, final_on, known_to is not None and known_to >= final)
