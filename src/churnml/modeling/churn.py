"""Churn: three learners and one's own on stacked snapshots, blended on the logit scale, weights learned out of time."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt
from scipy.stats import beta

from churnml.config import LEARNERS, BlendSettings, CalibrationAsked, RidgeSettings, TrainConfig, TreeSettings
from churnml.errors import NotEnoughDataError
from churnml.modeling.blend import blend_weights
from churnml.modeling.calibration import RAW, Calibration, Seen
from churnml.modeling.calibration_trial import NOT_ASKED, Choice, choose
from churnml.modeling.learners import Linear, fit_logistic, fit_trees, predicted, sigmoid
from churnml.modeling.own_learner import OwnLearner, TaughtOwn, own_learners
from churnml.modeling.scaling import Scaling, fit_scaling
from churnml.modeling.season import Season

Matrix = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Instants = npt.NDArray[np.int64]

_FEWEST = 30
_DRAWS = 60

# What contacting one customer pays, in shares of a customer's value: Verbraken, Verbeke & Baesens (2013), section 5:
# an offer worth 10 and a contact worth 1 for a customer worth 200; a churner accepts with probability Beta(6, 14).
_ACCEPT = beta(6, 14)
_OFFER, _CONTACT = 10 / 200, 1 / 200
_PESSIMIST = 0.05


@dataclass(frozen=True)
class Recipe:
    """Which learners are blended, and how they are taught.

    Parameters
    ----------
    trees, ridge, blend : settings
        As in `configs/train.yaml`.
    use : tuple of str
        Those of the house, of `LEARNERS`.
    own : tuple of OwnLearner
        Others.
    """

    trees: TreeSettings = field(default_factory=TreeSettings)
    ridge: RidgeSettings = field(default_factory=RidgeSettings)
    blend: BlendSettings = field(default_factory=BlendSettings)
    use: tuple[str, ...] = LEARNERS
    own: tuple[OwnLearner, ...] = ()

    @classmethod
    def of(cls, config: TrainConfig) -> Recipe:
        """Return what a configuration says, its files run.

        Raises
        ------
        ConfigError
            As `own_learners`.
        """
        own = own_learners(config.learners.paths)
        return cls(config.trees, config.ridge, config.blend, config.learners.use, own)

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """Which of `LEARNERS` and one's own are blended; shape (n_learners,)."""
        return np.array([*(name in self.use for name in LEARNERS), *(True for _ in self.own)])

    @property
    def equal(self) -> tuple[float, ...]:
        """The same weight for each that is blended, 0 for the others."""
        count = int(self.present.sum())
        return tuple(1 / count if one else 0.0 for one in self.present)

    def weights(self, logits: Matrix, churned: Flags, added: Matrix | float = 0.0) -> tuple[float, ...]:
        """Return the weights that logits out of time teach, of shape (n_rows, n_learners); see `blend_weights`."""
        found = iter(blend_weights(logits[:, self.present], churned, self.blend.shrinkage, added))
        return tuple(next(found) if one else 0.0 for one in self.present)


_USUAL = Recipe()


