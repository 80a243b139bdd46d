"""Watch a model at work: whether the world has moved, its answers came true, and another would do better.

Everything is read at cutoffs as it was known then. The model is asked of cutoffs at which it was not taught: the one
it was made for and those after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from churnml.errors import ModelRefusedError, NotEnoughDataError
from churnml.events import Store
from churnml.events.clock import DAY, days_later
from churnml.features import Catalogue, FeatureTable, build
from churnml.labels import Outcomes, churned, label_lag
from churnml.modeling.closed import Kept, closed_at, kept, season_of
from churnml.modeling.drift import Drifts, drifts
from churnml.modeling.model import Model
from churnml.modeling.shadow import Shadow, shadow
from churnml.modeling.unrest import Unrest, unrest

Matrix = npt.NDArray[np.float64]
Kind = TypeVar("Kind", bound=np.generic)

_MOST_PASSAGES = 12


@dataclass(frozen=True)
class Taught:
    """A model with what its bundle tells of how it came about.

    Parameters
    ----------
    made_for : int
        The cutoff of its training, microseconds UTC.
    cutoffs : tuple of int
        Those that taught, ascending.
    promised : tuple of float or None
        AUROC when it was judged, with its interval.
    """

    model: Model
    made_for: int
    cutoffs: tuple[int, ...]
    promised: tuple[float, float, float] | None


@dataclass(frozen=True)
class Watched:
    """What was seen of a model.

    Parameters
    ----------
    made_for, now : int
        Microseconds UTC.
    drifts : Drifts or None
        None where nothing has happened since the model was made.
    kept : Kept
        Of closed labels.
    next_closes : int
        When the next label closes, microseconds UTC.
    shadow : Shadow or None
        None without a challenger.
    unrest : Unrest or None
        Whether the pulse of the customers moved; None where that cannot be said yet.
    """

    made_for: int
    now: int
    drifts: Drifts | None
    kept: Kept
    next_closes: int
    shadow: Shadow | None
    unrest: Unrest | None


def watch(
    store: Store,
    catalogue: Catalogue,
    champion: Taught,
    now: int,
    *,
    step_days: int,
    return_window_days: int,
    challenger: Taught | None = None,
    bootstrap: int = 200,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Watched:
    """Return what has become of a model by `now`.

    Parameters
    ----------
    now : int
        Nothing after it is read; microseconds UTC.
    step_days : int
        Days between the cutoffs looked at.
    challenger : Taught, optional
        A model of the same horizon and population to be asked in its shadow.
    bootstrap, seed : int
        Redraws behind the intervals of champion against challenger.

    Raises
    ------
    NotEnoughDataError
        If nobody was a customer at the model's own cutoff or is one now.
    """
    model, zone = champion.model, store.time_zone
    grace = model.grace_days if model.by == "contracts" else None
    waits = model.horizon_days + label_lag(store, return_window_days, grace)
    after = _every(champion.made_for, now, step_days, zone)
    closed = [one for one in after if days_later(one, waits, zone) <= now]
    passages = _passages(store, champion, now, step_days)
    asked = sorted({*champion.cutoffs, *after, *closed, now, *(one for pair in passages for one in pair)})
    table = build(store, catalogue, asked, model.population_days, progress, model.by)
    table = table.take(table.modelled)
    for cutoff in (champion.made_for, now):
        if not (table.cutoffs == cutoff).any():
            raise NotEnoughDataError(
                f"a model is watched at the cutoff it was made for and now, found no customer in the "
                f"{model.population_days} days before one of them; ingest more, or train again"
            )
    with threadpool_limits(limits=1, user_api="blas"):
        told = _told(model, table)
        seen = [*champion.cutoffs, *closed]
        outcome = Outcomes.read(store, seen, model.horizon_days, now, grace_days=model.grace_days)
        left = _left(table, outcome, seen)

        def beside(other: Taught) -> Shadow | None:
            unknown_to_both = [left[cutoff] for cutoff in closed if cutoff >= other.made_for]
            judged = np.isin(table.cutoffs, [cutoff for cutoff in closed if cutoff >= other.made_for])
            truth = np.concatenate([np.zeros(0), *unknown_to_both])
            models, present = (model, other.model), table.cutoffs == now
            try:
                its = _told(other.model, table)
            except ModelRefusedError:
                return None  # it needs features that are off; whoever promotes it is told so
            return shadow(models, (told, its), present, judged, truth, bootstrap, seed)

        moved = None
        if now > champion.made_for:
            weights, scores = _weights(model), _by_cutoff(table, told)
            columns = {name: _by_cutoff(table, table.column(name)) for name in weights}
            words = {name: _by_cutoff(table, values) for name, values in table.categories.items()}
            moved = drifts(columns, weights, scores, (champion.made_for, now), passages, words)
        return Watched(
            champion.made_for,
            now,
            moved,
            _kept(_by_cutoff(table, told), left, champion, closed, waits, zone),
            days_later(after[len(closed)] if len(closed) < len(after) else now, waits, zone),
            None if challenger is None else beside(challenger),
            unrest(store, champion.made_for, now),
        )


def _every(first: int, now: int, step_days: int, zone: str) -> list[int]:
    """Return the cutoffs from the first on, every so many days, none after now."""
    steps = max((now - first) // DAY // step_days, 0) + 1
    found = [days_later(first, step_days * step, zone) for step in range(steps + 1)]
    return [cutoff for cutoff in found if cutoff <= now]


def _passages(store: Store, champion: Taught, now: int, step_days: int) -> list[tuple[int, int]]:
    """Return earlier pairs of cutoffs as far apart as the model's own and now, none with an end after the model's."""
    zone, gap = store.time_zone, (now - champion.made_for) // DAY
    earliest = champion.cutoffs[0]
    ends = [days_later(champion.made_for, -step_days * step, zone) for step in range(_MOST_PASSAGES)]
    pairs = [(days_later(end, -gap, zone), end) for end in ends]
    return [(begin, end) for begin, end in pairs if begin >= earliest and gap > 0]


def _told(model: Model, table: FeatureTable) -> Matrix:
    return model.forecast(table, model.horizon_days).churn_probability


def _by_cutoff(table: FeatureTable, values: npt.NDArray[Kind]) -> dict[int, npt.NDArray[Kind]]:
    return {int(cutoff): values[table.cutoffs == cutoff] for cutoff in np.unique(table.cutoffs)}


def _weights(model: Model) -> dict[str, float]:
    """Return what each numeric feature counts: its part of the gain of the trees; without trees, each the same."""
    trees, columns = model.churn.trees, model.design.columns
    gains = np.zeros(len(columns)) if trees is None else trees.feature_importance("gain")
    gain = dict(zip(columns, gains, strict=True))
    known = {name: float(gain[name]) for name in model.design.numeric}
    whole = sum(known.values())
    return (
        {name: one / whole for name, one in known.items() if one > 0} if whole else dict.fromkeys(known, 1 / len(known))
    )


def _kept(
    said: Mapping[int, Matrix],
    left: Mapping[int, Matrix],
    champion: Taught,
    closed: Sequence[int],
    waits: int,
    zone: str,
) -> Kept:
    rates = [float(left[cutoff].mean()) for cutoff in champion.cutoffs]
    before = [
        [place for place, one in enumerate(champion.cutoffs) if days_later(one, waits, zone) <= cutoff]
        for cutoff in champion.cutoffs
    ]
    season, ours = season_of(rates, before), [cutoff for cutoff in closed if len(left[cutoff])]
    probability, churned_ones = (by[ours[-1]] if ours else np.zeros(0) for by in (said, left))
    found = [closed_at(cutoff, said[cutoff], left[cutoff], season) for cutoff in ours]
    return kept(found, probability, churned_ones, season, champion.promised)


def _left(table: FeatureTable, outcome: Outcomes, cutoffs: Sequence[int]) -> Mapping[int, Matrix]:
    """Return by cutoff who left, 1 or 0, of the rows of the table."""
    found = {}
    for cutoff in cutoffs:
        rows = table.cutoffs == cutoff
        came = outcome.at(table.customer_ids[rows], table.cutoffs[rows])
        found[cutoff] = churned(came, table.by).astype(np.float64)
    return found
