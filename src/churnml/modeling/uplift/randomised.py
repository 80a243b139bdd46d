"""Contacts drawn by chance: who got which arm, with which probability, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from churnml.errors import InvalidTableError, NotEnoughDataError

Matrix = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]

_SUM = 1e-6


@dataclass(frozen=True)
class Randomised:
    """What happened to customers whose arm was drawn with known probabilities; checked when it is made.

    Parameters
    ----------
    features : ndarray of shape (n_customers, n_features)
        What was known before the draw; NaN where it was not.
    arm : ndarray of int, shape (n_customers,)
        The arm that was drawn, a position in `arms`.
    propensities : ndarray of shape (n_customers, n_arms)
        The probability of each arm, as recorded when it was drawn; each within (0, 1), together 1.
    outcome : ndarray of shape (n_customers,)
        What came of it: 0 or 1, or an amount. More is better.
    arms : tuple of str
        Names of the arms; the first is the control, who got nothing.
    fewest : int, default 100
        Customers that each arm must hold.

    Raises
    ------
    InvalidTableError
        If shapes differ, an arm is unknown, a propensity lies outside (0, 1) or an outcome is missing.
    NotEnoughDataError
        If an arm is empty or holds fewer than `fewest` customers.
    """

    features: Matrix
    arm: Codes
    propensities: Matrix
    outcome: Matrix
    arms: tuple[str, ...]
    fewest: int = 100

    def __post_init__(self) -> None:
        _check_shapes(self)
        _check_propensities(self)
        _check_outcome(self)
        _check_sizes(self)

    def __len__(self) -> int:
        return len(self.arm)

    @property
    def binary(self) -> bool:
        """Whether the outcome is 0 or 1."""
        return bool(np.isin(self.outcome, (0.0, 1.0)).all())

    def take(self, rows: npt.NDArray[np.generic]) -> Randomised:
        """Return some of the customers; of a part, each arm needs one at least."""
        kept = (self.features[rows], self.arm[rows], self.propensities[rows], self.outcome[rows])
        return Randomised(*kept, self.arms, fewest=1)


def recorded(propensities: Matrix) -> npt.NDArray[np.bool_]:
    """Return who was drawn by chance: each propensity recorded and within (0, 1).

    Others were contacted by a rule, or nobody wrote down how. They teach nothing about effects and are left out
    before a `Randomised` is made.

    Parameters
    ----------
    propensities : ndarray of shape (n_customers, n_arms)
        NaN where nothing was recorded.

    Returns
    -------
    ndarray of bool, shape (n_customers,)
    """
    return np.asarray(((propensities > 0) & (propensities < 1)).all(axis=1))


def _check_shapes(data: Randomised) -> None:
    n, arms = len(data.arm), len(data.arms)
    found = (data.features.shape[:1], data.propensities.shape, data.outcome.shape)
    if found != ((n,), (n, arms), (n,)) or data.features.ndim != 2 or arms < 2:
        raise InvalidTableError(
            f"a randomised table needs one row per customer and one propensity per arm, a control among them; got "
            f"{n} arms drawn of {arms}, features {data.features.shape}, propensities {data.propensities.shape}, "
            f"outcome {data.outcome.shape}"
        )
    unknown = np.flatnonzero((data.arm < 0) | (data.arm >= arms))
    if unknown.size:
        raise InvalidTableError(
            f"`arm` must be a position in {', '.join(data.arms)}, got {data.arm[unknown[0]]} in row {unknown[0]}"
        )


def _check_propensities(data: Randomised) -> None:
    wrong = np.argwhere(~((data.propensities > 0) & (data.propensities < 1)))
    if wrong.size:
        row, arm = wrong[0]
        raise InvalidTableError(
            f"a propensity must lie between 0 and 1, both excluded, got {data.propensities[row, arm]:g} for "
            f"`{data.arms[arm]}` in row {row}; who was not drawn by chance is left out (`recorded`)"
        )
    total = data.propensities.sum(axis=1)
    off = np.flatnonzero(np.abs(total - 1) > _SUM)
    if off.size:
        raise InvalidTableError(
            f"the propensities of a customer must add up to 1, got {total[off[0]]:g} in row {off[0]}; "
            "give that of every arm, the control included"
        )


def _check_outcome(data: Randomised) -> None:
    wrong = np.flatnonzero(~np.isfinite(data.outcome))
    if wrong.size:
        raise InvalidTableError(
            f"`outcome` must be a finite number, got {data.outcome[wrong[0]]} in row {wrong[0]} and {wrong.size} "
            "in all; wait until outcomes are closed, and leave out no arm's losses"
        )


def _check_sizes(data: Randomised) -> None:
    counts = np.bincount(data.arm, minlength=len(data.arms))
    few = int(np.argmin(counts))
    if counts[few] == 0:
        raise NotEnoughDataError(f"each arm must hold customers, `{data.arms[few]}` is empty; draw it for some")
    if counts[few] < data.fewest:
        raise NotEnoughDataError(
            f"each arm must hold at least {data.fewest} customers, `{data.arms[few]}` holds {counts[few]}; "
            "let the experiment run longer"
        )
