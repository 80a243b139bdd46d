"""Whether arms were drawn by chance, and what that is worth: the test that comes before any learning."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2, rankdata
from threadpoolctl import threadpool_limits

from churnml.errors import InvalidTableError
from churnml.modeling.metrics import auroc_interval
from churnml.modeling.uplift.order import Measured, mean_interval
from churnml.modeling.uplift.randomised import Matrix, Randomised, recorded
from churnml.modeling.uplift.responses import BASES, fit_logit, fold_of, mean_of

_FOLDS = 4
_SURE = 0.998
_FEWEST = 2
_RATIO_P = 0.001


@dataclass(frozen=True)
class Randomisation:
    """What the test found.

    Attributes
    ----------
    ratio_p : float
        Probability of arms as far from their propensities as these, if they were drawn by them.
    predictability : mapping of str to Measured
        For each arm but the control, the AUROC of having got it, given its propensity, with the interval that a sound
        draw leaves above 0.5 once in a thousand.
    """

    ratio_p: float
    predictability: dict[str, Measured]

    @property
    def sample_ratio_holds(self) -> bool:
        """Whether the sizes of the arms fit their propensities, at one in a thousand."""
        return self.ratio_p >= _RATIO_P

    @property
    def predictable(self) -> tuple[str, ...]:
        """Arms that features tell from the control: the interval of their AUROC lies above 0.5."""
        return tuple(name for name, found in self.predictability.items() if found.low > 0.5)

    @property
    def passed(self) -> bool:
        """Whether the arms may be taken as drawn by chance."""
        return self.sample_ratio_holds and not self.predictable


@dataclass(frozen=True)
class NoEvidence:
    """Why nothing is learned about effects, and what a naive look would have said.

    Attributes
    ----------
    reason : {'no_randomised', 'sample_ratio', 'predictable'}
        No customer with a recorded propensity within (0, 1), sizes that do not fit, or arms that features tell.
    randomisation : Randomisation or None
        What was found; None if there was nothing to test.
    naive : mapping of str to Measured
        Difference of means of each arm and the control, over everybody, however they were chosen.
    weighted : mapping of str to Measured
        The same over those drawn by chance, weighted by inverse propensity; empty if there are none.
    """

    reason: str
    randomisation: Randomisation | None
    naive: dict[str, Measured]
    weighted: dict[str, Measured]


def randomisation(data: Randomised, seed: int = 0) -> Randomisation:
    """Return whether sizes fit the propensities and nothing tells who got which arm.

    Parameters
    ----------
    data : Randomised
        Only customers with recorded propensities can be in it.
    seed : int, default 0

    Returns
    -------
    Randomisation

    Notes
    -----
    Propensities that vary with features make arms predictable by right. Customers are thinned so that all who are left
    had the same odds of arm against control: treated are kept in proportion to the control's propensity, controls in
    proportion to the arm's. With one propensity for all nobody is left out.
    """
    with threadpool_limits(limits=1, user_api="blas"):
        told = {data.arms[arm]: _predictability(data, arm, seed) for arm in range(1, len(data.arms))}
    return Randomisation(_ratio_p(data), told)


def no_evidence(
    found: Randomisation | None,
    arms: tuple[str, ...],
    arm: npt.NDArray[np.intp],
    propensities: Matrix,
    outcome: Matrix,
) -> NoEvidence:
    """Return why nothing can be learned, with both differences.

    Parameters
    ----------
    found : Randomisation or None
        What `randomisation` refused; None if nobody was drawn by chance.
    arms, arm, propensities, outcome
        As in `Randomised`, of everybody who was contacted or not; propensities may be missing, 0 or 1.

    Returns
    -------
    NoEvidence

    Raises
    ------
    InvalidTableError
        If an arm holds fewer than two customers.
    """
    reason = "no_randomised" if found is None else "predictable" if found.sample_ratio_holds else "sample_ratio"
    return NoEvidence(
        reason, found, naive_differences(arms, arm, outcome), weighted_differences(arms, arm, propensities, outcome)
    )


def naive_differences(arms: tuple[str, ...], arm: npt.NDArray[np.intp], outcome: Matrix) -> dict[str, Measured]:
    """Return the difference of means of each arm and the control, whoever chose them.

    Raises
    ------
    InvalidTableError
        If an arm holds fewer than two customers.
    """
    counts = np.bincount(arm, minlength=len(arms))
    if counts.min() < _FEWEST:
        few = arms[int(np.argmin(counts))]
        raise InvalidTableError(
            f"a difference needs {_FEWEST} customers in each arm, `{few}` holds {counts.min()}; leave the arm out"
        )
    same = np.full((len(arm), len(arms)), 1 / len(arms))
    return weighted_differences(arms, arm, same, outcome)


def weighted_differences(
    arms: tuple[str, ...], arm: npt.NDArray[np.intp], propensities: Matrix, outcome: Matrix
) -> dict[str, Measured]:
    """Return the difference of means weighted by inverse propensity, of those drawn by chance.

    It is empty where an arm holds fewer than two of them.

    References
    ----------
    Hájek, J. (1971). Comment on an essay by D. Basu: weights that are divided by their sum.
    """
    drawn = recorded(propensities)
    if np.bincount(arm[drawn], minlength=len(arms)).min() < _FEWEST:
        return {}
    parts = [_weighted_parts(arm[drawn] == one, propensities[drawn, one], outcome[drawn]) for one in range(len(arms))]
    return {name: mean_interval(parts[number] - parts[0]) for number, name in enumerate(arms) if number}


def _weighted_parts(got: npt.NDArray[np.bool_], propensity: Matrix, outcome: Matrix) -> Matrix:
    """Return numbers whose mean is the weighted mean of an arm, and whose spread is its doubt."""
    weight = np.where(got, 1 / propensity, 0.0)
    weight = weight / weight.mean()
    middle = float((weight * outcome).mean())
    return np.asarray(middle + weight * (outcome - middle))


def _ratio_p(data: Randomised) -> float:
    """Return the p-value of the sizes of the arms, by their exact covariance under the propensities."""
    given = data.propensities[:, 1:]
    off = np.bincount(data.arm, minlength=len(data.arms))[1:] - given.sum(axis=0)
    covariance = np.diag(given.sum(axis=0)) - given.T @ given
    return float(chi2.sf(off @ np.linalg.solve(covariance, off), len(off)))


def _predictability(data: Randomised, arm: int, seed: int) -> Measured:
    """Return the AUROC with which features tell an arm from the control, each fold by the folds before it.

    In ordinary cross-fitting two folds teach and judge each other, so that what their labels have in common by chance
    counts twice, and DeLong's interval, which takes scores as given, is too narrow by up to the root of two; most so
    where the same customers come again and again.
    """
    kept = _thinned(data, arm, seed)
    features, got = data.features[kept], (data.arm[kept] == arm).astype(np.float64)
    fold, score = fold_of(got, _FOLDS, seed), np.empty(len(got))
    for number in range(1, _FOLDS):
        before, out = fold < number, fold == number
        learned = [fit_logit(base, features[before], got[before], seed=seed) for base in BASES]
        # ranks, so that no fold is held against another: each was scored by other learners
        score[out] = rankdata(mean_of(*learned)(features[out])) / out.sum()
    judged = fold > 0
    return Measured(*auroc_interval(got[judged], score[judged], _SURE))


def _thinned(data: Randomised, arm: int, seed: int) -> npt.NDArray[np.intp]:
    """Return rows of the arm and the control that all had the same odds of the one against the other."""
    given, without = data.propensities[:, arm], data.propensities[:, 0]
    share = given / (given + without)
    chance = np.where(data.arm == arm, (1 - share) / (1 - share).max(), share / share.max())
    drawn = np.random.default_rng(seed).random(len(share))
    return np.flatnonzero(((data.arm == 0) | (data.arm == arm)) & (drawn <= chance))
