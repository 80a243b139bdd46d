"""What the models are told of each customer: how often they came back, when last, since when, and what they spent.

These four columns are all that any of the models needs; they are checked here, once, so that the models can trust
them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numba
import numpy as np
import numpy.typing as npt

from churnml.errors import InvalidTableError

FloatArray = npt.NDArray[np.float64]

_SHOWN = 5


@dataclass(frozen=True, eq=False, init=False)
class Rfm:
    """Histories of customers at one cutoff, checked; the arrays are kept read-only.

    Parameters
    ----------
    frequency : array of shape (n_customers,)
        Repeat purchase days up to the cutoff: the first purchase does not count. Whole numbers.
    recency : array of shape (n_customers,)
        Days from the first to the last purchase; 0 for who bought once.
    T : array of shape (n_customers,)
        Days from the first purchase to the cutoff.
    monetary_value : array of shape (n_customers,), optional
        Mean spend on the repeat purchase days, above 0 where `frequency` is. Where `frequency` is 0 it says nothing
        and may be missing.

    Raises
    ------
    InvalidTableError
        If columns differ in length, or rows break one of the rules above; it names the rows, from 0.

    References
    ----------
    The convention of Fader, P. S., Hardie, B. G. S. and Lee, K. L. (2005), Marketing Science 24(2), 275-284.

    Examples
    --------
    >>> len(Rfm(frequency=[0, 2], recency=[0, 213], T=[272, 272]))
    2
    >>> Rfm(frequency=[2], recency=[213], T=[200])
    Traceback (most recent call last):
    churnml.errors.InvalidTableError: `recency` must not exceed `T`, got recency 213, T 200 in row 0 (1 row in all); ...
    """

    frequency: FloatArray
    recency: FloatArray
    T: FloatArray
    monetary_value: FloatArray | None = None

    def __init__(
        self,
        frequency: npt.ArrayLike,
        recency: npt.ArrayLike,
        T: npt.ArrayLike,
        monetary_value: npt.ArrayLike | None = None,
    ) -> None:
        columns = {"frequency": frequency, "recency": recency, "T": T}
        if monetary_value is not None:
            columns["monetary_value"] = monetary_value
        arrays = {name: np.array(column, dtype=np.float64) for name, column in columns.items()}
        _require_flat(arrays)
        if "monetary_value" in arrays:
            arrays["monetary_value"][arrays["frequency"] == 0] = np.nan
        _require_histories(arrays)
        for name, array in arrays.items():
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.frequency)

    def take(self, rows: npt.NDArray[np.generic]) -> Self:
        """Return some of the customers, by number or by truth."""
        money = None if self.monetary_value is None else self.monetary_value[rows]
        return type(self)(self.frequency[rows], self.recency[rows], self.T[rows], money)

    def after_silence(self, days: float) -> Self:
        """Return the same customers later, had they bought nothing for so many days."""
        return replace(self, T=self.T + days)


def refuse_where(wrong: npt.NDArray[np.bool_], rule: str, remedy: str, **columns: FloatArray) -> None:
    """Refuse the table if any row is wrong, and show which.

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
    rows = np.flatnonzero(wrong)
    if rows.size == 0:
        return
    found = ", ".join(f"{name} {column[rows[0]]:g}" for name, column in columns.items())
    others = ", ".join(str(row) for row in rows[1:_SHOWN])
    count = "1 row in all" if rows.size == 1 else f"{rows.size} rows in all, {others} {'…' * (rows.size > _SHOWN)}"
    raise InvalidTableError(f"{rule}, got {found} in row {rows[0]} ({count.strip()}); {remedy}")


def _require_flat(arrays: dict[str, FloatArray]) -> None:
    if len({array.shape for array in arrays.values()}) > 1 or any(array.ndim != 1 for array in arrays.values()):
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise InvalidTableError(f"columns must be flat and of one length, got {shapes}; pass one value per customer")


def _require_histories(arrays: dict[str, FloatArray]) -> None:
    x, tx, T = arrays["frequency"], arrays["recency"], arrays["T"]
    if not _sound(x, tx, T):
        _refuse_histories(x, tx, T)
    if "monetary_value" in arrays:
        money = arrays["monetary_value"]
        if not _sound_money(x, money):
            refuse_where(
                (x > 0) & ~((money > 0) & (money < np.inf)),
                "`monetary_value` must be above 0 where `frequency` is",
                "count only purchase days with a positive net spend",
                frequency=x,
                monetary_value=money,
            )


@numba.njit(cache=True, nogil=True)
def _sound(x: FloatArray, tx: FloatArray, T: FloatArray) -> bool:
    """Tell whether every history keeps the rules, in one pass; which rule is broken is asked only if one is."""
    for i in range(len(x)):
        if not (0 <= tx[i] <= T[i] < np.inf and 0 <= x[i] < np.inf and x[i] % 1 == 0 and (x[i] > 0) == (tx[i] > 0)):
            return False
    return True


@numba.njit(cache=True, nogil=True)
def _sound_money(x: FloatArray, money: FloatArray) -> bool:
    for i in range(len(x)):  # noqa: SIM110  # compiled
        if x[i] > 0 and not 0 < money[i] < np.inf:
            return False
    return True


def _refuse_histories(x: FloatArray, tx: FloatArray, T: FloatArray) -> None:
    for name, column in (("frequency", x), ("recency", tx), ("T", T)):
        wrong = ~np.isfinite(column) | (column < 0)
        refuse_where(wrong, f"`{name}` must be a number of at least 0", "mend or leave out the rows", **{name: column})
    first = "count both from the first purchase"
    back = x > 0
    refuse_where(x % 1 != 0, "`frequency` must be a whole number", "count repeat purchase days", frequency=x)
    refuse_where(tx > T, "`recency` must not exceed `T`", first, recency=tx, T=T)
    refuse_where(back & (tx == 0), "`recency` must be above 0 where `frequency` is", first, frequency=x, recency=tx)
    refuse_where(~back & (tx > 0), "`recency` must be 0 where `frequency` is", first, frequency=x, recency=tx)
