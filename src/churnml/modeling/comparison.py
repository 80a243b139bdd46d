"""Two feature tables that should be the same, held against each other bit by bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.features import FeatureTable

CUSTOMERS = "customers in the base"


@dataclass(frozen=True)
class Difference:
    """A feature that is another in two tables that should be the same: in how many rows, and one of them.

    Parameters
    ----------
    name : str
        Of the feature, or `standing`; `CUSTOMERS` where the rows are not those of the same customers.
    rows : int
        In how many rows it differs.
    customer_id : str
        The first of these customers.
    one, other : float, str or None
        What each table says of them.
    """

    name: str
    rows: int
    customer_id: str
    one: float | str | None
    other: float | str | None

    @property
    def of_customers(self) -> bool:
        """Whether the customers themselves differ; then `one` and `other` say how many there are."""
        return self.name == CUSTOMERS


def differences(one: FeatureTable, other: FeatureTable) -> list[Difference]:
    """Return what differs between two tables, bit for bit; what is missing in both is the same.

    Where the rows are not those of the same customers, that is the one difference.
    """
    if one.customer_ids.tolist() != other.customer_ids.tolist() or (one.cutoffs != other.cutoffs).any():
        either = sorted({*one.customer_ids} ^ {*other.customer_ids}) or ["nobody, the order is another"]
        return [Difference(CUSTOMERS, len(either), str(either[0]), float(len(one)), float(len(other)))]
    pairs: list[tuple[str, npt.NDArray[Any], npt.NDArray[Any]]] = [  # Any: numbers or texts
        ("standing", one.standing.astype(np.float64), other.standing.astype(np.float64)),
        *((name, one.column(name), other.column(name)) for name in one.names),
        *((name, column, other.categories[name]) for name, column in one.categories.items()),
    ]
    return [found for name, a, b in pairs if (found := _difference(name, a, b, one.customer_ids)) is not None]


def _difference(
    name: str, one: npt.NDArray[Any], other: npt.NDArray[Any], customer_ids: npt.NDArray[np.object_]
) -> Difference | None:
    if one.dtype == np.float64:
        differs = one.view(np.uint64) != np.ascontiguousarray(other).view(np.uint64)
        differs &= ~(np.isnan(one) & np.isnan(other))
    else:
        differs = one != other
    if not differs.any():
        return None
    row = int(np.argmax(differs))
    return Difference(name, int(differs.sum()), str(customer_ids[row]), _plain(one[row]), _plain(other[row]))


def _plain(value: Any) -> float | str | None:  # Any: a cell of either kind
    if value is None or value != value:  # noqa: PLR0124 NaN
        return None
    return str(value) if isinstance(value, str) else float(value)