@dataclass(frozen=True)
class ChurnModel:
    """A fitted blend, of all learners or of those that few customers can teach (docs/adr/0012).

    Parameters
    ----------
    trees : lightgbm.Booster or None
        Raw scores are logits.
    ridge : Linear or None
        On columns scaled by `scaling`.
    scaling : Scaling or None
        Of the ridge.
    weights : tuple of float
        Of trees, ridge and buying rhythm, as in `LEARNERS`, and of each of `own`.
    reference : float
        Mean logit of the buying rhythm over the training rows; reasons count deviations from it.
    ridges : tuple of Linear
        Others as likely as the ridge, from which it is told how sure it is; empty where that is not told.
    season : Season or None
        What is added to the blended logit at a cutoff; None where no year before is known.
    own : tuple of TaughtOwn
        Learners of the user's own.
    calibration : Calibration
        What the blended logit goes through, the season in it.
    """

    trees: lightgbm.Booster | None
    ridge: Linear | None
    scaling: Scaling | None
    weights: tuple[float, ...]
    reference: float
    ridges: tuple[Linear, ...] = ()
    season: Season | None = None
    own: tuple[TaughtOwn, ...] = ()
    calibration: Calibration = RAW

    @property
    def learners(self) -> tuple[str, ...]:
        """The names that go with `weights`."""
        return (*LEARNERS, *(one.declared.name for one in self.own))

    @property
    def by_rhythm_alone(self) -> bool:
        """Whether nothing but the rhythm of buying is asked."""
        return self.trees is None and self.ridge is None and not self.own

    def logits(self, matrix: Matrix, rhythm: Matrix) -> Matrix:
        """Return the logit of each learner, of shape (n_rows, n_learners).

        Parameters
        ----------
        rhythm : ndarray of shape (n_rows,)
            The logit of no order by the buying rhythm alone.
        """
        nothing = np.zeros(len(matrix))
        trees = nothing if self.trees is None else predicted(self.trees, matrix, raw_score=True)
        scaled = None if self.scaling is None else self.scaling(matrix)
        ridge = nothing if self.ridge is None or scaled is None else self.ridge.predict(scaled)
        return np.column_stack([trees, ridge, rhythm, *(one.logit(matrix) for one in self.own)])

    def probability(self, logits: Matrix, cutoffs: Instants) -> Matrix:
        """Return the churn probability of rows whose learners say `logits` at `cutoffs`; shape (n_rows,)."""
        return sigmoid(self.calibration((logits * np.array(self.weights)).sum(axis=1) + self.shift(cutoffs)))

    def shift(self, cutoffs: Instants) -> Matrix:
        """Return what the season adds to the blended logit at each cutoff; shape (n_rows,)."""
        return np.zeros(len(cutoffs)) if self.season is None else self.season.shift(cutoffs)


@dataclass(frozen=True)
class ChurnFit:
    """A model and the out-of-time logits that its weights were learned from, for those who want to look.

    Parameters
    ----------
    judged : ndarray of shape (n_judged,)
        Which training rows were judged.
    logits : ndarray of shape (n_judged, n_learners)
        What learners said of them who had not seen them.
    recipe : Recipe
        Which learners there are.
    added : ndarray of shape (n_judged,) or float
        What the season added to their blended logits.
    choice : Choice
        Which calibration was taken, and why.
    """

    model: ChurnModel
    judged: npt.NDArray[np.intp]
    logits: Matrix
    recipe: Recipe = _USUAL
    added: Matrix | float = 0.0
    choice: Choice = NOT_ASKED

    @property
    def probability(self) -> Matrix:
        """The churn probability out of time of the judged rows, of shape (n_judged,)."""
        blended = (self.logits * np.array(self.model.weights)).sum(axis=1) + self.added
        return sigmoid(self.model.calibration(blended))

    def without_own(self, churned: Flags, logits: Matrix, added: Matrix | float = 0.0) -> dict[str, Matrix]:
        """Return what the blend would say without each learner of one's own, weights learned anew, calibration kept.

        Parameters
        ----------
        churned : ndarray of shape (n_training_rows,)
            The label that taught it.
        logits : ndarray of shape (n_rows, n_learners)
            Of the rows that are asked about.
        added : ndarray of shape (n_rows,) or float, default 0
            What the season adds to theirs.

        Returns
        -------
        dict of str to ndarray of shape (n_rows,)
            The churn probability, by the name of the learner left out.
        """
        found = {}
        for place, learner in enumerate(self.recipe.own, len(LEARNERS)):
            others = replace(self.recipe, own=tuple(one for one in self.recipe.own if one is not learner))
            taught = np.delete(self.logits, place, axis=1)
            weights = others.weights(taught, churned[self.judged], self.added) if len(self.judged) else others.equal
            blended = (np.delete(logits, place, axis=1) * np.array(weights)).sum(axis=1) + added
            found[learner.name] = sigmoid(self.model.calibration(blended))
        return found


