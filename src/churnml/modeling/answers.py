"""Answers to surveys beside what was known of the customer before each: what an estimate of satisfaction learns from.

An answer is paired with the last snapshot of its customer that was taken before the survey was sent. So what behaviour
shows of it is never a consequence of the answer, such as a call made because it was bad.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from churnml.events import Store, history
from churnml.events.clock import days_later
from churnml.features import FeatureTable
from churnml.features.rows import OF_ANSWERS, answer_points

Matrix = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]

FACTS = "surveys.score"
_PER_POINT = 10.0


@dataclass(frozen=True)
class Answers:
    """Answers to surveys; arrays of shape (n_answers,), ordered by customer, then by when they were asked.

    Parameters
    ----------
    customer_ids : ndarray
        Texts.
    sent_at, known_at : ndarray
        When the survey was sent and when we learned of the answer, microseconds UTC.
    points : ndarray
        From 0 for the worst answer of its scale to 100 for the best.
    """

    customer_ids: Texts
    sent_at: Integers
    known_at: Integers
    points: Matrix

    def __len__(self) -> int:
        return len(self.points)

    def keep(self, rows: Flags | npt.NDArray[np.intp]) -> Answers:
        """Return some of the answers."""
        return Answers(*(getattr(self, one.name)[rows] for one in fields(self)))


def read_answers(store: Store, known_by: int) -> Answers:
    """Return every answer that was known by an instant; none where no surveys have landed."""
    blocks = [
        _of_block(store, number, known_by) for number in range(store.n_blocks if "surveys" in store.tables else 0)
    ]
    if not blocks:
        nothing = np.zeros(0, dtype=np.int64)
        return Answers(np.zeros(0, dtype=np.object_), nothing, nothing, np.zeros(0))
    whole = Answers(*(np.concatenate([getattr(block, one.name) for block in blocks]) for one in fields(Answers)))
    return whole.keep(np.lexsort((whole.points, whole.sent_at, whole.customer_ids.astype(str))))


def _of_block(store: Store, number: int, known_by: int) -> Answers:
    block = history(store, number, [known_by], {FACTS: OF_ANSWERS})
    facts = block.facts[FACTS]
    points = answer_points(facts)
    known = facts.event_at if facts.known_at is None else facts.known_at
    found = Answers(block.customer_ids[facts.customer], facts.event_at, known, points / _PER_POINT)
    return found.keep(~np.isnan(points))


@dataclass(frozen=True)
class Lesson:
    """Answers, each with the row of features from before it; arrays of shape (n_answers,).

    Parameters
    ----------
    answers : Answers
        Those that could be paired.
    rows : ndarray
        Where in the table of snapshots the row of each stands.
    cutoffs : ndarray
        Of these rows, microseconds UTC.
    """

    answers: Answers
    rows: npt.NDArray[np.intp]
    cutoffs: Integers

    def __len__(self) -> int:
        return len(self.rows)

    def keep(self, rows: Flags | npt.NDArray[np.intp]) -> Lesson:
        """Return some of the pairs."""
        return Lesson(self.answers.keep(rows), self.rows[rows], self.cutoffs[rows])

    @property
    def customers(self) -> int:
        """How many different ones answered."""
        return len(np.unique(self.answers.customer_ids.astype(str)))


def paired(answers: Answers, table: FeatureTable, horizon_days: int, time_zone: str) -> Lesson:
    """Pair each answer with the last row of its customer before it was asked for, no more than a horizon before.

    Parameters
    ----------
    table : FeatureTable
        Snapshots of the population, at one cutoff or more.
    """
    cutoffs = np.unique(table.cutoffs)
    if not len(cutoffs) or not len(answers):
        return Lesson(answers.keep(np.zeros(len(answers), dtype=np.bool_)), np.zeros(0, dtype=np.intp), cutoffs[:0])
    ends = np.array([days_later(int(one), horizon_days, time_zone) for one in cutoffs])
    last = np.searchsorted(cutoffs, answers.sent_at, side="right") - 1
    near = (last >= 0) & (answers.sent_at < ends[np.maximum(last, 0)])
    row = np.where(near, _rows(table, answers.customer_ids, cutoffs[np.maximum(last, 0)]), -1)
    found = row >= 0
    return Lesson(answers.keep(found), row[found], cutoffs[last[found]])


def _rows(table: FeatureTable, customers: Texts, cutoffs: Integers) -> npt.NDArray[np.intp]:
    """Return the row of each customer at a cutoff, -1 where there is none."""
    asked, pairs = set(customers.tolist()), zip(table.customer_ids.tolist(), table.cutoffs.tolist(), strict=True)
    place = {pair: row for row, pair in enumerate(pairs) if pair[0] in asked}
    wanted = zip(customers.tolist(), cutoffs.tolist(), strict=True)
    return np.fromiter((place.get(pair, -1) for pair in wanted), dtype=np.intp, count=len(customers))
