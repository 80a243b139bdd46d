"""How long it takes until half have left, where some have not left yet: Kaplan and Meier's median and its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from churnml.events import OrderGaps
from churnml.labels.horizon import kaplan_meier

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Half:
    """After how many steps half had left; NaN where the observations end before.

    Parameters
    ----------
    median, low, high : float
        In steps.
    """

    median: float
    low: float
    high: float


def half_left(left: Counts, still: Counts, level: float = 0.95) -> Half:
    r"""Return the median of a length that some have not come to the end of, with its interval.

    The interval holds the lengths at which a share of one half is within the pointwise interval of the curve. With
    Greenwood's variance on the scale of :math:`\log(-\log S)` that is

    .. math:: S(t)^{\exp(\pm z s(t))}, \qquad
              s(t)^2 = \frac{1}{\log^2 S(t)} \sum_{u \le t} \frac{d_u}{n_u (n_u - d_u)}

    Parameters
    ----------
    left, still : ndarray of shape (n_steps,)
        How many left after 0, 1, 2 … steps, and how many were seen for so long and not longer.
    level : float, default 0.95

    References
    ----------
    Brookmeyer, R. & Crowley, J. (1982). A confidence interval for the median survival time. Biometrics 38, 29-41.
    Greenwood, M. (1926). The natural duration of cancer. Reports on Public Health 33, 1-26.
    Klein, J. P. & Moeschberger, M. L. (2003). Survival Analysis, 2nd ed., eq. 4.2.4 and 4.5.2.

    Examples
    --------
    >>> half_left(np.array([0, 5, 3, 1]), np.array([0, 1, 0, 2]))
    Half(median=2.0, low=1.0, high=3.0)
    """
    curve = kaplan_meier(OrderGaps(left, still))
    at_risk = np.cumsum((left + still)[::-1])[::-1].astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(np.where(left > 0, left / (at_risk * (at_risk - left)), 0.0))
        wide = float(ndtri((1 + level) / 2)) * np.sqrt(greenwood) / np.abs(np.log(curve))
        low, high = curve ** np.exp(wide), curve ** np.exp(-wide)
    settled = (curve >= 1) | (curve <= 0)  # before anybody left, and after all did, nothing is in doubt
    low, high = np.where(settled, curve, low), np.where(settled, curve, high)
    return Half(_first_below(curve), _first_below(low), _first_below(high))


def _first_below(curve: npt.NDArray[np.float64]) -> float:
    below = np.flatnonzero(curve <= 0.5 * (1 + 1e-12))  # a share of one half that rounding put above it is one half
    return float(below[0]) if len(below) else float("nan")
