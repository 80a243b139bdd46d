"""Every aggregate of a block at every cutoff, in about one pass over its rows.

The edges of all windows at all cutoffs cut time into intervals. Rows are sorted by time within a customer, so one
merge finds where each edge falls among them (`positions`). A running sum down the rows, read off at the edges, makes
any window a subtraction, exact because everything is an integer: a window's value cannot depend on which other cutoffs
were asked for.

Rows that were late by the second clock need no other arithmetic. Between the first cutoff after the event and the
first cutoff at which it was known, the customer's past looks different; only those (customer, cutoff) pairs are
computed again, each from the rows that were known then (`late_pairs`). All others take the fast path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numba
import numpy as np
import numpy.typing as npt

from churnml.events import Facts
from churnml.events.clock import days_later
from churnml.features.declare import MISSING, Aggregate, Words

Integers = npt.NDArray[np.int64]
_START = -1


class Columns(Mapping[str, Integers]):
    """Columns that are computed when they are first asked for: of all that rows can tell, features want a few.

    Parameters
    ----------
    makers : mapping of str to callable
        How each is computed, given the others.
    """

    def __init__(self, makers: Mapping[str, Made]) -> None:
        self._makers = makers
        self._made: dict[str, Integers] = {}

    def __getitem__(self, name: str) -> Integers:
        if name not in self._made:
            self._made[name] = np.ascontiguousarray(self._makers[name](self), dtype=np.int64)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


Made = Callable[[Columns], npt.NDArray[np.generic]]
"""How a column is computed, given the others."""


@dataclass(frozen=True)
class Rows:
    """What the kernel folds: rows of one kind, grouped by customer, sorted by time, with integer columns."""

    offsets: Integers
    event_at: Integers
    columns: Mapping[str, Integers]
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What the codes of text columns mean."""

    def where(self, wanted: Sequence[tuple[str, tuple[str, ...]]]) -> Rows:
        """Return the rows whose text columns hold one of the wanted words each."""
        kept = np.ones(len(self.event_at), dtype=np.bool_)
        for name, words in wanted:
            among = np.array([*(word in words for word in self.words[name]), False])  # an empty text has code -1
            kept &= among[self.columns[name]]
        offsets = np.concatenate(([0], np.cumsum(kept)))[self.offsets]

        def of_kept(name: str) -> Made:
            return lambda _: self.columns[name][kept]

        columns = Columns({name: of_kept(name) for name in self.columns})
        return Rows(offsets, self.event_at[kept], columns, self.words)


def fold(
    row_sets: Mapping[str, Rows], wanted: Sequence[Aggregate], cutoffs: Sequence[int], time_zone: str
) -> dict[Aggregate, Integers]:
    """Return every wanted aggregate, of shape (n_cutoffs, n_customers).

    Parameters
    ----------
    row_sets : mapping of str to Rows
        On-time rows only, see `late_pairs`.
    wanted : sequence of Aggregate
        Whose `rows` are among `row_sets`.
    cutoffs : sequence of int
        Microseconds UTC.
    time_zone : str
        In which windows count their days.
    """
    result: dict[Aggregate, Integers] = {}
    for (name, where), mine in _by_rows(wanted).items():
        rows = row_sets[name].where(where) if where else row_sets[name]
        bounds = {(a.days, a.lag): _edges_of(a.days, a.lag, tuple(cutoffs), time_zone) for a in mine}
        edges = np.unique(np.concatenate([edge for pair in bounds.values() for edge in pair]))
        windows = {window: _index(edges, *pair) for window, pair in bounds.items()}
        place = positions(rows.offsets, rows.event_at, edges)
        by_fold: dict[tuple[str, str], list[Aggregate]] = {}
        for one in mine:
            by_fold.setdefault((one.how, one.column), []).append(one)
        for (how, column), same in by_fold.items():
            low, high = (np.concatenate(ends) for ends in zip(*(windows[a.days, a.lag] for a in same), strict=True))
            values = rows.event_at if how == "count" else rows.columns[column]
            folded = FOLDS[how](values, rows.offsets, place, low, high)
            result |= zip(same, folded.reshape(len(same), len(cutoffs), -1), strict=True)
    return result


def _by_rows(wanted: Sequence[Aggregate]) -> dict[tuple[str, Words], list[Aggregate]]:
    groups: dict[tuple[str, Words], list[Aggregate]] = {}
    for one in wanted:
        groups.setdefault((one.rows, one.filters), []).append(one)
    return groups


