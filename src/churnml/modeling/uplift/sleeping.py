"""Who is better left alone: customers whose effect lies below zero with its whole interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from churnml.modeling.uplift.levels import one_sided
from churnml.modeling.uplift.order import Measured, mean_interval

Matrix = npt.NDArray[np.float64]

_TENTHS = 10
_FEWEST = 20


@dataclass(frozen=True)
class Group:
    """A tenth of the customers by effect, with what the arm really did among them.

    Attributes
    ----------
    effect : Measured
        The mean doubly robust score of the group; the intervals of all groups hold together.
    above : float
        Customers of the group have an effect above this; minus infinity for the lowest.
    customers : int
        Of the experiment, in the group.
    sd : float
        Standard deviation of the mean effect; what the interval is made of.
    """

    effect: Measured
    above: float
    customers: int
    sd: float

    @property
    def sleeping(self) -> bool:
        """Whether the arm harms this group: its interval lies below zero."""
        return self.effect.high < 0


def groups(scores: Matrix, effect: Matrix, *, arms: int = 1) -> tuple[Group, ...]:
    """Return tenths of the customers, lowest effect first, each with what the arm did among them.

    Nobody's own effect is ever seen, so a customer's interval is that of those who are expected to respond alike.
    Equal effects share a group, so there may be fewer than ten.

    Parameters
    ----------
    scores : ndarray of shape (n_customers,)
        Doubly robust scores of the arm.
    effect : ndarray of shape (n_customers,)
        Its effect, out of fold.
    arms : int, default 1
        How many arms are looked at; the error is shared among them and their groups.

    Returns
    -------
    tuple of Group

    References
    ----------
    Chernozhukov, V., Demirer, M., Duflo, E. and Fernández-Val, I. (2025). Fisher-Schultz lecture: generic machine
    learning inference on heterogeneous treatment effects in randomized experiments. Econometrica 93(4), 1121-1164:
    sorted group average treatment effects.
    """
    tenth = _tenths(effect)
    present = np.unique(tenth)
    level = one_sided(arms * len(present))
    lowest = [float(effect[tenth < number].max(initial=-np.inf)) for number in present]
    return tuple(_group(scores[tenth == number], above, level) for number, above in zip(present, lowest, strict=True))


def _group(scores: Matrix, above: float, level: float) -> Group:
    return Group(mean_interval(scores, level), above, len(scores), float(scores.std(ddof=1) / np.sqrt(len(scores))))


def group_of(found: tuple[Group, ...], effect: Matrix) -> npt.NDArray[np.intp]:
    """Return the position of each customer's group, by their effect; of shape (n_customers,)."""
    place = np.searchsorted([group.above for group in found], effect, side="left") - 1
    return np.asarray(np.maximum(place, 0))


def sleeping_dogs(found: tuple[Group, ...], effect: Matrix) -> npt.NDArray[np.bool_]:
    """Return who belongs to a group that the arm harms, by their effect; of shape (n_customers,)."""
    return np.array([group.sleeping for group in found])[group_of(found, effect)]


def _tenths(effect: Matrix) -> npt.NDArray[np.intp]:
    """Return a number for each customer's group; one that ties have left too small joins the one below."""
    tenth = np.minimum((rankdata(effect, method="min") - 1) * _TENTHS // len(effect), _TENTHS - 1).astype(np.intp)
    sizes = np.bincount(tenth, minlength=_TENTHS)
    joined, large = np.zeros(_TENTHS, dtype=np.intp), 0
    for number in range(_TENTHS):
        large = number if sizes[number] >= _FEWEST else large
        joined[number] = large
    return joined[tenth]
