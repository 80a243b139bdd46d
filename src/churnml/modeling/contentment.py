"""How content a customer is who never said: what behaviour says of the answers of those who did, with its uncertainty.

Two parts, both in points from 0 to 100. A ridge regression on features that are no answers tells what to expect of
anyone. What a customer answered themselves, where they did, moves that expectation as far as such answers have proved
to last: between two answers a part of what behaviour does not tell stays, fading with the days, and the rest is noise.
The interval is that of the answer they would give if they were asked in the weeks to come; so it can be judged.

References
----------
Shimodaira (2000), Improving predictive inference under covariate shift, JSPI 90: the weights of those who answered.
Lei et al. (2018), Distribution-free predictive inference for regression, JASA 113: the intervals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from churnml.events.clock import DAY
from churnml.features import Catalogue, FeatureTable
from churnml.features.rows import ROW_SETS
from churnml.modeling.answers import Lesson
from churnml.modeling.design import Design, fit_design
from churnml.modeling.lasting import BEST, OWN, Lasting, fit_lasting, own_answers
from churnml.modeling.learners import Linear, fit_logistic
from churnml.modeling.scaling import Scaling, fit_scaling

Matrix = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Source = Literal["answers", "estimate", "none"]

LEVEL = 0.9
FEWEST = 200
"""Different customers who answered: with fewer, a tenth of what they differ by cannot be told from chance."""

_FOLDS = 5
_PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, np.inf)
"""Of the ridge, for each answer; the last leaves nothing but the mean."""
_FEW_OWN = 60
_LEAST_WEIGHT, _MOST_WEIGHT = 0.2, 5.0
_FOR_EACH_ANSWER, _MOST = 5, 20_000
_LARGEST = 20.0


@dataclass(frozen=True)
class Told:
    """What is said of some customers; arrays of shape (n_rows,), points from 0 to 100, NaN where nothing is.

    Parameters
    ----------
    estimate : ndarray
        Expected of an answer in the weeks to come.
    low, high : ndarray
        Of ten such customers nine would answer within them.
    source : ndarray of str
        'answers', where the customer's own are in it; 'estimate', where behaviour alone says it; or 'none'.
    """

    estimate: Matrix
    low: Matrix
    high: Matrix
    source: npt.NDArray[np.object_]


@dataclass(frozen=True)
class Width:
    """How far answers lay below and above what was expected, for nine of ten, in standard deviations."""

    below: float
    above: float


@dataclass(frozen=True)
class Contentment:
    """What was learned of the satisfaction of those who answered, as plain data.

    Parameters
    ----------
    design, scaling, behaviour
        The columns, how they are scaled, and what they say.
    lasting : Lasting
        What one's own answers add.
    of_estimate, of_answers : Width
        Of the intervals of those who never answered, and of those who did.
    shows : tuple of {'estimate', 'answers'}
        What stood the test out of time; the rest is not told.
    """

    design: Design
    scaling: Scaling
    behaviour: Linear
    lasting: Lasting
    of_estimate: Width
    of_answers: Width
    shows: tuple[Source, ...] = ("estimate", "answers")

    @property
    def needs(self) -> tuple[str, ...]:
        """The features it is asked with."""
        return (*self.design.numeric, *OWN)

    def expected(self, table: FeatureTable) -> Matrix:
        """Return what behaviour alone says of each row, of shape (n_rows,)."""
        return _within(self.behaviour.predict(self.scaling(_columns(self.design, table))))

    def tell(self, table: FeatureTable) -> Told:
        """Return the satisfaction of each row."""
        own = own_answers(table)
        answered = ~np.isnan(own.last)
        estimate, spread = self.lasting.posterior(self.expected(table), own)
        below, above = (
            np.where(answered, getattr(self.of_answers, end), getattr(self.of_estimate, end))
            for end in ("below", "above")
        )
        source = np.where(answered, "answers", "estimate").astype(np.object_)
        source[~np.isin(source.astype(str), self.shows)] = "none"
        told = source != "none"
        low = np.minimum(estimate, _within(estimate + below * spread))
        high = np.maximum(estimate, _within(estimate + above * spread))
        estimate, low, high = (np.where(told, one, np.nan) for one in (estimate, low, high))
        return Told(estimate, low, high, source)

    def to_dict(self) -> dict[str, Any]:  # Any: JSON
        """Return plain data for the bundle."""
        return {
            "design": self.design.to_dict(),
            "scaling": self.scaling.to_dict(),
            "behaviour": asdict(self.behaviour),
            "lasting": asdict(self.lasting),
            "of_estimate": asdict(self.of_estimate),
            "of_answers": asdict(self.of_answers),
            "shows": list(self.shows),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Contentment:  # Any: JSON
        """Return what `to_dict` wrote."""
        return cls(
            Design.from_dict(data["design"]),
            Scaling.from_dict(data["scaling"]),
            Linear.from_dict(data["behaviour"]),
            Lasting(**data["lasting"]),
            Width(**data["of_estimate"]),
            Width(**data["of_answers"]),
            tuple(data["shows"]),
        )


def behaviour_of(catalogue: Catalogue) -> tuple[str, ...]:
    """Return the features that are made of anything but surveys."""

    def tables(needs: Sequence[Any]) -> set[str]:  # Any: aggregates
        return {ROW_SETS[need.rows].table for need in needs if need.rows in ROW_SETS}

    return tuple(
        one.name for one in catalogue.features if one.table != "surveys" and "surveys" not in tables(one.needs)
    )


@dataclass(frozen=True)
class Learned:
    """A fit, and how far those who answered stand for all.

    Parameters
    ----------
    contentment : Contentment
    customers : int
        Different ones who answered.
    effective : float
        How many answers, weighted to resemble the population, are worth; no more than there are.
    """

    contentment: Contentment
    customers: int
    effective: float


def fit_contentment(
    table: FeatureTable, lesson: Lesson, names: Sequence[str], seed: int, until: int | None = None
) -> Learned:
    """Return what answers teach.

    Every answer counts the same for what is expected: weighted to resemble the population they would be worth half as
    many. The intervals are weighted, for what they hold of those who answered they must hold of those who did not.

    Parameters
    ----------
    table : FeatureTable
        Snapshots of the population, for whom the answers are to stand.
    lesson : Lesson
        Answers that were known when the fit is made, with their rows in `table`.
    names : sequence of str
        Features it may use, see `behaviour_of`.
    until : int, optional
        The last cutoff of the table that may be looked at; microseconds UTC.
    """
    rows, points = table.take(lesson.rows), lesson.answers.points
    seen = np.arange(len(table)) if until is None else np.flatnonzero(table.cutoffs <= until)
    population = table.take(seen[_some(len(seen), _FOR_EACH_ANSWER * len(rows), seed)])
    design = _only(fit_design(population), set(names))
    scaling = fit_scaling(_columns(design, population), "log")
    scaled = scaling(_columns(design, rows))
    weights = _weights(scaling(_columns(design, population)), scaled, seed)
    who = np.unique(lesson.answers.customer_ids.astype(str), return_inverse=True)[1]
    penalty, unseen = _penalty(scaled, points, who)
    coefficients, intercept = _ridge(_Sums.of(scaled, points), [penalty])
    behaviour = Linear(tuple(coefficients[0].tolist()), float(intercept[0]))
    own, unseen = own_answers(rows), _within(unseen)
    lasting = fit_lasting(own, unseen, points - unseen, (lesson.answers.sent_at - lesson.cutoffs) / DAY)
    after, spread = lasting.posterior(unseen, own)
    missed, answered = (points - after) / spread, ~np.isnan(own.last)
    of_estimate, of_answers = (
        _width(missed[group], weights[group]) if group.sum() >= _FEW_OWN else _width(missed, weights)
        for group in (~answered, answered)
    )
    found = Contentment(design, scaling, behaviour, lasting, of_estimate, of_answers)
    return Learned(found, lesson.customers, float(weights.sum() ** 2 / (weights**2).sum()))


def _only(design: Design, allowed: set[str]) -> Design:
    numeric = tuple(name for name in design.numeric if name in allowed)
    return Design(numeric, {name: known for name, known in design.categories.items() if name in allowed})


def _within(points: Matrix) -> Matrix:
    return np.asarray(np.clip(points, 0.0, BEST))


def _columns(design: Design, table: FeatureTable) -> Matrix:
    """Return the columns without those of the rhythm."""
    return design.matrix(table, np.empty((len(table), 0)))


def _some(rows: int, wanted: int, seed: int) -> npt.NDArray[np.intp]:
    """Return some of the rows, in their order: as many as are wanted, and no more than can be worked with."""
    drawn = np.random.default_rng(seed).choice(rows, min(rows, wanted, _MOST), replace=False)
    return np.sort(drawn)


def _weights(population: Matrix, answered: Matrix, seed: int) -> Matrix:
    """Return how much rarer a row like each is among answers than in the population; mean 1, held within bounds."""
    some = answered[_some(len(answered), len(answered), seed)]
    said = np.arange(len(population) + len(some)) >= len(population)
    logits = fit_logistic(np.concatenate([population, some]), said).predict(answered)
    weights = np.exp(np.clip(np.median(logits) - logits, -_LARGEST, _LARGEST))
    weights = np.clip(weights / weights.mean(), _LEAST_WEIGHT, _MOST_WEIGHT)
    return np.asarray(weights / weights.mean())


@dataclass(frozen=True)
class _Sums:
    """What a ridge regression is made of; sums over rows, which add up and come off."""

    rows: int
    columns: Matrix
    products: Matrix
    points: float
    with_points: Matrix

    @classmethod
    def of(cls, scaled: Matrix, points: Matrix) -> _Sums:
        return cls(len(points), scaled.sum(axis=0), scaled.T @ scaled, float(points.sum()), scaled.T @ points)

    def without(self, other: _Sums) -> _Sums:
        mine, theirs = vars(self), vars(other)
        return _Sums(**{name: mine[name] - theirs[name] for name in mine})


def _ridge(sums: _Sums, penalties: Sequence[float]) -> tuple[Matrix, Matrix]:
    """Return coefficients and intercepts by penalty, of shape (n_penalties, n_columns) and (n_penalties,)."""
    centre, mean = sums.columns / sums.rows, sums.points / sums.rows
    gram = sums.products - sums.rows * np.outer(centre, centre)
    values, vectors = np.linalg.eigh(gram)
    turned = vectors.T @ (sums.with_points - sums.points * centre)
    shrunk = [turned / (np.maximum(values, 0.0) + one * sums.rows) for one in penalties]
    coefficients = np.array(shrunk) @ vectors.T
    return coefficients, mean - coefficients @ centre


def _penalty(scaled: Matrix, points: Matrix, who: npt.NDArray[np.intp]) -> tuple[float, Matrix]:
    """Return the penalty that tells customers best whom it was not taught with, and what it tells them."""
    told, fold = np.empty((len(_PENALTIES), len(points))), who % _FOLDS
    whole = _Sums.of(scaled, points)
    for part in range(_FOLDS):
        out = fold == part
        coefficients, intercepts = _ridge(whole.without(_Sums.of(scaled[out], points[out])), _PENALTIES)
        told[:, out] = coefficients @ scaled[out].T + intercepts[:, None]
    best = int(np.argmin(((told - points) ** 2).sum(axis=1)))
    return _PENALTIES[best], told[best]


def _width(missed: Matrix, weights: Matrix) -> Width:
    """Return between what nine of ten lie, a little wider for how few there are."""
    effective = weights.sum() ** 2 / (weights**2).sum()
    tail = max((1.0 - LEVEL) / 2 * (1.0 - 1.0 / effective), 0.0)
    order = np.argsort(missed, kind="stable")
    share = np.cumsum(weights[order]) / weights.sum()
    low, high = np.searchsorted(share, [tail, 1.0 - tail])
    ends = missed[order[[max(low - 1, 0), min(high, len(missed) - 1)]]]
    return Width(float(min(ends[0], 0.0)), float(max(ends[1], 0.0)))
