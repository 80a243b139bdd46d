"""How many orders a day would usually bring: level times season times weekday, and how far days stray from that.

The level is a mean over two months around the day, so what lasts longer than that is the new usual. Days that are set
aside, as unusual ones are, teach nothing. Counts stray more than chance alone would have them, and neighbours stray
together; so the spread is measured for stretches of each length, not derived from that of one day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betainc
from scipy.stats import nbinom

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

WEEK, YEAR = 7, 365
SEASON_YEARS = 2
"""Whole years below which a season cannot be told from a trend."""

_LEVEL_DAYS = 61
_ROUNDS = 3
_ENOUGH = 10.0  # orders in a stretch from which on quartiles of counts are fine enough to measure a spread by
_QUARTILES = 1.349  # of a normal distribution, in standard deviations
_LEAST = 1.0001  # chance alone, with which the negative binomial is as good as Poisson's distribution


@dataclass(frozen=True)
class Usual:
    """What each day would usually bring.

    Parameters
    ----------
    expected : ndarray of shape (n_days,)
        Orders.
    weekday : ndarray of shape (7,)
        From Monday; of an average day.
    season : ndarray of shape (12,) or None
        Of an average month; None of fewer than two years.
    seasonless : ndarray of shape (n_days,) or None
        Orders that the trend over years and the weekday alone would bring; None where there is no season.
    """

    expected: Values
    weekday: Values
    season: Values | None
    seasonless: Values | None


def usual(orders: Values, first_weekday: int, months: Values | None, aside: Flags) -> Usual:
    """Return what each day would usually bring, by all days that are not set aside.

    Parameters
    ----------
    orders : ndarray of shape (n_days,)
        Of consecutive days.
    first_weekday : int
        Of the first of them, 0 is Monday.
    months : ndarray of shape (n_days,) or None
        Where in the year each day is: 0 is the middle of January, 11 that of December. None leaves the season out.
    aside : ndarray of shape (n_days,)
        Days from which nothing is learned.
    """
    day_of_week = (first_weekday + np.arange(len(orders))) % WEEK
    weekday, counted = np.ones(WEEK), ~aside
    season = None if months is None else np.ones(12)
    seasonless: Values | None = None
    for _ in range(_ROUNDS):
        yearly = np.ones(len(orders)) if season is None or months is None else _between(season, months)
        level = _level(orders, weekday[day_of_week] * yearly, counted)
        weekday = _factors(orders, level * yearly, day_of_week, WEEK, counted)
        if months is not None:
            seasonless = _trend(orders, weekday[day_of_week], counted) * weekday[day_of_week]
            season = _factors(orders, seasonless, month_of(months), 12, counted)
    yearly = np.ones(len(orders)) if season is None or months is None else _between(season, months)
    level = _level(orders, weekday[day_of_week] * yearly, counted)
    return Usual(level * yearly * weekday[day_of_week], weekday, season, seasonless)


def month_of(months: Values) -> npt.NDArray[np.int64]:
    """Return the month of each day from its place in the year, 0 is January."""
    return np.round(months).astype(np.int64) % 12


def _level(orders: Values, factor: Values, counted: Flags) -> Values:
    """Return the level of each day: a straight line through the `_LEVEL_DAYS` days around it, at that day.

    Within the series that is their mean; at its ends the window does not shrink, and the line keeps a trend from being
    taken for something unusual.

    References
    ----------
    Fan, J. and Gijbels, I. (1996). Local Polynomial Modelling and Its Applications, Chapman & Hall: lines at
    boundaries.
    """
    width, day = min(_LEVEL_DAYS, len(orders)), np.arange(len(orders), dtype=np.float64)
    window = np.clip(np.arange(len(orders)) - width // 2, 0, len(orders) - width)
    y, f = np.where(counted, orders, 0.0), np.where(counted, factor, 0.0)
    s0, s1, s2, t0, t1 = (stretches(one, width)[window] for one in (f, f * day, f * day**2, y, y * day))
    s1, s2, t1 = s1 - day * s0, s2 - 2 * day * s1 + day**2 * s0, t1 - day * t0
    known = s0 > stretches(factor, width)[window] / 3  # where most days are set aside, those around speak for them
    if not known.any():
        return np.zeros(len(orders))
    mean = np.divide(t0, s0, out=np.zeros(len(orders)), where=known)
    below = s0 * s2 - s1**2
    line = np.divide(s2 * t0 - s1 * t1, below, out=mean.copy(), where=known & (below > 1e-6 * s0 * s2))
    level = np.clip(line, mean / 2, 2 * mean)  # a line through few days may point anywhere
    return np.asarray(np.interp(day, day[known], level[known]))


def _factors(orders: Values, expected: Values, kind: npt.NDArray[np.int64], kinds: int, counted: Flags) -> Values:
    """Return how many orders each kind of day brings for one that was expected, on average 1."""
    above = np.bincount(kind[counted], weights=orders[counted], minlength=kinds)
    below = np.bincount(kind[counted], weights=expected[counted], minlength=kinds)
    found = np.divide(above, below, out=np.ones(kinds), where=below > 0)
    return np.asarray(found / found.mean() if found.mean() > 0 else np.ones(kinds))


def _trend(orders: Values, weekday: Values, counted: Flags) -> Values:
    """Return the trend without the season: geometric between the means of whole years, counted back from the end."""
    years = int(len(orders) / YEAR)
    year = np.minimum(((len(orders) - 1 - np.arange(len(orders))) / YEAR).astype(np.int64), years - 1)
    above = np.bincount(year[counted], weights=orders[counted], minlength=years)
    below = np.bincount(year[counted], weights=weekday[counted], minlength=years)
    mean: Values = np.asarray(np.log(np.maximum(above, 0.5) / np.maximum(below, 0.5))[::-1], dtype=np.float64)
    middle: Values = len(orders) - 1 - (np.arange(years, dtype=np.float64)[::-1] + 0.5) * YEAR
    place = np.arange(len(orders), dtype=np.float64)
    inside = np.interp(place, middle, mean)
    first, last = _slope(middle[:2], mean[:2]), _slope(middle[-2:], mean[-2:])
    inside += np.minimum(place - middle[0], 0.0) * first + np.maximum(place - middle[-1], 0.0) * last
    return np.asarray(np.exp(inside))


def _slope(x: Values, y: Values) -> float:
    return float((y[1] - y[0]) / (x[1] - x[0]))


def _between(season: Values, months: Values) -> Values:
    """Return the season of each day, straight from the middle of one month to that of the next."""
    return np.asarray(np.interp(months, np.arange(-1, 13), season[np.arange(-1, 13) % 12]))


def spread(orders: Values, expected: Values, days: int, counted: Flags) -> float:
    r"""Return the variance of stretches of so many days for each order expected in them; chance alone has 1.

    .. math:: \phi_k = \operatorname{var}\left( \frac{S_k - M_k}{\sqrt{M_k}} \right)

    The lesser of the mean square and, where counts are large enough for it, the square of the distance of the
    quartiles: a few stretches that stray wildly, which are what is sought, do not hide themselves. `counted` marks the
    days that are not set aside.

    References
    ----------
    McCullagh, P. and Nelder, J. A. (1989). Generalized Linear Models, 2nd ed., sections 4.5 and 6.2.
    """
    whole = stretches(counted.astype(np.float64), days) > days - 0.5
    sums, means = stretches(orders, days)[whole], stretches(expected, days)[whole]
    usable = means > 0
    if not usable.any():
        return _LEAST
    strays = (sums[usable] - means[usable]) / np.sqrt(means[usable])
    found = float(np.mean(strays**2))
    if float(np.median(means[usable])) >= _ENOUGH:
        low, high = np.quantile(strays, [0.25, 0.75])
        found = min(found, float((high - low) / _QUARTILES) ** 2)
    return max(found, _LEAST)


def stretches(values: Values, days: int) -> Values:
    """Return the sums of every stretch of so many consecutive days, shape (n_days - days + 1,)."""
    total = np.concatenate(([0.0], np.cumsum(values)))
    return np.asarray(total[days:] - total[:-days])


def chance_of(sums: Values, means: Values, phi: float) -> Values:
    r"""Return how likely sums are to stray as far as they do, or farther, to the same side; doubled, for both sides.

    A sum is negative binomial with mean :math:`M` and variance :math:`\phi M`, that is with size
    :math:`M / (\phi - 1)` and probability :math:`1 / \phi`.

    References
    ----------
    Cameron, A. C. and Trivedi, P. K. (2013). Regression Analysis of Count Data, 2nd ed., chapter 3: the variance
    NB1.
    """
    size, p = np.maximum(means, 1e-9) / (phi - 1), 1 / phi
    # betainc(size, k + 1, p) is the chance of k or fewer (DLMF 8.17.5)
    high = sums > means
    chance = np.empty(len(sums))
    chance[high] = betainc(sums[high], size[high], 1 - p)
    chance[~high] = betainc(size[~high], sums[~high] + 1, p)
    return np.asarray(np.minimum(2 * chance, 1.0))


def usual_range(expected: Values, phi: float, level: float = 0.95) -> tuple[Values, Values]:
    """Return between which numbers of orders so great a share of usual days lies."""
    size, p = np.maximum(expected, 1e-9) / (phi - 1), 1 / phi
    low, high = (nbinom.ppf(at, size, p) for at in ((1 - level) / 2, (1 + level) / 2))
    return np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
