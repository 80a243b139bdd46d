"""The rows of several origins side by side, and redraws of their customers: what money and segments are read off.

A customer who is there at several origins is drawn with all rows, so a redraw says how often each row counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from churnml.modeling.origins import Origin

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pool:
    """Customers of several origins.

    Parameters
    ----------
    customers : ndarray of shape (n_rows,)
        Whose row it is, as a number from 0.
    origins : ndarray of shape (n_rows,)
        Of which origin it is, as a number from 0.
    churned, value : ndarray of shape (n_rows,)
        What came.
    churn, values : mapping of method to ndarray of shape (n_rows,)
        What each method had said, ours first.
    segments : mapping of str to ndarray of shape (n_rows,)
        As of `Origin`.
    """

    customers: npt.NDArray[np.intp]
    origins: npt.NDArray[np.intp]
    churned: Matrix
    value: Matrix
    churn: Mapping[str, Matrix]
    values: Mapping[str, Matrix]
    segments: Mapping[str, npt.NDArray[np.object_]] = field(default_factory=dict)

    @classmethod
    def of(cls, origins: Sequence[Origin]) -> Pool:
        """Return the rows of the origins, in their order."""
        _, customers = np.unique(np.concatenate([one.customer_ids for one in origins]), return_inverse=True)
        whose = np.repeat(np.arange(len(origins)), [len(one.customer_ids) for one in origins])
        churn, values = (
            {m: np.concatenate([one.forecasts[t][m] for one in origins]) for m in origins[0].forecasts[t]}
            for t in ("churn", "value")
        )
        truth = [np.concatenate([one.truth[t] for one in origins]) for t in ("churn", "value")]
        cuts = {cut: np.concatenate([one.segments[cut] for one in origins]) for cut in origins[0].segments}
        return cls(customers, whose, truth[0], truth[1], churn, values, cuts)

    def redraws(self, draws: int, seed: int) -> Iterator[npt.NDArray[np.intp]]:
        """Give how often each row counts in each redraw of the customers, of shape (n_rows,)."""
        rng, most = np.random.default_rng(seed), int(self.customers.max()) + 1
        for _ in range(draws):
            yield np.bincount(rng.integers(most, size=most), minlength=most)[self.customers]

    def drawn(self, figure: Callable[[npt.NDArray[np.intp]], Matrix], draws: int, seed: int) -> Matrix:
        """Return a figure, or several, of each redraw; shape (draws, n_figures)."""
        return np.array([figure(times) for times in self.redraws(draws, seed)])
