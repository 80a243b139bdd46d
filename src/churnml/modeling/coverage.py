"""Whether value intervals hold what they promise: by fifths of the forecast, for an average may hide both ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.modeling.spread import Range

Matrix = npt.NDArray[np.float64]

LEAST, MOST = 0.88, 0.92
"""Of intervals for nine of ten."""

_FIFTHS = 5
_MANY_ZEROS = 0.1
_TWO_SIDED_95 = 1.96


@dataclass(frozen=True)
class Told:
    """What was said of some customers at one cutoff, and what came; arrays of shape (n_customers,)."""

    forecast: Matrix
    range: Range
    truth: Matrix


@dataclass(frozen=True)
class Fifth:
    """A fifth of the customers, by their forecast.

    Parameters
    ----------
    rows : int
    covered : float
        Share whose margin lay within the interval.
    zeros : float
        Share who brought nothing; where they are many an interval that starts at nothing covers more than it promises.
    tolerance : float
        What chance alone may take off, 19 times in 20, at the number of customers of one cutoff.
    low, high : float
        Mean of the bounds, in the currency.
    """

    rows: int
    covered: float
    zeros: float
    tolerance: float
    low: float
    high: float

    @property
    def kept(self) -> bool:
        """Whether 88 to 92 of 100 were covered, but for chance; the upper bound only where few bring nothing."""
        narrow = self.zeros >= _MANY_ZEROS or self.covered <= MOST + self.tolerance
        return self.covered >= LEAST - self.tolerance and narrow


@dataclass(frozen=True)
class Coverage:
    """How intervals did.

    Parameters
    ----------
    fifths : tuple of Fifth
        Ascending by forecast.
    covered : float
        Share of all.
    median_mae : float
        Mean absolute error of the medians, in the currency.
    """

    fifths: tuple[Fifth, ...]
    covered: float
    median_mae: float

    def to_json(self) -> dict[str, Any]:  # Any: JSON
        """Return plain data ready for JSON."""
        fifths = [asdict(one) | {"kept": one.kept} for one in self.fifths]
        return {"covered": self.covered, "median_mae": self.median_mae, "fifths": fifths}


def coverage(told: Sequence[Told]) -> Coverage:
    """Return how the intervals of one or more cutoffs did, those of each in its own fifths.

    Raises
    ------
    ValueError
        If there is nothing to judge.
    """
    if not told:
        raise ValueError("coverage needs at least one cutoff, found none")
    parts = [np.array_split(np.argsort(one.forecast, kind="stable"), _FIFTHS) for one in told]
    inside = [(one.truth >= one.range.low) & (one.truth <= one.range.high) for one in told]

    def mean(arrays: Sequence[npt.NDArray[Any]], fifth: int) -> float:  # Any: flags or numbers
        return float(
            np.concatenate([array[at[fifth]] for array, at in zip(arrays, parts, strict=True)]).mean(dtype=np.float64)
        )

    fifths = []
    for fifth in range(_FIFTHS):
        rows = sum(len(at[fifth]) for at in parts)
        chance = _TWO_SIDED_95 * np.sqrt(LEAST * (1 - LEAST) * len(told) / rows)
        fifths.append(
            Fifth(
                rows,
                mean(inside, fifth),
                mean([one.truth <= 0 for one in told], fifth),
                float(chance),
                mean([one.range.low for one in told], fifth),
                mean([one.range.high for one in told], fifth),
            )
        )
    missed = np.concatenate([np.abs(one.truth - one.range.median) for one in told])
    return Coverage(tuple(fifths), float(np.concatenate(inside).mean()), float(missed.mean()))
