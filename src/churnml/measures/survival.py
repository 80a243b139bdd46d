"""How long until something happens, where not everybody was watched to the end (Kaplan and Meier).

Whoever was watched for ten days and did not move yet has not moved within ten days, and nothing more is known of them.
To leave them out would make all others look faster and surer; to count them as staying would make a young funnel look
like a bad one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike
from scipy.special import ndtri

from churnml.measures.intervals import wilson

Values = npt.NDArray[np.float64]

_ROUNDING = 1e-12


@dataclass(frozen=True)
class Curve:
    r"""The share that has moved by each day, of those who began.

    .. math:: \hat S(t) = \prod_{s \le t} \Big(1 - \frac{d_s}{n_s}\Big), \qquad
              \hat\sigma^2(t) = \sum_{s \le t} \frac{d_s}{n_s (n_s - d_s)}

    Parameters
    ----------
    moved : ndarray of shape (n_days,)
        1 - S after 0, 1, 2 … days.
    spread : ndarray of shape (n_days,)
        Greenwood's sum, by which the variance of S is S squared times it.
    at_risk : ndarray of shape (n_days,)
        How many were watched on that day and had not moved before it.
    waiting : int
        How many have not moved yet.

    References
    ----------
    Kaplan, E. L. & Meier, P. (1958). Nonparametric estimation from incomplete observations. Journal of the American
    Statistical Association 53, 457-481, with the variance of Greenwood, M. (1926). A report on the natural duration
    of cancer. Reports on Public Health and Medical Subjects 33, 1-26. London: H.M.S.O.
    """

    moved: Values
    spread: Values
    at_risk: Values
    waiting: int

    def variance(self) -> Values:
        """Return the variance of the share, shape (n_days,)."""
        return np.asarray((1 - self.moved) ** 2 * self.spread)


def curve(days: ArrayLike, moved: ArrayLike, waiting: ArrayLike) -> Curve:
    """Return the curve of customers counted by day.

    Parameters
    ----------
    days : array-like of int, shape (n,)
        How long after their beginning, each day once.
    moved, waiting : array-like of shape (n,)
        How many moved after so many days, and how many were watched for so many days without moving.

    Examples
    --------
    >>> curve([0, 1], [1, 1], [1, 1]).moved.tolist()
    [0.25, 0.625]
    """
    place = np.asarray(days, dtype=np.intp)
    length = int(place.max(initial=-1)) + 1
    events, censored = np.zeros(length), np.zeros(length)
    events[place], censored[place] = np.asarray(moved, np.float64), np.asarray(waiting, np.float64)
    at_risk = np.cumsum((events + censored)[::-1])[::-1]
    share = np.divide(events, at_risk, out=np.zeros(length), where=at_risk > 0)
    left = at_risk * (at_risk - events)
    steps = np.divide(events, left, out=np.zeros(length), where=left > 0)
    return Curve(1 - np.cumprod(1 - share), np.cumsum(steps), at_risk, int(censored.sum()))


class Moved(NamedTuple):
    """The share that has moved by a day, with its interval, and how many customers it is as good as."""

    day: int
    share: float
    low: float
    high: float
    effective: float


def moved_by(found: Curve, fewest: int, level: float = 0.95) -> Moved | None:
    """Return the last day on which enough were watched, and the share that has moved by it, with its interval.

    Where everybody has moved nothing is open, and it is the last day.

    The interval is Wilson's at the effective number of customers, the one at which a plain share would vary as much.
    Where none has moved that is the number still watched, where all have it is the number of those who did. Where all
    were watched to the end it is Wilson's own.

    Parameters
    ----------
    fewest : int
        How many have to be watched.

    Returns
    -------
    Moved
        None where fewer ever began.

    References
    ----------
    Dorey, F. J. & Korn, E. L. (1987). Effective sample sizes for confidence intervals for survival probabilities.
    Statistics in Medicine 6, 679-687: of several effective numbers this is Cutler and Ederer's. They recommend it for
    the upper end of survival, and for the lower a smaller one where many were lost to sight since the last move; here
    such days are left out by `fewest`, and one number serves both ends.
    """
    enough = np.flatnonzero(found.at_risk >= fewest)
    if not len(enough):
        return None
    day = int(enough[-1]) if found.waiting else len(found.moved) - 1
    share, variance = float(found.moved[day]), float(found.variance()[day])
    if variance > 0:
        effective = share * (1 - share) / variance
    else:
        effective = float(found.at_risk[0] - found.waiting if share > 0 else found.at_risk[day])
    low, high = wilson([share * effective], [effective], level)
    return Moved(day, share, float(low[0]), float(high[0]), effective)


def median(found: Curve, level: float = 0.95) -> tuple[float, float, float]:
    r"""Return after how many days half have moved, with its interval; NaN where the observations end before.

    The interval holds the days on which a share of one half is within the pointwise interval of the curve. With
    Greenwood's variance on the scale of :math:`\log(-\log S)` that is

    .. math:: S(t)^{\exp(\pm z s(t))}, \qquad s(t)^2 = \frac{\sigma_t^2}{\log^2 S(t)}

    Returns
    -------
    median, low, high : float

    References
    ----------
    Brookmeyer, R. & Crowley, J. (1982). A confidence interval for the median survival time. Biometrics 38, 29-41.
    Klein, J. P. & Moeschberger, M. L. (2003). Survival Analysis, 2nd ed., Springer, chapter 4.

    Examples
    --------
    >>> median(curve([0, 1, 2, 3], [0, 5, 3, 1], [0, 1, 0, 2]))
    (2.0, 1.0, 3.0)
    """
    stays = 1 - found.moved
    with np.errstate(divide="ignore", invalid="ignore"):
        wide = float(ndtri((1 + level) / 2)) * np.sqrt(found.spread) / np.abs(np.log(stays))
        low, high = stays ** np.exp(wide), stays ** np.exp(-wide)
    settled = (stays >= 1) | (stays <= 0)  # before anybody moved, and after all did, nothing is in doubt
    low, high = np.where(settled, stays, low), np.where(settled, stays, high)
    return _first_half(stays), _first_half(low), _first_half(high)


def _first_half(stays: Values) -> float:
    below = np.flatnonzero(stays <= 0.5 * (1 + _ROUNDING))  # a half that rounding put above it is a half
    return float(below[0]) if len(below) else float("nan")


def median_of_movers(found: Curve, day: int, level: float = 0.95) -> tuple[float, float, float]:
    r"""Return after how many days half of those who move by a day have moved, with its interval.

    It is the first day with :math:`F(t) \ge F(\tau) / 2`. The interval holds the days of which a test would not say
    that it is another (Brookmeyer & Crowley's inversion, of the median of those who move instead of all): from the
    first day by which half may have moved, to the first by which more than half surely have. With
    :math:`h(t) = F(t) - F(\tau)/2`,

    .. math:: \mathrm{var}\,h = S_t^2 \sigma_t^2 + S_\tau^2 \sigma_\tau^2 / 4 - S_t S_\tau \sigma_t^2

    since :math:`\mathrm{cov}(S_t, S_\tau) = S_t S_\tau \sigma_t^2` for :math:`t \le \tau`.

    Parameters
    ----------
    day : int
        The last that counts, from `moved_by`.

    Returns
    -------
    median, low, high : float
        NaN where nobody moved.

    References
    ----------
    Brookmeyer, R. & Crowley, J. (1982). A confidence interval for the median survival time. Biometrics 38, 29-41.

    Examples
    --------
    >>> median_of_movers(curve([0, 4, 9], [40, 20, 40], [0, 0, 0]), 9)[0]
    4.0
    """
    moved, spread = found.moved[: day + 1], found.spread[: day + 1]
    if not len(moved) or moved[-1] <= 0:
        return float("nan"), float("nan"), float("nan")
    off = moved - moved[-1] / 2
    stay, last = 1 - moved, 1 - moved[-1]
    variance = stay**2 * spread + last**2 * spread[-1] / 4 - stay * last * spread
    wide = float(ndtri((1 + level) / 2)) * np.sqrt(np.maximum(variance, 0.0))
    median = int(np.argmax(off >= -_ROUNDING))
    surely = np.flatnonzero(off > wide)
    high = int(surely[0]) if len(surely) else day
    return float(median), float(np.argmax(off >= -wide)), float(max(high, median))