def fit_churn(
    matrix: Matrix,
    rhythm: Matrix,
    churned: Flags,
    cutoffs: Instants,
    rolling: Sequence[tuple[Sequence[int], int]],
    *,
    rounds: int,
    seed: int,
    recipe: Recipe = _USUAL,
    columns: Sequence[str] = (),
    season: Season | None = None,
    calibration: CalibrationAsked = "raw",
    customers: npt.NDArray[np.object_] | None = None,
) -> ChurnFit:
    """Fit the blend: learners at rolling origins for the weights and the calibration, then on every cutoff.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_columns)
        Of the population at each training cutoff.
    rhythm : ndarray of shape (n_rows,)
        The logit of no order by the buying rhythm alone, each cutoff's by a fit of its own.
    churned, cutoffs : ndarray of shape (n_rows,)
        The label, and the cutoff of each row.
    rolling : sequence of (teaching cutoffs, judging cutoff)
        From `labels.origins`; where empty, the weights are equal.
    recipe : Recipe
        Which learners there are, and their settings.
    columns : sequence of str
        The names of the columns of `matrix`, for learners of one's own.
    season : Season, optional
        What is added at a cutoff, at the origins as well.
    calibration : {'auto', 'raw', 'prior', 'platt', 'beta'}, default 'raw'
        As in `configs/train.yaml`, see `calibration_trial.choose`.
    customers : ndarray of shape (n_rows,), optional
        Whose the rows are; each row is another's without it.

    Raises
    ------
    NotEnoughDataError
        If there are fewer than 30 churners or 30 who stayed.
    ConfigError
        If a learner of one's own fails.
    """
    _check_enough(churned)
    usable = [(teach, judge) for teach, judge in rolling if enough(churned[np.isin(cutoffs, teach)])]
    who = np.arange(len(churned)).astype(object) if customers is None else customers

    def at_origin(origin: tuple[Sequence[int], int]) -> tuple[npt.NDArray[np.intp], Matrix, Matrix]:
        teach, judge = np.isin(cutoffs, origin[0]), np.flatnonzero(cutoffs == origin[1])
        early = taught(matrix[teach], rhythm[teach], churned[teach])
        moved = np.zeros(len(judge)) if season is None else season.shift(cutoffs[judge], origin[0])
        return judge, early.logits(matrix[judge], rhythm[judge]), moved

    def taught(*lessons: Any) -> ChurnModel:  # Any: the three arrays
        return fit_learners(*lessons, rounds=rounds, seed=seed, recipe=recipe, columns=columns)

    with ThreadPoolExecutor(max_workers=2) as pool:
        whole = pool.submit(taught, matrix, rhythm, churned)
        pieces = list(pool.map(at_origin, usable))
    if not pieces:
        nothing, choice = np.zeros((0, len(recipe.present))), choose(calibration, [])
        model = replace(whole.result(), season=season)
        return ChurnFit(model, np.zeros(0, dtype=np.intp), nothing, recipe, choice=choice)
    judged, logits, moved = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    weights = recipe.weights(logits, churned[judged], moved)
    seen = [
        Seen(cutoff, frozenset(teach), (said * np.array(weights)).sum(axis=1) + added, churned[rows], who[rows])
        for (teach, cutoff), (rows, said, added) in zip(usable, pieces, strict=True)
    ]
    choice = choose(calibration, seen)
    model = replace(whole.result(), weights=weights, season=season, calibration=choice.calibration)
    return ChurnFit(model, judged, logits, recipe, moved, choice)


