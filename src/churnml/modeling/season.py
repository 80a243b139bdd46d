"""The season: how far the rhythm of buying missed a year before, carried over as far as years were seen to agree.

A rhythm knows no season, and learners taught by the last months know that of those months. At every cutoff whose label
is final it can be said by how much the rhythm missed the share that left, on the logit scale. What it missed a year
before a cutoff, less what it missed a year before the cutoffs that taught, is what the season adds; docs/adr/0019 has
the reasons. With less than a year behind the first miss nothing is added. The same is done of the margin, on its
logarithm: by how much what came was more than order days expected times what each customer pays on one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.config import TrainConfig
from churnml.events import Store
from churnml.events.clock import DAY, days_later
from churnml.features import Catalogue, build
from churnml.labels import Outcomes, churned_within, margin
from churnml.modeling.cutoffs import lag_of
from churnml.modeling.learners import sigmoid
from churnml.modeling.rhythm import logit_of, rhythm_or_rule, stacked_rhythm

Matrix = npt.NDArray[np.float64]
Instants = npt.NDArray[np.int64]

YEAR = 364 * DAY
"""Whole weeks, so that weekdays stay where they were."""

_YEARS = 3
_TOLD_BY = ("orders_all", "tenure_days", "recency_days", "spend_all")
_A_THIRD = 3
_BELIEVED, _DOUBT = 0.7, 0.3
_LEAST_NOISE = 0.1
_MOST = 1.0
_HALF = 0.5
_ORDERS = 2
"""The column of `rhythm_columns` that holds expected order days."""


@dataclass(frozen=True)
class Season:
    """By how much the logit of silence, or the logarithm of the margin, is moved at a cutoff.

    Parameters
    ----------
    cutoffs : tuple of int
        Whose labels were final, ascending; microseconds UTC.
    misses : tuple of float
        At each, the logit of the share that fell silent less that of the share the rhythm expected; of the margin, the
        logarithm of what came over what was expected.
    taught : tuple of int
        The cutoffs that taught the learners.
    belief : float
        Share of a year's miss that is expected to come again, 0 to 1.
    """

    cutoffs: tuple[int, ...]
    misses: tuple[float, ...]
    taught: tuple[int, ...]
    belief: float

    def shift(self, cutoffs: Instants, taught: Sequence[int] | None = None) -> Matrix:
        """Return what the season adds to the logit at each cutoff, 0 where no year before is known; shape as given.

        Parameters
        ----------
        cutoffs : ndarray of shape (n_rows,)
            Microseconds UTC.
        taught : sequence of int, optional
            What the learners were taught with, where it was not `self.taught`.
        """
        return self._moved(self.year_before(cutoffs), self.taught if taught is None else taught)

    def over_a_year(self) -> float:
        """Return the mean of what the season adds over the days of a year, the last that is known."""
        known = np.array(self.cutoffs) > self.cutoffs[-1] - YEAR
        if self.cutoffs[-1] - self.cutoffs[0] < YEAR:
            return 0.0
        return float(self._moved(np.array([np.mean(np.array(self.misses)[known])]), self.taught)[0])

    def _moved(self, now: Matrix, taught: Sequence[int]) -> Matrix:
        """Return what is added where the miss is `now`, 0 where that is not known."""
        at = np.array(taught, dtype=np.int64)
        then = self.year_before(at)
        then = np.where(np.isnan(then), self._at(at), then)
        if not len(then) or np.isnan(then).all():
            return np.zeros(len(now))
        moved = np.clip(self.belief * (now - np.nanmean(then)), -_MOST, _MOST)
        return np.asarray(np.where(np.isnan(now), 0.0, moved))

    def year_before(self, cutoffs: Instants) -> Matrix:
        """Return the mean miss so many whole years before each cutoff as are known, NaN where none is."""
        known = np.array([self._at(cutoffs - years * YEAR) for years in range(1, _YEARS + 1)])
        count = np.isfinite(known).sum(axis=0)
        total = np.nansum(known, axis=0)
        return np.asarray(np.divide(total, count, out=np.full(len(cutoffs), np.nan), where=count > 0))

    def _at(self, cutoffs: Instants) -> Matrix:
        first, last = self.cutoffs[0], self.cutoffs[-1]
        told = np.interp(cutoffs - first, np.array(self.cutoffs) - first, self.misses)
        return np.where((cutoffs >= first) & (cutoffs <= last), told, np.nan)

    @classmethod
    def from_dict(cls, held: Mapping[str, Any]) -> Season:  # Any: JSON
        """Return the season a bundle holds."""
        return cls(tuple(held["cutoffs"]), tuple(held["misses"]), tuple(held["taught"]), float(held["belief"]))


@dataclass(frozen=True)
class Seasons:
    """What the season adds.

    Parameters
    ----------
    silence : mapping of int to Season
        To silence of so many days; empty where no year of data is behind it.
    value : Season or None
        To the margin of the horizon.
    """

    silence: Mapping[int, Season] = field(default_factory=dict)
    value: Season | None = None


def past_cutoffs(store: Store, now: int, config: TrainConfig) -> list[int]:
    """Return the cutoffs at which a miss is measured, ascending: a third of a horizon apart, back from the last label.

    There are none where none of them lies a year before `now`.
    """
    horizon, zone = config.horizon_days, store.time_zone
    steps = -(-horizon // (_A_THIRD * config.step_days))
    waits = horizon + lag_of(store, config)
    # the first orders of the data are not the first of their customers, and mislead a rhythm for a while
    earliest = days_later(store.span[0], max(config.min_history_days, 2 * horizon), zone)
    if earliest > now - YEAR:
        return []
    found, back = list[int](), 0
    while (at := days_later(now, -(waits + back), zone)) >= max(earliest, now - _YEARS * YEAR):
        found.append(at)
        back += steps * config.step_days
    return found[::-1]


def seasons(
    store: Store,
    catalogue: Catalogue,
    taught: Sequence[int],
    now: int,
    config: TrainConfig,
    days: Sequence[int],
    margin_rate: float,
) -> Seasons:
    """Return the season of silence for each number of days, and that of the margin; none where no year is behind.

    Parameters
    ----------
    taught : sequence of int
        The cutoffs that teach the learners.
    now : int
        Nothing after it is read; microseconds UTC.
    days : sequence of int
        No more than the horizon each.
    margin_rate : float
        Margin per unit of revenue where orders carry no cost.
    """
    at = past_cutoffs(store, now, config)
    if not at or not taught:
        return Seasons()
    few = Catalogue(tuple(one for one in catalogue.features if one.name in _TOLD_BY), {})
    base = build(store, few, at, config.population_days)
    columns, logits = stacked_rhythm(base, config.horizon_days, days, rhythm_or_rule)
    inside = base.modelled
    table, expected = base.take(inside), sigmoid(logits[inside])
    lag = lag_of(store, config)
    outcomes = Outcomes.read(store, at, config.horizon_days, known_by=now, label_lag_days=lag)
    outcome = outcomes.at(table.customer_ids, table.cutoffs)
    horizon, cutoffs = config.horizon_days, table.cutoffs
    silence = {
        day: fit_season(cutoffs, expected[:, place], churned_within(outcome, day), taught, horizon)
        for place, day in enumerate(days)
    }
    paid = np.maximum(table.column("spend_all") / table.column("orders_all"), 0.0) * margin_rate
    came = margin(outcome, margin_rate)
    return Seasons(silence, fit_value_season(cutoffs, columns[inside][:, _ORDERS] * paid, came, taught, horizon))


def fit_season(
    cutoffs: Instants, expected: Matrix, silent: npt.NDArray[np.bool_], taught: Sequence[int], horizon_days: int
) -> Season:
    """Return the season that misses tell of.

    How far a year is believed starts at .7, give or take .3, and is moved by how misses went along with those of the
    year before; chance in the misses themselves takes off its share.

    Parameters
    ----------
    cutoffs, expected, silent : ndarray of shape (n_rows,)
        Of the population at each past cutoff: what the rhythm expected, and what came.

    References
    ----------
    A regression through a normal prior: Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., section 14.8. What
    noise in the regressor takes off: Fuller (1987), Measurement Error Models, section 1.1.
    """
    at = np.unique(cutoffs)
    told = [_miss(expected[cutoffs == one], silent[cutoffs == one]) for one in at]
    return _believed(at, told, taught, horizon_days)


def fit_value_season(
    cutoffs: Instants, expected: Matrix, came: Matrix, taught: Sequence[int], horizon_days: int
) -> Season | None:
    """Return the season of the margin; parameters and belief as of `fit_season`, None where nothing came at a cutoff.

    Parameters
    ----------
    expected, came : ndarray of shape (n_rows,)
        Margin in the horizon by the rhythm, and as it came.
    """
    at = np.unique(cutoffs)
    sums = [(came[cutoffs == one], expected[cutoffs == one]) for one in at]
    if not len(at) or min(min(float(paid.sum()), float(told.sum())) for paid, told in sums) <= 0:
        return None
    return _believed(at, [_value_miss(*pair) for pair in sums], taught, horizon_days)


def _value_miss(came: Matrix, expected: Matrix) -> tuple[float, float]:
    """Return the logarithm of what came over what was expected, and the variance that chance alone gives it."""
    ratio = float(came.sum() / expected.sum())
    chance = float(((came - ratio * expected) ** 2).sum() / came.sum() ** 2)
    return float(np.log(ratio)), chance


def _believed(at: Instants, told: Sequence[tuple[float, float]], taught: Sequence[int], horizon_days: int) -> Season:
    """Return the season of misses and the variances that chance gives them, with how far a year is believed."""
    misses, noise = np.array([miss for miss, _ in told]), float(np.mean([chance for _, chance in told]))
    season = Season(tuple(at.tolist()), tuple(misses.tolist()), tuple(taught), 0.0)
    before = season.year_before(at)
    pairs = np.isfinite(before)
    this, last = misses[pairs], before[pairs]
    this, last = this - this.mean() if len(this) else this, last - last.mean() if len(last) else last
    apart = float(np.diff(at).mean()) / DAY if len(at) > 1 else float(horizon_days)
    # cutoffs nearer to each other than a horizon tell in part the same
    weight = min(apart / horizon_days, 1.0) / max(2.0 * noise, _LEAST_NOISE**2)
    slope = (weight * (this @ last) + _BELIEVED / _DOUBT**2) / (weight * (last @ last) + 1.0 / _DOUBT**2)
    spread = float(misses.var())
    belief = float(np.clip(slope, 0.0, 1.0)) * max(0.0, 1.0 - noise / spread) if spread > 0 else 0.0
    return Season(season.cutoffs, season.misses, season.taught, belief)


def _miss(expected: Matrix, silent: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return by how much the rhythm missed, and the variance that chance alone gives it."""
    n, share = len(silent), (silent.sum() + _HALF) / (len(silent) + 2 * _HALF)
    miss = float(np.subtract(*logit_of(np.array([share, expected.mean()]))))
    return miss, float(1.0 / (n * share * (1.0 - share)))
