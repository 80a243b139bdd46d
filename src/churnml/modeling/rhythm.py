"""The base layer: a BG/NBD model of buying rhythm, refitted on what was known at each cutoff.

Its answers are columns for the learners, one learner of the blend, and the tail of lifetime value.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from churnml.events import Standing
from churnml.features import FeatureTable
from churnml.modeling.btyd import BGNBD, fit_bgnbd

Matrix = npt.NDArray[np.float64]
_EDGE = 1e-6


def rfm(table: FeatureTable) -> tuple[Matrix, Matrix, Matrix]:
    """Return frequency, recency and T of each row, in the convention of Fader, Hardie & Lee (2005), in days."""
    tenure = table.column("tenure_days")
    return table.column("orders_all") - 1, tenure - table.column("recency_days"), tenure


def _rhythmic(table: FeatureTable) -> npt.NDArray[np.bool_]:
    """Tell who has a rhythm of buying: a prospect has none, nor who holds a contract and never ordered."""
    return np.asarray((table.standing != Standing.PROSPECT) & table.have_ordered)


def fit_rhythm(table: FeatureTable, cutoff: int) -> BGNBD:
    """Return the BG/NBD of everyone who had ordered by `cutoff`, as known then."""
    rows = (table.cutoffs == cutoff) & _rhythmic(table)
    return fit_bgnbd(*(values[rows] for values in rfm(table)))


def rhythm_columns(model: BGNBD, table: FeatureTable, horizon_days: int) -> Matrix:
    """Return the logit of no order in the horizon, P(alive) and expected order days; shape (n_rows, 3)."""
    silence = np.clip(model.p_no_purchase(horizon_days, *rfm(table)), _EDGE, 1 - _EDGE)
    orders = model.expected_purchases(horizon_days, *rfm(table))
    return np.column_stack([np.log(silence / (1 - silence)), model.p_alive(*rfm(table)), orders])


def stacked_rhythm(table: FeatureTable, horizon_days: int) -> Matrix:
    """Return `rhythm_columns` of stacked snapshots, each cutoff from its own fit; NaN for who never ordered.

    Parameters
    ----------
    table : FeatureTable
        The whole base at each cutoff, not the population alone: those who left teach the rate of leaving.
    """
    columns = np.full((len(table), 3), np.nan)
    for cutoff in np.unique(table.cutoffs):
        rows = (table.cutoffs == cutoff) & _rhythmic(table)
        columns[rows] = rhythm_columns(fit_rhythm(table, int(cutoff)), table.take(rows), horizon_days)
    return columns
