"""Intervals of shares, means and ratios, with customers as the unit that was drawn."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike
from scipy.special import ndtri

Values = npt.NDArray[np.float64]


def wilson(times: ArrayLike, of: ArrayLike, level: float = 0.95) -> tuple[Values, Values]:
    r"""Return Wilson's interval of a share, which holds where few or all did.

    .. math:: \frac{k + z^2 / 2}{n + z^2} \pm \frac{z}{n + z^2} \sqrt{\frac{k (n - k)}{n} + \frac{z^2}{4}}

    Parameters
    ----------
    times, of : array-like of shape (n,)
        How often it happened, of how many.
    level : float, default 0.95

    Returns
    -------
    low, high : ndarray of shape (n,)
        NaN where there were none.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the American
    Statistical Association 22, 209-212.

    Examples
    --------
    >>> low, high = wilson([5], [10])
    >>> round(float(low[0]), 3), round(float(high[0]), 3)
    (0.237, 0.763)
    """
    k, n = np.asarray(times, dtype=np.float64), np.asarray(of, dtype=np.float64)
    z = float(ndtri((1 + level) / 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = (k + z**2 / 2) / (n + z**2)
        wide = z / (n + z**2) * np.sqrt(k * (n - k) / n + z**2 / 4)
    return np.maximum(middle - wide, 0.0), np.minimum(middle + wide, 1.0)


def difference_of_shares(
    times: tuple[ArrayLike, ArrayLike], of: tuple[ArrayLike, ArrayLike], level: float = 0.95
) -> tuple[Values, Values, Values]:
    r"""Return the first share less the second, of different customers, with its interval.

    .. math:: d - \sqrt{(p_1 - l_1)^2 + (u_2 - p_2)^2}, \qquad d + \sqrt{(u_1 - p_1)^2 + (p_2 - l_2)^2}

    with the ends l and u of Wilson's intervals of both.

    Parameters
    ----------
    times, of : pair of array-like of shape (n,)
        How often it happened, of how many, there and here.

    Returns
    -------
    difference, low, high : ndarray of shape (n,)

    References
    ----------
    Newcombe, R. G. (1998). Interval estimation for the difference between independent proportions: comparison of
    eleven methods. Statistics in Medicine 17, 873-890, method 10.

    Examples
    --------
    >>> [round(float(one[0]), 4) for one in difference_of_shares(([56], [48]), ([70], [80]))]
    [0.2, 0.0524, 0.3339]
    """
    (low, high), (other_low, other_high) = (wilson(k, n, level) for k, n in zip(times, of, strict=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        share, other = (np.asarray(k, np.float64) / np.asarray(n, np.float64) for k, n in zip(times, of, strict=True))
    difference = share - other
    below = np.hypot(share - low, other_high - other)
    above = np.hypot(high - share, other - other_low)
    return difference, difference - below, difference + above


def around_mean(mean: ArrayLike, sd: ArrayLike, of: ArrayLike, level: float = 0.95) -> tuple[Values, Values]:
    """Return the normal interval of means, from standard deviations and counts; NaN of fewer than two.

    Parameters
    ----------
    mean, sd, of : array-like of shape (n,)
        `sd` is that of a sample, with n - 1.
    """
    n, middle = np.asarray(of, dtype=np.float64), np.asarray(mean, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        wide = float(ndtri((1 + level) / 2)) * np.asarray(sd, dtype=np.float64) / np.sqrt(n)
    wide = np.where(n >= 2, wide, np.nan)
    return middle - wide, middle + wide


def around_ratio(sums: Values, level: float = 0.95) -> tuple[float, float, float]:
    r"""Return a ratio of two sums over customers, with its interval by the delta method.

    .. math:: r = \frac{\sum y}{\sum x}, \qquad
              s^2 = \frac{\sum y^2 - 2 r \sum x y + r^2 \sum x^2}{(\sum x)^2}

    Parameters
    ----------
    sums : ndarray of shape (5,)
        Over customers, of y, x, y squared, x squared and their product: what SQL can add up in one pass.

    Returns
    -------
    ratio, low, high : float
        NaN where the sum below is zero.

    References
    ----------
    Cochran, W. G. (1977). Sampling Techniques, 3rd ed., Wiley, chapter 6: the variance of a ratio.
    """
    y, x, yy, xx, xy = (float(one) for one in sums)
    if x == 0:
        return float("nan"), float("nan"), float("nan")
    ratio = y / x
    error = np.sqrt(max(yy - 2 * ratio * xy + ratio**2 * xx, 0.0)) / abs(x)
    wide = float(ndtri((1 + level) / 2) * error)
    return ratio, ratio - wide, ratio + wide
