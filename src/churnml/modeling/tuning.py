"""Settings of the churn blend that forecast better, searched for out of time; see docs/tuning.md and docs/adr/0018.

Features and labels are built once, as of the last cutoff whose label is final. A trial is taught and judged at rolling
origins before that cutoff, just as a training at each of them would have been; the cutoff itself is opened once, for
the winner and the settings that were there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from churnml.config import TrainConfig, validated
from churnml.errors import NotEnoughDataError
from churnml.events import Store
from churnml.events.clock import moment
from churnml.features import Catalogue
from churnml.labels import Outcomes, churned, origins
from churnml.modeling import metrics
from churnml.modeling.backtest import last_origin, require_both
from churnml.modeling.churn import ChurnModel, Recipe, enough, fit_learners
from churnml.modeling.cutoffs import cutoffs_before, lag_of
from churnml.modeling.design import RHYTHM_COLUMNS, fit_design
from churnml.modeling.judgement import Figure, figure_of
from churnml.modeling.learners import sigmoid
from churnml.modeling.renewal import RENEWAL_COLUMNS, fit_renewals
from churnml.modeling.rhythm import fit_rhythm, rhythm_columns
from churnml.modeling.season import Season
from churnml.modeling.snapshots import snapshots

Matrix = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Json = dict[str, Any]  # Any: JSON
Origin = tuple[tuple[int, ...], int]

_ORIGINS = 4
"""At so many origins a trial is judged, the latest before the last."""

METRICS: Mapping[str, Callable[[Matrix, Matrix], float]] = {
    "log_loss": metrics.log_loss,
    "brier": metrics.brier,
    "auroc": metrics.auroc,
}
_HIGHER = {"auroc"}


@dataclass(frozen=True)
class Range:
    """Between what a setting is searched for.

    Parameters
    ----------
    whole : bool
        Whether it is a whole number.
    by_factor : bool
        Whether twice as much is as far as half as much.
    learner : str
        Whose setting it is; not searched for where that learner is not used. Empty for the blend's own.
    """

    low: float
    high: float
    whole: bool = False
    by_factor: bool = False
    learner: str = ""


SEARCHED: Mapping[str, Range] = {
    "rounds": Range(50, 800, whole=True, by_factor=True, learner="trees"),
    "trees.num_leaves": Range(3, 31, whole=True, by_factor=True, learner="trees"),
    "trees.min_leaf": Range(20, 500, whole=True, by_factor=True, learner="trees"),
    "trees.feature_fraction": Range(0.05, 0.8, by_factor=True, learner="trees"),
    "trees.bagging_fraction": Range(0.4, 1.0, learner="trees"),
    "trees.lambda_l2": Range(1.0, 200.0, by_factor=True, learner="trees"),
    "trees.learning_rate": Range(0.01, 0.1, by_factor=True, learner="trees"),
    "ridge.variance": Range(0.0001, 0.1, by_factor=True, learner="ridge"),
    "blend.shrinkage": Range(0.001, 1.0, by_factor=True),
}
"""What is searched for, by key of `configs/train.yaml`."""


def searched(config: TrainConfig) -> dict[str, Range]:
    """Return what is searched for with the learners that a configuration uses, its own values included."""
    found = {name: one for name, one in SEARCHED.items() if not one.learner or one.learner in config.learners.use}
    own = settings_of(config, [*found])
    return {name: _with(one, own[name]) for name, one in found.items()}


def _with(one: Range, value: float) -> Range:
    """Return a range that holds a value too; from 0 nothing is twice as much."""
    return replace(one, low=min(one.low, value), high=max(one.high, value), by_factor=one.by_factor and value > 0)


def settings_of(config: TrainConfig, names: Sequence[str]) -> dict[str, float]:
    """Return the values of some settings, by key."""
    found = {}
    for name in names:
        here: Any = config  # Any: walks down the settings
        for part in name.split("."):
            here = getattr(here, part)
        found[name] = here
    return found


def with_settings(config: TrainConfig, settings: Mapping[str, float]) -> TrainConfig:
    """Return a configuration with other values of some settings, by key."""
    whole = config.model_dump()
    for name, value in settings.items():
        *path, last = name.split(".")
        here = whole
        for part in path:
            here = here[part]
        here[last] = value
    changed = validated(whole, TrainConfig, "the settings found")
    return changed.model_copy(update={"learners": config.learners})


@dataclass(frozen=True)
class Ground:
    """What every trial is taught and judged with, built once.

    Parameters
    ----------
    matrix, rhythm, churned, cutoffs : ndarray of one row for each customer at each training cutoff
        As of `churn.fit_churn`.
    columns : tuple of str
        Of the matrix.
    origins : tuple of (teaching cutoffs, judging cutoff)
        All there are, ascending.
    usable : frozenset
        Those whose teachers saw enough leave and stay.
    judged : tuple of (teaching cutoffs, judging cutoff)
        The latest of them, at which trials are judged.
    last : str
        The day that is kept for the winner.
    last_matrix, last_rhythm, last_churned : ndarray
        The population of that day, and who left.
    days : tuple of str
        Of the judging cutoffs.
    season : Season or None
        What the season adds at a cutoff.
    last_cutoff : int
        The day that is kept, microseconds UTC.
    """

    matrix: Matrix
    rhythm: Matrix
    churned: Flags
    cutoffs: npt.NDArray[np.int64]
    columns: tuple[str, ...]
    origins: tuple[Origin, ...]
    usable: frozenset[Origin]
    judged: tuple[Origin, ...]
    last: str
    last_matrix: Matrix
    last_rhythm: Matrix
    last_churned: Flags
    days: tuple[str, ...]
    season: Season | None
    last_cutoff: int

    @property
    def whole(self) -> Origin:
        """The origin of the last day: everything teaches."""
        return tuple(np.unique(self.cutoffs).tolist()), self.last_cutoff


def prepared(
    store: Store,
    catalogue: Catalogue,
    now: int,
    config: TrainConfig,
    margin_rate: float,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Ground:
    """Build the snapshots of a search.

    Raises
    ------
    NotEnoughDataError
        If history does not reach for two origins before the last cutoff whose label is final, or too few left.
    """
    test = last_origin(store, now, config)
    at = cutoffs_before(store, test, config)
    with threadpool_limits(limits=1, user_api="blas"):
        stack = snapshots(store, catalogue, at, test, config, margin_rate, progress)
        rhythm = fit_rhythm(stack.base_at_now, test) if stack.spells is None else fit_renewals(stack.spells)
        asked = stack.base_at_now.take(stack.base_at_now.modelled)
        told = rhythm_columns(rhythm, asked, config.horizon_days)
    read = Outcomes.read(store, [test], config.horizon_days, grace_days=config.grace_days)
    outcome = read.at(asked.customer_ids, asked.cutoffs)
    require_both(outcome, config.horizon_days, config.by)
    rhythm_columns_of = RHYTHM_COLUMNS if stack.spells is None else RENEWAL_COLUMNS
    design, lag = fit_design(stack.table, rhythm_columns_of), lag_of(store, config)
    cutoffs = stack.table.cutoffs
    rolling = origins(sorted(at), config.horizon_days, len(at), store.time_zone, lag)
    every = tuple((tuple(teach), judge) for teach, judge in rolling)
    usable = [one for one in every if enough(stack.churned[np.isin(cutoffs, one[0])])]
    judged = tuple(one for one in usable if enough(stack.churned[cutoffs == one[1]]))[-_ORIGINS:]
    if len(judged) < 2:
        raise NotEnoughDataError(
            "tuning needs two origins before the last, each with 30 customers who left and 30 who stayed, taught by as "
            f"many, found {len(judged)}; bring more history, or shorten `horizon_days` or `step_days` in "
            "configs/train.yaml"
        )
    zone = store.time_zone
    return Ground(
        design.matrix(stack.table, stack.rhythm),
        stack.rhythm[:, 0],
        stack.churned,
        cutoffs,
        design.columns,
        every,
        frozenset(usable),
        judged,
        moment(test, zone).date().isoformat(),
        design.matrix(asked, told),
        told[:, 0],
        churned(outcome, config.by),
        tuple(moment(judge, zone).date().isoformat() for _, judge in judged),
        stack.seasons.silence.get(config.horizon_days),
        test,
    )


class Teaching:
    """One trial's learners: what is taught by some cutoffs is taught once, though several origins ask for it."""

    def __init__(self, ground: Ground, config: TrainConfig) -> None:
        self.ground, self.config, self.recipe = ground, config, Recipe.of(config)
        self._taught: dict[tuple[int, ...], ChurnModel] = {}

    def at(self, origin: Origin) -> Matrix:
        """Return the churn probability of the population at an origin, by a blend that knew what was final then."""
        rows = self.ground.cutoffs == origin[1]
        return self._blended(origin, self.ground.matrix[rows], self.ground.rhythm[rows])

    def at_last(self) -> Matrix:
        """Return the churn probability of the population at the day that was kept."""
        return self._blended(self.ground.whole, self.ground.last_matrix, self.ground.last_rhythm)

    def _blended(self, origin: Origin, matrix: Matrix, rhythm: Matrix) -> Matrix:
        teach = origin[0]
        rolling = [one for one in self.ground.origins if one[1] in teach][-self.config.folds :]
        known = [one for one in rolling if one in self.ground.usable]
        with ThreadPoolExecutor(max_workers=2) as pool, threadpool_limits(limits=1, user_api="blas"):
            list(pool.map(self._teach, dict.fromkeys([teach, *(one[0] for one in known)])))
        learned = self._taught[teach]
        if known:
            logits = np.concatenate([self._logits(one) for one in known])
            left = np.concatenate([self.ground.churned[self.ground.cutoffs == judge] for _, judge in known])
            moved = np.concatenate([self._added(one, (self.ground.cutoffs == one[1]).sum()) for one in known])
            learned = replace(learned, weights=self.recipe.weights(logits, left, moved))
        said = (learned.logits(matrix, rhythm) * np.array(learned.weights)).sum(axis=1)
        return sigmoid(said + self._added(origin, len(matrix)))

    def _added(self, origin: Origin, rows: int) -> Matrix:
        """Return what the season adds at the judging cutoff of an origin."""
        at = np.full(rows, origin[1])
        return np.zeros(rows) if self.ground.season is None else self.ground.season.shift(at, origin[0])

    def _teach(self, teach: tuple[int, ...]) -> None:
        if teach in self._taught:
            return
        ground, rows = self.ground, np.isin(self.ground.cutoffs, teach)
        self._taught[teach] = fit_learners(
            ground.matrix[rows],
            ground.rhythm[rows],
            ground.churned[rows],
            rounds=self.config.rounds,
            seed=self.config.seed,
            recipe=self.recipe,
            columns=ground.columns,
        )

    def _logits(self, origin: Origin) -> Matrix:
        rows = self.ground.cutoffs == origin[1]
        return self._taught[origin[0]].logits(self.ground.matrix[rows], self.ground.rhythm[rows])


