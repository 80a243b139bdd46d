"""What is asked of a customer and a category: the columns for one not bought lately, and for one bought before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.modeling.next_category.holdings import Holdings
from churnml.modeling.next_category.teaching import Seen

Matrix = npt.NDArray[np.float64]

FEWEST_DAYS = 2
"""Days on which a category was bought, for a customer to have an interval of their own."""

_HALF, _NOBODY = 0.5, 5.0
_GAPS_OF_ALL = 5.0
"""Gaps of the mean of all categories that each category is given, so that a rare one leans on them."""
_GAPS_OF_CATEGORY = 1.0
"""Gaps of the category that each customer is given: who bought twice has one gap of their own."""
_LEAST_SCORE = 1e-3


@dataclass(frozen=True)
class Rates:
    """How each category is bought by all; arrays of shape (n_categories,).

    Parameters
    ----------
    adopted : ndarray
        Of those who had not bought it, the share that did in the horizon before the cutoff.
    holding : ndarray
        The share of customers who bought it within the lookback.
    again : ndarray
        Of its buyers, the share that bought it in the horizon before the cutoff.
    lately : ndarray
        The share of customers who did.
    gap : ndarray
        Mean days between two purchases of one customer.
    """

    adopted: Matrix
    holding: Matrix
    again: Matrix
    lately: Matrix
    gap: Matrix

    @classmethod
    def of(cls, seen: Seen) -> Rates:
        """Return the rates as of a cutoff; each is drawn a little towards a half of a customer."""
        customers, holders = sum(seen.customers), seen.holders
        open_to_it = customers - holders + seen.adopted
        usual = (seen.gap_days.sum() + 1.0) / (seen.gaps.sum() + 1.0)
        return cls(
            (seen.adopted + _HALF) / (open_to_it + _NOBODY),
            (holders + _HALF) / (customers + 1.0),
            (seen.lately + _HALF) / (holders + 1.0),
            (seen.lately + _HALF) / (customers + 1.0),
            (seen.gap_days + _GAPS_OF_ALL * usual) / (seen.gaps + _GAPS_OF_ALL),
        )

    def to_dict(self) -> dict[str, list[float]]:
        """Return plain data for the bundle."""
        return {one.name: getattr(self, one.name).tolist() for one in fields(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Rates:  # Any: JSON
        """Return the rates that `to_dict` wrote."""
        return cls(*(np.array(data[one.name], dtype=np.float64) for one in fields(cls)))


def new_columns(rates: Rates, held: Holdings, score: Matrix) -> tuple[Matrix, ...]:
    """Return the columns of each customer and category, each to be broadcast to (n_customers, n_categories).

    Parameters
    ----------
    score : ndarray of shape (n_customers, n_categories)
        What is held times the links.
    """
    return (
        np.log(rates.adopted)[None, :],
        np.log(rates.holding)[None, :],
        score,
        np.log(np.maximum(score, _LEAST_SCORE)),
        np.log1p(held.activity)[:, None],
        np.log1p(held.breadth)[:, None],
    )


def stacked(columns: Sequence[Matrix], shape: tuple[int, int], cells: tuple[Any, Any] | None = None) -> Matrix:
    """Return columns side by side for the given cells, or for all, row by row; shape (n_cells, n_columns)."""
    whole = (np.broadcast_to(column, shape) for column in columns)
    return np.stack([column.ravel() if cells is None else column[cells] for column in whole], axis=1)


def usual_gap(rates: Rates, held: Holdings) -> Matrix:
    """Return the usual days between purchases of each entry: the customer's own mean, drawn to the category's."""
    own = (held.first - held.last).astype(np.float64)
    return (own + _GAPS_OF_CATEGORY * rates.gap[held.category]) / (held.days - 1 + _GAPS_OF_CATEGORY)


def due(rates: Rates, held: Holdings, horizon_days: int) -> npt.NDArray[np.bool_]:
    """Return which entries have an interval of their own that is over by the end of the horizon."""
    return (held.days >= FEWEST_DAYS) & (usual_gap(rates, held) - held.last <= horizon_days)


def again_columns(rates: Rates, held: Holdings, horizon_days: int) -> Matrix:
    """Return the columns of each entry, of shape (n_entries, 8).

    The chance of a purchase may rise until the usual interval is over and fall from there, so the time since the last
    over the usual gap has a slope before it, one after it, and one after twice as long.
    """
    gap = usual_gap(rates, held)
    overdue = np.log(np.maximum(held.last, 1.0) / np.maximum(gap, 1.0))
    silence = held.silence[held.row]
    return np.stack(
        [
            overdue,
            np.maximum(overdue, 0.0),
            np.maximum(overdue - np.log(2.0), 0.0),
            np.log1p(horizon_days / np.maximum(gap, 1.0)),
            np.log(held.days.astype(np.float64)),
            np.log(rates.again[held.category]),
            np.log1p(silence),
            np.log1p(held.activity)[held.row],
        ],
        axis=1,
    )