def fit_learners(
    matrix: Matrix,
    rhythm: Matrix,
    churned: Flags,
    *,
    rounds: int,
    seed: int,
    recipe: Recipe = _USUAL,
    columns: Sequence[str] = (),
) -> ChurnModel:
    """Return the learners taught with the rows, weighted equally; parameters as of `fit_churn`."""
    scaling, trees, ridge = None, None, None
    if "ridge" in recipe.use:
        scaling = fit_scaling(matrix, "log")
        ridge = fit_logistic(scaling(matrix), churned, recipe.ridge)
    if "trees" in recipe.use:
        target = churned.astype(np.float64)
        trees = fit_trees(matrix, target, objective="binary", rounds=rounds, seed=seed, settings=recipe.trees)
    own = tuple(one.teach(matrix, churned, columns, seed) for one in recipe.own)
    return ChurnModel(trees, ridge, scaling, recipe.equal, float(rhythm.mean()), own=own)


def with_doubt(model: ChurnModel, matrix: Matrix, customers: int, seed: int, variance: float) -> ChurnModel:
    """Return a model of ridge and rhythm with other ridges as likely as its own.

    They are drawn from the normal distribution around it whose curvature is that of the penalised likelihood. Several
    rows of one customer count as one.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_columns)
        That taught it.
    customers : int
        How many different ones the rows are of.
    variance : float
        Of the prior that held the ridge back.

    References
    ----------
    MacKay (1992), The evidence framework applied to classification networks, Neural Computation 4(5), section 4.
    """
    if model.ridge is None or model.scaling is None:
        return model
    scaled = model.scaling(matrix)
    chance = sigmoid(model.ridge.predict(scaled))
    told = (chance * (1 - chance) * customers / len(matrix))[:, None]
    columns = np.column_stack([np.ones(len(scaled)), scaled])
    penalty = np.array([0.0, *np.full(scaled.shape[1], 1 / variance)])
    factor = np.linalg.cholesky((columns * told).T @ columns + np.diag(penalty))
    normal = np.random.default_rng(seed).standard_normal((columns.shape[1], _DRAWS))
    drawn = np.linalg.solve(factor.T, normal).T + np.array([model.ridge.intercept, *model.ridge.coefficients])
    ridges = (Linear(tuple(one[1:].tolist()), float(one[0])) for one in drawn)
    return replace(model, ridges=tuple(ridges))


def by_rhythm_alone(reference: float) -> ChurnModel:
    """Return the model of those who have taught nothing but a rhythm of buying, or a rule."""
    return ChurnModel(None, None, None, (0.0, 0.0, 1.0), reference)


def enough(churned: Flags) -> bool:
    """Tell whether there are 30 who left and 30 who stayed, fewer than which teach no blend."""
    return bool(min(churned.sum(), (~churned).sum()) >= _FEWEST)


def _check_enough(churned: Flags) -> None:
    left, stayed = int(churned.sum()), int((~churned).sum())
    if not enough(churned):
        raise NotEnoughDataError(
            f"the blend needs {_FEWEST} customers who left and {_FEWEST} who stayed over all training cutoffs, found "
            f"{left} and {stayed}; bring more history, or change `horizon_days` in configs/train.yaml"
        )


def band_thresholds() -> tuple[float, float]:
    """Return the probabilities from which contacting pays: at the mean acceptance, and at a pessimist's.

    A contact costs `_CONTACT`; a loyal customer takes the offer anyway and costs `_OFFER`; a churner accepts with
    probability g and then stays, worth 1 less the offer. At churn probability p that is worth
    ``p g (1 - offer) - (1 - p) offer - contact``, which is positive from ``(offer + contact) / (g (1 - offer) +
    offer)`` on. From the first threshold on the risk is *medium*, from the second on *high*.

    References
    ----------
    Verbraken, Verbeke & Baesens (2013), A novel profit maximizing metric for measuring classification performance
    of customer churn prediction models, IEEE TKDE 25(5): the parameters and the acceptance distribution.
    """
    mean, low = float(_ACCEPT.mean()), float(_ACCEPT.ppf(_PESSIMIST))
    return (_pays_from(mean), _pays_from(low))


def _pays_from(acceptance: float) -> float:
    return (_OFFER + _CONTACT) / (acceptance * (1 - _OFFER) + _OFFER)
