"""Facts as they are handed out: rows with two times, grouped by customer and sorted by time within each."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Column = npt.NDArray[np.int64] | npt.NDArray[np.int32] | npt.NDArray[np.float64]

NEVER = int(np.iinfo(np.int64).max)


@dataclass(frozen=True)
class Facts:
    """The rows of one table for one block, grouped by customer and sorted by time within each.

    Parameters
    ----------
    offsets : ndarray of shape (n_customers + 1,)
        Customer *i* owns the rows ``offsets[i]:offsets[i + 1]``.
    event_at : ndarray of shape (n_rows,)
        Microseconds UTC, not decreasing within a customer.
    known_at : ndarray of shape (n_rows,) or None
        When we learned of it; None where that was never later than the event.
    columns : dict of str to ndarray of shape (n_rows,)
        Integers and money as they are; texts as codes into `words`, -1 where empty.
    words : dict of str to tuple of str
        What the codes of a text column mean; the order carries no meaning and may differ between blocks.
    known_until : ndarray of shape (n_rows,) or None
        From when on we knew better, because a newer version had come; `NEVER` where none has. None in tables without
        versions.
    """

    offsets: Integers
    event_at: Integers
    known_at: Integers | None
    columns: dict[str, Column] = field(default_factory=dict)
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)
    known_until: Integers | None = None

    @cached_property
    def customer(self) -> Integers:
        """The customer each row belongs to, as a position in the block; shape (n_rows,)."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def learned(self, cutoff: int) -> npt.NDArray[np.bool_]:
        """Return which rows lie this side of both clocks at a cutoff, those included that we know better by then."""
        rows = self.event_at < cutoff
        return rows if self.known_at is None else rows & (self.known_at <= cutoff)

    def seen(self, cutoff: int) -> npt.NDArray[np.bool_]:
        """Return which rows hold at a cutoff, by what was known then."""
        rows = self.learned(cutoff)
        return rows if self.known_until is None else rows & (self.known_until > cutoff)

    def keep(self, rows: npt.NDArray[np.bool_]) -> Facts:
        """Return only the rows marked true, of the same customers."""
        kept = np.concatenate(([0], np.cumsum(rows)))[self.offsets]
        known = None if self.known_at is None else self.known_at[rows]
        until = None if self.known_until is None else self.known_until[rows]
        columns = {name: column[rows] for name, column in self.columns.items()}
        return replace(
            self, offsets=kept, event_at=self.event_at[rows], known_at=known, columns=columns, known_until=until
        )

    def known_by(self, cutoff: int) -> Facts:
        """Return what was known at one cutoff, as if nothing had ever been late."""
        return replace(self.keep(self.seen(cutoff)), known_at=None, known_until=None)

    def up_to(self, last: int) -> Facts:
        """Hide what happened or was learned after the last cutoff, and that we were to know better one day."""
        rows = self.learned(last)
        facts = self if rows.all() else self.keep(rows)
        if facts.known_until is None:
            return facts
        return replace(facts, known_until=np.where(facts.known_until > last, NEVER, facts.known_until))

    def of(self, customers: npt.NDArray[np.bool_]) -> Facts:
        """Return the facts of the customers marked true, who become all there are."""
        kept = self.keep(customers[self.customer])
        return replace(kept, offsets=np.concatenate(([0], np.cumsum(np.diff(self.offsets)[customers]))))
