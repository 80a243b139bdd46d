"""Whether anything that was known only afterwards has got into the features: proofs on a user's own data.

1. The wall holds: features at a cutoff, computed in one pass with a cutoff at the end of the data, are bit for bit
   those computed from a copy of the files in which nothing beyond the cutoff is left (`events/cutting.py`).
2. No feature alone says more of churn than an honest one does (`alone.py`).
3. What it costs if a table had been learned a day later (`delays.py`).

A check that cannot fail proves nothing. So a column that reads the future is planted beside the features, and both
the first and the second must find it; where they do not, the check itself is broken and says so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.config import TrainConfig
from churnml.errors import BrokenCheckError, NotEnoughDataError
from churnml.events import By, Store
from churnml.events.clock import DAY, days_later, moment
from churnml.events.cutting import Hidden, cut_off
from churnml.features import Catalogue, FeatureTable, build
from churnml.labels import Outcomes, churned, churned_within
from churnml.modeling.alone import MOST_ROWS, Alone, alone, alone_of
from churnml.modeling.check_finding import Finding
from churnml.modeling.comparison import Difference, differences
from churnml.modeling.cutoffs import cutoffs_before, lag_of
from churnml.modeling.delays import Delays, delays
from churnml.modeling.leakage_findings import NotEnoughHistory, of_alone, of_delay, of_wall
from churnml.modeling.steps import Step, Steps, silently

Flags = npt.NDArray[np.bool_]
Matrix = npt.NDArray[np.float64]
Json = dict[str, Any]  # Any: JSON
_FEWEST = 5
_PLANTED_DAYS = 7
_MOST_CUTOFFS = 4


@dataclass(frozen=True)
class Wall:
    """What came of holding features through the wall against those of a store without a future.

    Parameters
    ----------
    rows, features : int
        Customers, and features of each, that were compared.
    hidden : mapping of str to Hidden
        What was cut off, by table.
    differences : tuple of Difference
        Of the features; none if the wall holds.
    """

    rows: int
    features: int
    hidden: Mapping[str, Hidden]
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Planted:
    """A column that reads the future, and who noticed.

    Parameters
    ----------
    days : int
        How far it looks ahead: it counts the order events of so many days after the cutoff, or tells whose contract
        ends in them.
    rows : int
        In how many rows the wall's comparison found it to differ.
    alone : Alone
        What it says of churn by itself.
    """

    days: int
    rows: int
    alone: Alone

    @property
    def rang(self) -> bool:
        """Whether both proofs found it."""
        return self.rows > 0 and self.alone.alarm == "red"


@dataclass(frozen=True)
class Leakage:
    """What the check found.

    Parameters
    ----------
    cutoff : int
        Microseconds UTC.
    day : str
        The same as a date of the workspace.
    customers, churners : int
        Of the population at the cutoff, by whom features are judged alone.
    sampled : int
        How many of them were looked at.
    planted : tuple of Planted
        The least look ahead first.
    delays : Delays or NotEnoughHistory
        What delays cost, or why that could not be measured.
    kept : tuple of str
        Features that someone vouches for, which raise no alarm.
    by : {'orders', 'contracts'}
        What leaving is.
    """

    cutoff: int
    day: str
    horizon_days: int
    customers: int
    churners: int
    sampled: int
    wall: Wall
    alone: tuple[Alone, ...]
    planted: tuple[Planted, ...]
    delays: Delays | NotEnoughHistory
    kept: tuple[str, ...] = ()
    by: By = "orders"

    @property
    def findings(self) -> list[Finding]:
        """What must not be; empty if the data are sound."""
        red = [found for one in self.alone if one.alarm == "red" for found in of_alone(one)]
        return [*map(of_wall, self.wall.differences), *red]

    @property
    def questions(self) -> list[Finding]:
        """What may be honest and deserves a question all the same."""
        asked = [found for one in self.alone if one.alarm == "question" for found in of_alone(one)]
        costs = self.measured.costs if self.measured else ()
        return asked + [of_delay(one) for one in costs if one.questionable]

    @property
    def measured(self) -> Delays | None:
        """The costs of delays, None if they could not be measured."""
        return self.delays if isinstance(self.delays, Delays) else None

    @property
    def unmeasured(self) -> NotEnoughHistory | None:
        """Why the costs of delays could not be measured, None if they were."""
        return self.delays if isinstance(self.delays, NotEnoughHistory) else None

    def to_json(self) -> Json:
        """Return plain data."""
        told: Json = {
            "sound": not self.findings,
            "findings": [one.said() for one in self.findings],
            "questions": [one.said() for one in self.questions],
            "found": [one.to_json() for one in self.findings],
            "asked": [one.to_json() for one in self.questions],
            "cutoff": self.day,
            "horizon_days": self.horizon_days,
            "customers": self.customers,
            "churners": self.churners,
            "sampled": self.sampled,
            "kept": list(self.kept),
            "wall": asdict(self.wall),
            "alone": [one.to_json() for one in self.alone],
            "alarm_tested": [
                {"days": one.days, "rows": one.rows, "alone": one.alone.to_json(), "rang": one.rang}
                for one in self.planted
            ],
        }
        if isinstance(self.delays, NotEnoughHistory):
            because = {"delays_not_measured_because": self.delays.said(), "delays_not_measured": self.delays.to_json()}
            return told | {"delays": None} | because
        return told | {"delays": self.delays.to_json()}


def judged_at(store: Store, now: int, config: TrainConfig, cutoff: int | None = None) -> int:
    """Return the latest cutoff whose label is final by `now`, or the one asked for if its horizon is over.

    Raises
    ------
    NotEnoughDataError
        If there is none, or it is not.
    """
    zone, horizon = store.time_zone, config.horizon_days
    first, _ = store.span
    if cutoff is None:
        found = days_later(now, -(horizon + lag_of(store, config)), zone)
        if found <= first:
            raise NotEnoughDataError(
                f"a label is final after {horizon} days and its lag, found {(now - first) // DAY} days of orders; "
                "bring more history, or shorten --horizon-days"
            )
        return found
    if days_later(cutoff, horizon, zone) > now:
        last = moment(days_later(now, -horizon, zone), zone).date()
        raise NotEnoughDataError(
            f"what came in the {horizon} days after the cutoff must be known, found orders until "
            f"{moment(now - 1, zone).date()}; choose a --cutoff of {last} or before, or shorten --horizon-days"
        )
    return cutoff


def check_leakage(
    store: Store,
    catalogue: Catalogue,
    cutoff: int,
    config: TrainConfig,
    scratch: Path,
    keep: Collection[str] = (),
    steps: Steps = silently,
) -> Leakage:
    """Check a store for leakage at one cutoff.

    Parameters
    ----------
    cutoff : int
        From `judged_at`; microseconds UTC.
    scratch : Path
        An empty folder for a copy of the files; whoever made it removes it.
    keep : collection of str
        Features that raise no alarm whatever they tell alone.
    steps : callable, optional
        Shows what is being done.

    Raises
    ------
    NotEnoughDataError
        If fewer than five customers left or stayed in the horizon.
    BrokenCheckError
        If the planted column is not found.
    """
    with steps("Holding features against a copy without a future") as tick:
        wall, through, planted_rows = _wall(store, catalogue, cutoff, config, scratch, tick)
    table = through.take(through.modelled)
    read = Outcomes.read(store, [cutoff], config.horizon_days, grace_days=config.grace_days)
    left = churned(read.at(table.customer_ids, table.cutoffs), config.by)
    _require_both(left, config.horizon_days)
    some = _sample(len(table), config.seed)
    with steps("Asking what each feature tells alone"):
        told = alone(table.take(some), left[some], keep)
        planted = tuple(
            Planted(days, rows, alone_of(_to_come(store, table, days)[some], left[some], _name(days, config.by)))
            for days, rows in planted_rows.items()
        )
    _require_rung(planted, config.by)
    with steps("Learning each table a day later, and a week") as tick:
        costs = _delays(store, catalogue, cutoff, config, tick)
    day = moment(cutoff, store.time_zone).date().isoformat()
    counts = len(table), int(left.sum()), len(some)
    return Leakage(cutoff, day, config.horizon_days, *counts, wall, tuple(told), planted, costs, tuple(keep), config.by)


def _wall(
    store: Store, catalogue: Catalogue, cutoff: int, config: TrainConfig, scratch: Path, tick: Step
) -> tuple[Wall, FeatureTable, dict[int, int]]:
    """Return the proof, the features at the cutoff, and in how many rows each planted column was found to differ."""
    end = days_later(max(cutoff, *(part.last_at for part in store.parts)), 1, store.time_zone)
    whole = build(store, catalogue, [cutoff, end], config.population_days, tick, config.by)
    through = whole.take(whole.cutoffs == cutoff)
    cut = cut_off(store, cutoff, scratch)
    alone = build(cut.store, catalogue, [cutoff], config.population_days, tick, config.by)
    found = differences(through, alone)
    planted = {}
    for days in sorted({min(_PLANTED_DAYS, config.horizon_days), config.horizon_days}):
        pair = (_with(table, _to_come(one, table, days)) for one, table in ((store, through), (cut.store, alone)))
        planted[days] = sum(one.rows for one in differences(*pair) if one.name == _PLANTED)
    features = len(through.names) + len(through.categories)
    return Wall(len(through), features, cut.hidden, tuple(found)), through, planted


_PLANTED = "planted"


def _name(days: int, by: By) -> str:
    return f"orders in the next {days} days" if by == "orders" else f"ends of contracts in the next {days} days"


def _to_come(store: Store, table: FeatureTable, days: int) -> Matrix:
    """Return what no feature may know: on how many days customers ordered after the cutoff, or whose contract ended."""
    read = Outcomes.read(store, np.unique(table.cutoffs).tolist(), days)
    came = read.at(table.customer_ids, table.cutoffs)
    told = came.orders if table.by == "orders" else churned_within(came, days, table.by)
    return told.astype(np.float64)


def _with(table: FeatureTable, planted: Matrix) -> FeatureTable:
    """Return the rows with one feature, the planted one, that comes to the comparison as any other does."""
    return replace(table, names=(_PLANTED,), values=planted[:, None], categories={})


def _delays(
    store: Store, catalogue: Catalogue, cutoff: int, config: TrainConfig, tick: Step
) -> Delays | NotEnoughHistory:
    horizon, zone, lag = config.horizon_days, store.time_zone, lag_of(store, config)
    try:
        teach = cutoffs_before(store, cutoff, config.model_copy(update={"max_cutoffs": _MOST_CUTOFFS}))
    except NotEnoughDataError:
        needs = horizon + lag + config.min_history_days + config.step_days  # two cutoffs, as `labels` counts it
        day, has = moment(cutoff, zone).date().isoformat(), (cutoff - store.span[0]) // DAY
        return NotEnoughHistory(day, horizon, lag, needs, has)
    taught = Outcomes.read(store, teach, horizon, cutoff, lag, config.grace_days)
    judged = Outcomes.read(store, [cutoff], horizon, grace_days=config.grace_days)

    def labels(table: FeatureTable) -> Flags:
        left = np.zeros(len(table), dtype=np.bool_)
        for outcomes, rows in ((taught, table.cutoffs != cutoff), (judged, table.cutoffs == cutoff)):
            left[rows] = churned(outcomes.at(table.customer_ids[rows], table.cutoffs[rows]), config.by)
        return left

    return delays(
        store, catalogue, teach, cutoff, config.population_days, labels, seed=config.seed, progress=tick, by=config.by
    )


def _sample(rows: int, seed: int) -> npt.NDArray[np.intp]:
    if rows <= MOST_ROWS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, MOST_ROWS, replace=False))


def _require_both(left: Flags, horizon_days: int) -> None:
    counts = int(left.sum()), int((~left).sum())
    if min(counts) < _FEWEST:
        raise NotEnoughDataError(
            f"what a feature tells can be seen on {_FEWEST} customers who left and {_FEWEST} who stayed within "
            f"{horizon_days} days, found {counts[0]} and {counts[1]}; choose another --cutoff or --horizon-days"
        )


def _require_rung(planted: Sequence[Planted], by: By = "orders") -> None:
    """Refuse to give a verdict if the alarm stays silent at the plainest leak there is."""
    plainest = planted[-1]
    if not plainest.rang:
        raise BrokenCheckError(
            f"the alarm must ring at a planted column that tells the {_name(plainest.days, by)}, found it silent "
            f"(differs in {plainest.rows:,} rows, alarm {plainest.alone.alarm or 'none'!r}); so this check proves "
            "nothing. Please report it"
        )
