"""The day's queue of one agent: whom to call again today, whom they have claimed, and who comes next.

Nobody is in two queues: a case has one owner, and who comes next is nobody's until claimed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from churnml.database import lists
from churnml.database.calls import calls_between
from churnml.database.cases import NO_DAY, CallResult, Case, page_of_cases
from churnml.database.lists import Wanted
from churnml.service import casework
from churnml.service.access import Caller
from churnml.service.calls import PHONE
from churnml.service.readings import CurrentRun, Record

MOST_HELD = 500
"""Of the cases that somebody holds, so many are looked at, those that are due first."""
_ROUNDS = 5


@dataclass(frozen=True)
class Entry:
    """A customer in the queue: their case, None before it is opened, and their record, None where the run has none."""

    customer_id: str
    case: Case | None
    record: Record | None


@dataclass(frozen=True)
class Queue:
    """What one agent has before them.

    Parameters
    ----------
    day : date
        Where the company is.
    capacity : int
        Calls that they can make in a day.
    made : Counter
        The calls they made today, by result.
    due : list of Entry
        Theirs, to be called again today or before, the longest due first.
    claimed : list of Entry
        Theirs, not called yet.
    following : list of Entry
        Nobody's, in the order in which to claim them: as many as there is room for.
    later : int
        How many of theirs are due on another day.
    """

    day: date
    capacity: int
    made: Counter[CallResult]
    due: list[Entry]
    claimed: list[Entry]
    following: list[Entry]
    later: int

    @property
    def room(self) -> int:
        """How many more customers the day has room for."""
        return max(self.capacity - self.made.total() - len(self.due) - len(self.claimed), 0)


def by_telephone(run: CurrentRun) -> Wanted:
    """Return which part of the list is to be called: treated by an action by telephone, what gains most first.

    Where a run chose no action by telephone all that it treats are called; where it chose nothing, everyone at risk.
    """
    chosen = (run.summary.get("report") or {}).get("actions") or []
    names = tuple(str(one["name"]) for one in chosen if one.get("channel") == PHONE and one.get("treated"))
    if run.summary.get("budget") is None:
        return Wanted(unowned=True, statuses=("open",))
    return Wanted(actions=names, arms=("treated",), unowned=True, statuses=("open",), sort="expected_net_value")


def queue_of(connection: Connection, run: CurrentRun, owner: str, capacity: int, time_zone: str, now: int) -> Queue:
    """Return the queue of an agent at an instant, the records of those it names still left out.

    Parameters
    ----------
    capacity : int
        Calls that they can make in a day.
    time_zone : str
        IANA zone in which the day begins and ends.
    now : int
        Microseconds UTC.
    """
    day, start, end = _day(time_zone, now)
    made = calls_between(connection, start, end, owner)
    held, _ = page_of_cases(connection, MOST_HELD, owners=(owner,), statuses=("claimed", "waiting"))
    due = [Entry(one.customer_id, one, None) for one in held if one.due_on <= day]
    claimed = [Entry(one.customer_id, one, None) for one in held if one.due_on == NO_DAY and one.status == "claimed"]
    later = sum(day < one.due_on < NO_DAY for one in held)
    queue = Queue(day, capacity, made, due, claimed, [], later)
    if queue.room:
        page = lists.list_page(connection, run.run_id, by_telephone(run), queue.room)
        queue.following.extend(Entry(one["customer_id"], None, one) for one in page.records)
    return queue


def claim_next(connection: Connection, caller: Caller, owner: str, run: CurrentRun, count: int, now: int) -> list[str]:
    """Claim the next customers of the list for somebody, and return them; fewer where fewer are left.

    Whom somebody else claims in the same instant is passed over, and the one behind takes their place.
    """
    got, tried = list[str](), set[str]()
    for _ in range(_ROUNDS):
        page = lists.list_page(connection, run.run_id, by_telephone(run), count - len(got) + len(tried))
        fresh = [one["customer_id"] for one in page.records if one["customer_id"] not in tried][: count - len(got)]
        if not fresh:
            break
        tried |= set(fresh)
        got += [one.customer_id for one in casework.claim(connection, caller, fresh, owner, now) if one.new]
        if len(got) == count:
            break
    return got


def _day(time_zone: str, now: int) -> tuple[date, int, int]:
    """Return the day it is in a zone, and when it begins and ends, microseconds UTC."""
    zone = ZoneInfo(time_zone)
    day = datetime.fromtimestamp(now / 1e6, zone).date()
    start, end = (datetime(one.year, one.month, one.day, tzinfo=zone) for one in (day, day + timedelta(days=1)))
    return day, int(start.timestamp()) * 1_000_000, int(end.timestamp()) * 1_000_000
