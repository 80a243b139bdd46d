"""A probability from a few columns: a logistic regression taught by all that came true and some of what did not.

References
----------
King & Zeng (2001), Logistic regression in rare events data, Political Analysis 9, equation 7: the constant, where but a
share was drawn of what did not come true.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.config import RidgeSettings
from churnml.modeling.learners import Linear, fit_logistic, sigmoid
from churnml.modeling.scaling import Scaling, fit_scaling

Matrix = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_PRIOR = RidgeSettings(variance=1.0)


@dataclass(frozen=True)
class Chance:
    """A fitted probability: scaled columns and their weights."""

    scaling: Scaling
    linear: Linear

    def probability(self, matrix: Matrix) -> Matrix:
        """Return the probability of each row; shape (n_rows,)."""
        return sigmoid(self.linear.predict(self.scaling(matrix)))

    def to_dict(self) -> dict[str, Any]:  # Any: JSON
        """Return plain data for the bundle."""
        return {"scaling": self.scaling.to_dict(), "linear": asdict(self.linear)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Chance:  # Any: JSON
        """Return the probability that `to_dict` wrote."""
        return cls(Scaling.from_dict(data["scaling"]), Linear.from_dict(data["linear"]))


def fit_chance(matrix: Matrix, came: Flags, share_of_others: float = 1.0) -> Chance | None:
    """Return the probability that rows come true, None where all or none did.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_columns)
    came : ndarray of shape (n_rows,)
        What came true.
    share_of_others : float
        Of the rows that did not, which share was drawn.
    """
    if not came.any() or came.all():
        return None
    scaling = fit_scaling(matrix, "plain")
    linear = fit_logistic(scaling(matrix), came, _PRIOR)
    return Chance(scaling, Linear(linear.coefficients, linear.intercept + float(np.log(share_of_others))))
