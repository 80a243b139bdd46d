"""Calibration: a rising map of the blended logit, taken only where it did better out of time than no map.

Four are tried: none (`raw`); a shift (`prior`, another rate of leaving); a stretch (`platt`); two stretches, one for
the likely and one for the unlikely (`beta`). All are one formula with three numbers,

    logit' = shift + high * ln(1 + e^logit) - low * ln(1 + e^-logit)

whose slope goes from `low` far below even odds to `high` far above. Both are at least a tenth, so nobody's place in the
order changes, and no tie comes up.

A season lifts or lowers everybody of a cutoff together, and a few cutoffs in a row tell nothing of the next one's. So a
stretch is learned beside a level of its own for each origin, and leaves the mean probability as it was; only `prior`
moves that, and it takes a year of origins. docs/adr/0020 has the reasons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq, minimize

from churnml.config import CalibrationKind
from churnml.modeling.learners import sigmoid

Matrix = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_LEAST_SLOPE = 0.1
_NEAR = 1e-6
_FARTHEST = 40.0


@dataclass(frozen=True)
class Calibration:
    """A rising map of logits.

    Parameters
    ----------
    kind : {'raw', 'prior', 'platt', 'beta'}
        Which was fitted.
    low, high : float
        The slope far below even odds, and far above; equal but for beta.
    shift : float
        Added to every logit.

    References
    ----------
    Platt (1999), Probabilistic outputs for support vector machines, Advances in Large Margin Classifiers: slope and
    intercept. Kull, Silva Filho & Flach (2017), Beta calibration, AISTATS 54, section 3: `low` is their a, `high` their
    b, `shift` their c. Saerens, Latinne & Decaestecker (2002), Adjusting the outputs of a classifier to new a priori
    probabilities, Neural Computation 14(1), equation 2.4: another rate is a shift of the logit.

    Examples
    --------
    >>> Calibration("prior", shift=0.5)(np.array([-1.0, 0.0])).round(6).tolist()
    [-0.5, 0.5]
    """

    kind: CalibrationKind = "raw"
    low: float = 1.0
    high: float = 1.0
    shift: float = 0.0

    def __call__(self, logits: Matrix) -> Matrix:
        """Return the calibrated logits; shape as given, and raw ones to the last bit as they were."""
        if self.kind == "raw":
            return logits
        return np.asarray(self.high * softplus(logits) - self.low * softplus(-logits) + self.shift)

    def pace(self, start: Matrix, end: Matrix) -> Matrix:
        """Return by how much the calibrated logit moves for each unit from one logit to another; above 0.

        What parts added to a logit, times this, is what they added to the calibrated one: every part's slope, averaged
        along the straight way from `start` to `end`.

        References
        ----------
        Aumann & Shapley (1974), Values of Non-Atomic Games: the average along the way, for a function of a sum the same
        factor for each part. Sundararajan, Taly & Yan (2017), Axiomatic attribution for deep networks, ICML, section 3.
        """
        apart = end - start
        near = np.abs(apart) < _NEAR
        slope = self.high * sigmoid(end) + self.low * sigmoid(-end)
        return np.where(near, slope, (self(end) - self(start)) / np.where(near, 1.0, apart))

    @classmethod
    def from_dict(cls, held: Mapping[str, Any]) -> Calibration:  # Any: JSON
        """Return the calibration a bundle holds."""
        return cls(held["kind"], float(held["low"]), float(held["high"]), float(held["shift"]))


RAW = Calibration()


@dataclass(frozen=True)
class Seen:
    """What the blend said at an origin of customers its learners had not seen, and what came.

    Parameters
    ----------
    cutoff : int
        Of the origin; microseconds UTC.
    final : frozenset of int
        Cutoffs whose labels were final by then.
    logits, churned : ndarray of shape (n_rows,)
        Blended, the season with them; and who left.
    customers : ndarray of shape (n_rows,)
        Their ids.
    """

    cutoff: int
    final: frozenset[int]
    logits: Matrix
    churned: Flags
    customers: npt.NDArray[Any]  # Any: ids, or numbers that stand for them


def fit_calibration(kind: CalibrationKind, seen: Sequence[Seen]) -> Calibration:
    """Return the calibration of a kind with the least log loss at some origins.

    A slope has a normal prior of unit width around 1, and a shift around 0, which matters to few rows only.

    Examples
    --------
    >>> fit_calibration("raw", []).kind
    'raw'
    """
    if kind == "raw":
        return RAW
    logits = np.concatenate([one.logits for one in seen])
    churned = np.concatenate([one.churned for one in seen])
    if kind == "prior":
        return Calibration("prior", shift=level(logits, float(churned.mean())))
    origin = np.repeat(np.arange(len(seen)), [len(one.logits) for one in seen])
    low, high = _slopes(kind, logits, churned, origin)
    stretched = Calibration(kind, low, high)
    return Calibration(kind, low, high, level(stretched(logits), float(sigmoid(logits).mean())))


def _slopes(kind: CalibrationKind, logits: Matrix, churned: Flags, origin: npt.NDArray[np.intp]) -> tuple[float, float]:
    """Return the slopes that fit best beside a level of each origin's own."""
    above, below = softplus(logits), -softplus(-logits)
    columns = np.column_stack([above + below] if kind == "platt" else [below, above])
    k, levels, n = columns.shape[1], int(origin.max()) + 1, len(logits)
    sign = np.where(churned, 1.0, -1.0)

    def loss(numbers: Matrix) -> tuple[float, Matrix]:
        margin, off = sign * (columns @ numbers[:k] + numbers[k:][origin]), numbers[:k] - 1.0
        wrong = sign * sigmoid(-margin)
        slope = np.concatenate([off - columns.T @ wrong, -np.bincount(origin, wrong, levels)])
        return float(softplus(-margin).sum() + off @ off / 2) / n, slope / n

    usual = np.concatenate([np.ones(k), np.zeros(levels)])
    limits = [*((_LEAST_SLOPE, None) for _ in range(k)), *((None, None) for _ in range(levels))]
    found = minimize(loss, usual, jac=True, method="L-BFGS-B", bounds=limits).x
    return float(found[0]), float(found[k - 1])


def level(logits: Matrix, share: float) -> float:
    """Return by how much logits must be shifted for their mean probability to be a share."""

    def off(shift: float) -> float:
        return float(sigmoid(logits + shift).mean()) - share

    return float(brentq(off, -_FARTHEST, _FARTHEST)) if 0.0 < share < 1.0 else 0.0


def softplus(logit: Matrix) -> Matrix:
    """Return ln(1 + e^logit), without overflow."""
    return np.asarray(np.logaddexp(0.0, logit))
