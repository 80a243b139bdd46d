"""What the two likelihoods share: checks at the door, equal rows counted once, and the search for the maximum."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, minimize
from threadpoolctl import threadpool_limits

from churnml.errors import InvalidTableError, NotEnoughDataError

FloatArray = npt.NDArray[np.float64]
Objective = Callable[[FloatArray], tuple[float, FloatArray]]

MIN_CUSTOMERS = 10


def refuse_where(wrong: npt.NDArray[np.bool_], rule: str, remedy: str, **columns: FloatArray) -> None:
    """Refuse the table if any row is wrong, and show the first that is.

    Parameters
    ----------
    wrong : ndarray of bool, shape (n_customers,)
        True where a row breaks the rule.
    rule, remedy : str
        What must hold, and what to do when it does not.
    **columns : ndarray of shape (n_customers,)
        The columns to show, by name.

    Raises
    ------
    InvalidTableError
        If any row is wrong.
    """
    if wrong.any():
        row = int(np.argmax(wrong))
        found = ", ".join(f"{name} {column[row]:g}" for name, column in columns.items())
        raise InvalidTableError(f"row {row}: {rule}, got {found} ({int(wrong.sum())} such rows); {remedy}")


def checked_columns(**columns: npt.ArrayLike) -> list[FloatArray]:
    """Return the columns as float arrays of one length, finite and not negative.

    Raises
    ------
    InvalidTableError
        If lengths differ, or any value is missing, infinite or negative.
    """
    arrays = {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}
    if len({array.shape for array in arrays.values()}) > 1 or any(array.ndim != 1 for array in arrays.values()):
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise InvalidTableError(f"columns must be flat and of one length, got {shapes}; pass one value per customer")
    for name, array in arrays.items():
        wrong = ~np.isfinite(array) | (array < 0)
        refuse_where(wrong, f"`{name}` must be a number of at least 0", "mend or leave out the row", **{name: array})
    return list(arrays.values())


def distinct_rows(weights: FloatArray, *columns: FloatArray) -> tuple[FloatArray, list[FloatArray]]:
    """Return each distinct row once, in ascending order of the first column, with the weight of all its twins.

    Ages and recencies are whole days and most customers never come back, so real tables shrink several times, and
    every evaluation of the likelihood with them.
    """
    order = np.lexsort(columns[::-1])
    ordered = [column[order] for column in columns]
    changes = np.logical_or.reduce([np.diff(column) != 0 for column in ordered])
    first = np.flatnonzero(np.concatenate([[True], changes]))
    return np.add.reduceat(weights[order], first), [column[first] for column in ordered]


def require_customers(weights: FloatArray, repeaters: npt.NDArray[np.bool_], *, at_least: int, model: str) -> None:
    """Refuse to learn from fewer than `MIN_CUSTOMERS` customers, or from too few who came back.

    Raises
    ------
    NotEnoughDataError
        If there are fewer customers of positive weight, or fewer of them with a repeat purchase, than needed.
    """
    customers = int(np.count_nonzero(weights > 0))
    returned = int(np.count_nonzero((weights > 0) & repeaters))
    if customers < MIN_CUSTOMERS or returned < at_least:
        raise NotEnoughDataError(
            f"{model} needs at least {MIN_CUSTOMERS} customers, {at_least} of them with a repeat purchase, "
            f"got {customers} and {returned}; bring more customers, or a longer history"
        )


def minimise(
    objective: Objective, starts: Sequence[Sequence[float]], bounds: Sequence[tuple[float, float]]
) -> FloatArray:
    """Return the positive parameters at which an objective is least, searched for in their logarithms.

    Every start is followed roughly, the best of them to the end. The bounds keep a degenerate sample (nobody ever
    leaves, everybody is alike), whose maximum lies at infinity, at a finite point that predicts the same.

    Linear algebra is held to one thread: the search works on matrices of four rows, where waking threads costs more
    than the whole fit, and sums come out the same on any number of cores.

    Parameters
    ----------
    objective : callable
        Takes the log parameters, shape (n_parameters,); returns the value and its gradient in them.
    starts : sequence of parameter vectors
        Where to begin, in natural units.
    bounds : sequence of (low, high)
        Range of each parameter, in natural units.
    """
    low, high = np.log(np.asarray(bounds, dtype=np.float64)).T

    def search(start: FloatArray, ftol: float, maxiter: int) -> tuple[float, FloatArray]:
        found = minimize(
            objective,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=Bounds(low, high),
            options={"ftol": ftol, "gtol": 1e-9, "maxiter": maxiter},
        )
        return float(found.fun), np.asarray(found.x, dtype=np.float64)

    with threadpool_limits(limits=1, user_api="blas"):
        rough = [search(np.log(np.asarray(start, dtype=np.float64)), 1e-5, 25) for start in starts]
        _, best = min(rough, key=lambda result: result[0])
        return np.exp(search(best, 1e-14, 500)[1])
