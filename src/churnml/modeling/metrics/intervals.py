"""How far a figure can be trusted, and whether one forecast is really better than another."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from churnml.errors import InvalidTableError, NotEnoughDataError
from churnml.modeling.metrics.columns import FloatArray, columns

Metric = Callable[..., float]


def bootstrap(
    metric: Metric,
    y: npt.ArrayLike,
    *predictions: npt.ArrayLike,
    n: int = 500,
    seed: int = 0,
    customers: npt.ArrayLike | None = None,
) -> tuple[float, float]:
    """Return the 95 % percentile interval of a metric over redrawn customers.

    Draws in which the metric does not exist (no churner among few customers, say) are left out.

    Parameters
    ----------
    metric : callable
        Takes `y` and each of the predictions; returns a float.
    y, *predictions : arrays of shape (n_rows,)
        Truth and forecasts, redrawn together.
    n : int, default 500
        Number of draws.
    seed : int, default 0
        Seed of the draws.
    customers : array of shape (n_rows,), optional
        Whose row it is. A customer with rows at several cutoffs is drawn with all of them, since they are not
        independent. By default every row is a customer.

    Returns
    -------
    low, high : float
        The 2.5th and 97.5th percentile.

    Raises
    ------
    NotEnoughDataError
        If the metric exists in fewer than half the draws.
    """
    table = columns(y, *predictions)
    ids = np.arange(table[0].size) if customers is None else np.asarray(customers)
    values: list[float] = []
    for rows in _redrawn_rows(ids, n, np.random.default_rng(seed)):
        try:
            values.append(metric(*(column[rows] for column in table)))
        except InvalidTableError:
            continue
    if 2 * len(values) < n:
        raise NotEnoughDataError(
            f"the metric must exist in half of {n} bootstrap draws, it did in {len(values)}; judge it on more customers"
        )
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def paired_difference(
    metric: Metric,
    y: npt.ArrayLike,
    p_a: npt.ArrayLike,
    p_b: npt.ArrayLike,
    *,
    n: int = 500,
    seed: int = 0,
    customers: npt.ArrayLike | None = None,
) -> tuple[float, float, float]:
    """Return the metric of forecast a less that of b, with its 95 % interval over redrawn customers.

    Both forecasts meet the same draws, so the luck they share cancels: the interval is far narrower than two
    intervals apart would suggest. Parameters and errors as in `bootstrap`.

    Returns
    -------
    difference, low, high : float
    """

    def difference(truth: FloatArray, a: FloatArray, b: FloatArray) -> float:
        return metric(truth, a) - metric(truth, b)

    low, high = bootstrap(difference, y, p_a, p_b, n=n, seed=seed, customers=customers)
    return difference(*columns(y, p_a, p_b)), low, high


def _redrawn_rows(ids: npt.NDArray[np.generic], n: int, rng: np.random.Generator) -> Iterator[npt.NDArray[np.intp]]:
    _, whose, sizes = np.unique(ids, return_inverse=True, return_counts=True)
    rows = np.argsort(whose, kind="stable")
    starts = np.cumsum(sizes) - sizes
    for _ in range(n):
        drawn = rng.integers(sizes.size, size=sizes.size)
        length = sizes[drawn]
        skip = starts[drawn] - (np.cumsum(length) - length)
        yield rows[np.arange(length.sum()) + np.repeat(skip, length)]
