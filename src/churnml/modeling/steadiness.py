"""Whether a blend ranks as well at the last rolling origin that taught its weights as at those before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.errors import InvalidTableError, NotEnoughDataError
from churnml.modeling import metrics
from churnml.modeling.judgement import Figure, figure_of
from churnml.modeling.train import Trained

Matrix = npt.NDArray[np.float64]
Json = dict[str, Any]  # Any: JSON
_FEWEST = 30


@dataclass(frozen=True)
class Drop:
    """What the last rolling origin lost.

    Parameters
    ----------
    before : tuple of float
        AUROC at each origin before the last, in order.
    last : float
        AUROC at the last.
    lost : Figure
        The mean before less the last, with its 95 % interval over customers; negative where the last is better.
    """

    before: tuple[float, ...]
    last: float
    lost: Figure

    def told(self) -> str:
        """Return it in words."""
        before = ", ".join(f"{one:.3f}" for one in self.before)
        way = "lost" if self.lost.value >= 0 else "gained"
        return (
            f"AUROC {self.last:.3f} at the last, {before} before: {way} {abs(self.lost.value):.3f}, 95 % interval of "
            f"the loss {self.lost.low:.3f} to {self.lost.high:.3f}"
        )


def steadiness(trained: Trained, bootstrap: int, seed: int) -> Drop | str:
    """Return what the last rolling origin lost against those before it, or why that cannot be asked.

    The learners that are judged at an origin were taught by what was final before it; the weights are those of the
    blend. Who is there at several origins is drawn with all rows, for they are not independent of themselves.

    Parameters
    ----------
    bootstrap, seed : int
        Redraws of customers behind the interval, and their seed.
    """
    rows = trained.churn_fit.judged
    cutoffs, churned = trained.snapshots.table.cutoffs[rows], trained.snapshots.churned[rows]
    told = trained.churn_fit.probability
    folds = [np.flatnonzero(cutoffs == one) for one in np.unique(cutoffs)]
    usable = [one for one in folds if min(churned[one].sum(), (~churned[one]).sum()) >= _FEWEST]
    if len(usable) < 2 or usable[-1] is not folds[-1]:
        return (
            f"it takes the last rolling origin and one before it, each with {_FEWEST} who left and {_FEWEST} who "
            f"stayed, and there {'is' if len(usable) == 1 else 'are'} {len(usable)} such of {len(folds)}"
        )
    _, whose = np.unique(trained.snapshots.table.customer_ids[rows].astype(str), return_inverse=True)
    rng, most = np.random.default_rng(seed), int(whose.max()) + 1
    drawn = []
    for _ in range(bootstrap):
        times = np.bincount(rng.integers(most, size=most), minlength=most)[whose]
        drawn.append(_lost([_auroc(churned, told, np.repeat(one, times[one])) for one in usable]))
    each = [_auroc(churned, told, one) for one in usable]
    try:
        lost = figure_of(np.array(_lost(each)), np.array(drawn))
    except NotEnoughDataError as error:
        return str(error)
    return Drop(tuple(each[:-1]), each[-1], lost)


def course(trained: Trained) -> list[tuple[int, Json]]:
    """Return how the blend did at each rolling origin that taught its weights: cutoff, and what was found at it.

    Each was taught by what was final before it, but for the weights, which are those of the blend. AUROC with its 95 %
    interval, None where nobody or everybody left; share expected to leave and share who left.
    """
    rows = trained.churn_fit.judged
    if not len(rows):
        return []
    cutoffs, churned = trained.snapshots.table.cutoffs[rows], trained.snapshots.churned[rows].astype(np.float64)
    told = trained.churn_fit.probability
    found: list[tuple[int, Json]] = []
    for cutoff in np.unique(cutoffs):
        left, said = churned[cutoffs == cutoff], told[cutoffs == cutoff]
        ranked: list[float] | None
        try:
            ranked = [float(one) for one in metrics.auroc_interval(left, said)]
        except InvalidTableError:
            ranked = None
        shares = {"expected": float(said.mean()), "observed": float(left.mean())}
        found.append((int(cutoff), {"customers": len(left), "auroc": ranked, **shares}))
    return found


def _lost(each: list[float]) -> float:
    return float(np.mean(each[:-1])) - each[-1]


def _auroc(churned: npt.NDArray[np.bool_], told: Matrix, rows: npt.NDArray[np.intp]) -> float:
    try:
        return metrics.auroc(churned[rows].astype(np.float64), told[rows])
    except InvalidTableError:
        return float("nan")


__all__ = ["Drop", "course", "steadiness"]
