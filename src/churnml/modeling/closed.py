"""How the model did on labels that have closed since it was taught: calibration by cutoff, ranking, a challenger.

Churn turns with the season, and no model of the past foresees that wholly; how far rates usually fall from what was
known before them, at the cutoffs that taught, is what a miss is held against.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.errors import InvalidTableError
from churnml.modeling.metrics import auroc_interval
from churnml.modeling.rhythm import logit_of

Matrix = npt.NDArray[np.float64]
Json = dict[str, Any]  # Any: JSON

LIMIT = 3.0
"""Deviations off what season and sampling explain."""

_FEWEST_RATES = 3
_HALF = 0.5


@dataclass(frozen=True)
class Closed:
    """One cutoff whose labels have closed.

    Parameters
    ----------
    cutoff : int
        Microseconds UTC.
    customers : int
    expected, observed : float
        Share who would leave by the model, and who left.
    deviations : float or None
        How many deviations, of season and sampling together, the observed share lies above the expected one, on the
        logit scale; None where too few cutoffs taught to say what a season does.
    """

    cutoff: int
    customers: int
    expected: float
    observed: float
    deviations: float | None


@dataclass(frozen=True)
class Kept:
    """What closed labels say.

    Parameters
    ----------
    cutoffs : tuple of Closed
        Ascending; empty where none has closed.
    season : float or None
        By how much the logit of the churn rate usually misses that of the rates known before it.
    auroc : tuple of float or None
        At the last of them, with its 95 % interval, for several together hold the same customers more than once; None
        where nobody or everybody left.
    promised : tuple of float or None
        The same when the model was judged.
    """

    cutoffs: tuple[Closed, ...]
    season: float | None
    auroc: tuple[float, float, float] | None
    promised: tuple[float, float, float] | None

    @property
    def miscalibrated(self) -> bool:
        """Whether the last two closed cutoffs miss beyond season and sampling, both to the same side."""
        last = [one.deviations for one in self.cutoffs[-2:]]
        known = [one for one in last if one is not None]
        return len(known) == 2 and (min(known) > LIMIT or max(known) < -LIMIT)

    @property
    def ranks_worse(self) -> bool:
        """Whether the ranking is worse than when the model was judged, intervals apart."""
        return self.auroc is not None and self.promised is not None and self.auroc[2] < self.promised[1]

    def to_json(self) -> Json:
        """Return plain data."""
        return asdict(self) | {"miscalibrated": self.miscalibrated, "ranks_worse": self.ranks_worse}


def season_of(rates: Sequence[float], known_before: Sequence[Sequence[int]]) -> float | None:
    """Return by how much the logit of a churn rate usually misses that of the mean rate known before it.

    Parameters
    ----------
    rates : sequence of float
        At each cutoff that taught, ascending.
    known_before : sequence of sequence of int
        For each, the places of the cutoffs whose labels were final by then.
    """
    pairs = [
        (rate, float(np.mean([rates[place] for place in places])))
        for rate, places in zip(rates, known_before, strict=True)
        if places
    ]
    misses = [float(np.subtract(*logit_of(np.array(pair)))) for pair in pairs]
    return float(np.sqrt(np.mean(np.square(misses)))) if len(misses) >= _FEWEST_RATES else None


def closed_at(cutoff: int, probability: Matrix, churned: Matrix, season: float | None) -> Closed:
    """Return what came of one cutoff.

    Parameters
    ----------
    probability, churned : ndarray of shape (n_customers,)
        What was said, and 1 for who left.
    """
    n, expected = len(churned), float(probability.mean())
    observed = float(churned.mean())
    if season is None:
        return Closed(cutoff, n, expected, observed, None)
    seen = (churned.sum() + _HALF) / (n + 2 * _HALF)
    sampling = 1.0 / (n * seen * (1.0 - seen))
    off = float(np.subtract(*logit_of(np.array([seen, expected]))))
    return Closed(cutoff, n, expected, observed, float(off / np.sqrt(season**2 + sampling)))


def kept(
    cutoffs: Sequence[Closed],
    probability: Matrix,
    churned: Matrix,
    season: float | None,
    promised: tuple[float, float, float] | None,
) -> Kept:
    """Return what closed labels say, `probability` and `churned` being those of the last cutoff."""
    try:
        ranking = auroc_interval(churned, probability)
    except InvalidTableError:
        ranking = None
    return Kept(tuple(cutoffs), season, ranking, promised)
