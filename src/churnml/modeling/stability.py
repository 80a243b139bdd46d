"""Whether ours is as good at every origin: each with its interval, the spread, and the last against those before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from churnml.errors import InvalidTableError
from churnml.modeling.judgement import Figure, Measure, Target, figure_of
from churnml.modeling.origins import MEASURED, Rolled
from churnml.modeling.pool import Pool

Json = dict[str, Any]  # Any: JSON
Matrix = npt.NDArray[np.float64]
Verdict = Literal["as before", "better", "worse"]

WATCHED: tuple[tuple[Target, str], ...] = (
    ("churn", "auroc"),
    ("churn", "brier"),
    ("churn", "ece"),
    ("value", "mae"),
    ("value", "gini"),
    ("value", "bias"),
)
"""Which figures are followed from origin to origin."""


@dataclass(frozen=True)
class Course:
    """One figure of ours over the origins.

    Parameters
    ----------
    figures : tuple of Figure
        One an origin, the last included.
    spread : float
        The standard deviation over the origins before the last; 0 where there is one.
    gain : Figure
        By how much the last is better than the mean before it, paired over customers; negative where it is worse.
    """

    target: Target
    metric: str
    figures: tuple[Figure, ...]
    spread: float
    gain: Figure

    @property
    def verdict(self) -> Verdict:
        """Whether the last differs beyond the luck of which customers there were; a season is not that."""
        return "better" if self.gain.low > 0 else "worse" if self.gain.high < 0 else "as before"

    def to_json(self) -> Json:
        """Return plain data."""
        told = [[one.value, one.low, one.high] for one in self.figures]
        gain = [self.gain.value, self.gain.low, self.gain.high]
        head = {"target": self.target, "metric": self.metric, "by_origin": told, "spread": self.spread}
        return head | {"last_better_by": gain, "last_is": self.verdict}


def stability(rolled: Rolled, *, bootstrap: int) -> list[Course]:
    """Return the course of each watched figure, with 95 % intervals over customers redrawn with all their rows.

    Raises
    ------
    NotEnoughDataError
        If a figure exists in fewer than half of the redraws.
    """
    pool = Pool.of([*rolled.earlier, rolled.last])
    places = [np.flatnonzero(pool.origins == place) for place in range(len(rolled.earlier) + 1)]
    values = _figures(pool, places)
    drawn = np.array(
        [
            _figures(pool, [np.repeat(rows, times[rows]) for rows in places])
            for times in pool.redraws(bootstrap, rolled.seed)
        ]
    )
    return [_course(target, metric, values[k], drawn[:, k]) for k, (target, metric) in enumerate(WATCHED)]


def _figures(pool: Pool, places: list[npt.NDArray[np.intp]]) -> Matrix:
    """Return each watched figure at each origin, of shape (n_watched, n_origins); NaN where it does not exist."""
    sides = {
        "churn": (pool.churned, next(iter(pool.churn.values()))),
        "value": (pool.value, next(iter(pool.values.values()))),
    }
    return np.array(
        [
            [_or_nan(MEASURED[target][metric], *(side[rows] for side in sides[target])) for rows in places]
            for target, metric in WATCHED
        ]
    )


def _or_nan(measure: Measure, truth: Matrix, forecast: Matrix) -> float:
    try:
        return measure.of(truth, forecast)
    except InvalidTableError:
        return float("nan")


def _course(target: Target, metric: str, values: Matrix, drawn: Matrix) -> Course:
    measure = MEASURED[target][metric]
    figures = tuple(figure_of(np.array(values[k]), drawn[:, k]) for k in range(len(values)))
    gain = figure_of(
        measure.lead(np.array(values[-1]), np.array(values[:-1].mean())),
        measure.lead(drawn[:, -1], drawn[:, :-1].mean(axis=1)),
    )
    spread = float(values[:-1].std(ddof=1)) if len(values) > 2 else 0.0
    return Course(target, metric, figures, spread, gain)
