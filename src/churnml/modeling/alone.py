"""Each feature alone: how well it ranks churners by itself, and whether that is more than an honest one does."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from churnml.events.feature_columns import Column
from churnml.events.feature_table import ReadyTable
from churnml.features import FeatureTable
from churnml.modeling.metrics import auroc, auroc_interval
from churnml.modeling.suspect import Suspect
from churnml.modeling.suspects import rates_apart, suspects

Matrix = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Alarm = Literal["", "question", "red"]

_ALARMS: Mapping[str, Alarm] = {"almost equals the label": "red", "tells much alone": "question"}
"""Which suspicions count here: of declared features none is an id, and one that is constant tells nothing."""

MOST_ROWS = 100_000
"""Customers looked at; the interval of an AUROC of as many is a hundredth wide at most."""


@dataclass(frozen=True)
class Alone:
    """What one feature says of churn by itself.

    Parameters
    ----------
    auroc, low, high : float or None
        Of those of whom it is known, with a 95 % interval; above .5 whichever way it points. None where it is known of
        too few, or is the same for all. Of a category it is that of the churn rate of its values in the other half of
        the customers.
    higher : {'leave', 'stay', ''}
        What those with a higher value do; empty of a category.
    missing : float
        The share of customers without it.
    auroc_missing : float
        How well it ranks to know of whom it is missing.
    alarm : {'', 'question', 'red'}
        Whether that is suspicious.
    suspect : Suspect or None
        What was found, where it is.
    """

    name: str
    auroc: float | None
    low: float | None
    high: float | None
    higher: Literal["leave", "stay", ""]
    missing: float
    auroc_missing: float
    alarm: Alarm
    suspect: Suspect | None

    def to_json(self) -> dict[str, Any]:  # Any: JSON
        """Return plain data."""
        plain = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "suspect"}
        if self.suspect is None:
            return plain | {"code": "", "why": "", "evidence": {}}
        return plain | {"code": self.suspect.sign, "why": self.why, "evidence": dict(self.suspect.evidence)}

    @property
    def why(self) -> str:
        """What was found, in English; empty where nothing was."""
        return self.suspect.said() if self.suspect else ""


def alone(table: FeatureTable, churned: Flags, keep: Collection[str] = ()) -> list[Alone]:
    """Return what each feature says by itself, the one that surely says most first.

    Parameters
    ----------
    table : FeatureTable
        Rows of one cutoff, one a customer.
    churned : ndarray of shape (n_rows,)
        The label, of both kinds.
    keep : collection of str
        Features of which someone has made sure that they were known in time: they raise no alarm.
    """
    ready = _ready(table, churned)
    doubted = {name: suspect for name, suspect in _worst(suspects(ready)).items() if name not in keep}
    found = [_alone(ready, column.name, doubted.get(column.name)) for column in ready.columns]
    return sorted(found, key=lambda one: -(one.low or 0))


def alone_of(values: Matrix, churned: Flags, name: str) -> Alone:
    """Return what one column says by itself, by the same rules as those of a table."""
    nothing = np.zeros(len(values))
    ids = np.array([str(row) for row in range(len(values))], dtype=np.object_)
    columns = (Column(name, "number"),)
    ready = ReadyTable(ids, nothing.astype(np.int64), churned, columns, np.asarray(values)[:, None], {})
    return _alone(ready, name, _worst(suspects(ready)).get(name))


def _ready(table: FeatureTable, churned: Flags) -> ReadyTable:
    numbers = [Column(name, "number") for name in table.names]
    columns = (*numbers, *(Column(name, "category") for name in table.categories))
    return ReadyTable(table.customer_ids, table.cutoffs, churned, columns, table.values, table.categories)


def _worst(found: Sequence[Suspect]) -> dict[str, Suspect]:
    counting = [one for one in found if one.kind in _ALARMS]
    return {one.name: one for one in reversed(counting)}  # those that would be left out come first


def _alone(table: ReadyTable, name: str, suspect: Suspect | None) -> Alone:
    category = name in table.categories
    values = rates_apart(table, name) if category else table.column(name)
    missing = np.array([one is None for one in table.categories[name]]) if category else np.isnan(values)
    known, left = ~missing, table.churned
    area = low = high = None
    higher: Literal["leave", "stay", ""] = ""
    if known.any() and np.ptp(values[known]) > 0 and 0 < left[known].sum() < known.sum():
        area, low, high = auroc_interval(left[known], values[known])
        if not category:
            higher = "leave" if area >= 0.5 else "stay"
        if higher == "stay":
            area, low, high = 1 - area, 1 - high, 1 - low
    tells = auroc(left, missing) if missing.any() and known.any() else 0.5
    alarm: Alarm = _alarm(suspect) if suspect else ""
    return Alone(name, area, low, high, higher, float(missing.mean()), max(tells, 1 - tells), alarm, suspect)


def _alarm(suspect: Suspect) -> Alarm:
    """Return how loud a suspicion is.

    Long silence makes churn all but certain, and honestly so: where everyone who ever ordered is in the population,
    those without an order for a year have left. Nothing in the past makes it all but certain that someone stays.
    """
    honest_at_times = suspect.evidence.get("of_churners", 0.0) > 0
    return "question" if honest_at_times else _ALARMS[suspect.kind]
