"""How a model of a ready feature table is judged: on later cutoffs where there are some, else on held-out customers.

A single snapshot has no later: its customers are cut into folds, rows that are twins of each other into the same one.
What such a test cannot tell is said in `Judged.cannot_tell`, and it is not called out of time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from churnml.config import TrainConfig
from churnml.errors import NotEnoughDataError, UsageError
from churnml.events.clock import DAY, moment
from churnml.events.feature_table import UNDATED, ReadyTable
from churnml.modeling.blend import blend_weights
from churnml.modeling.churn import band_thresholds
from churnml.modeling.judgement import OURS, Contest, Judgement, contest
from churnml.modeling.learners import fit_default_trees, predicted
from churnml.modeling.metrics import log_loss
from churnml.modeling.suspects import twins
from churnml.modeling.tabular import EQUAL, TabularModel, blended, fit_tabular

Matrix = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Part = tuple[Places, Places]
Json = dict[str, Any]  # Any: JSON
Baseline = Callable[[TabularModel, ReadyTable, ReadyTable], Matrix]

_FEWEST = 30
_FOLDS = 5
_PERIODS = 12
_SOLVER_STEPS = 1_000
_TOO_GOOD = 0.95

_ONE_SNAPSHOT = (
    "This is one snapshot. The figures say how well customers of the same table, held out at random, are told apart; "
    "they do not say how the model will do on a later day, when prices, seasons and customers have changed. Bring rows "
    "of at least two cutoffs to find out."
)
_TOO_FEW_LATER = (
    "The table has several cutoffs, but too few churners to teach with the earlier ones and to be judged on the last; "
    "customers held out at random over all cutoffs were judged instead. How the model will do on a later day is open."
)
_AFTERWARDS = (
    "A column that was filled in or changed after the customer left looks here like one that was known before. The "
    "suspects show some such columns, not all; ask of each column when it was known."
)
_NO_VALUE = (
    "The table holds no orders, so there is no customer value, no lifetime and no assignment of actions; land "
    "`customers` and `orders` with `churnml ingest` for those."
)


@dataclass(frozen=True)
class Judged:
    """A test of the recipe on rows that did not teach it, and the model that was then taught with all of them.

    Parameters
    ----------
    model : TabularModel
        Fitted on every row; its weights were learned on rows that taught nothing.
    judgement : Judgement
        Ours beside the baselines.
    out_of_time : bool
        Whether the rows of the test were later than those that taught.
    cannot_tell : tuple of str
        What these data leave open, in words.
    """

    model: TabularModel
    judgement: Judgement
    out_of_time: bool
    cannot_tell: tuple[str, ...]

    @property
    def contest(self) -> Contest:
        """The figures of every method."""
        return self.judgement.contests["churn"]

    def gate(self) -> list[str]:
        """Return why the model must not be promoted, in words."""
        reasons = self.judgement.gate()
        found = self.contest.ours.figures["auroc"].value
        if found >= _TOO_GOOD:
            reasons.append(
                f"an AUROC of {found:.3f} is too good to be true; look for columns that were filled in later"
            )
        return reasons

    def to_json(self, horizon_days: int | None) -> Json:
        """Return plain data ready for JSON, without a row of any customer."""
        told = self.judgement.to_json() | {"horizon_days": horizon_days, "out_of_time": self.out_of_time}
        return told | {"cannot_tell": list(self.cannot_tell)}


@dataclass(frozen=True)
class _Answers:
    """What every method said of the rows that were judged, and the logits ours came from."""

    rows: Places
    logits: Matrix
    baselines: dict[str, Matrix] = field(default_factory=dict)


def judge_and_fit(table: ReadyTable, config: TrainConfig, time_zone: str, horizon_days: int | None) -> Judged:
    """Judge the recipe, then fit it on every row.

    Parameters
    ----------
    table : ReadyTable
        Labelled rows, suspicious columns left out.
    config : TrainConfig
        Rounds, seed, folds and redraws.
    time_zone : str
        In which the day of the test is told.
    horizon_days : int or None
        How far the label looks ahead; needed where there are several cutoffs.

    Raises
    ------
    UsageError
        If there are several cutoffs and nobody said how far the label looks ahead: an earlier one might then teach what
        had not happened yet at the later one it is judged on, and the figures would be too good.
    NotEnoughDataError
        If fewer than 30 customers left or stayed.
    """
    _require_horizon(table, horizon_days)
    _require_both(table.churned)
    periods = _periods(table.cutoffs)
    rolling = _origins(table, periods, horizon_days)
    if rolling and _has_both(table.churned[rolling[-1][1]]):
        contested, weights = _out_of_time(table, rolling, config)
        last = moment(int(table.cutoffs[rolling[-1][1]].max()), time_zone).date().isoformat()
        judgement = _judgement("last cutoff", last, contested)
        notes: tuple[str, ...] = (_AFTERWARDS, _NO_VALUE)
    else:
        contested, weights = _in_folds(table, config)
        one = int(table.cutoffs[0]) if len(np.unique(table.cutoffs)) == 1 else UNDATED
        day = "an unnamed day" if one == UNDATED else moment(one, time_zone).date().isoformat()
        judgement = _judgement(f"{_FOLDS} folds of customers", day, contested)
        several = len(np.unique(table.cutoffs)) > 1
        notes = (_TOO_FEW_LATER if several else _ONE_SNAPSHOT, _AFTERWARDS, _NO_VALUE)
    bands, rounds, seed = band_thresholds(), config.rounds, config.seed
    model = fit_tabular(table, bands, rounds=rounds, seed=seed, weights=weights, settings=config.trees)
    return Judged(model, judgement, judgement.name == "last cutoff", notes)


def _judgement(name: str, day: str, found: Contest) -> Judgement:
    return Judgement(name, day, 0, len(found.truth), {"churn": found}, {})


def _out_of_time(table: ReadyTable, rolling: Sequence[Part], config: TrainConfig) -> tuple[Contest, tuple[float, ...]]:
    """Judge on the last part with weights from those before it; then learn the weights from all of them."""
    answers = _answers(table, rolling[-config.folds - 1 :], config)
    *before, test = answers
    teach, _ = rolling[-1]
    weights = _weights(table, before, config) if before else _weights_in_folds(table.take(teach), config)
    forecasts = {OURS: blended(test.logits, weights)} | test.baselines
    truth = table.churned[test.rows].astype(np.float64)
    found = contest("churn", truth, forecasts, bootstrap=config.bootstrap, seed=config.seed)
    return found, _weights(table, answers[-config.folds :], config)


def _in_folds(table: ReadyTable, config: TrainConfig) -> tuple[Contest, tuple[float, ...]]:
    """Judge every row by learners that did not see it, with one pair of weights for all folds.

    The weights see the rows they are judged on. Two numbers learned from hundreds of rows flatter little; weights of
    its own for each fold would put the folds on scales of their own, and pooling them would cost more than that.
    """
    answers = _answers(table, folds(table, config.seed), config)
    weights = _weights(table, answers, config)
    forecasts = {OURS: np.concatenate([blended(one.logits, weights) for one in answers])}
    forecasts |= {name: np.concatenate([one.baselines[name] for one in answers]) for name in BASELINES}
    truth = table.churned[np.concatenate([one.rows for one in answers])].astype(np.float64)
    return contest("churn", truth, forecasts, bootstrap=config.bootstrap, seed=config.seed), weights


def _weights_in_folds(table: ReadyTable, config: TrainConfig) -> tuple[float, ...]:
    return _weights(table, _answers(table, folds(table, config.seed), config, baselines={}), config)


def _weights(table: ReadyTable, answers: Sequence[_Answers], config: TrainConfig) -> tuple[float, ...]:
    """Return the weights of the blend, or of one learner alone where that did better on rows that taught nothing.

    The blend is drawn to equal weights, which is right among many columns; on a small and simple table the trees would
    only blur the line that the ridge has found.
    """
    logits = np.concatenate([one.logits for one in answers])
    churned = table.churned[np.concatenate([one.rows for one in answers])]
    if not _has_both(churned):
        return EQUAL
    candidates = [blend_weights(logits, churned, config.blend.shrinkage), (1.0, 0.0), (0.0, 1.0)]
    return min(candidates, key=lambda weights: log_loss(churned, blended(logits, weights)))


def _answers(
    table: ReadyTable, parts: Sequence[Part], config: TrainConfig, baselines: Mapping[str, Baseline] | None = None
) -> list[_Answers]:
    """Teach with each part's first rows and ask about its second, two parts at a time."""

    def one(part: Part) -> _Answers:
        taught, asked = table.take(part[0]), table.take(part[1])
        model = fit_tabular(taught, (0.0, 1.0), rounds=config.rounds, seed=config.seed, settings=config.trees)
        methods = BASELINES if baselines is None else baselines
        others = {name: method(model, taught, asked) for name, method in methods.items()}
        return _Answers(part[1], model.logits(model.design.matrix(asked)), others)

    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(one, parts))


