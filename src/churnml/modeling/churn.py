"""Churn: three learners on stacked snapshots, blended on the logit scale with weights learned out of time."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import lightgbm
import numpy as np
import numpy.typing as npt
from scipy.stats import beta

from churnml.errors import NotEnoughDataError
from churnml.modeling.blend import blend_weights
from churnml.modeling.learners import Linear, fit_logistic, fit_trees, predicted, sigmoid
from churnml.modeling.scaling import Scaling, fit_scaling

Matrix = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Instants = npt.NDArray[np.int64]

LEARNERS = ("trees", "ridge", "rhythm")
_FEWEST = 30

# What contacting one customer pays, in shares of a customer's value: Verbraken, Verbeke & Baesens (2013), section 5:
# an offer worth 10 and a contact worth 1 for a customer worth 200; a churner accepts with probability Beta(6, 14).
_ACCEPT = beta(6, 14)
_OFFER, _CONTACT = 10 / 200, 1 / 200
_PESSIMIST = 0.05


@dataclass(frozen=True)
class ChurnModel:
    """A fitted blend.

    Parameters
    ----------
    trees : lightgbm.Booster
        Raw scores are logits.
    ridge : Linear
        On columns scaled by `scaling`.
    scaling : Scaling
        Of the ridge.
    weights : tuple of float
        Of trees, ridge and buying rhythm, as in `LEARNERS`.
    reference : float
        Mean logit of the buying rhythm over the training rows; reasons count deviations from it.
    """

    trees: lightgbm.Booster
    ridge: Linear
    scaling: Scaling
    weights: tuple[float, ...]
    reference: float

    def logits(self, matrix: Matrix, rhythm: Matrix) -> Matrix:
        """Return the logit of each learner, of shape (n_rows, 3).

        Parameters
        ----------
        rhythm : ndarray of shape (n_rows,)
            The logit of no order by the buying rhythm alone.
        """
        trees = predicted(self.trees, matrix, raw_score=True)
        return np.column_stack([trees, self.ridge.predict(self.scaling(matrix)), rhythm])

    def probability(self, logits: Matrix) -> Matrix:
        """Return the churn probability of rows whose learners say `logits`; shape (n_rows,)."""
        return sigmoid((logits * np.array(self.weights)).sum(axis=1))


@dataclass(frozen=True)
class ChurnFit:
    """A model and the out-of-time logits that its weights were learned from, for those who want to look."""

    model: ChurnModel
    judged: npt.NDArray[np.intp]
    logits: Matrix


def fit_churn(
    matrix: Matrix,
    rhythm: Matrix,
    churned: Flags,
    cutoffs: Instants,
    rolling: Sequence[tuple[Sequence[int], int]],
    *,
    rounds: int,
    seed: int,
) -> ChurnFit:
    """Fit the blend: learners at rolling origins for the weights, then on every cutoff.

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

    Raises
    ------
    NotEnoughDataError
        If there are fewer than 30 churners or 30 who stayed.
    """
    _check_enough(churned)
    usable = [(teach, judge) for teach, judge in rolling if enough(churned[np.isin(cutoffs, teach)])]

    def at_origin(origin: tuple[Sequence[int], int]) -> tuple[npt.NDArray[np.intp], Matrix]:
        teach, judge = np.isin(cutoffs, origin[0]), np.flatnonzero(cutoffs == origin[1])
        early = _fit(matrix[teach], rhythm[teach], churned[teach], rounds, seed)
        return judge, early.logits(matrix[judge], rhythm[judge])

    with ThreadPoolExecutor(max_workers=2) as pool:
        whole = pool.submit(_fit, matrix, rhythm, churned, rounds, seed)
        pieces = list(pool.map(at_origin, usable))
    if not pieces:
        return ChurnFit(whole.result(), np.zeros(0, dtype=np.intp), np.zeros((0, len(LEARNERS))))
    judged = np.concatenate([rows for rows, _ in pieces])
    logits = np.concatenate([values for _, values in pieces])
    final = whole.result()
    return ChurnFit(replace(final, weights=blend_weights(logits, churned[judged])), judged, logits)


def _fit(matrix: Matrix, rhythm: Matrix, churned: Flags, rounds: int, seed: int) -> ChurnModel:
    scaling = fit_scaling(matrix, "log")
    trees = fit_trees(matrix, churned.astype(np.float64), objective="binary", rounds=rounds, seed=seed)
    equal = tuple([1 / len(LEARNERS)] * len(LEARNERS))
    return ChurnModel(trees, fit_logistic(scaling(matrix), churned), scaling, equal, float(rhythm.mean()))


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
