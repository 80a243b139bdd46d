"""Those who may yet become customers: prospects and trials stacked at each training cutoff, and those of now."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from churnml.features import FeatureTable
from churnml.labels import Outcomes, converted
from churnml.modeling.hazard import Hazard, fit_hazard
from churnml.modeling.rhythm import logit_of

Matrix = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

AGE = "known_days"
"""The feature that says how old a prospect is."""


@dataclass(frozen=True)
class Prospects:
    """What there is to learn conversion from.

    Parameters
    ----------
    table : FeatureTable
        Prospects and trials at each training cutoff by which someone had become a customer.
    converted : ndarray of shape (n_rows,)
        The labels.
    age_logit : ndarray of shape (n_rows,)
        The logit of conversion by age alone, each cutoff's by a hazard of its own.
    at_now : FeatureTable
        Prospects and trials at the cutoff the model is meant for, without a label.
    hazard : Hazard or None
        As known at that cutoff; None where nobody ever became a customer later than known.
    """

    table: FeatureTable
    converted: Flags
    age_logit: Matrix
    at_now: FeatureTable
    hazard: Hazard | None

    @property
    def cutoffs(self) -> int:
        """How many training cutoffs there are rows of."""
        return len(np.unique(self.table.cutoffs))

    def different(self, rows: Flags | None = None) -> int:
        """Return how many different people the rows are of, or some of them."""
        ids = self.table.customer_ids if rows is None else self.table.customer_ids[rows]
        return len(np.unique(ids.astype(str)))


def prospects_of(
    base: FeatureTable, at_now: FeatureTable, outcomes: Outcomes | None, horizon_days: int, seed: int
) -> Prospects:
    """Return the prospects and trials among a base.

    Parameters
    ----------
    base : FeatureTable
        The whole base at each training cutoff: who became a customer teaches the hazard.
    at_now : FeatureTable
        The whole base at the cutoff the model is meant for.
    outcomes : Outcomes or None
        After the training cutoffs; None where there are none.
    """
    asked = at_now.take(at_now.undecided)
    logits = np.full(len(base), np.nan)
    # who asks nobody learns nothing: of a shop whose customers are known by their first order no hazard is fitted
    for cutoff in np.unique(base.cutoffs[base.undecided]):
        then = base.cutoffs == cutoff
        hazard = fit_hazard(base.take(then), seed)
        if hazard is not None:
            rows = then & base.undecided
            logits[rows] = logit_of(hazard.probability(base.column(AGE)[rows], horizon_days))
    inside = base.undecided & np.isfinite(logits)
    table = base.take(inside)
    labels = np.zeros(len(table), dtype=np.bool_)
    if outcomes is not None and len(table):
        labels = converted(outcomes.at(table.customer_ids, table.cutoffs))
    some = len(asked) or len(table)
    return Prospects(table, labels, logits[inside], asked, fit_hazard(at_now, seed) if some else None)
