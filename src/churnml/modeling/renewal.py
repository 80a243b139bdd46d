"""The rhythm of contracts: how long one lasts, by how many renewals it has survived and when the next is due.

In place of the rhythm of buying, which a contract does not have. A contract ends at a renewal with a chance that falls
with every renewal survived (`sbg`), and between renewals at a rate that is the same for all: a payment that failed, a
right to leave at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.special import betaln

from churnml.events import Spells
from churnml.events.renewals import MONTH
from churnml.features import FeatureTable
from churnml.modeling.posterior import DRAWS, LEVEL
from churnml.modeling.sbg import Renewed, drawn_sbg, fit_sbg

Matrix = npt.NDArray[np.float64]

RENEWAL_COLUMNS = ("renewal_logit", "renewal_next", "renewal_days")
_YEAR = 365.25
_HALF = 0.5
_STEPS = 24


@dataclass(frozen=True)
class Held:
    """Where running contracts stand; arrays of shape (n_rows,).

    Parameters
    ----------
    renewed : ndarray
        Renewals survived.
    due_days : ndarray
        Whole days until the next.
    every_days : ndarray
        Days between two.
    """

    renewed: Matrix
    due_days: Matrix
    every_days: Matrix

    def __len__(self) -> int:
        return len(self.renewed)


def held(table: FeatureTable) -> Held:
    """Return where the contracts of rows stand; of several, the last to renew, as if it were the oldest."""
    every = np.where(table.column("renewal_every_days") >= 1, table.column("renewal_every_days"), MONTH)
    age = np.nan_to_num(np.fmin(table.column("contract_days"), table.column("paid_contract_days")))
    due = table.column("days_to_last_renewal")
    due = np.where(np.isnan(due), every - 1 - np.mod(age, every), due)
    return Held(np.maximum(np.round((age + due + 1) / every) - 1, 0.0), np.maximum(np.floor(due), 0.0), every)


@dataclass(frozen=True)
class Renewals:
    """How contracts end.

    Parameters
    ----------
    alpha, beta : float
        Of the chance to leave at a renewal.
    daily : float
        The rate at which contracts end between renewals, a day.
    """

    alpha: float
    beta: float
    daily: float

    def p_lasts(self, known: Held, days: float | Matrix) -> Matrix:
        """Return the probability that each contract still runs after so many days; the days may differ by row.

        References
        ----------
        Fader & Hardie (2007), as `sbg.log_likelihood`, equation 6, for contracts that have survived renewals.
        """
        ahead = np.asarray(days, dtype=np.float64)
        times = np.ceil(np.maximum(ahead - known.due_days, 0.0) / known.every_days)
        before = self.beta + known.renewed
        told = betaln(self.alpha, before + times) - betaln(self.alpha, before) - self.daily * ahead
        return np.asarray(np.exp(told))

    def leaves_next(self, known: Held) -> Matrix:
        """Return the chance of each to leave at the next renewal."""
        return np.asarray(self.alpha / (self.alpha + self.beta + known.renewed))


@dataclass(frozen=True)
class DrawnRenewals:
    """Several, about as likely as one another; every answer is the mean of theirs."""

    each: tuple[Renewals, ...]

    def p_lasts(self, known: Held, days: float | Matrix) -> Matrix:
        """Return the probability that each contract still runs after so many days."""
        return self._mean(lambda one: one.p_lasts(known, days))

    def leaves_next(self, known: Held) -> Matrix:
        """Return the chance of each to leave at the next renewal."""
        return self._mean(lambda one: one.leaves_next(known))

    def between(self, known: Held, days: float) -> tuple[Matrix, Matrix]:
        """Return between what, for nine of ten, the probability lies that a contract is over by then."""
        said, tail = np.array([1.0 - one.p_lasts(known, days) for one in self.each]), (1 - LEVEL) / 2
        low, high = np.quantile(said, [tail, 1 - tail], axis=0, method="weibull")
        return low, high

    def _mean(self, answer: Callable[[Renewals], Matrix]) -> Matrix:
        # one after the other: NumPy's own mean of one customer adds up in another order than that of many
        total = np.asarray(answer(self.each[0]))
        for one in self.each[1:]:
            total = total + answer(one)
        return np.asarray(total / len(self.each))


Pace = Renewals | DrawnRenewals
"""A rhythm of contracts."""


def fit_renewals(known: Spells) -> Renewals:
    """Return how contracts end, by how they went on so far."""
    alpha, beta = fit_sbg(_renewed(known))
    return Renewals(alpha, beta, float(known.left_between.sum() / max(_exposure(known), 1.0)))


def drawn_renewals(known: Spells, seed: int) -> DrawnRenewals:
    """Return paces drawn in proportion to how likely they make what is known."""
    rng = np.random.default_rng(seed)
    ended, exposed = float(known.left_between.sum()), _exposure(known)
    daily = rng.gamma(ended + _HALF, size=DRAWS) / (exposed + _YEAR)
    pairs = drawn_sbg(_renewed(known), DRAWS, rng)
    return DrawnRenewals(tuple(Renewals(*pair, float(rate)) for pair, rate in zip(pairs, daily, strict=True)))


def _renewed(known: Spells) -> Renewed:
    return Renewed.of(known.renewed, known.seen_from, known.left_at_renewal)


def _exposure(known: Spells) -> float:
    return float(known.days.sum())


def days_held(pace: Pace, known: Held, days: float, rate: float = 0.0) -> Matrix:
    """Return the days that each contract is expected to run of so many, each worth less the later it is.

    Parameters
    ----------
    rate : float, default 0
        Continuous, per day.
    """
    edges = np.linspace(0.0, days, max(int(days // 7), _STEPS) + 1)
    total = np.zeros(len(known))
    for begin, end in pairwise(edges.tolist()):
        middle = (begin + end) / 2
        total += pace.p_lasts(known, middle) * (end - begin) * np.exp(-rate * middle)
    return total


def renewal_columns(pace: Pace, known: Held, horizon_days: int) -> Matrix:
    """Return the logit of being over within the horizon, the chance to leave next, and days held; (n_rows, 3)."""
    over = over_logit(pace, known, horizon_days)
    return np.column_stack([over, pace.leaves_next(known), days_held(pace, known, horizon_days)])


def over_logit(pace: Pace, known: Held, days: float) -> Matrix:
    """Return the logit of the contract being over within the days, the probability kept a millionth from 0 and 1."""
    over = np.clip(1.0 - pace.p_lasts(known, days), 1e-6, 1 - 1e-6)
    return np.asarray(np.log(over / (1 - over)))
