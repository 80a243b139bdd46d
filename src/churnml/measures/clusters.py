"""Groups that customers form by themselves: as many as come out again when others are asked, and none where none do.

k-means finds groups in anything. So for each number of groups it is fitted again and again on half of the customers,
and only groups that are found again count: the partition must agree with that of all, and each group with its like.
A long cloud is cut at the same place every time, stably and without meaning; so the groups must also be tighter than
those that k-means makes of one cloud of the same shape.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

Values = npt.NDArray[np.float64]
Labels = npt.NDArray[np.intp]

FEWEST_GROUPS = 2
LEAST_JACCARD = 0.75
"""Of a group with its like, on average: below it a group is no pattern one should believe in (Hennig 2007, 2008)."""

DISSOLVED = 0.5
"""Of an old group with a new one: at or below it the old one is dissolved, and the new one is another (Hennig 2008)."""

_TRIED_ON = 4_000
_CLOUDS = 9
_STARTS = 4


@dataclass(frozen=True)
class Trial:
    """What came of one number of groups.

    Parameters
    ----------
    groups : int
        How many.
    agreement : float
        Mean adjusted Rand index of partitions found on halves of the customers with that of all; 1 where they agree.
        No more halves are asked once the others could no longer bring it to what is asked for.
    weakest : float
        Mean Jaccard index of the group that came out least alike.
    tighter : bool
        Whether the groups are those chosen: found again, and tighter than those of each of nine clouds of the same
        shape. Of fewer groups than are chosen it is not asked.
    """

    groups: int
    agreement: float
    weakest: float
    tighter: bool


@dataclass(frozen=True)
class Groups:
    """The groups that were found, and what was tried.

    Parameters
    ----------
    centres : ndarray of shape (n_groups, n_columns)
        On scaled columns; no rows where nothing was stable.
    mean, scale : ndarray of shape (n_columns,)
        A column is scaled as (value - mean) / scale.
    trials : tuple of Trial
        One for each number of groups.
    """

    centres: Values
    mean: Values
    scale: Values
    trials: tuple[Trial, ...]

    def labels(self, values: Values) -> Labels:
        """Return the place of the nearest centre for rows of shape (n, n_columns), not scaled."""
        return nearest_centre((values - self.mean) / self.scale, self.centres)


def stable_groups(values: Values, *, most: int, draws: int, agreement: float, seed: int) -> Groups:
    r"""Return the most groups that are found again, none where no number of them is.

    Parameters
    ----------
    values : ndarray of shape (n_customers, n_columns)
        Scaled to mean 0 and standard deviation 1 inside; a column that is the same for all tells nothing.
    most : int
        How many groups are tried at most, from two.
    draws : int
        How often half of the customers is drawn, of at most 4,000.
    agreement : float
        The least mean adjusted Rand index.
    seed : int
        Of the draws and of the starts of k-means.

    References
    ----------
    Hubert, L. & Arabie, P. (1985). Comparing partitions. Journal of Classification 2, 193-218: the adjusted Rand index.
    Ben-Hur, A., Elisseeff, A. & Guyon, I. (2002). A stability based method for discovering structure in clustered
    data. Pacific Symposium on Biocomputing 7, 6-17: subsets without replacement.
    Hennig, C. (2007). Cluster-wise assessment of cluster stability. Computational Statistics & Data Analysis 52,
    258-271.
    Hennig, C. (2008). Dissolution point and isolation robustness: robustness criteria for general cluster analysis
    methods. Journal of Multivariate Analysis 99, 1154-1176.
    Liu, Y., Hayes, D. N., Nobel, A. & Marron, J. S. (2008). Statistical significance of clustering for high-dimension,
    low-sample size data. Journal of the American Statistical Association 103, 1281-1293: one cloud as the null.
    """
    mean, spread = values.mean(axis=0), values.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    scaled, random = (values - mean) / scale, np.random.default_rng(seed)
    tried = scaled[random.permutation(len(scaled))[:_TRIED_ON]]
    halves = [random.permutation(len(tried))[: len(tried) // 2] for _ in range(draws)]
    numbers = range(FEWEST_GROUPS, min(most, len(np.unique(tried, axis=0)) // 2) + 1)
    with threadpool_limits(limits=1):  # the same bits, and no threads that wait on small matrices
        trials = [_trial(tried, halves, number, agreement, seed) for number in numbers]
        chosen = _first_tighter(trials, tried, random, seed)
        centres = _fit(scaled, chosen, seed).cluster_centers_ if chosen else np.empty((0, values.shape[1]))
    return Groups(
        np.asarray(centres, dtype=np.float64),
        mean,
        scale,
        tuple(replace(one.trial, tighter=one.trial.groups == chosen) for one in trials),
    )


class _Tried(NamedTuple):
    """A trial before it is asked of clouds; how loose its groups are, and whether they were found again."""

    trial: Trial
    looseness: float
    again: bool


def _trial(values: Values, halves: list[Labels], number: int, least: float, seed: int) -> _Tried:
    """Return what halves find; no more of them are asked once the others could not make good what is missing."""
    whole = _fit(values, number, seed)
    own = np.asarray(whole.labels_, dtype=np.intp)
    agreements, alike = 0.0, np.zeros(number)
    for made, half in enumerate(halves, 1):
        other = nearest_centre(values, _fit(values[half], number, seed + 1).cluster_centers_)
        agreements += float(adjusted_rand_score(own, other))
        alike += overlaps(own, other, number, number).max(axis=1)
        if agreements + len(halves) - made < least * len(halves):
            break
    trial = Trial(number, agreements / made, float(alike.min()) / made, tighter=False)
    again = trial.agreement >= least and trial.weakest >= LEAST_JACCARD
    return _Tried(trial, float(whole.inertia_) / float((values**2).sum()), again)


def _first_tighter(trials: list[_Tried], values: Values, random: np.random.Generator, seed: int) -> int:
    """Return the most groups of those found again that are tighter than groups of any cloud, 0 where none are."""
    clouds: list[Values] = []
    for one in sorted((one for one in trials if one.again), key=lambda one: -one.trial.groups):
        clouds = clouds or _clouds(values, random)
        if all(one.looseness < _looseness(cloud, one.trial.groups, seed) for cloud in clouds):
            return one.trial.groups
    return 0


def _looseness(values: Values, number: int, seed: int) -> float:
    return float(_fit(values, number, seed).inertia_) / float((values**2).sum())


def _fit(values: Values, number: int, seed: int) -> KMeans:
    return KMeans(number, n_init=_STARTS, random_state=seed).fit(values)


def _clouds(values: Values, random: np.random.Generator) -> list[Values]:
    """Return clouds of normal values with the covariance of some others, and their mean at zero."""
    centred = values - values.mean(axis=0)
    _, lengths, turns = np.linalg.svd(centred, full_matrices=False)
    spread: Values = lengths[:, None] * turns / np.sqrt(len(values))
    return [np.asarray(random.standard_normal((len(values), len(lengths))) @ spread) for _ in range(_CLOUDS)]


def nearest_centre(values: Values, centres: Values) -> Labels:
    """Return the place of the nearest centre for each row; of two as near, the first."""
    return np.asarray(((centres**2).sum(axis=1) - 2 * values @ centres.T).argmin(axis=1), dtype=np.intp)


def overlaps(one: Labels, other: Labels, n_one: int, n_other: int) -> Values:
    """Return the Jaccard index of each group of one partition with each of another, shape (n_one, n_other)."""
    both = np.zeros((n_one, n_other))
    np.add.at(both, (one, other), 1.0)
    either = both.sum(axis=1)[:, None] + both.sum(axis=0)[None, :] - both
    return np.asarray(np.divide(both, either, out=np.zeros_like(both), where=either > 0))


def kept_names(old: Labels, new: Labels, names: tuple[str, ...], n_new: int, fresh: tuple[str, ...]) -> tuple[str, ...]:
    """Return the name of each new group: that of the old group it continues, or a fresh one.

    Old and new groups are matched one to one so that they overlap most; a pair that shares no more than half of its
    customers is none.

    Parameters
    ----------
    old, new : ndarray of shape (n,)
        The same customers by the old groups and by the new.
    names : tuple of str
        Of the old groups.
    fresh : tuple of str
        Names that no group ever had, at least `n_new`.

    References
    ----------
    Kuhn, H. W. (1955). The Hungarian method for the assignment problem. Naval Research Logistics
    Quarterly 2, 83-97.

    Examples
    --------
    >>> kept_names(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 2]), ("a", "b"), 3, ("c", "d", "e"))
    ('c', 'a', 'd')
    """
    shared = overlaps(old, new, len(names), n_new)
    found = dict.fromkeys(range(n_new), "")
    for was, now in zip(*linear_sum_assignment(-shared), strict=True):
        if shared[was, now] > DISSOLVED:
            found[int(now)] = names[int(was)]
    unused = iter(fresh)
    return tuple(name or next(unused) for name in found.values())
