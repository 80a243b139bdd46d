"""Whether customers look otherwise than they did: by what the passage of as much time has usually changed.

Features grow with the calendar and turn with the season, so a distance from the day of training says little by itself.
What it is held against are the distances between earlier days that lie as far apart: what time alone does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.modeling.shares import Texts, Turned, share_distance, turned

Matrix = npt.NDArray[np.float64]
Json = dict[str, Any]  # Any: JSON

FEWEST_PASSAGES = 4
_MARGIN, _DEVIATIONS = 1.5, 5.0
_TOLD = 5


@dataclass(frozen=True)
class Drift:
    """One distance held against the usual ones.

    Parameters
    ----------
    distance : float
        Between the two days in question, from 0 to 1.
    usual : tuple of float
        Between earlier days as far apart.
    limit : float or None
        Above it the distance is unusual; None where too few earlier days are known to say.
    """

    distance: float
    usual: tuple[float, ...]
    limit: float | None

    @property
    def unusual(self) -> bool:
        """Whether the passage of time does not explain it."""
        return self.limit is not None and self.distance > self.limit

    def to_json(self) -> Json:
        """Return plain data."""
        return asdict(self) | {"unusual": self.unusual}


@dataclass(frozen=True)
class Drifts:
    """Of the features, weighed by what the model makes of them, of the scores, and of attributes in words.

    Parameters
    ----------
    features, scores : Drift
    moved : tuple of (str, float, float)
        A feature, its distance, and the largest usual one; those that moved most beyond it, by weight.
    categories : Drift or None
        Mean distance of the shares of all attributes in words; None where there are none.
    turned : tuple of Turned
        Values of them that came or went.
    """

    features: Drift
    scores: Drift
    moved: tuple[tuple[str, float, float], ...]
    categories: Drift | None = None
    turned: tuple[Turned, ...] = ()

    def to_json(self) -> Json:
        """Return plain data."""
        moved = [{"feature": name, "distance": far, "usually_up_to": most} for name, far, most in self.moved]
        told: Json = {"features": self.features.to_json(), "scores": self.scores.to_json(), "moved": moved}
        told["categories"] = None if self.categories is None else self.categories.to_json()
        return told | {"turned": [asdict(one) for one in self.turned]}


def distance(before: Matrix, now: Matrix) -> float:
    """Return how far two samples lie apart, from 0 to 1: the largest gap of their distribution functions.

    Parameters
    ----------
    before, now : ndarray of shape (n_rows,), (m_rows,)
        Values; what is missing counts as below everything, so that a column that empties has moved.

    References
    ----------
    Smirnov (1948), Table for estimating the goodness of fit of empirical distributions, Annals of Mathematical
    Statistics 19(2): the two-sample statistic.
    """
    first, second = (np.sort(np.where(np.isnan(one), -np.inf, one)) for one in (before, now))
    if not len(first) or not len(second):
        return 0.0
    steps = np.concatenate([first, second])
    below = [np.searchsorted(one, steps, side="right") / len(one) for one in (first, second)]
    return float(np.abs(below[0] - below[1]).max())


def held_against(far: float, usual: Sequence[float]) -> Drift:
    """Return a distance with its limit: half as much again as the largest usual one, and five deviations off the mean.

    Both must be passed. Neighbouring passages share most of their days, so their spread looks smaller than it is; the
    first of the two is what keeps a calm market from raising an alarm.
    """
    if len(usual) < FEWEST_PASSAGES:
        return Drift(far, tuple(usual), None)
    limit = max(_MARGIN * max(usual), float(np.mean(usual) + _DEVIATIONS * np.std(usual)))
    return Drift(far, tuple(usual), min(limit, 1.0))


def drifts(
    columns: Mapping[str, Mapping[int, Matrix]],
    weights: Mapping[str, float],
    scores: Mapping[int, Matrix],
    asked: tuple[int, int],
    passages: Sequence[tuple[int, int]],
    categories: Mapping[str, Mapping[int, Texts]] | None = None,
) -> Drifts:
    """Return how far features and scores moved between two cutoffs, against earlier passages of the same length.

    Parameters
    ----------
    columns : mapping of str to mapping of int to ndarray of shape (n_customers,)
        By feature and cutoff, the values of the population.
    weights : mapping of str to float
        What each feature counts; they sum to 1.
    scores : mapping of int to ndarray of shape (n_customers,)
        What one model says of the population at each cutoff.
    asked : (int, int)
        The cutoff the model is of, and the present one.
    passages : sequence of (int, int)
        Earlier pairs of cutoffs.
    categories : mapping of str to mapping of int to ndarray of shape (n_customers,), optional
        By attribute in words and cutoff, the values of the population. Each weighs the same: what a model makes of the
        values it knows says nothing of those it does not.
    """
    far = {
        name: [distance(at[before], at[after]) for before, after in (asked, *passages)] for name, at in columns.items()
    }
    whole = np.sum([weights[name] * np.array(found) for name, found in far.items()], axis=0)
    told = [distance(scores[before], scores[after]) for before, after in (asked, *passages)]
    excess = {name: weights[name] * (found[0] - max(found[1:], default=1.0)) for name, found in far.items()}
    most = sorted((name for name in far if excess[name] > 0), key=lambda name: -excess[name])[:_TOLD]
    in_words = categories or {}
    return Drifts(
        held_against(float(whole[0]), whole[1:].tolist()),
        held_against(told[0], told[1:]),
        tuple((name, far[name][0], max(far[name][1:])) for name in most),
        _of_shares(in_words, (asked, *passages)),
        tuple(one for name, at in in_words.items() for one in turned(name, at[asked[0]], at[asked[1]])),
    )


def _of_shares(categories: Mapping[str, Mapping[int, Texts]], pairs: Sequence[tuple[int, int]]) -> Drift | None:
    """Return the mean distance of the first pair of cutoffs, held against the others; None without attributes."""
    if not categories:
        return None
    far = [[share_distance(at[before], at[after]) for before, after in pairs] for at in categories.values()]
    whole = np.mean(far, axis=0)
    return held_against(float(whole[0]), whole[1:].tolist())
