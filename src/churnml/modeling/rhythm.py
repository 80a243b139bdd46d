"""The base layer: a BG/NBD model of buying rhythm, or how contracts are renewed, refitted at each cutoff.

Its answers are columns for the learners, one learner of the blend, and the tail of lifetime value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from churnml.errors import NoMaximumError, NotEnoughDataError
from churnml.events import Standing
from churnml.features import FeatureTable
from churnml.modeling.btyd import BGNBD, Rfm
from churnml.modeling.recency import fit_rule
from churnml.modeling.renewal import DrawnRenewals, Pace, Renewals, held, over_logit, renewal_columns

Matrix = npt.NDArray[np.float64]
_EDGE = 1e-6

FEWEST_CUSTOMERS, FEWEST_BACK = 10, 5
_ONE_OF_ALL, _FAR_OFF = 0.5, 2.0
_ASKED = 200
_MANY = 1_000
"""Customers of whom a rhythm is believed as it is: where there are as many, labels weigh it."""


class Silent(Protocol):
    """Whatever tells how customers go on buying from how often they came, when last, and since when."""

    def p_alive(self, rfm: Rfm, /) -> Matrix:
        """Return the probability of still being a customer; shape (n_customers,)."""

    def p_no_order(self, rfm: Rfm, days: float, /) -> Matrix:
        """Return the probability of no order in the days after the cutoff; shape (n_customers,)."""

    def p_no_order_by(self, rfm: Rfm, days: Matrix, /) -> Matrix:
        """Return the same, each customer asked of days of their own; shape (n_questions, n_customers)."""

    def expected_orders(self, rfm: Rfm, days: float, /) -> Matrix:
        """Return the expected order days in the days after the cutoff; shape (n_customers,)."""

    def discounted_orders(self, rfm: Rfm, discount: float, days: float = ..., /) -> Matrix:
        """Return the same, each discounted to the cutoff by a continuous rate per day; shape (n_customers,)."""


class Rhythm(Silent, Protocol):
    """One that knows its own doubt too, and can be drawn from."""

    def between(self, rfm: Rfm, days: float, /) -> tuple[Matrix, Matrix]:
        """Return between what, for nine of ten, the probability of no order lies; two of shape (n_customers,)."""

    def drawn_orders(self, rfm: Rfm, days: float, rng: np.random.Generator, /) -> Matrix:
        """Return order days in the days after the cutoff, drawn once for each customer; shape (n_customers,)."""


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


def ordered(table: FeatureTable) -> FeatureTable:
    """Return the rows of those who have a rhythm of buying."""
    return table.take(_rhythmic(table))


def unsound(model: BGNBD, known: Rfm) -> str:
    """Return why a fit is not to be believed, empty where it is.

    It is not where fewer than five came back, where one customer placed more than half of all repeat orders, where
    it would have expected less than half or more than twice as many of them as there were, or where an answer is no
    number.
    """
    back, further = int((known.frequency > 0).sum()), float(known.frequency.sum())
    if back < FEWEST_BACK:
        return f"of {len(known)} customers {back} came back, and it takes {FEWEST_BACK}"
    if known.frequency.max() > _ONE_OF_ALL * further:
        return f"one customer placed {known.frequency.max():.0f} of {further:.0f} repeat orders"
    asked = np.unique(np.linspace(0, len(known) - 1, _ASKED).astype(np.intp))
    ages, new = np.sort(known.T)[asked], Rfm([0], [0.0], [0.0])
    expected = float(np.mean([model.expected_orders(new, float(age))[0] for age in ages])) * len(known)
    if not (further / _FAR_OFF <= expected <= further * _FAR_OFF):
        return f"it would have expected {expected:.0f} repeat orders, and there were {further:.0f}"
    some = known.take(asked)
    told = [model.p_no_order(some, 30.0), model.p_alive(some), model.expected_orders(some, 365.0)]
    return "" if np.isfinite(told).all() else "its answers are no numbers"


def sound_rhythm(table: FeatureTable, cutoff: int) -> tuple[BGNBD | None, str]:
    """Return the BG/NBD of everyone who had ordered by `cutoff`, or none and why there is none to believe."""
    try:
        model = fit_rhythm(table, cutoff)
    except (NotEnoughDataError, NoMaximumError) as error:
        return None, str(error)
    known = rfm(ordered(table.take(table.cutoffs == cutoff)))
    why = "" if len(known) >= _MANY else unsound(model, known)
    return (None, why) if why else (model, "")


def rhythm_or_rule(table: FeatureTable, cutoff: int) -> Silent:
    """Return the BG/NBD at a cutoff where it can be believed, and elsewhere the rule of recency."""
    return sound_rhythm(table, cutoff)[0] or rule_at(table, cutoff)


def rule_at(table: FeatureTable, cutoff: int) -> Silent:
    """Return the rule of recency of everyone who had ordered by `cutoff`."""
    return fit_rule(rfm(ordered(table.take(table.cutoffs == cutoff))))


def rhythm_columns(model: Silent | Pace, table: FeatureTable, horizon_days: int) -> Matrix:
    """Return the logit of no order in the horizon, P(alive) and expected order days; shape (n_rows, 3).

    Of contracts they are those of `renewal.renewal_columns`.
    """
    if isinstance(model, Renewals | DrawnRenewals):
        return renewal_columns(model, held(table), horizon_days)
    known = rfm(table)
    silence = logit_of(model.p_no_order(known, horizon_days))
    return np.column_stack([silence, model.p_alive(known), model.expected_orders(known, horizon_days)])


def silence_logits(model: Silent | Pace, table: FeatureTable, days: Sequence[int]) -> Matrix:
    """Return the logit of no order, or of a contract being over, within each number of days; shape (n_rows, n_days)."""
    if isinstance(model, Renewals | DrawnRenewals):
        running = held(table)
        columns = [over_logit(model, running, day) for day in days]
    else:
        known = rfm(table)
        columns = [logit_of(model.p_no_order(known, day)) for day in days]
    return np.column_stack(columns) if columns else np.empty((len(table), 0))


def stacked_rhythm(
    table: FeatureTable,
    horizon_days: int,
    sooner: Sequence[int] = (),
    fit: Callable[[FeatureTable, int], Silent | Pace] = fit_rhythm,
) -> tuple[Matrix, Matrix]:
    """Return `rhythm_columns` and `silence_logits` of stacked snapshots; NaN for who never ordered, or has no contract.

    Parameters
    ----------
    table : FeatureTable
        The whole base at each cutoff, not the population alone: those who left teach the rate of leaving. Each cutoff
        is told by a fit of its own.
    sooner : sequence of int
        The days of `silence_logits`.
    fit : callable
        What tells each cutoff.
    """
    columns, logits = np.full((len(table), 3), np.nan), np.full((len(table), len(sooner)), np.nan)
    asked = table.in_population if table.by == "contracts" else _rhythmic(table)
    for cutoff in np.unique(table.cutoffs):
        rows = (table.cutoffs == cutoff) & asked
        model, own = fit(table, int(cutoff)), table.take(rows)
        columns[rows] = rhythm_columns(model, own, horizon_days)
        logits[rows] = silence_logits(model, own, sooner)
    return columns, logits


def logit_of(share: Matrix) -> Matrix:
    """Return log(share / (1 - share)), the share kept a millionth from 0 and 1."""
    inside = np.clip(share, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(inside / (1 - inside)))
