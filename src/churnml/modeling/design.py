"""The columns that learners see: features, the buying rhythm, and frozen one-hot columns for the categories.

What is fitted here (which categories there are) and in `scaling` is fitted on training rows and travels in the
bundle; scoring only applies it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.errors import ModelRefusedError
from churnml.features import FeatureTable

Matrix = npt.NDArray[np.float64]
RHYTHM_COLUMNS = ("rhythm_logit", "rhythm_p_alive", "rhythm_orders")
_MIN_SHARE = 0.005


@dataclass(frozen=True)
class Design:
    """Which columns there are, in order.

    Parameters
    ----------
    numeric : tuple of str
        Features of the table.
    categories : mapping of str to tuple of str
        The values of each categorical feature that get a column of their own.
    rhythm : tuple of str
        What the columns are called that a model of its own tells: the rhythm of buying, the first of them its logit.
    """

    numeric: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]
    rhythm: tuple[str, ...] = RHYTHM_COLUMNS

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of `matrix`."""
        one_hot = (f"{name}={value}" for name, values in self.categories.items() for value in values)
        return (*self.numeric, *self.rhythm, *one_hot)

    def matrix(self, table: FeatureTable, rhythm: Matrix) -> Matrix:
        """Return the columns of some rows, of shape (n_rows, n_columns), NaN where a feature is missing.

        Raises
        ------
        ModelRefusedError
            If the table lacks a feature that the model was taught with.
        """
        lost = [name for name in (*self.numeric, *self.categories) if name not in (*table.names, *table.categories)]
        if lost:
            raise ModelRefusedError(
                f"the model needs {len(lost)} features that are off or gone, first `{lost[0]}`; land the table that "
                "switches it on (`churnml features list` names it), or train again"
            )
        places = [table.names.index(name) for name in self.numeric]
        one_hot = [
            (table.categories[name] == value).astype(np.float64)
            for name, values in self.categories.items()
            for value in values
        ]
        return np.column_stack([table.values[:, places], rhythm, *one_hot])

    def to_dict(self) -> dict[str, Any]:  # Any: JSON
        """Return plain data for the bundle."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Design:  # Any: JSON
        """Return the design that `to_dict` wrote."""
        categories = {name: tuple(values) for name, values in data["categories"].items()}
        return cls(tuple(data["numeric"]), categories, tuple(data["rhythm"]))


def fit_design(table: FeatureTable, rhythm: tuple[str, ...] = RHYTHM_COLUMNS) -> Design:
    """Return the columns for training rows: each feature that varies, and each category that 0.5 % of the rows bear.

    One that is the same in every row tells nothing now, and whatever it says one day was never learned from.
    """
    varying = tuple(name for name in table.names if _varies(table.column(name)))
    frequent = {name: _frequent(values) for name, values in table.categories.items()}
    return Design(varying, {name: values for name, values in frequent.items() if values}, rhythm)


def _varies(column: Matrix) -> bool:
    missing = np.isnan(column)
    told = column[~missing]
    return bool(len(told) and (missing.any() or (told != told[0]).any()))


def _frequent(values: npt.NDArray[np.object_]) -> tuple[str, ...]:
    known = [value for value in values if value is not None]
    found, counts = np.unique(np.array(known, dtype=str), return_counts=True)
    return tuple(str(value) for value in found[counts >= _MIN_SHARE * len(values)])