def folds(table: ReadyTable, seed: int) -> list[Part]:
    """Return five parts (teaching rows, judged rows): as many churners in each, a customer and its twins together."""
    group = _joined(twins(table), np.unique(table.customer_ids.astype(str), return_inverse=True)[1])
    rng = np.random.default_rng(seed)
    fold = np.empty(len(group), dtype=np.intp)
    first = np.unique(group, return_index=True)[1]
    for churned in (True, False):  # a group goes by its first row
        mine = rng.permutation(first[table.churned[first] == churned])
        fold[mine] = np.arange(len(mine)) % _FOLDS
    fold = fold[first][np.unique(group, return_inverse=True)[1].reshape(-1)]
    parts = [(np.flatnonzero(fold != number), np.flatnonzero(fold == number)) for number in range(_FOLDS)]
    return [(teach, judge) for teach, judge in parts if len(judge)]


def _joined(one: Places, other: Places) -> Places:
    """Return groups in which rows share one that share either."""
    group = np.unique(other, return_inverse=True)[1].reshape(-1)
    while True:
        least = np.full(one.max() + 1, len(group))
        np.minimum.at(least, one, group)
        lower = least[one]
        least = np.full(other.max() + 1, len(group))
        np.minimum.at(least, other, lower)
        lower = least[other]
        if (lower == group).all():
            return group
        group = lower


