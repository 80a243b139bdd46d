"""A model beside the truth of a market: what it said of chances and sums, and what they are.

Outcomes tell of a chance by the mean over many customers only; a market tells the chance itself. It knows all of a
customer, also what no table shows, so a model that is right on average within each bin is as right as any can be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.modeling import metrics
from churnml.modeling.coverage import Coverage

Json = dict[str, Any]  # Any: JSON
Matrix = npt.NDArray[np.float64]

_EDGE = 1e-12

GOAL = 0.01
"""Calibration error against the truth that is good enough (ECE over tenths)."""


@dataclass(frozen=True)
class Chance:
    """Silence for so many days.

    Parameters
    ----------
    days : int
    taught : bool
        Whether the model was taught so many days, or fewer; beyond, it extrapolates.
    said, true : float
        Mean probability by the model, and in truth.
    ece, ece_raw : float
        Calibration error against the truth, of the model and of its blends without their calibration.
    log_loss, log_loss_raw : float
        Expected under the truth, in nats.
    perfect_95 : float
        What the error of a perfect model stays below 19 times in 20, with so many customers.
    """

    days: int
    taught: bool
    said: float
    true: float
    ece: float
    ece_raw: float
    log_loss: float
    log_loss_raw: float
    perfect_95: float

    @property
    def holds(self) -> bool:
        """Whether the error is within the goal, or one that a perfect model may show."""
        return self.ece <= max(GOAL, self.perfect_95)


@dataclass(frozen=True)
class Worth:
    """Margin over so many days, not discounted, in the currency.

    Parameters
    ----------
    days : int
    said, true : float
        Mean by the model, and in truth.
    bias : float
        By what share the sum that was said exceeds the true one.
    gini, spearman : float
        How well the order of customers is that of their true means.
    """

    days: int
    said: float
    true: float
    bias: float
    gini: float
    spearman: float


@dataclass(frozen=True)
class BesideTruth:
    """All of it, at one cutoff of a simulated market.

    Parameters
    ----------
    cutoff : str
        A date.
    customers, redraws : int
        How many were asked about, and of how many futures of each the truth is the mean.
    rung : str
        On which the model stands.
    calibration : mapping
        What was taken and why, as `calibration_words.calibration_json`.
    chances : tuple of Chance
        Ascending by days.
    worths : tuple of Worth
        Of the horizon, and of lifetime value.
    intervals : Coverage
        Of the margin that came in the horizon, in the life that was recorded.
    """

    cutoff: str
    customers: int
    redraws: int
    rung: str
    calibration: Mapping[str, Any]  # Any: JSON
    chances: tuple[Chance, ...]
    worths: tuple[Worth, ...]
    intervals: Coverage

    @property
    def findings(self) -> list[str]:
        """What does not hold, a sentence each."""
        return [
            f"leaving within {one.days} days: calibration error {one.ece:.3f} against the truth, above "
            f"{max(GOAL, one.perfect_95):.3f}"
            for one in self.chances
            if not one.holds
        ]

    def to_json(self) -> Json:
        """Return plain data ready for JSON."""
        return {
            "simulated": True,
            "cutoff": self.cutoff,
            "customers": self.customers,
            "redraws": self.redraws,
            "rung": self.rung,
            "calibration": dict(self.calibration),
            "goal": GOAL,
            "silence": [asdict(one) | {"holds": one.holds} for one in self.chances],
            "margin": [asdict(one) for one in self.worths],
            "intervals": self.intervals.to_json(),
            "findings": self.findings,
        }


def chances(
    days: Sequence[int], longest_taught: int, said: Matrix, raw: Matrix, true: Matrix, *, seed: int
) -> tuple[Chance, ...]:
    """Return how the probabilities of silence stand to the truth.

    Parameters
    ----------
    said, raw, true : ndarray of shape (n_customers, n_days)
        By the model, by its blends without their calibration, and in truth.
    """
    return tuple(
        Chance(
            day,
            day <= longest_taught,
            float(p.mean()),
            float(q.mean()),
            metrics.ece_of_chances(q, p),
            metrics.ece_of_chances(q, r),
            _expected_loss(q, p),
            _expected_loss(q, r),
            metrics.ece_of_chances_perfect_95(q, p, seed=seed),
        )
        for day, p, r, q in zip(days, said.T, raw.T, true.T, strict=True)
    )


def worth(days: int, said: Matrix, true: Matrix) -> Worth:
    """Return how expected margins stand to the true means; arrays of shape (n_customers,)."""
    return Worth(
        days,
        float(said.mean()),
        float(true.mean()),
        metrics.bias(true, said),
        metrics.gini_normalised(true, said),
        metrics.spearman(true, said),
    )


def _expected_loss(q: Matrix, p: Matrix) -> float:
    inside = np.clip(p, _EDGE, 1 - _EDGE)
    return float(-(q * np.log(inside) + (1 - q) * np.log1p(-inside)).mean())
