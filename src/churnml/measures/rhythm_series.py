"""Orders by local day and hour, out of the books in one pass: what every measure of the rhythm is told from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from churnml.events.books import Books
from churnml.events.clock import moment
from churnml.events.schema import MONEY_SCALE
from churnml.measures.usual_days import WEEK

Values = npt.NDArray[np.float64]

_SAME_TIME = 0.9


@dataclass(frozen=True)
class Series:
    """Consecutive local days, from the first with an order to the end that is asked about.

    Parameters
    ----------
    days : tuple of date
    orders, amount : ndarray of shape (n_days,)
        Paid orders, and what was paid for them.
    customers : ndarray of shape (n_days,)
        How many paid for some.
    by_weekday : ndarray of shape (7,)
        How many did on a Monday, a Tuesday, … of the whole weeks that are asked about, which are counted from the end.
    hours : ndarray of shape (n_days, 24)
        Orders by hour of the wall's clock.
    timeless : bool
        Whether nine of ten orders bear the same minute of the day, so that their times say nothing.
    begins : int
        The place of the first day asked about.
    """

    days: tuple[date, ...]
    orders: Values
    amount: Values
    customers: Values
    by_weekday: Values
    hours: Values
    timeless: bool
    begins: int

    @property
    def months(self) -> Values:
        """Where in the year each day is: 0 is the middle of January, 11 that of December."""
        days = pd.DatetimeIndex(self.days)
        return np.asarray(days.month - 1.5 + (days.day - 0.5) / days.days_in_month, dtype=np.float64)


def series(books: Books, begin: int, end: int) -> Series | None:
    """Return the orders that were paid, by day and hour, up to an instant; None where there are none after `begin`.

    Parameters
    ----------
    begin, end : int
        Midnights, microseconds UTC.
    """
    by_hour = books.frame(
        """
        SELECT shown::DATE AS day, hour(shown) AS hour, count(*)::DOUBLE AS orders, sum(amount)::DOUBLE AS amount
        FROM (SELECT local_time(occurred_at) AS shown, amount FROM orders WHERE amount > 0)
        GROUP BY ALL ORDER BY day, hour
        """
    )
    first_asked, last = (moment(at, books.time_zone).date() for at in (begin, end))
    seen = pd.to_datetime(by_hour["day"])
    if by_hour.empty or not (seen >= pd.Timestamp(first_asked)).any():
        return None
    first = seen.iloc[0].date()  # before it nothing was recorded, which is not the same as nothing ordered
    hours, amount = np.zeros(((last - first).days, 24)), np.zeros((last - first).days)
    place = (seen - pd.Timestamp(first)).dt.days.to_numpy()
    np.add.at(hours, (place, by_hour["hour"].to_numpy()), by_hour["orders"].to_numpy())
    np.add.at(amount, place, by_hour["amount"].to_numpy() / MONEY_SCALE)
    days = tuple(first + timedelta(days=k) for k in range((last - first).days))
    begins = max((first_asked - first).days, 0)
    whole = (len(days) - begins) // WEEK * WEEK
    customers, by_weekday = _customers(books, first, last, whole)
    return Series(days, hours.sum(axis=1), amount, customers, by_weekday, hours, _timeless(books), begins)


def _customers(books: Books, first: date, last: date, whole: int) -> tuple[Values, Values]:
    """Return how many customers paid on each day, and on each weekday of so many days before the last."""
    paid = "SELECT customer_id, local_time(occurred_at)::DATE AS day FROM orders WHERE amount > 0"
    daily = books.frame(
        f"SELECT day - $first::DATE AS place, count(DISTINCT customer_id) AS n FROM ({paid}) GROUP BY day",
        {"first": first},
    )
    weekly = books.frame(
        f"SELECT isodow(day) - 1 AS place, count(DISTINCT customer_id) AS n FROM ({paid}) WHERE day >= $since "
        "GROUP BY 1",
        {"since": last - timedelta(days=whole)},
    )
    found = np.zeros((last - first).days), np.zeros(WEEK)
    for counts, told in zip(found, (daily, weekly), strict=True):
        counts[told["place"].to_numpy()] = told["n"].to_numpy()
    return found


def _timeless(books: Books) -> bool:
    """Tell whether the times of orders say nothing: nearly all bear the same minute of the day.

    The day is that of UTC, for which no offset has to be found, so the same time in summer and in winter are two.
    """
    found = books.frame(
        "SELECT sum(orders) FILTER (rank <= 2) / sum(orders) AS most FROM ("
        "SELECT orders, row_number() OVER (ORDER BY orders DESC) AS rank FROM ("
        "SELECT count(*) AS orders FROM orders WHERE amount > 0 GROUP BY occurred_at // 60_000_000 % 1440))"
    )
    return float(found["most"].iloc[0]) >= _SAME_TIME


def customers_up_to(books: Books, begin: int, most: int) -> int:
    """Return how many customers ordered from an instant on, counted no further than `most`."""
    found = books.frame(
        "SELECT count(*) AS n FROM (SELECT DISTINCT customer_id FROM orders WHERE amount > 0 "
        "AND occurred_at >= $begin LIMIT $most)",
        {"begin": begin, "most": most},
    )
    return int(found["n"].iloc[0])


def sent_by_day(books: Books) -> pd.DataFrame | None:
    """Return `day`, `campaign` and `contacts` that went out; None where no contacts have landed."""
    if "contacts" not in books.tables:
        return None
    return books.frame(
        "SELECT local_time(occurred_at)::DATE AS day, campaign, count(*)::BIGINT AS contacts FROM contacts "
        "WHERE campaign IS NOT NULL AND arm IS DISTINCT FROM 'control' GROUP BY ALL ORDER BY day, campaign"
    ).assign(day=lambda frame: pd.to_datetime(frame["day"]).dt.date)
