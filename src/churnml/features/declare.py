"""The words in which a family says what it wants: aggregates over rows, features derived from them.

An `Aggregate` is computed by the kernel, exactly, as integers. A `Feature` is plain column arithmetic on aggregates,
with its name, unit, meaning and sentence in two languages.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numba
import numpy as np
import numpy.typing as npt

from churnml.events.schema import MONEY_SCALE
from churnml.wording import Text

Values = npt.NDArray[np.float64]
How = Literal["count", "sum", "min", "max", "last", "first", "distinct"]
Unit = Literal[
    "orders", "units", "currency", "days", "hours", "minutes", "points", "share", "ratio", "count", "category", "lines"
]
Words = tuple[tuple[str, tuple[str, ...]], ...]

MISSING = np.iinfo(np.int64).min
"""What an aggregate holds where there is no row to take it from; features turn it into NaN, which means just that."""


@dataclass(frozen=True)
class Aggregate:
    """One number per customer and cutoff, over the rows of one row set in one window.

    Parameters
    ----------
    rows : str
        The row set, such as `orders` or `purchase_days`; `rows.ROW_SETS` has them all, with their columns.
    how : {'count', 'sum', 'min', 'max', 'last', 'first', 'distinct'}
        How the rows are folded; 'count' needs no column, 'sum' of a flag counts what it marks.
    column : str
        The row set's column.
    days : int or None
        Width of the window; None for everything before its end.
    lag : int
        Days between the end of the window and the cutoff.
    where : mapping of str to str or sequence of str
        Only rows whose text column holds one of these words, such as ``{"category": "tea"}``.
    """

    rows: str
    how: How
    column: str = ""
    days: int | None = None
    lag: int = 0
    where: Mapping[str, str | Sequence[str]] | Words = ()

    def __post_init__(self) -> None:
        # kept as a tuple, so that aggregates can be told apart and put in order
        pairs = self.where.items() if isinstance(self.where, Mapping) else self.where
        words = sorted((name, (said,) if isinstance(said, str) else tuple(said)) for name, said in pairs)
        object.__setattr__(self, "where", tuple(words))

    @property
    def filters(self) -> Words:
        """The text columns that `where` names, each with its words."""
        return tuple(self.where)  # type: ignore[arg-type]  # as `__post_init__` left it


CUTOFF_DAY = Aggregate("cutoff", "last", "day")
"""The cutoff itself, as a local day counted from 1970-01-01; not of any row."""


@dataclass(frozen=True)
class Feature:
    """One column of the feature table.

    Parameters
    ----------
    name : str
        Unique, with its unit or window where the name alone would not say it.
    family : str
        Purchase, engagement, profile, …
    group : str
        Features that tell the same story share one, so that a reason is given once.
    unit : str
        How its values are to be read and worded.
    meaning : Text
        What it is, for the catalogue.
    sentence : Text
        What it says of one customer; `{value}` is the feature, any other name in braces another feature.
    needs : tuple of Aggregate
        What `derive` is given, in this order, as arrays of shape (n_cutoffs, n_customers).
    derive : callable
        Integers in, floats out; NaN only where `missing` says so. Whole numbers may come out as they are: they become
        floats where they are written.
    missing : str
        What NaN means, empty if there is none.
    table : str
        The table of the contract without which the feature is off.
    attribute : str
        The customer attribute a categorical feature shows; such a feature needs no aggregate.
    """

    name: str
    family: str
    group: str
    unit: Unit
    meaning: Text
    sentence: Text
    needs: tuple[Aggregate, ...] = ()
    derive: Callable[..., Values | npt.NDArray[np.int64]] = lambda values: values
    missing: str = ""
    table: str = "orders"
    attribute: str = ""


Declaring = Callable[..., Feature]
"""`Feature` with what a family has in common filled in."""


def _elementwise(*signatures: str) -> Callable[[Callable[..., float]], Callable[..., Values]]:
    """Compile a function of numbers into one of arrays, which takes each element once and holds no array between.

    Signatures are numba's, the answer first; whole numbers and floats both come, the latter from features of one's own.
    """
    compile_: Callable[..., Callable[[Callable[..., float]], Callable[..., Values]]] = numba.vectorize
    return compile_([*signatures], cache=True)


@_elementwise("float64(int64)", "float64(float64)")
def as_money(values: float) -> float:
    """Return money in units of the currency."""
    return values / MONEY_SCALE


@_elementwise("float64(int64, int64)", "float64(float64, float64)")
def share(part: float, whole: float) -> float:
    """Return part / whole, NaN where the whole is not positive."""
    return part / whole if whole > 0 else math.nan


@_elementwise("float64(int64)", "float64(float64)")
def present(values: float) -> float:
    """Return the values as floats, NaN where there was no row."""
    return math.nan if values == MISSING else values


def scaled(values: npt.NDArray[np.int64], scale: float) -> Values:
    """Return values over a scale, NaN where there was no row."""
    return np.asarray(present(values) / scale, dtype=np.float64)


@_elementwise("float64(int64, int64)", "float64(float64, float64)")
def difference(now: float, before: float) -> float:
    """Return how many more now than before."""
    return now - before


def in_window(days: int | None) -> tuple[str, str, str]:
    """Return what a window is called: in a feature's name, in English and in Chinese."""
    if days is None:
        return "all", "so far", "至今"
    return f"{days}d", f"in the last {days} days", f"最近 {days} 天"


@_elementwise("float64(int64, int64)", "float64(float64, float64)")
def days_since(day: float, last: float) -> float:
    """Return whole local days from `last` to the cutoff's day, NaN where there was none."""
    return math.nan if last == MISSING else day - last


def since_last(feature: Declaring, rows: str, **said: Any) -> Feature:  # Any: fields of Feature
    """Return the feature of how many days ago the last row of a set was."""
    return feature(unit="days", needs=(CUTOFF_DAY, Aggregate(rows, "last", "day")), derive=days_since, **said)


def count_of(
    feature: Declaring,
    name: str,
    what: Callable[[int | None], Aggregate],
    days: int | None,
    meaning: Text,
    sentence: Text,
) -> Feature:
    """Return the feature of how often something happened in a window; `{when}` in the texts is what it is called."""
    suffix, *when = in_window(days)
    texts = [
        Text(*(said.replace("{when}", called) for said, called in zip((text.en, text.zh), when, strict=True)))
        for text in (meaning, sentence)
    ]
    return feature(name=f"{name}_{suffix}", unit="count", needs=(what(days),), meaning=texts[0], sentence=texts[1])
