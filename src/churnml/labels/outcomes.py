"""The outcomes of every customer after each cutoff, looked up by customer and cutoff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from churnml.errors import InvalidTableError, NotEnoughDataError
from churnml.events import By, Outcome, Store, outcome
from churnml.wording import Text

Integers = npt.NDArray[np.int64]
Texts = npt.NDArray[np.object_]

_MEASURED = tuple(field.name for field in fields(Outcome) if field.name != "customer_ids")


GRACE_DAYS = 30
"""How long after the end of a contract a new one still continues it, where nobody says."""


def check_taught_by(store: Store, by: By) -> None:
    """Check that there are rows that labels can be read from.

    Raises
    ------
    NotEnoughDataError
        If the table has not landed that says who stays.
    """
    table = "orders" if by == "orders" else "subscriptions"
    if table not in store.tables:
        other = "contracts" if by == "orders" else "orders"
        raise NotEnoughDataError(
            Text(
                f"churn by {by} is learned from the table `{table}`, found none landed; `churnml ingest` it, or set "
                f"`churn: {other}` in train.yaml",
                f"流失（`churn: {by}`）由 `{table}` 表得出，目前尚未导入；请运行 `churnml ingest`，"
                f"或在 train.yaml 中设定 `churn: {other}`",
            )
        )


@dataclass(frozen=True)
class Outcomes:
    """What customers did in the horizon after each cutoff.

    Parameters
    ----------
    customer_ids : ndarray of shape (n_customers,)
        Sorted.
    cutoffs : ndarray of shape (n_cutoffs,)
        Sorted, microseconds UTC.
    orders, first_order_day, revenue, cost, costed_revenue, returned : ndarray of shape (n_cutoffs, n_customers)
        As in `events.Outcome`.
    contracts_ended, contracts_continued, contracts_begun, left_day : ndarray of shape (n_cutoffs, n_customers)
        Likewise.
    """

    customer_ids: Texts
    cutoffs: Integers
    orders: Integers
    first_order_day: Integers
    revenue: Integers
    cost: Integers
    costed_revenue: Integers
    returned: Integers
    contracts_ended: Integers
    contracts_continued: Integers
    contracts_begun: Integers
    left_day: Integers

    @classmethod
    def read(
        cls,
        store: Store,
        cutoffs: Sequence[int],
        horizon_days: int,
        known_by: int | None = None,
        label_lag_days: int = 0,
        grace_days: int = GRACE_DAYS,
        blocks: Sequence[int] | None = None,
    ) -> Outcomes:
        """Read the outcomes of all customers after these cutoffs.

        Parameters
        ----------
        known_by : int, optional
            Leave out what was learned after this instant; labels that teach must, those that judge need not.
        label_lag_days : int
            How long after the horizon goods may still come back, see `splits.label_lag`.
        grace_days : int
            How long after the end of a contract a new one still continues it.
        blocks : sequence of int, optional
            Of the customers of these blocks alone.
        """
        ordered = sorted(cutoffs)
        read = [
            outcome(store, number, ordered, horizon_days, known_by, label_lag_days, grace_days)
            for number in (range(store.n_blocks) if blocks is None else blocks)
        ]
        ids = np.concatenate([block.customer_ids for block in read])
        order = np.argsort(ids.astype(str), kind="stable")

        def whole(name: str) -> Integers:
            return np.concatenate([getattr(block, name) for block in read], axis=1)[:, order]

        return cls(ids[order], np.array(ordered, dtype=np.int64), *(whole(name) for name in _MEASURED))

    def at(self, customer_ids: Texts, cutoffs: Integers) -> Outcome:
        """Return the outcomes of some rows, each array of shape (n_rows,).

        Parameters
        ----------
        customer_ids, cutoffs : ndarray of shape (n_rows,)
            Which rows.

        Raises
        ------
        InvalidTableError
            If a customer or a cutoff is not among those read.
        """
        who = np.searchsorted(self.customer_ids.astype(str), customer_ids.astype(str))
        when = np.searchsorted(self.cutoffs, cutoffs)
        known = np.isin(customer_ids.astype(str), self.customer_ids.astype(str)) & np.isin(cutoffs, self.cutoffs)
        if not known.all():
            row = int(np.flatnonzero(~known)[0])
            raise InvalidTableError(
                f"an outcome was read for other customers and cutoffs than row {row} asks for: customer "
                f"{customer_ids[row]!r} at {int(cutoffs[row])}; read the outcomes of every cutoff first"
            )
        return Outcome(customer_ids, *(getattr(self, name)[when, who] for name in _MEASURED))
