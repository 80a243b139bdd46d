"""What customers had bought by a cutoff: for each category on how many days, and how long ago first and last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from churnml.events import Facts, line_categories
from churnml.events.clock import days_later, local_days

Counts = npt.NDArray[np.int32]
Matrix = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Holdings:
    """One entry for each customer and category bought, by customer and then category.

    Parameters
    ----------
    customers, categories : int
        How many there are, those without an entry included.
    row, category : ndarray of shape (n_entries,)
        Whose, and of what.
    days : ndarray of shape (n_entries,)
        On how many days it was bought.
    first, last : ndarray of shape (n_entries,)
        How many days before the cutoff it was bought first, and last.
    """

    customers: int
    categories: int
    row: Counts
    category: Counts
    days: Counts
    first: Counts
    last: Counts

    @cached_property
    def held(self) -> sp.csr_matrix:
        """Who bought what: ones in a sparse matrix of shape (n_customers, n_categories)."""
        shape = (self.customers, self.categories)
        return sp.csr_matrix((np.ones(len(self.row)), (self.row, self.category)), shape=shape)

    @cached_property
    def silence(self) -> npt.NDArray[np.float64]:
        """Days since anything was bought, infinite where nothing was; shape (n_customers,)."""
        found = np.full(self.customers, np.inf)
        np.minimum.at(found, self.row, self.last.astype(np.float64))
        return found

    @property
    def breadth(self) -> Matrix:
        """How many categories each customer bought; shape (n_customers,)."""
        return np.asarray(np.bincount(self.row, minlength=self.customers), dtype=np.float64)

    @property
    def activity(self) -> Matrix:
        """On how many days each customer bought, each category counted; shape (n_customers,)."""
        return np.asarray(np.bincount(self.row, weights=self.days, minlength=self.customers), dtype=np.float64)

    def of(self, customers: Flags) -> Holdings:
        """Return those of the customers marked true, who become all there are."""
        place, kept = np.cumsum(customers) - 1, customers[self.row]
        columns = (getattr(self, name)[kept] for name in ("category", "days", "first", "last"))
        row = place[self.row[kept]].astype(np.int32)
        return Holdings(int(customers.sum()), self.categories, row, *columns)

    def between(self, begin: int, end: int) -> Holdings:
        """Return those of the customers from `begin` to before `end`."""
        entries = slice(*np.searchsorted(self.row, [begin, end]))
        columns = (getattr(self, name)[entries] for name in ("category", "days", "first", "last"))
        return Holdings(end - begin, self.categories, self.row[entries] - np.int32(begin), *columns)

    @staticmethod
    def joined(parts: list[Holdings]) -> Holdings:
        """Return the holdings of the customers of all parts, one after the other."""
        starts = np.cumsum([0, *(part.customers for part in parts)])
        rows = [part.row + start for part, start in zip(parts, starts, strict=False)]
        columns = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("category", "days", "first", "last")
        )
        return Holdings(int(starts[-1]), parts[0].categories, np.concatenate(rows).astype(np.int32), *columns)


@dataclass(frozen=True)
class Purchases:
    """The days on which the customers of a block bought each category, sorted by customer, category and day.

    Parameters
    ----------
    customers, categories : int
        How many there are.
    cell : ndarray of shape (n_days,)
        Customer times categories, plus category.
    day : ndarray of shape (n_days,)
        Local, since 1970-01-01.
    event_at, known_at : ndarray of shape (n_days,)
        When it was first bought on that day, and when that was first known; microseconds UTC.
    """

    customers: int
    categories: int
    cell: npt.NDArray[np.int64]
    day: npt.NDArray[np.int64]
    event_at: npt.NDArray[np.int64]
    known_at: npt.NDArray[np.int64]


def purchases(lines: Facts, codes: Mapping[str, int], time_zone: str) -> Purchases:
    """Return what the customers of a block bought on which day; sorted once, for all cutoffs.

    Parameters
    ----------
    lines : Facts
        Order lines from `history`, with `category` and `amount`.
    codes : mapping of str to int
        The categories that count, from 0.
    """
    code = line_categories(lines, codes)
    paid = np.flatnonzero(code >= 0)
    n = len(codes)
    cell, day = lines.customer[paid] * n + code[paid], local_days(lines.event_at[paid], time_zone)[0]
    known_at = lines.event_at if lines.known_at is None else lines.known_at
    order = np.lexsort((day, cell))
    cell, day = cell[order], day[order]
    changes = (cell[1:] != cell[:-1]) | (day[1:] != day[:-1])
    opens = np.flatnonzero(np.concatenate((np.ones(min(len(cell), 1), dtype=np.bool_), changes)))
    times = [_least(one[paid][order], opens) for one in (lines.event_at, known_at)]
    return Purchases(len(lines.offsets) - 1, n, cell[opens], day[opens], *times)


def _least(values: npt.NDArray[np.int64], opens: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
    return np.minimum.reduceat(values, opens) if len(values) else values


def holdings(bought: Purchases, cutoff: int, time_zone: str, lookback_days: int) -> Holdings:
    """Return what the customers of a block had bought in the days before a cutoff, by what was known then.

    Parameters
    ----------
    cutoff : int
        Microseconds UTC; a local midnight, as all cutoffs are.
    lookback_days : int
        How far back; what was bought before is not held.
    """
    begins = days_later(cutoff, -lookback_days, time_zone)
    counted = (bought.event_at < cutoff) & (bought.known_at <= cutoff) & (bought.event_at >= begins)
    today = int(local_days(np.array([cutoff]), time_zone)[0][0])
    cell, ago = bought.cell[counted], today - bought.day[counted]
    opens = np.flatnonzero(np.concatenate((np.ones(min(len(cell), 1), dtype=np.bool_), cell[1:] != cell[:-1])))
    days = np.diff(opens, append=len(cell))
    row, category = np.divmod(cell[opens], max(bought.categories, 1))
    columns = (row, category, days, ago[opens], ago[opens + days - 1])
    return Holdings(bought.customers, bought.categories, *(column.astype(np.int32) for column in columns))