def _periods(cutoffs: npt.NDArray[np.int64]) -> Places:
    """Return the period of each row, ascending: its cutoff, or one of twelve spans where cutoffs are many."""
    found, place = np.unique(cutoffs, return_inverse=True)
    place = place.reshape(-1)
    if len(found) <= _PERIODS:
        return np.asarray(place, dtype=np.intp)
    edges = np.quantile(place, np.arange(1, _PERIODS) / _PERIODS, method="nearest")
    return np.searchsorted(np.unique(edges), place, side="right")


def _origins(table: ReadyTable, periods: Places, horizon_days: int | None) -> list[Part]:
    """Return for each period the rows of earlier ones whose label was final before it began; usable ones only."""
    found = []
    for period in np.unique(periods)[1:]:
        asked = periods == period
        begins = table.cutoffs[asked].min()
        known = table.cutoffs + (horizon_days or 0) * DAY <= begins
        taught = known & (periods < period)
        if _has_both(table.churned[taught]) and len(np.unique(table.churned[asked])) > 1:
            found.append((np.flatnonzero(taught), np.flatnonzero(asked)))
    return found


def base_rate(_: TabularModel, taught: ReadyTable, asked: ReadyTable) -> Matrix:
    """Return the churn rate of those who taught, for everyone."""
    return np.full(len(asked), taught.churned.mean())


def logistic(model: TabularModel, taught: ReadyTable, asked: ReadyTable) -> Matrix:
    """Return scikit-learn's logistic regression as it comes, on the scaled columns."""
    scaling = model.scaling
    fitted = LogisticRegression(max_iter=_SOLVER_STEPS).fit(scaling(model.design.matrix(taught)), taught.churned)
    return np.asarray(fitted.predict_proba(scaling(model.design.matrix(asked)))[:, 1])


def default_lightgbm(model: TabularModel, taught: ReadyTable, asked: ReadyTable) -> Matrix:
    """Return LightGBM with its own defaults on the same columns."""
    trees = fit_default_trees(model.design.matrix(taught), taught.churned.astype(np.float64), objective="binary")
    return predicted(trees, model.design.matrix(asked))


BASELINES: Mapping[str, Baseline] = {
    "base rate": base_rate,
    "logistic regression": logistic,
    "LightGBM default": default_lightgbm,
}
"""Each gives a churn probability of shape (n_rows,), taught with the same rows as ours."""


def _has_both(churned: npt.NDArray[np.bool_]) -> bool:
    return bool(min(churned.sum(), (~churned).sum()) >= _FEWEST)


def _require_horizon(table: ReadyTable, horizon_days: int | None) -> None:
    cutoffs = len(np.unique(table.cutoffs))
    if cutoffs > 1 and horizon_days is None:
        raise UsageError(
            f"a table of several cutoffs needs --horizon-days, found {cutoffs:,} cutoffs: say how many days after its "
            "cutoff the label looks ahead, so that none teaches before its label is final"
        )


def _require_both(churned: npt.NDArray[np.bool_]) -> None:
    if not _has_both(churned):
        left, stayed = int(churned.sum()), int((~churned).sum())
        raise NotEnoughDataError(
            f"learning needs {_FEWEST} rows of customers who churned and {_FEWEST} of customers who stayed, found "
            f"{left} and {stayed}; bring more customers, or an older snapshot whose label is known for more of them"
        )
