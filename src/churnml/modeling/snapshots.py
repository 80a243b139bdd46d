"""Stacked snapshots: features, rhythm and labels of the population at each training cutoff, and the base now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from churnml.config import TrainConfig
from churnml.events import Spells, Store, renewal_spells
from churnml.features import Catalogue, FeatureTable, build
from churnml.labels import Outcomes, check_taught_by, churned, churned_within, margin
from churnml.modeling.cutoffs import lag_of
from churnml.modeling.ladder import Lessons, Rung, lessons
from churnml.modeling.prospects import Prospects, prospects_of
from churnml.modeling.renewal import Pace, fit_renewals
from churnml.modeling.rhythm import Silent, fit_rhythm, rhythm_or_rule, rule_at, sound_rhythm, stacked_rhythm
from churnml.modeling.season import Seasons, seasons

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Snapshots:
    """Stacked snapshots: the population at each training cutoff, its rhythm columns and its labels.

    Parameters
    ----------
    table : FeatureTable
        Rows of the population only.
    rhythm : ndarray of shape (n_rows, 3)
        Each cutoff's from its own fit.
    churned, margin : ndarray of shape (n_rows,)
        The labels.
    sooner : mapping of int to tuple of (ndarray, ndarray), each of shape (n_rows,)
        By days fewer than the horizon's: the logit of having left within them by the rhythm alone, and who had.
    base_at_now : FeatureTable
        The whole base at the cutoff the model is meant for; it has features and no label.
    no_rhythm : str
        Why no rhythm of buying can be believed at that cutoff, in words; empty where one can.
    seasons : Seasons
        What the season adds to silence of so many days, the horizon's and those of `sooner`, and to the margin; none
        where no year of data is behind it.
    prospects : Prospects or None
        Those who have not paid for anything yet, at the same cutoffs.
    spells : Spells or None
        By contracts, how all of them had gone on by that cutoff; None by orders.
    """

    table: FeatureTable
    rhythm: Matrix
    churned: npt.NDArray[np.bool_]
    margin: Matrix
    sooner: Mapping[int, tuple[Matrix, npt.NDArray[np.bool_]]]
    base_at_now: FeatureTable
    no_rhythm: str = ""
    seasons: Seasons = field(default_factory=Seasons)
    prospects: Prospects | None = None
    spells: Spells | None = None

    @property
    def lessons(self) -> Lessons:
        """What there is to learn from."""
        return lessons(self.table.cutoffs, self.table.customer_ids, self.churned, self.no_rhythm)

    @property
    def customers(self) -> int:
        """How many different ones the rows are of."""
        return len(np.unique(self.table.customer_ids.astype(str)))


def snapshots(
    store: Store,
    catalogue: Catalogue,
    cutoffs: Sequence[int],
    now: int,
    config: TrainConfig,
    margin_rate: float,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    sooner: Sequence[int] = (),
    rung: Rung | None = "blend",
) -> Snapshots:
    """Build features at every training cutoff and at `now` in one pass, and the labels of the training cutoffs.

    Parameters
    ----------
    rung : {'blend', 'logistic', 'rhythm', 'recency'} or None
        What they are for; for a blend every cutoff must have a rhythm of its own. None where it is yet to be seen.
    """
    check_taught_by(store, config.by)
    whole = build(store, catalogue, [*cutoffs, now], config.population_days, progress, config.by)
    base, at_now = whole.take(whole.cutoffs < now), whole.take(whole.cutoffs == now)
    known = renewal_spells(store, [*cutoffs, now], config.grace_days) if config.by == "contracts" else {}
    fit, no_rhythm = _pace(known, at_now, now, rung)
    spells = known.get(now)
    rhythm, logits = stacked_rhythm(base, config.horizon_days, sooner, fit)
    inside = base.modelled
    table = base.take(inside)
    if not cutoffs:
        nothing = np.zeros(0)
        prospects = prospects_of(base, at_now, None, config.horizon_days, config.seed)
        return Snapshots(
            table, rhythm[inside], nothing > 0, nothing, {}, at_now, no_rhythm, Seasons(), prospects, spells
        )
    lag = lag_of(store, config)
    outcomes = Outcomes.read(store, cutoffs, config.horizon_days, now, lag, config.grace_days)
    outcome = outcomes.at(table.customer_ids, table.cutoffs)
    labels = churned(outcome, config.by), margin(outcome, margin_rate)
    within = {day: churned_within(outcome, day, config.by) for day in sooner}
    earlier = {day: (logits[inside][:, place], within[day]) for place, day in enumerate(sooner)}
    told = (
        Seasons()
        if config.by == "contracts"
        else seasons(store, catalogue, cutoffs, now, config, [*sooner, config.horizon_days], margin_rate)
    )
    prospects = prospects_of(base, at_now, outcomes, config.horizon_days, config.seed)
    return Snapshots(table, rhythm[inside], *labels, earlier, at_now, no_rhythm, told, prospects, spells)


def _pace(
    spells: Mapping[int, Spells], at_now: FeatureTable, now: int, rung: Rung | None
) -> tuple[Callable[[FeatureTable, int], Silent | Pace], str]:
    """Return what tells each cutoff, and why no rhythm can be believed, in words; empty where one can."""
    if at_now.by == "contracts":
        return lambda _table, cutoff: fit_renewals(spells[cutoff]), ""
    no_rhythm = "" if rung in ("blend", "recency") else sound_rhythm(at_now, now)[1]
    if rung == "blend":
        return fit_rhythm, no_rhythm
    return rule_at if rung == "recency" or no_rhythm else rhythm_or_rule, no_rhythm