def judged_at(ground: Ground, origin: Origin, probability: Matrix) -> dict[str, float]:
    """Return each figure of a trial at an origin."""
    truth = ground.churned[ground.cutoffs == origin[1]].astype(np.float64)
    return {name: measure(truth, probability) for name, measure in METRICS.items()}


@dataclass(frozen=True)
class Gain:
    """How the winner stands to the settings that were there, at the day that was kept for it.

    Parameters
    ----------
    before, after : dict of str to float
        Figures of the old and of the new settings.
    better_by : dict of str to Figure
        Paired over customers; positive where the new settings are better, with a 95 % interval.
    """

    before: Mapping[str, float]
    after: Mapping[str, float]
    better_by: Mapping[str, Figure]

    @property
    def beyond_noise(self) -> bool:
        """Whether the log loss is better beyond noise, and no other figure worse."""
        worse = any(one.high < 0 for one in self.better_by.values())
        return self.better_by["log_loss"].low > 0 and not worse

    def to_json(self) -> Json:
        """Return plain data."""
        told = {name: [one.value, one.low, one.high] for name, one in self.better_by.items()}
        return {"before": dict(self.before), "after": dict(self.after), "better_by": told}


def gain(ground: Ground, before: Matrix, after: Matrix, *, bootstrap: int, seed: int) -> Gain:
    """Compare two forecasts of the population at the day that was kept, on the same redraws of its customers."""
    truth = ground.last_churned.astype(np.float64)
    rng = np.random.default_rng(seed)
    sides = [{name: measure(truth, told) for name, measure in METRICS.items()} for told in (before, after)]
    drawn: dict[str, list[float]] = {name: [] for name in METRICS}
    for _ in range(bootstrap):
        rows = rng.integers(len(truth), size=len(truth))
        both = 0 < truth[rows].sum() < len(rows)
        for name, measure in METRICS.items():
            old, new = ((measure(truth[rows], told[rows]) if both else np.nan) for told in (before, after))
            drawn[name].append(_better(name, old, new))
    values = {name: _better(name, sides[0][name], sides[1][name]) for name in METRICS}
    return Gain(
        sides[0], sides[1], {name: figure_of(np.array(values[name]), np.array(drawn[name])) for name in METRICS}
    )


def _better(name: str, old: float, new: float) -> float:
    return new - old if name in _HIGHER else old - new


class Deadline:
    """When a search must end."""

    def __init__(self, minutes: float | None) -> None:
        self._ends = None if minutes is None else time.monotonic() + 60 * minutes

    @property
    def passed(self) -> bool:
        """Whether it is over."""
        return self._ends is not None and time.monotonic() > self._ends


__all__ = ["METRICS", "SEARCHED", "Deadline", "Gain", "Ground", "Range", "Teaching", "gain", "judged_at", "prepared"]