@lru_cache(maxsize=256)  # every block asks for the same, and local time is slow to count
def _edges_of(days: int | None, lag: int, cutoffs: tuple[int, ...], time_zone: str) -> tuple[Integers, Integers]:
    """Return the start and the end of a window at each cutoff."""
    ends = [days_later(cutoff, -lag, time_zone) for cutoff in cutoffs]
    starts = [] if days is None else [days_later(cutoff, -lag - days, time_zone) for cutoff in cutoffs]
    return np.array(starts, dtype=np.int64), np.array(ends, dtype=np.int64)


def _index(edges: Integers, starts: Integers, ends: Integers) -> tuple[Integers, Integers]:
    """Return where a window starts and ends among the edges; one without starts begins with the customer's rows."""
    low = np.searchsorted(edges, starts) if len(starts) else np.full(len(ends), _START, dtype=np.int64)
    return low, np.searchsorted(edges, ends)


def late_pairs(facts: Facts, cutoffs: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Return which (cutoff, customer) pairs had an event that was not known; shape (n_cutoffs, n_customers)."""
    late = np.zeros((len(cutoffs), len(facts.offsets) - 1), dtype=np.bool_)
    if facts.known_at is None and facts.known_until is None:
        return late
    for place, cutoff in enumerate(cutoffs):
        hidden = (facts.event_at < cutoff) & ~facts.seen(cutoff)
        late[place, facts.customer[hidden]] = True
    return late


@numba.njit(cache=True, nogil=True)
def positions(offsets: Integers, event_at: Integers, edges: Integers) -> npt.NDArray[np.int64]:
    """Return for each edge and customer the first row at or after it; shape (n_edges, n_customers)."""
    place = np.empty((len(edges), len(offsets) - 1), dtype=np.int64)
    for customer in range(len(offsets) - 1):
        row, end = offsets[customer], offsets[customer + 1]
        for edge in range(len(edges)):
            while row < end and event_at[row] < edges[edge]:
                row += 1
            place[edge, customer] = row
    return place


@numba.njit(cache=True, nogil=True)
def first_seen(codes: Integers, offsets: Integers) -> Integers:
    """Return 1 where a customer's code appears for the first time; empty codes, -1, never do."""
    flags = np.zeros(len(codes), dtype=np.int64)
    seen_by = np.full(codes.max() + 1 if len(codes) else 0, -1, dtype=np.int64)
    for customer in range(len(offsets) - 1):
        for row in range(offsets[customer], offsets[customer + 1]):
            if codes[row] >= 0 and seen_by[codes[row]] != customer:
                seen_by[codes[row]] = customer
                flags[row] = 1
    return flags


@numba.njit(cache=True, nogil=True)
def since_same(codes: Integers, times: Integers, offsets: Integers) -> Integers:
    """Return the time since the customer's row before with the same code; 0 at its first row, and for empty codes."""
    since = np.zeros(len(codes), dtype=np.int64)
    seen_by = np.full(codes.max() + 1 if len(codes) else 0, -1, dtype=np.int64)
    seen_at = np.zeros(len(seen_by), dtype=np.int64)
    for customer in range(len(offsets) - 1):
        for row in range(offsets[customer], offsets[customer + 1]):
            code = codes[row]
            if code >= 0:
                if seen_by[code] == customer:
                    since[row] = times[row] - seen_at[code]
                seen_by[code], seen_at[code] = customer, times[row]
    return since


@numba.njit(cache=True, nogil=True)
def scatter(
    grid: npt.NDArray[np.generic], known: npt.NDArray[np.bool_], out: npt.NDArray[np.generic], firsts: Integers
) -> None:
    """Write the known pairs of a grid (n_cutoffs, n_customers) to `out`, those of cutoff *c* from ``firsts[c]`` on."""
    for cutoff in range(grid.shape[0]):
        row = firsts[cutoff]
        for customer in range(grid.shape[1]):
            if known[cutoff, customer]:
                out[row] = grid[cutoff, customer]
                row += 1


@numba.njit(cache=True, nogil=True)
def _counts(_: Integers, offsets: Integers, place: Integers, low: Integers, high: Integers) -> Integers:
    """Count the rows of the window: where it ends less where it begins."""
    out = np.empty((len(low), place.shape[1]), dtype=np.int64)
    for window in range(len(low)):
        for customer in range(place.shape[1]):
            first = place[low[window], customer] if low[window] >= 0 else offsets[customer]
            out[window, customer] = place[high[window], customer] - first
    return out


@numba.njit(cache=True, nogil=True)
def _sums(values: Integers, offsets: Integers, place: Integers, low: Integers, high: Integers) -> Integers:
    """Fold by addition: one running sum down all rows, read off where the window begins and ends."""
    out = np.empty((len(low), place.shape[1]), dtype=np.int64)
    before = np.empty(len(values) + 1, dtype=np.int64)
    running = 0
    for row in range(len(values)):
        before[row] = running
        running += values[row]
    before[len(values)] = running
    for window in range(len(low)):
        for customer in range(place.shape[1]):
            first = place[low[window], customer] if low[window] >= 0 else offsets[customer]
            out[window, customer] = before[place[high[window], customer]] - before[first]
    return out


@numba.njit(cache=True, nogil=True)
def _maxima(values: Integers, offsets: Integers, place: Integers, low: Integers, high: Integers) -> Integers:
    """Fold by the greatest value; MISSING where the window holds no row."""
    out = np.empty((len(low), place.shape[1]), dtype=np.int64)
    for window in range(len(low)):
        for customer in range(place.shape[1]):
            first = place[low[window], customer] if low[window] >= 0 else offsets[customer]
            greatest = MISSING
            for row in range(first, place[high[window], customer]):
                greatest = max(greatest, values[row])
            out[window, customer] = greatest
    return out


@numba.njit(cache=True, nogil=True)
def _minima(values: Integers, offsets: Integers, place: Integers, low: Integers, high: Integers) -> Integers:
    """Fold by the least value; MISSING where the window holds no row."""
    out = np.empty((len(low), place.shape[1]), dtype=np.int64)
    for window in range(len(low)):
        for customer in range(place.shape[1]):
            first = place[low[window], customer] if low[window] >= 0 else offsets[customer]
            end = place[high[window], customer]
            least = values[first] if end > first else MISSING
            for row in range(first + 1, end):
                least = min(least, values[row])
            out[window, customer] = least
    return out


@numba.njit(cache=True, nogil=True)
def _lasts(values: Integers, offsets: Integers, place: Integers, low: Integers, high: Integers) -> Integers:
    """Take the value of the latest row of the window, MISSING where it holds none."""
    out = np.empty((len(low), place.shape[1]), dtype=np.int64)
    for window in range(len(low)):
        for customer in range(place.shape[1]):
            first = place[low[window], customer] if low[window] >= 0 else offsets[customer]
            end = place[high[window], customer]
            out[window, customer] = values[end - 1] if end > first else MISSING
    return out


@numba.njit(cache=True, nogil=True)
def _firsts(values: Integers, offsets: Integers, place: Integers, low: Integers, high: Integers) -> Integers:
    """Take the value of the earliest row of the window, MISSING where it holds none."""
    out = np.empty((len(low), place.shape[1]), dtype=np.int64)
    for window in range(len(low)):
        for customer in range(place.shape[1]):
            first = place[low[window], customer] if low[window] >= 0 else offsets[customer]
            out[window, customer] = values[first] if place[high[window], customer] > first else MISSING
    return out


@numba.njit(cache=True, nogil=True)
def _distincts(codes: Integers, offsets: Integers, place: Integers, low: Integers, high: Integers) -> Integers:
    """Count the different codes of the window, -1 left out.

    A code counts at the row of the window that has no earlier row of the same code in it, which the row of its
    previous appearance tells without a set.
    """
    out = np.empty((len(low), place.shape[1]), dtype=np.int64)
    seen = np.full(codes.max() + 1 if len(codes) else 0, -1, dtype=np.int64)
    previous = np.full(len(codes), -1, dtype=np.int64)
    for customer in range(place.shape[1]):
        for row in range(offsets[customer], offsets[customer + 1]):
            if codes[row] >= 0:
                previous[row] = seen[codes[row]] if seen[codes[row]] >= offsets[customer] else -1
                seen[codes[row]] = row
        for window in range(len(low)):
            first = place[low[window], customer] if low[window] >= 0 else offsets[customer]
            count = 0
            for row in range(first, place[high[window], customer]):
                if codes[row] >= 0 and previous[row] < first:
                    count += 1
            out[window, customer] = count
    return out


FOLDS = {
    "count": _counts, "sum": _sums, "min": _minima, "max": _maxima, "last": _lasts, "first": _firsts,
    "distinct": _distincts,
}  # fmt: skip
