"""What lies ahead of customers beyond the horizon: churn by any day, the next order, remaining life, tails of value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from churnml.features import FeatureTable
from churnml.modeling.btyd import daily_discount
from churnml.modeling.clv import days_worth, orders_if_staying, tails
from churnml.modeling.curve import When, next_order, silence
from churnml.modeling.life import LONGEST_DAYS, remaining_life
from churnml.modeling.renewal import Held, Pace, days_held, held
from churnml.modeling.rhythm import Silent, rfm

Matrix = npt.NDArray[np.float64]

_LEAST = 1e-9
_AGREED = 0.05
"""By how much hazard, in all, blends and renewals are taken to have agreed: a contract that is not up for renewal for
long has hardly any within the horizon, and the little that blends say of it must not be stretched to the renewal."""


@dataclass(frozen=True)
class Ahead:
    """What lies ahead of some rows; arrays of shape (n_rows,) unless told otherwise.

    Parameters
    ----------
    p_alive : ndarray
        The probability of still being a customer at the cutoff.
    churn_within : ndarray of shape (n_rows, n_days)
        The probability of no order within each number of days, or of the contract being over within them.
    next_order : When or None
        By which day the next order comes; None by contracts.
    life : When or None
        By which day they have left for good: placed their last order, or let their contract end.
    orders_if_staying, tail_if_staying, tail_if_silent : ndarray
        As of `model.Forecast`.
    """

    p_alive: Matrix
    churn_within: Matrix
    next_order: When | None
    life: When | None
    orders_if_staying: Matrix
    tail_if_staying: Matrix
    tail_if_silent: Matrix


def ahead_by_orders(
    rhythm: Silent, table: FeatureTable, taught: Mapping[int, Matrix], days: Sequence[int], value_days: int, rate: float
) -> Ahead:
    """Return what lies ahead of those who order.

    Parameters
    ----------
    taught : mapping of int to ndarray of shape (n_rows,)
        The probability of silence by the blends, by days; the longest is the horizon.
    days : sequence of int
        Within which silence is told, ascending.
    value_days : int
        Days over which lifetime value is counted.
    rate : float
        Discount, per year.
    """
    known, horizon = rfm(table), max(taught)
    staying, silent = tails(rhythm, value_days, horizon, known, rate)
    return Ahead(
        p_alive=rhythm.p_alive(known),
        churn_within=silence(lambda day: rhythm.p_no_order(known, day), taught, days),
        next_order=next_order(lambda day: rhythm.p_no_order_by(known, day), taught, days[-1]),
        life=remaining_life(rhythm, known, taught[horizon], horizon),
        orders_if_staying=orders_if_staying(rhythm, horizon, known),
        tail_if_staying=staying,
        tail_if_silent=silent,
    )


def ahead_by_contracts(
    pace: Pace, table: FeatureTable, taught: Mapping[int, Matrix], days: Sequence[int], value_days: int, rate: float
) -> Ahead:
    """Return what lies ahead of those who hold a contract; parameters as of `ahead_by_orders`.

    `taught` is the probability of the contract being over. The curve is that of `curve`, of lasting where it has
    silence: between two taught days and beyond, contracts end as their renewals say, at another pace.
    """
    known, horizon = held(table), max(taught)
    lasting = {day: 1.0 - over for day, over in taught.items()}
    lasts = silence(lambda day: pace.p_lasts(known, day), lasting, days, agreed=_AGREED)
    staying, leaving = _contract_tails(pace, known, value_days, horizon, rate)
    return Ahead(
        p_alive=np.ones(len(table)),
        churn_within=_around(np.array(days), horizon, taught[horizon][:, None], 1.0 - lasts),
        next_order=None,
        life=next_order(lambda day: pace.p_lasts(known, day), lasting, LONGEST_DAYS, agreed=_AGREED),
        orders_if_staying=np.maximum(np.round(horizon / known.every_days), 1.0),
        tail_if_staying=staying,
        tail_if_silent=leaving,
    )


def _around(days: npt.NDArray[np.int64], horizon: int, at_horizon: Matrix, told: Matrix) -> Matrix:
    """Return what is told with the horizon's own probability to the bit, and none beside it that contradicts it."""
    sooner, later = np.minimum(told, at_horizon), np.maximum(told, at_horizon)
    return np.where(days == horizon, at_horizon, np.where(days < horizon, sooner, later))


def _contract_tails(
    pace: Pace, known: Held, value_days: int, horizon_days: int, discount_rate: float
) -> tuple[Matrix, Matrix]:
    """Return the days paid for of `value_days`, over those of the horizon, of who lasts it out and of who does not.

    Who lasts pays the horizon in full, and then for as long as one does who has come so far; who does not has paid
    until the contract ended. A day counts less the later it is; the days of the horizon itself count in full.
    """
    rate = daily_discount(discount_rate)
    lasts, near = pace.p_lasts(known, horizon_days), days_held(pace, known, horizon_days, rate)
    whole = days_worth(horizon_days, discount_rate)
    beyond = np.zeros(len(known))
    if value_days > horizon_days:
        beyond = days_held(pace, known, value_days, rate) - near
    staying = whole + np.divide(beyond, lasts, out=np.zeros_like(beyond), where=lasts > 0)
    over = 1.0 - lasts
    some = over > _LEAST  # who cannot leave in it is not asked
    leaving = np.divide(near - lasts * whole, over, out=np.full_like(near, whole / 2), where=some)
    staying = np.minimum(staying, max(days_worth(value_days, discount_rate), whole))
    return staying / horizon_days, np.clip(leaving, 0.0, whole) / horizon_days
