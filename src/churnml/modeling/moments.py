"""A count over another count, and how far chance alone moves it where customers come as they are, not act by act."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
_HALF = 0.5


@dataclass(frozen=True)
class Moments:
    """Sums over customers of what each brought to two counts; those of two groups of customers add up.

    Parameters
    ----------
    part, whole : float
        The counts.
    squares, products, whole_squares : float
        Sums of squares of the first, of products of both, and of squares of the second, by customer.
    """

    SIZE: ClassVar[int] = 5

    part: float
    whole: float
    squares: float
    products: float
    whole_squares: float

    @property
    def told(self) -> bool:
        """Whether there was anything to count over."""
        return self.whole > 0

    @property
    def ratio(self) -> float:
        """One count over the other."""
        return self.part / self.whole

    @property
    def logarithm(self) -> float:
        """The logarithm of the ratio, half an act added so that none at all has one."""
        return float(np.log((self.part + _HALF) / self.whole))

    @property
    def variance(self) -> float:
        """Variance of the logarithm over customers.

        References
        ----------
        Cochran (1977), Sampling Techniques, 3rd edition, equation 6.13: the variance of a ratio of two totals.
        """
        spread = self.squares - 2 * self.ratio * self.products + self.ratio**2 * self.whole_squares
        return float((spread if self.part else _HALF) / (self.part + _HALF) ** 2)


def moments(part: Matrix, whole: Matrix) -> Matrix:
    """Return the sums that make `Moments`, of shape (n_spans, 5).

    Parameters
    ----------
    part, whole : ndarray of shape (n_spans, n_customers)
        What each customer brought to either count.
    """
    sums = (part, whole, part * part, part * whole, whole * whole)
    return np.stack([one.sum(axis=1) for one in sums], axis=1)
