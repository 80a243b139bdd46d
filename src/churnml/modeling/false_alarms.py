"""How often the pulse may raise a false alarm, and the limits that follow from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import optimize, stats

from churnml.modeling.pulse import MONTH

MOOD_ALARMS, JUMP_ALARMS = 0.4, 0.2
"""False alarms a year: of the signs taken together, and of all single signals; a part is left to the other tests."""

MOOD_MONTHS, JUMP_MONTHS = (2, 6), (1, 2)
"""Over how many of the last months each is asked; a small change takes long to tell."""

_YEAR = 365.0
_LOWEST, _HIGHEST = 1.0, 10.0


def mood_limit(months: int) -> float:
    """Return the deviations that the mood of a calm market passes `MOOD_ALARMS` times a year, asked every day.

    Neighbouring days share most of what they look at; how often a mean that slides over independent days passes a level
    u is about u φ(u) for each of its lengths. The spread of a deviation whose season was estimated from so many months
    is wider than 1 by that of Student's t.

    References
    ----------
    Aldous (1989), Probability Approximations via the Poisson Clumping Heuristic, section D: the rate for a Gaussian
    process whose correlation falls in a straight line.
    """
    looks = _looks(MOOD_MONTHS)

    def excess(level: float) -> float:
        return looks * level * float(stats.norm.pdf(level)) - MOOD_ALARMS

    level = float(optimize.brentq(excess, _LOWEST, _HIGHEST))
    return level * float(np.sqrt((months - 1) / (months - 3)))


def jump_limit(months: int, signals: int) -> float:
    """Return the deviations that any of so many signals of a calm market passes `JUMP_ALARMS` times a year.

    By Student's t, with a degree of freedom for each month but one, to both sides, over looks that do not overlap.
    """
    chance = JUMP_ALARMS / (_looks(JUMP_MONTHS) * signals)
    return float(stats.t.isf(chance / 2, months - 1))


def _looks(lengths: Sequence[int]) -> float:
    """Return how many spans of these lengths a year has, side by side."""
    return sum(_YEAR / (MONTH * length) for length in lengths)
