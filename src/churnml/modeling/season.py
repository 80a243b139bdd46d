"""The season: how far the rhythm of buying missed a year before, carried over as far as years were seen to agree.

A rhythm knows no season, and learners taught by the last months know that of those months. At every cutoff whose label
is final it can be said by how much the rhythm missed the share that left, on the logit scale. What it missed a year
before a cutoff, less what it missed a year before the cutoffs that taught, is what the season adds; docs/adr/0019 has
the reasons. With less than a year behind the first miss nothing is added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.config import TrainConfig
from churnml.events import Store
from churnml.events.clock import DAY, days_later
from churnml.features import Catalogue, build
from churnml.labels import Outcomes, churned_within
from churnml.modeling.cutoffs import lag_of
from churnml.modeling.learners import sigmoid
from churnml.modeling.rhythm import logit_of, rhythm_or_rule, stacked_rhythm

Matrix = npt.NDArray[np.float64]
Instants = npt.NDArray[np.int64]

YEAR = 364 * DAY
"""Whole weeks, so that weekdays stay where they were."""

_YEARS = 3
_TOLD_BY = ("orders_all", "tenure_days", "recency_days")
_A_THIRD = 3
_BELIEVED, _DOUBT = 0.7, 0.3
_LEAST_NOISE = 0.1
_MOST = 1.0
_HALF = 0.5


@dataclass(frozen=True)
class Season:
    """By how much the logit of silence is moved at a cutoff.

    Parameters
    ----------
    cutoffs : tuple of int
        Whose labels were final, ascending; microseconds UTC.
    misses : tuple of float
        At each, the logit of the share that fell silent less that of the share the rhythm expected.
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
        usual = np.array(self.taught if taught is None else taught, dtype=np.int64)
        then = self.year_before(usual)
        then = np.where(np.isnan(then), self._at(usual), then)
        now = self.year_before(cutoffs)
        if not len(then) or np.isnan(then).all():
            return np.zeros(len(cutoffs))
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
    store: Store, catalogue: Catalogue, taught: Sequence[int], now: int, config: TrainConfig, days: Sequence[int]
) -> dict[int, Season]:
    """Return the season of silence for each number of days; empty where no year is behind the data.

    Parameters
    ----------
    taught : sequence of int
        The cutoffs that teach the learners.
    now : int
        Nothing after it is read; microseconds UTC.
    days : sequence of int
        No more than the horizon each.
    """
    at = past_cutoffs(store, now, config)
    if not at or not taught:
        return {}
    few = Catalogue(tuple(one for one in catalogue.features if one.name in _TOLD_BY), {})
    base = build(store, few, at, config.population_days)
    _, logits = stacked_rhythm(base, config.horizon_days, days, rhythm_or_rule)
    inside = base.modelled
    table, expected = base.take(inside), sigmoid(logits[inside])
    lag = lag_of(store, config)
    outcomes = Outcomes.read(store, at, config.horizon_days, known_by=now, label_lag_days=lag)
    outcome = outcomes.at(table.customer_ids, table.cutoffs)
    return {
        day: fit_season(table.cutoffs, expected[:, place], churned_within(outcome, day), taught, config.horizon_days)
        for place, day in enumerate(days)
    }


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
