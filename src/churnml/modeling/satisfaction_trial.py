"""Satisfaction tried out of time: what the last cutoffs said, beside the answers that came and what is simpler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from churnml.config import TrainConfig
from churnml.events import Store
from churnml.events.clock import days_later
from churnml.features import Catalogue, FeatureTable
from churnml.modeling.answers import Lesson, paired, read_answers
from churnml.modeling.contentment import FEWEST, Learned, Source, behaviour_of, fit_contentment
from churnml.modeling.judgement import Figure
from churnml.modeling.lasting import own_answers
from churnml.modeling.metrics import bootstrap, paired_difference, rmse, spearman

Matrix = npt.NDArray[np.float64]
Json = dict[str, Any]  # Any: JSON

OURS, MEAN, LAST = "churnml", "mean of all answers", "their own last answer"
GROUPS: tuple[Source, ...] = ("estimate", "answers")
"""Those who had never answered, and those who had."""

CALLED: Mapping[str, str] = {"estimate": "who had never answered", "answers": "who had answered before"}

FEWEST_JUDGED = 40
_ORIGINS = 4
_SEGMENTS = ("acquisition_channel", "region", "income_band")
_MOST_JUDGED = 20_000


@dataclass(frozen=True)
class Said:
    """What was said before answers came, by each method; arrays of shape (n_answers,)."""

    customer_ids: npt.NDArray[np.object_]
    truth: Matrix
    methods: Mapping[str, Matrix]
    low: Matrix
    high: Matrix
    source: npt.NDArray[np.object_]


@dataclass(frozen=True)
class Method:
    """How one method did.

    Parameters
    ----------
    rmse, rank : Figure
        Error in points, and rank correlation; with their 95 % intervals over customers.
    lead : Figure or None
        By how many points the error of ours is less; None for ours.
    """

    rmse: Figure
    rank: Figure
    lead: Figure | None


@dataclass(frozen=True)
class Trial:
    """How satisfaction did out of time for those who had never answered, or for those who had.

    Parameters
    ----------
    answers, customers : int
        How many came, and of how many.
    methods : mapping of str to Method
        Ours first, then what it must beat.
    covered : Figure
        Share of answers within the interval for nine of ten.
    width : float
        Mean, in points.
    """

    answers: int
    customers: int
    methods: Mapping[str, Method]
    covered: Figure
    width: float

    @property
    def better(self) -> bool:
        """Whether ours beats the mean of all answers beyond noise."""
        lead = self.methods[MEAN].lead
        return lead is not None and lead.low > 0.0

    def to_json(self) -> Json:
        """Return plain data."""
        return {
            "answers": self.answers,
            "customers": self.customers,
            "covered": _plain(self.covered),
            "mean_width": self.width,
            "methods": {
                name: {"rmse": _plain(one.rmse), "rank": _plain(one.rank)}
                | ({} if one.lead is None else {"lead_of_ours": _plain(one.lead)})
                for name, one in self.methods.items()
            },
        }


def tried(table: FeatureTable, lesson: Lesson, names: Sequence[str], config: TrainConfig) -> dict[str, Trial] | None:
    """Return how the last cutoffs did, each taught by what was known then, with the answers that came after each.

    The cutoffs are four of the later half, and each says how its customers, and those of the cutoffs up to the next,
    would answer. Groups with too few answers are left out; None if no cutoff had enough to learn from.
    """
    said = _said(table, lesson, names, config.seed)
    return None if said is None else _trials(said, config)


def tried_at(
    store: Store, catalogue: Catalogue, taught: FeatureTable, asked: FeatureTable, cutoff: int, config: TrainConfig
) -> dict[str, Trial]:
    """Return how what was known by a cutoff did with the answers of those who were asked in the horizon after it.

    An answer counts that came within two horizons of the cutoff. Groups with too few answers are left out, and so are
    both where too few customers had answered by the cutoff to learn from.

    Parameters
    ----------
    taught : FeatureTable
        Snapshots of the population at the training cutoffs before it.
    asked : FeatureTable
        The population at the cutoff.
    cutoff : int
        Microseconds UTC.
    """
    zone, days = store.time_zone, config.horizon_days
    lesson = paired(read_answers(store, cutoff), taught, days, zone)
    came = paired(read_answers(store, days_later(cutoff, 2 * days, zone)), asked, days, zone)
    if lesson.customers < FEWEST or not len(came):
        return {}
    with threadpool_limits(limits=1, user_api="blas"):  # one thread adds up in one order, so the bits are the same
        learned = fit_contentment(taught, lesson, behaviour_of(catalogue), config.seed, cutoff)
        return _trials(_of_origin(learned, lesson, came, taught, asked), config)


def _said(table: FeatureTable, lesson: Lesson, names: Sequence[str], seed: int) -> Said | None:
    cutoffs = np.unique(table.cutoffs)
    later = np.linspace(len(cutoffs) // 2, len(cutoffs) - 1, _ORIGINS).astype(np.intp)
    origins = cutoffs[np.unique(later)].tolist()
    parts: list[Said] = []
    for origin, end in pairwise([*origins, np.iinfo(np.int64).max]):
        taught = lesson.keep(lesson.answers.known_at <= origin)
        asked = lesson.keep((lesson.cutoffs >= origin) & (lesson.cutoffs < end))
        if taught.customers < FEWEST or not len(asked):
            continue
        parts.append(_of_origin(fit_contentment(table, taught, names, seed, origin), taught, asked, table, table))
    if not parts:
        return None
    methods = {name: np.concatenate([part.methods[name] for part in parts]) for name in parts[0].methods}
    whole = [np.concatenate([getattr(part, name) for part in parts]) for name in ("customer_ids", "truth")]
    ends = [np.concatenate([getattr(part, name) for part in parts]) for name in ("low", "high", "source")]
    return Said(whole[0], whole[1], methods, *ends)


def _of_origin(learned: Learned, taught: Lesson, asked: Lesson, table: FeatureTable, at_origin: FeatureTable) -> Said:
    """Return what each method says of the rows of `at_origin` that were asked; `table` holds those that taught."""
    rows = at_origin.take(asked.rows)
    told, mean = learned.contentment.tell(rows), float(taught.answers.points.mean())
    methods = {OURS: told.estimate, MEAN: np.full(len(asked), mean)}
    segment = next((name for name in _SEGMENTS if name in table.categories), None)
    if segment is not None:
        means = _means(table.categories[segment][taught.rows], taught.answers.points)
        methods[f"mean of their {segment}"] = np.array([means.get(one, mean) for one in rows.categories[segment]])
    methods[LAST] = own_answers(rows).last
    return Said(asked.answers.customer_ids, asked.answers.points, methods, told.low, told.high, told.source)


def _means(of: npt.NDArray[np.object_], points: Matrix) -> dict[Any, float]:  # Any: a category
    return {one: float(points[of == one].mean()) for one in dict.fromkeys(of.tolist())}


def _trials(said: Said, config: TrainConfig) -> dict[str, Trial]:
    found: dict[str, Trial] = {}
    for name in GROUPS:
        rows = np.flatnonzero(said.source == name)[-_MOST_JUDGED:]
        if len(np.unique(said.customer_ids[rows].astype(str))) >= FEWEST_JUDGED and np.ptp(said.truth[rows]) > 0:
            found[name] = _trial(said, rows, config)
    return found


def _trial(said: Said, rows: npt.NDArray[np.intp], config: TrainConfig) -> Trial:
    truth, who = said.truth[rows], said.customer_ids[rows].astype(str)
    ours, draws = said.methods[OURS][rows], {"n": config.bootstrap, "seed": config.seed}
    methods = {}
    for name, told in said.methods.items():
        points = told[rows]
        if np.isnan(points).any():  # of those who never answered there is no last answer
            continue
        rank = Figure(spearman(truth, points), *_around(spearman, truth, points, who, draws))
        error = Figure(rmse(truth, points), *_around(rmse, truth, points, who, draws))
        lead = None if name == OURS else Figure(*paired_difference(rmse, truth, points, ours, customers=who, **draws))
        methods[name] = Method(error, rank, lead)
    inside = ((truth >= said.low[rows]) & (truth <= said.high[rows])).astype(np.float64)
    covered = Figure(float(inside.mean()), *bootstrap(_mean, inside, inside, customers=who, **draws))
    width = float((said.high[rows] - said.low[rows]).mean())
    return Trial(len(rows), len(np.unique(who)), methods, covered, width)


def _around(
    metric: Any, truth: Matrix, told: Matrix, who: npt.NDArray[np.str_], draws: Mapping[str, int]
) -> Any:  # Any: a metric
    return bootstrap(metric, truth, told, customers=who, n=draws["n"], seed=draws["seed"])


def _mean(values: Matrix, _same: Matrix) -> float:
    return float(np.mean(values))


def _plain(figure: Figure) -> list[float]:
    return [figure.value, figure.low, figure.high]
