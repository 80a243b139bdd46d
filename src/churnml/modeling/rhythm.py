"""The base layer: a BG/NBD model of buying rhythm, refitted on what was known at each cutoff.

Its answers are columns for the learners, one learner of the blend, and the tail of lifetime value.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from churnml.events import Standing
from churnml.features import FeatureTable
from churnml.modeling.btyd import BGNBD, Rfm

Matrix = npt.NDArray[np.float64]
_EDGE = 1e-6


def rfm(table: FeatureTable, monetary_value: Matrix | None = None) -> Rfm:
    """Return frequency, recency and T, in days, of rows who have ordered.

    Parameters
    ----------
    monetary_value : ndarray of shape (n_rows,), optional
        Mean spend on an order day, where it is asked for.

    References
    ----------
    The convention of Fader, Hardie and Lee (2005): the first order does not count.
    """
    tenure, frequency = table.column("tenure_days"), table.column("orders_all") - 1
    recency = np.where(frequency > 0, tenure - table.column("recency_days"), 0.0)
    return Rfm(frequency, recency, tenure, monetary_value)


def _rhythmic(table: FeatureTable) -> npt.NDArray[np.bool_]:
    """Tell who has a rhythm of buying: a prospect has none, nor who holds a contract and never ordered."""
    return np.asarray((table.standing != Standing.PROSPECT) & table.have_ordered)


def fit_rhythm(table: FeatureTable, cutoff: int) -> BGNBD:
    """Return the BG/NBD of everyone who had ordered by `cutoff`, as known then."""
    rows = (table.cutoffs == cutoff) & _rhythmic(table)
    return BGNBD().fit(rfm(table.take(rows)))


def rhythm_columns(model: BGNBD, table: FeatureTable, horizon_days: int) -> Matrix:
    """Return the logit of no order in the horizon, P(alive) and expected order days; shape (n_rows, 3)."""
    known = rfm(table)
    silence = _logit(model.p_no_order(known, horizon_days))
    return np.column_stack([silence, model.p_alive(known), model.expected_orders(known, horizon_days)])


def silence_logits(model: BGNBD, table: FeatureTable, days: Sequence[int]) -> Matrix:
    """Return the logit of no order within each number of days; shape (n_rows, n_days)."""
    known = rfm(table)
    columns = [_logit(model.p_no_order(known, day)) for day in days]
    return np.column_stack(columns) if columns else np.empty((len(table), 0))


def stacked_rhythm(table: FeatureTable, horizon_days: int, sooner: Sequence[int] = ()) -> tuple[Matrix, Matrix]:
    """Return `rhythm_columns` and `silence_logits` of stacked snapshots; NaN for who never ordered.

    Parameters
    ----------
    table : FeatureTable
        The whole base at each cutoff, not the population alone: those who left teach the rate of leaving. Each cutoff
        is told by a fit of its own.
    sooner : sequence of int
        The days of `silence_logits`.
    """
    columns, logits = np.full((len(table), 3), np.nan), np.full((len(table), len(sooner)), np.nan)
    for cutoff in np.unique(table.cutoffs):
        rows = (table.cutoffs == cutoff) & _rhythmic(table)
        model, own = fit_rhythm(table, int(cutoff)), table.take(rows)
        columns[rows] = rhythm_columns(model, own, horizon_days)
        logits[rows] = silence_logits(model, own, sooner)
    return columns, logits


def _logit(share: Matrix) -> Matrix:
    inside = np.clip(share, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(inside / (1 - inside)))
