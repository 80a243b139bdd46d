"""Ways to cut customers up that every workspace has: by tenure, by predicted value, by profile."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from churnml.features import FeatureTable

Texts = npt.NDArray[np.object_]
_ENDS = np.array([90, 180, 365, 730])
_BANDS = np.array(["under 90 days", "90 to 179 days", "180 to 364 days", "1 to 2 years", "2 years and more"], object)
_FIFTHS = 5


def segments_of(table: FeatureTable, values: npt.NDArray[np.float64]) -> dict[str, Texts]:
    """Return the segment of each row, by each way of cutting.

    Parameters
    ----------
    table : FeatureTable
        Rows of one cutoff.
    values : ndarray of shape (n_rows,)
        The value predicted for each.
    """
    found = {"predicted_value_fifth": fifths(values)}
    if "tenure_days" in table.names:
        found = {"tenure": tenure_bands(table.column("tenure_days"))} | found
    return found | {name: _known(column) for name, column in table.categories.items()}


def tenure_bands(days: npt.NDArray[np.float64]) -> Texts:
    """Return how long each had been a customer, in five bands; empty where it is not known."""
    return np.where(np.isnan(days), "", _BANDS[np.digitize(days, _ENDS)]).astype(object)


def fifths(values: npt.NDArray[np.float64]) -> Texts:
    """Return the fifth of each row, "1" for the least; equal values share a fifth."""
    ends = np.quantile(values, np.arange(1, _FIFTHS) / _FIFTHS)
    return np.array([str(1 + place) for place in np.searchsorted(ends, values, side="left")], dtype=object)


def _known(column: Texts) -> Texts:
    return np.array(["" if value is None else str(value) for value in column], dtype=object)
