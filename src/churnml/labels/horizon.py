"""How long a silence is one: the horizon that the gaps between orders suggest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.errors import NotEnoughDataError
from churnml.events import OrderGaps
from churnml.wording import Text

Json = dict[str, Any]  # Any: JSON

SHORTEST_DAYS, LONGEST_DAYS = 14, 365
_OF_HISTORY = 3
_FEWEST = 100


@dataclass(frozen=True)
class Horizon:
    """A horizon and the curve it was read off.

    Parameters
    ----------
    days : int
        The horizon.
    share : float
        The share of gaps that were to be longer.
    still_open : ndarray of shape (n_days,)
        The share of gaps longer than 0, 1, 2 … days, by Kaplan and Meier.
    bounded_by : str
        What kept `days` from where the curve reaches `share`; empty where nothing did.
    """

    days: int
    share: float
    still_open: npt.NDArray[np.float64]
    bounded_by: str

    def longer_than(self, days: int) -> float:
        """Return the share of gaps longer than so many days; beyond the curve, the last it knows."""
        return float(self.still_open[min(days, len(self.still_open) - 1)])

    def to_json(self) -> Json:
        """Return plain data, the curve at the days where it falls."""
        falls = np.flatnonzero(np.diff(self.still_open, prepend=np.inf) < 0)
        curve = [[int(day), round(float(self.still_open[day]), 6)] for day in falls]
        return {"days": self.days, "share": self.share, "bounded_by": self.bounded_by, "curve": curve}


def suggested_horizon(gaps: OrderGaps, history_days: int, share: float = 0.1) -> Horizon:
    """Return the days after which all but `share` of the gaps between orders have ended.

    The gap since a customer's last order has not ended yet. It counts as longer than it is by now and no more, so that
    customers met lately, whose gaps can only be short, do not make silence look rare.

    Parameters
    ----------
    gaps : OrderGaps
        As known at the cutoff the horizon is for.
    history_days : int
        Days of orders there are; the horizon is a third of them at most, for there must be past and future beside it.
    share : float, default 0.1
        Share of gaps that are longer than the horizon.

    Raises
    ------
    NotEnoughDataError
        If fewer than a hundred gaps have ended: their quantile would be an accident.

    References
    ----------
    Kaplan & Meier (1958), Nonparametric estimation from incomplete observations, JASA 53(282).
    """
    ended = int(gaps.closed.sum())
    if ended < _FEWEST:
        raise NotEnoughDataError(
            Text(
                f"a horizon read off the data needs {_FEWEST} customers' further orders, found {ended}; set "
                "`horizon_days` in train.yaml, in days after which a silent customer counts as gone",
                f"由数据得出预测期需要 {_FEWEST} 次再次下单，目前有 {ended} 次；请在 train.yaml 中设定 `horizon_days`，"
                "即客户沉默多少天后视为流失",
            )
        )
    still_open = kaplan_meier(gaps)
    below = np.flatnonzero(still_open <= share)
    read = int(below[0]) if len(below) else len(still_open)
    longest = max(min(LONGEST_DAYS, history_days // _OF_HISTORY), SHORTEST_DAYS)
    days = min(max(read, SHORTEST_DAYS), longest)
    return Horizon(days, share, still_open, _bounded_by(days, read, history_days))


def _bounded_by(days: int, read: int, history_days: int) -> str:
    if days > read:
        return f"no horizon is shorter than {SHORTEST_DAYS} days"
    if days < read:
        return f"no horizon is longer than {LONGEST_DAYS} days, or than a third of {history_days:,} days of history"
    return ""


def kaplan_meier(gaps: OrderGaps) -> npt.NDArray[np.float64]:
    """Return the share of gaps longer than 0, 1, 2 … days, of shape (n_days,).

    Examples
    --------
    >>> kaplan_meier(OrderGaps(np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1]))).round(3).tolist()
    [1.0, 0.75, 0.75, 0.375]
    """
    at_risk = np.cumsum((gaps.closed + gaps.open)[::-1])[::-1]
    ending = np.divide(gaps.closed, at_risk, out=np.zeros(len(at_risk)), where=at_risk > 0)
    return np.asarray(np.cumprod(1.0 - ending))
