"""Who left beside who stayed: rows of the population at several cutoffs, with their features and what came of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from churnml.events import By, Store, history
from churnml.features import Catalogue, FeatureTable, build_block
from churnml.features.table import reads
from churnml.labels import Outcomes, churned
from churnml.measures.matching import Flags, Matched, Places, matched


@dataclass(frozen=True)
class Leaving:
    """What leaving is, and when it is known.

    Parameters
    ----------
    by : {'orders', 'contracts'}
    horizon_days, population_days : int
        As for training.
    label_lag_days, grace_days : int
        How long after its horizon a label is final, and how long a contract may be continued after its end.
    known_by : int
        Nothing later is known, microseconds UTC.
    """

    by: By
    horizon_days: int
    population_days: int
    label_lag_days: int
    grace_days: int
    known_by: int


@dataclass(frozen=True)
class Compared:
    """Rows of the population with what came of them.

    Parameters
    ----------
    table : FeatureTable
        One row per customer and cutoff.
    left : ndarray of bool, shape (n_rows,)
        Who left in the horizon.
    alike : Matched
        In strata of cutoff and tenure.
    as_active : Matched
        In strata of cutoff, tenure, orders in 90 days and days since the last; by contracts, of days to the renewal.
    share : float
        Of the customers that were looked at, drawn at random; 1 for all.
    """

    table: FeatureTable
    left: Flags
    alike: Matched
    as_active: Matched
    share: float

    def rows(self, among: Matched) -> pd.DataFrame:
        """Return the rows that one of both compares, for SQL.

        They have `customer_id`, `cutoff`, `gone`, and `weight`, see `Matched.weights`.
        """
        inside = among.inside
        return pd.DataFrame(
            {
                "customer_id": self.table.customer_ids[inside].astype(str),
                "cutoff": self.table.cutoffs[inside],
                "gone": self.left[inside],
                "weight": among.weights[inside],
            }
        )


def compared(
    store: Store,
    catalogue: Catalogue,
    cutoffs: Sequence[int],
    leaving: Leaving,
    most_rows: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Compared:
    """Return who left and who stayed, of all customers or of as many drawn at random as give so many rows.

    Blocks of customers, dealt by a hash of their ids, are taken in random order until there are enough: each is read
    once, and none that is not needed.

    Parameters
    ----------
    cutoffs : sequence of int
        Those whose labels are final, microseconds UTC.
    most_rows : int
        Rows at most; customers are kept or left out whole.
    """
    parts, rows = [], 0
    for number in np.random.default_rng(seed).permutation(store.n_blocks).tolist():
        parts.append(_block(store, catalogue, number, cutoffs, leaving))
        rows += len(parts[-1][0])
        progress(min(rows, most_rows), most_rows)
        if rows >= most_rows:
            break
    table, left = _joined([part for part, _ in parts]), np.concatenate([labels for _, labels in parts])
    _, customer = np.unique(table.customer_ids.astype(str), return_inverse=True)
    kept, share = _drawn(customer, most_rows, seed)
    return _matched(table.take(kept), left[kept], customer[kept], share * len(parts) / store.n_blocks)


def _drawn(customer: Places, most_rows: int, seed: int) -> tuple[Flags, float]:
    """Return the rows of as many customers, in random order, as have so many together, and their share of all."""
    sizes = np.bincount(customer)
    order = np.random.default_rng(seed).permutation(len(sizes))
    kept = np.zeros(len(sizes), dtype=np.bool_)
    kept[order[np.cumsum(sizes[order]) <= most_rows]] = True
    return kept[customer], float(kept.mean()) if len(kept) else 1.0


def _matched(table: FeatureTable, left: Flags, customer: Places, share: float) -> Compared:
    tenure, *orders = (table.column(name) for name in matched_on(table.by) if name in table.names)
    chances = [table.column(name) for name in taken_off(table.by) if name in table.names]
    alike = matched(left, customer, table.cutoffs, [tenure])
    as_active = matched(left, customer, table.cutoffs, [tenure, *orders], chances)
    return Compared(table, left, alike, as_active, share)


def matched_on(by: By) -> tuple[str, ...]:
    """Return the features that rows are matched on: tenure first, then what leaving itself shows in."""
    return ("contract_days", "days_to_renewal") if by == "contracts" else ("tenure_days", "orders_90d", "recency_days")


def taken_off(by: By) -> tuple[str, ...]:
    """Return the features whose part is taken off besides: how many chances a year gave to complain and to return."""
    return () if by == "contracts" else ("orders_365d",)


def _block(
    store: Store, catalogue: Catalogue, number: int, cutoffs: Sequence[int], leaving: Leaving
) -> tuple[FeatureTable, Flags]:
    ordered = sorted(cutoffs)
    block = history(store, number, ordered, reads(catalogue))
    whole = build_block(block, catalogue, ordered, leaving.population_days, store.time_zone, leaving.by)
    table = whole.take(whole.modelled)
    outcomes = Outcomes.read(
        store,
        ordered,
        leaving.horizon_days,
        leaving.known_by,
        leaving.label_lag_days,
        leaving.grace_days,
        blocks=[number],
    )
    return table, churned(outcomes.at(table.customer_ids, table.cutoffs), leaving.by)


def _joined(parts: Sequence[FeatureTable]) -> FeatureTable:
    first = parts[0]
    return FeatureTable(
        np.concatenate([part.customer_ids for part in parts]),
        np.concatenate([part.cutoffs for part in parts]),
        np.concatenate([part.standing for part in parts]),
        first.names,
        np.concatenate([part.values for part in parts]),  # noqa: PD011  # an array, no frame
        {name: np.concatenate([part.categories[name] for part in parts]) for name in first.categories},
        first.by,
    )
