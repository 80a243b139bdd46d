"""What teaches the next category: counts over all customers at each cutoff, and some customers in full.

Customers are read a block at a time. What is kept of all of them is counts of categories and of pairs of categories;
what was bought entry by entry is kept of ten thousand drawn by a digest of their id, whoever else there is. So memory
grows with the categories, not with the customers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from churnml.config import CategorySettings
from churnml.events import Store, history, line_categories
from churnml.labels import categories_bought
from churnml.modeling.next_category.holdings import Holdings, holdings, purchases

Matrix = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]

FEWEST_BUYERS = 20
"""Customers who bought a category, for it to be learned."""

WANTED = {"order_lines": ("category", "amount")}
_SAMPLED = 10_000
_BITS = 31


@dataclass(frozen=True)
class Seen:
    """The customers who bought lately, as of one cutoff.

    Parameters
    ----------
    cutoff : int
        Microseconds UTC.
    customers : tuple of int
        How many, in each of two halves drawn by a digest of the id.
    together : ndarray of shape (2, n_categories, n_categories)
        Customers of each half who bought both categories; on the diagonal those who bought the one.
    adopted, lately : ndarray of shape (n_categories,)
        Customers who bought it first, and at all, in the horizon before the cutoff.
    gap_days, gaps : ndarray of shape (n_categories,)
        Days between purchases of one customer, added up, and how many such gaps.
    ids, half : ndarray of shape (n_sampled,)
        Of the customers drawn.
    sample : Holdings
        What they bought before the cutoff.
    bought : sparse bool matrix of shape (n_sampled, n_categories), or None
        What they bought in the horizon after it; None where it is not over.
    """

    cutoff: int
    customers: tuple[int, int]
    together: Matrix
    adopted: Matrix
    lately: Matrix
    gap_days: Matrix
    gaps: Matrix
    ids: Texts
    half: npt.NDArray[np.intp]
    sample: Holdings
    bought: sp.csr_matrix | None

    @property
    def holders(self) -> Matrix:
        """Customers who bought each category; shape (n_categories,)."""
        return np.asarray(np.diagonal(self.together, axis1=1, axis2=2).sum(axis=0))


def vocabulary(store: Store, now: int, settings: CategorySettings) -> tuple[str, ...]:
    """Return the categories that most customers had bought by a cutoff, the most bought first.

    Those that fewer than `FEWEST_BUYERS` bought, and those never to be offered, are left out.
    """
    buyers: Counter[str] = Counter()
    for number in range(store.n_blocks):
        lines = history(store, number, [now], WANTED).facts["order_lines"]
        words = lines.words["category"]
        code = line_categories(lines, {word: place for place, word in enumerate(words)})
        paid = code >= 0
        pairs = np.unique(lines.customer[paid] * max(len(words), 1) + code[paid])
        found = np.bincount(pairs % max(len(words), 1), minlength=len(words))
        buyers.update({word: int(count) for word, count in zip(words, found, strict=True) if count})
    never = set(settings.never)
    kept = [word for word, count in buyers.items() if count >= FEWEST_BUYERS and word.strip() and word not in never]
    return tuple(sorted(kept, key=lambda word: (-buyers[word], word))[: settings.most])


@dataclass
class _Sums:
    """What is added up of one cutoff, a block at a time."""

    categories: int
    customers: list[int] = field(default_factory=lambda: [0, 0])
    parts: list[tuple[Texts, npt.NDArray[np.intp], Holdings, sp.csr_matrix | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        n = self.categories
        self.together = np.zeros((2, n, n))
        self.adopted, self.lately, self.gap_days, self.gaps = (np.zeros(n) for _ in range(4))

    def add(self, held: Holdings, half: npt.NDArray[np.intp], horizon_days: int) -> None:
        for which in (0, 1):
            mine = held.held[half == which]
            self.customers[which] += mine.shape[0]
            self.together[which] += (mine.T @ mine).toarray()
        n = self.categories
        self.adopted += np.bincount(held.category[held.first <= horizon_days], minlength=n)
        self.lately += np.bincount(held.category[held.last <= horizon_days], minlength=n)
        self.gap_days += np.bincount(held.category, weights=held.first - held.last, minlength=n)
        self.gaps += np.bincount(held.category, weights=held.days - 1, minlength=n)

    def seen(self, cutoff: int) -> Seen:
        ids, halves, held, bought = zip(*self.parts, strict=True)
        return Seen(
            cutoff,
            (self.customers[0], self.customers[1]),
            self.together,
            self.adopted,
            self.lately,
            self.gap_days,
            self.gaps,
            np.concatenate(ids),
            np.concatenate(halves),
            Holdings.joined(list(held)),
            None if bought[0] is None else sp.csr_matrix(sp.vstack(bought)),
        )


def gather(
    store: Store,
    words: Sequence[str],
    cutoffs: Sequence[int],
    now: int | None,
    settings: CategorySettings,
    population_days: int,
    label_lag_days: int = 0,
) -> list[Seen]:
    """Return what customers had bought at each cutoff, and what they bought after it.

    Parameters
    ----------
    words : sequence of str
        From `vocabulary`.
    cutoffs : sequence of int
        Ascending, each with a label that is final.
    now : int or None
        A last cutoff without a label.
    population_days : int
        Who bought within so many days before a cutoff is counted at it.

    Returns
    -------
    list of Seen
        One for each cutoff, that of `now` last.
    """
    codes = {word: place for place, word in enumerate(words)}
    every = [*cutoffs, *([] if now is None else [now])]
    sums = {cutoff: _Sums(len(words)) for cutoff in every}
    share = min(1.0, _SAMPLED / max(store.rows("customers"), 1))
    for number in range(store.n_blocks):
        block = history(store, number, every, WANTED)
        digest = np.array([crc32(str(one).encode()) for one in block.customer_ids], dtype=np.int64)
        half, drawn = (digest & 1).astype(np.intp), (digest >> 1) < share * (1 << _BITS)
        labels = _labels(store, number, cutoffs, settings.horizon_days, codes, label_lag_days)
        bought = purchases(block.facts["order_lines"], codes, store.time_zone)
        for cutoff in every:
            held = holdings(bought, cutoff, store.time_zone, settings.lookback_days)
            active = held.silence <= population_days
            sums[cutoff].add(held.of(active), half[active], settings.horizon_days)
            mine, label = active & drawn, labels.get(cutoff)
            part = (block.customer_ids[mine], half[mine], held.of(mine), None if label is None else label[mine])
            sums[cutoff].parts.append(part)
    return [sums[cutoff].seen(cutoff) for cutoff in every]


def _labels(
    store: Store, number: int, cutoffs: Sequence[int], horizon_days: int, codes: Mapping[str, int], lag: int
) -> dict[int, sp.csr_matrix]:
    found = categories_bought(store, number, cutoffs, horizon_days, codes, lag) if cutoffs else []
    return dict(zip(cutoffs, found, strict=True))
