"""The next category in a training: whether it can be learned, how it did out of time, and what is told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from threadpoolctl import threadpool_limits

from churnml.config import TrainConfig
from churnml.errors import NotEnoughDataError
from churnml.events import Store, usual_lateness_days
from churnml.events.clock import moment
from churnml.labels import training_cutoffs
from churnml.modeling.next_category.model import Kind, NextCategory, fit_next_category
from churnml.modeling.next_category.teaching import FEWEST_BUYERS, Seen, gather, vocabulary
from churnml.modeling.next_category.trial import KINDS, Contest, Ranked, contests, ranked

Json = dict[str, Any]  # Any: JSON

_TEACHING = 4
"""Cutoffs that teach a model, the last before its own."""
_JUDGED = 2
_FEWEST_CATEGORIES = 3


@dataclass(frozen=True)
class Standing:
    """What came of it.

    Parameters
    ----------
    model : NextCategory or None
        For the bundle; None where `because` says why there is none.
    because : mapping of {'any', 'cross_sell', 'replenish'} to str
        Why there is no model, or why a part is told by popularity or not at all; in words.
    judged : mapping of kind to Contest
        How ours did out of time.
    cutoffs : tuple of str
        The days it was judged at.
    categories : int
        How many were learned.
    """

    model: NextCategory | None
    because: Mapping[str, str]
    judged: Mapping[Kind, Contest] = field(default_factory=dict)
    cutoffs: tuple[str, ...] = ()
    categories: int = 0

    def to_json(self) -> Json:
        """Return plain data ready for JSON, without a row of any customer."""
        return {
            "cross_sell": self.model.cross_sell if self.model else "none",
            "replenish": self.model.replenish if self.model else "none",
            "because": dict(self.because),
            "categories": self.categories,
            "cutoffs": list(self.cutoffs),
            "judged": {kind: contest.to_json() for kind, contest in self.judged.items()},
        }

    def metrics(self) -> dict[str, float]:
        """Return our own figures under flat names, for tracking."""
        return {
            f"next_{kind}_{name}": figure.value
            for kind, contest in self.judged.items()
            for name, figure in contest.methods[0].figures.items()
        }


def next_category(store: Store, now: int, config: TrainConfig) -> Standing:
    """Learn the next category for use at a cutoff, try it at those before, and tell what stood the trial.

    A training never stops for it.

    Parameters
    ----------
    now : int
        Nothing after it is read; microseconds UTC.
    """
    if "order_lines" not in store.tables:
        return Standing(None, {"any": "no order lines have landed; ingest `order_lines` with a category each"})
    words = vocabulary(store, now, config.categories)
    if len(words) < _FEWEST_CATEGORIES:
        return Standing(
            None,
            {
                "any": f"{len(words)} categories were bought by {FEWEST_BUYERS} customers or more, and it takes "
                f"{_FEWEST_CATEGORIES}; fill `category` in `order_lines`"
            },
            categories=len(words),
        )
    with threadpool_limits(limits=1, user_api="blas"):  # one thread adds up in one order, so the bits are the same
        cutoffs = _cutoffs(store, now, config, _TEACHING + _JUDGED)
        *before, at_now = gather(store, words, cutoffs, now, config.categories, config.population_days, lag(store))
        model = fit_next_category(
            words, before[-_TEACHING:], at_now, config.categories, config.population_days, config.seed
        )
        found = judged_at(words, before, config, _JUDGED)
        judged = contests([one for _, one in found], n=config.bootstrap, seed=config.seed)
    because: dict[str, str] = {kind: why for kind in KINDS if (why := _why_not(kind, judged))}
    told = replace(
        model,
        cross_sell="popularity" if "cross_sell" in because else "co_purchase",
        replenish="none" if "replenish" in because else "own_interval",
    )
    days = tuple(moment(cutoff, store.time_zone).date().isoformat() for cutoff, _ in found)
    return Standing(told, because, judged, days, len(words))


def judged_at(
    words: Sequence[str], seen: Sequence[Seen], config: TrainConfig, most: int
) -> list[tuple[int, dict[Kind, Ranked]]]:
    """Return how the last cutoffs did, each by a model of what was known then; the first of all teaches only."""
    settings, days = config.categories, config.population_days
    found = []
    for place in range(max(1, len(seen) - most), len(seen)):
        taught, at = seen[max(0, place - _TEACHING) : place], seen[place]
        if at.sample.customers:
            model = fit_next_category(words, taught, at, settings, days, config.seed)
            found.append((at.cutoff, ranked(model, at)))
    return found


def judge_origins(store: Store, now: int, config: TrainConfig, origins: int, bootstrap: int) -> Standing:
    """Return how the next category did at some cutoffs in a row; no model is kept.

    Parameters
    ----------
    origins : int
        Cutoffs at most, the last whose horizon is over first.

    Raises
    ------
    NotEnoughDataError
        If it can be judged at none; the message says why.
    """
    if "order_lines" not in store.tables:
        raise NotEnoughDataError("categories are read from the table `order_lines`, found none landed; ingest it")
    cutoffs = _cutoffs(store, now, config, _TEACHING + origins)
    if len(cutoffs) < 2:  # one teaches, one is judged
        days = config.categories.horizon_days
        raise NotEnoughDataError(
            f"a trial of categories needs two cutoffs {days + lag(store)} days apart with {config.min_history_days} "
            f"days before the first, found {len(cutoffs)}; bring older orders, or shorten `categories.horizon_days` or "
            "`min_history_days` in configs/train.yaml"
        )
    words = vocabulary(store, cutoffs[max(0, len(cutoffs) - origins - 1)], config.categories)
    if len(words) < _FEWEST_CATEGORIES:
        raise NotEnoughDataError(
            f"a trial of categories needs {_FEWEST_CATEGORIES} that {FEWEST_BUYERS} customers bought, found "
            f"{len(words)}; fill `category` in `order_lines`"
        )
    with threadpool_limits(limits=1, user_api="blas"):
        seen = gather(store, words, cutoffs, None, config.categories, config.population_days, lag(store))
        found = judged_at(words, seen, config, origins)
        judged = contests([one for _, one in found], n=bootstrap, seed=config.seed)
    if not judged:
        raise NotEnoughDataError("a trial of categories needs 100 customers who bought one after it; bring more orders")
    days_of = tuple(moment(cutoff, store.time_zone).date().isoformat() for cutoff, _ in found)
    because: dict[str, str] = {kind: why for kind in KINDS if (why := _why_not(kind, judged))}
    return Standing(None, because, judged, days_of, len(words))


def lag(store: Store) -> int:
    """Return how many days after its horizon a label is final: news of an order line may be late."""
    return usual_lateness_days(store, "order_lines")


def _cutoffs(store: Store, now: int, config: TrainConfig, most: int) -> list[int]:
    """Return cutoffs whose labels are final by `now`, so far apart that each has its label when the next begins."""
    days, late = config.categories.horizon_days, lag(store)
    return training_cutoffs(
        store.span[0],
        now,
        days,
        step_days=days + late,
        max_cutoffs=most,
        min_history_days=config.min_history_days,
        time_zone=store.time_zone,
        label_lag_days=late,
        fewest=0,
    )


_INSTEAD = {
    "cross_sell": "popularity among what they have not bought is told",
    "replenish": "no category that is due is told",
}


def _why_not(kind: Kind, judged: Mapping[Kind, Contest]) -> str:
    """Return why a part is not told by the model, in words; empty where it is."""
    contest = judged.get(kind)
    if contest is None:
        return f"too few customers could be judged out of time, so {_INSTEAD[kind]}"
    if contest.not_better_than:
        names = " nor than ".join(f"`{name}`" for name in contest.not_better_than)
        return f"out of time it was no better beyond noise than {names}, so {_INSTEAD[kind]}"
    return ""
