"""What a customer's own answers say beyond their behaviour, and for how long: the shrinkage of a noisy few.

Between two answers of a customer a part of what behaviour does not tell stays and fades with the days; the rest is
noise. How large each is comes from the products of two answers' distances to what behaviour had said.

References
----------
Robinson (1991), That BLUP is a good thing, Statistical Science 6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from churnml.features import FeatureTable

Matrix = npt.NDArray[np.float64]

BEST = 100.0
OWN = ("satisfaction_last", "days_since_answer", "satisfaction_mean_365d", "answer_rate_365d", "surveys_asked_365d")
"""What a customer answered themselves, as the features tell it."""

_YEAR = 365.0
_FADING = (30.0, 60.0, 120.0, 240.0, 480.0, 4_000.0)
"""Days after which a third is left, of which one is chosen."""
_FEW, _MOST_LASTING = 60, 0.95


@dataclass(frozen=True)
class Own:
    """What customers answered themselves; arrays of shape (n_rows,), the first NaN for who never did.

    Parameters
    ----------
    last, days : ndarray
        Points of the last answer, and how long ago it was asked for.
    others, mean_of_others : ndarray
        How many more there are of the last 365 days, and their mean.
    """

    last: Matrix
    days: Matrix
    others: Matrix
    mean_of_others: Matrix


def own_answers(table: FeatureTable) -> Own:
    """Return what the rows say of answers; the values of a row that no customer ever was are held within bounds."""
    last, days, mean, rate, asked = (table.column(name) for name in OWN)
    last, mean = np.clip(last, 0.0, BEST), np.clip(mean, 0.0, BEST)
    days = np.where(np.isnan(last) | np.isnan(days), 0.0, np.maximum(days, 0.0))
    of_year = np.rint(np.clip(np.nan_to_num(rate), 0.0, 1.0) * np.clip(np.nan_to_num(asked), 0.0, 1e6))
    others = np.where(np.isnan(last) | np.isnan(mean), 0.0, np.maximum(of_year - 1.0, 0.0))
    rest = np.divide(of_year * mean - last, others, out=np.full(len(last), np.nan), where=others > 0)
    return Own(last, days, others, np.clip(rest, 0.0, BEST))


@dataclass(frozen=True)
class Lasting:
    """What an answer tells beyond behaviour, and for how long.

    Parameters
    ----------
    spread : float
        Standard deviation of what is the customer's own and stays, in points.
    days : float
        After which a third of it is left (a share of 1/e).
    noise : float
        Standard deviation of an answer around it.
    """

    spread: float
    days: float
    noise: float

    def posterior(self, expected: Matrix, own: Own) -> tuple[Matrix, Matrix]:
        """Return the expectation after a customer's own answers, and the standard deviation of an answer around it."""
        stays, noise, rest = self.spread**2, self.noise**2, np.maximum(own.others, 1.0)
        age = (own.days + np.maximum(_YEAR, own.days)) / 2  # when the others were asked, of which the mean is known
        with_last, with_rest = stays * self._left(own.days), stays * self._left(age)
        between = stays * self._left(age - own.days)
        of_last, of_rest = stays + noise, stays + noise / rest
        several = own.others > 0
        less = np.where(several, of_last * of_rest - between**2, of_last)
        less = np.maximum(less, np.finfo(np.float64).tiny)
        last = np.where(several, with_last * of_rest - with_rest * between, with_last) / less
        others = np.where(several, with_rest * of_last - with_last * between, 0.0) / less
        moved = last * (own.last - expected) + others * (np.where(several, own.mean_of_others, 0.0) - expected)
        told = ~np.isnan(own.last)
        left = stays - np.where(told, last * with_last + others * with_rest, 0.0)
        after = np.where(told, expected + moved, expected)
        return np.clip(after, 0.0, BEST), np.sqrt(np.maximum(left, 0.0) + noise)

    def _left(self, days: Matrix) -> Matrix:
        return np.asarray(np.exp(-days / self.days))


def fit_lasting(own: Own, expected: Matrix, residual: Matrix, ahead: Matrix) -> Lasting:
    """Return how what behaviour does not tell lasts, from the products of two answers' distances to it.

    Of the lengths that fit as well as the best, but for one standard error, the longest: a market of known truth showed
    that a few hundred pairs of answers take a lucky month for the rule.
    """
    whole = float((residual**2).mean())
    before = ~np.isnan(own.last)
    if before.sum() < _FEW or whole <= 0.0:
        return Lasting(0.0, _FADING[-1], float(np.sqrt(whole)))
    product = (own.last - expected)[before] * residual[before]
    left = np.exp(-(own.days + ahead)[before] / np.array(_FADING)[:, None])
    stays = np.clip((left @ product) / (left**2).sum(axis=1), 0.0, _MOST_LASTING * whole)
    errors = (product - stays[:, None] * left) ** 2
    worse = errors - errors[np.argmin(errors.mean(axis=1))]
    as_good = worse.mean(axis=1) <= worse.std(axis=1) / np.sqrt(len(product))
    longest = int(np.flatnonzero(as_good)[-1])
    return Lasting(float(np.sqrt(stays[longest])), _FADING[longest], float(np.sqrt(whole - stays[longest])))
