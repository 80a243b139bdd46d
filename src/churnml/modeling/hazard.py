"""How likely a prospect becomes a customer by how long they have been known: the share of each day, by age.

In place of the rhythm of buying, which who never bought does not have. It is read off everyone known at a cutoff: who
became a customer, after how many days, and who has not yet, in how many. So it takes no label, and a horizon that is
not over yet teaches what it has seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.features import FeatureTable
from churnml.modeling.posterior import LEVEL

Matrix = npt.NDArray[np.float64]

EDGES = (0, 1, 2, 4, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180, 270, 365, 540, 730, 1095)
"""Days of age at which another share may begin; the last goes on for ever."""

_PSEUDO_CONVERSIONS = 3.0
"""As many conversions at the rate of the age before are taken to have been seen at each age, so that few cannot tell
much; and an age that nobody has reached goes on as the last did."""

_DRAWS = 100
_MOST = 0.999


@dataclass(frozen=True)
class Hazard:
    """The share of those not yet customers who become one on a day, by the age that `EDGES` cut.

    Parameters
    ----------
    rates : tuple of float, one an age
        The shares.
    drawn : tuple of tuple of float
        Others about as likely, from which it is told how sure it is.
    conversions : int
        How many it was read off, those on the day they became known left out.
    """

    rates: tuple[float, ...]
    drawn: tuple[tuple[float, ...], ...]
    conversions: int

    def probability(self, age: Matrix, days: float) -> Matrix:
        """Return the probability to become a customer in the days after the cutoff; shape (n_rows,).

        Parameters
        ----------
        age : ndarray of shape (n_rows,)
            Days since first known; where that is not told, 0.
        """
        return _within(np.array(self.rates), age, days)

    def between(self, age: Matrix, days: float) -> tuple[Matrix, Matrix]:
        """Return between what, for nine of ten, that probability lies; two of shape (n_rows,)."""
        ages, place = np.unique(np.nan_to_num(age), return_inverse=True)
        told = np.array([_within(np.array(rates), ages, days) for rates in self.drawn])
        tail = (1 - LEVEL) / 2
        low, high = np.quantile(told, [tail, 1 - tail], axis=0, method="weibull")
        return low[place], high[place]

    def to_dict(self) -> dict[str, Any]:  # Any: JSON
        """Return plain data for the bundle."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Hazard:  # Any: JSON
        """Return what `to_dict` wrote."""
        return cls(tuple(data["rates"]), tuple(tuple(one) for one in data["drawn"]), int(data["conversions"]))


def _within(rates: Matrix, age: Matrix, days: float) -> Matrix:
    """Return one less the probability that no day of ``[age, age + days)`` is the one."""
    begins, ends = np.array(EDGES, dtype=np.float64), np.array([*EDGES[1:], np.inf])
    start = np.maximum(np.nan_to_num(age), 0.0)[:, None]
    overlap = np.clip(np.minimum(ends, start + days) - np.maximum(begins, start), 0.0, None)
    return np.asarray(-np.expm1((overlap * np.log1p(-rates)).sum(axis=1)))


def fit_hazard(base: FeatureTable, seed: int) -> Hazard | None:
    """Return the hazard that everyone known at a cutoff tells, None where nobody became a customer later than known.

    Parameters
    ----------
    base : FeatureTable
        The whole base at one cutoff: customers, who once were prospects, as well as prospects.
    seed : int
        Of the draws.

    Notes
    -----
    A discrete-time hazard by occurrence and exposure (Allison 1982, Discrete-time methods for the analysis of event
    histories, Sociological Methodology 13): of the days that people of an age were there and no customers yet, the
    share on which one became one. The posterior of each age is a gamma whose prior is the age before.

    Who was known before the first order that was kept may have ordered before it: what looks like their first is none,
    and of the days before nothing is known. So nobody but those known since teaches it, or where none of these became
    a customer, everyone from that day on.
    """
    age, since, recorded = base.column("known_days"), _customer_for(base), _recorded_for(base)
    whole = np.isfinite(age) & (age <= recorded)
    events, exposed = _counted(age[whole], since[whole], recorded)
    if not events[1:].sum():
        events, exposed = _counted(age[np.isfinite(age)], since[np.isfinite(age)], recorded)
    conversions = float(events[1:].sum())
    if not conversions or not exposed[1:].sum():
        return None
    rng = np.random.default_rng(seed)
    drawn = tuple(_chain(events, exposed, rng) for _ in range(_DRAWS))
    return Hazard(_chain(events, exposed, None), drawn, int(conversions))


def _customer_for(base: FeatureTable) -> Matrix:
    """Return for how many days each has been a customer: by a first order, or a contract that is paid for."""
    names = [name for name in ("tenure_days", "paid_contract_days") if name in base.names]
    columns = [np.nan_to_num(base.column(name), nan=-1.0) for name in names]
    longest = np.maximum.reduce([np.full(len(base), -1.0), *columns])
    return np.where(longest >= 0.0, longest, np.nan)


def _recorded_for(base: FeatureTable) -> float:
    """Return for how many days there have been orders, or where there are none contracts."""
    names = [name for name in ("tenure_days", "paid_contract_days") if name in base.names]
    longest = (np.nan_to_num(base.column(name), nan=-1.0).max(initial=-1.0) for name in names)
    return float(next((days for days in longest if days >= 0.0), -1.0))


def _counted(age: Matrix, since: Matrix, recorded: float) -> tuple[Matrix, Matrix]:
    """Return how many became customers at each age, and how many days people of it were at hand; none before records.

    Parameters
    ----------
    age, since : ndarray of shape (n_rows,)
        Days known, and days a customer; NaN of who is none.
    recorded : float
        For how many days there have been orders.
    """
    came, enters = np.isfinite(since), np.maximum(age - recorded, 0.0)
    last = np.where(came, np.maximum(age - np.where(came, since, 0.0), 0.0) + 1.0, age)
    begins, ends = np.array(EDGES, dtype=np.float64), np.array([*EDGES[1:], np.inf])
    place = np.searchsorted(begins, last[came] - 1.0, side="right") - 1
    events = np.bincount(place, minlength=len(EDGES)).astype(np.float64)
    spans = zip(begins, ends, strict=True)
    exposed = [np.clip(np.minimum(last, end) - np.maximum(enters, begin), 0.0, None).sum() for begin, end in spans]
    return events, np.array(exposed)


def _chain(events: Matrix, exposed: Matrix, rng: np.random.Generator | None) -> tuple[float, ...]:
    """Return the rate of each age, or one drawn from what is as likely, each leaning on the age before."""
    total, days = float(events[1:].sum()), float(exposed[1:].sum())
    before = total / days if rng is None else rng.gamma(total + 0.5) / days
    rates = [_rate(events[0], exposed[0], before, rng)]
    for seen, at_hand in zip(events[1:], exposed[1:], strict=True):
        before = _rate(seen, at_hand, before, rng)
        rates.append(before)
    return tuple(rates)


def _rate(seen: float, at_hand: float, before: float, rng: np.random.Generator | None) -> float:
    shape, days = seen + _PSEUDO_CONVERSIONS, at_hand + _PSEUDO_CONVERSIONS / before
    drawn = shape if rng is None else rng.gamma(shape)
    return float(min(drawn / days, _MOST))
