"""From sums over customers to figures with intervals, for all customers and for each part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pandas as pd

from churnml.measures.intervals import around_ratio, wilson
from churnml.measures.kpi_buying import buying, cross_sold, plans, returned, returning, revenue
from churnml.measures.kpi_ground import SUMS, Ground
from churnml.measures.kpi_growth import growth
from churnml.measures.kpi_list import BY_NAME, KPIS, Kpi
from churnml.measures.kpi_money import acquisition, forecast, total_to_cost, worth
from churnml.measures.kpi_retention import cost_to_retain, retention_by_contracts, retention_by_orders
from churnml.measures.kpi_satisfaction import answers, complaining, complaints_by_order, feedback, referring, waiting
from churnml.measures.parts import EVERYBODY

ALL = EVERYBODY
_FIGURES = ["kpi", "period", "part", "value", "low", "high", "customers"]
_EITHER = ("orders|subscriptions",)

Sums = Callable[[Ground], Iterable[pd.DataFrame]]


def _one(make: Callable[[Ground], pd.DataFrame]) -> Sums:
    return lambda ground: (make(ground),)


_FAMILIES: tuple[tuple[tuple[str, ...], Sums], ...] = (
    (_EITHER, growth),
    (("orders",), retention_by_orders),
    (("subscriptions",), retention_by_contracts),
    (("subscriptions",), _one(plans)),
    (_EITHER, _one(revenue)),
    (("orders",), buying),
    (("orders",), _one(returning)),
    (("orders", "returns"), returned),
    (("orders", "order_lines"), _one(cross_sold)),
    (("surveys",), answers),
    (("surveys", *_EITHER), _one(feedback)),
    (("orders", "tickets"), _one(complaints_by_order)),
    (("tickets", *_EITHER), _one(complaining)),
    (("interactions", *_EITHER), _one(referring)),
    (_EITHER, worth),
    (_EITHER, acquisition),
    (("records",), _one(forecast)),
    (("records", *_EITHER), _one(total_to_cost)),
    (("contacts", "orders"), _one(cost_to_retain)),
)
"""What is counted in one go, and the tables without which it is not."""


def missing(needed: Iterable[str], landed: Iterable[str]) -> tuple[str, ...]:
    """Return which of the needed tables have not landed; `a|b` needs one of two."""
    return tuple(one for one in needed if not set(one.split("|")) & set(landed))


def figures(ground: Ground, landed: Iterable[str], by: str | None) -> pd.DataFrame:
    """Return every figure that can be counted from what has landed.

    Parameters
    ----------
    landed : iterable of str
        The tables, with `records` where a model said something.
    by : str or None
        What parts the customers; None gives figures of all alone.

    Returns
    -------
    DataFrame
        `kpi`, `period` (its first day), `part` (`all` for everybody), `value`, `low`, `high` and `customers`; one row
        for each figure, period and part, in their order. What cannot be told is missing.
    """
    landed = tuple(landed)
    sums = pd.concat([one for needed, make in _FAMILIES if not missing(needed, landed) for one in make(ground)])
    whole = sums.groupby(["kpi", "period"], as_index=False)[list(SUMS)].sum().assign(part=ALL)
    counted = pd.concat([whole, sums]) if by is not None else whole
    told = [*_told(counted)]
    if "tickets" in landed:
        waited = waiting(ground)
        told.append(waited if by is not None else waited[waited["part"] == ALL])
    return _laid_out(pd.concat([one for one in told if len(one)], ignore_index=True), ground, landed, by)


def _told(sums: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for name, rows in sums.groupby("kpi"):
        kpi = BY_NAME[str(name)]
        value, low, high = _estimates(kpi, rows[list(SUMS)].to_numpy(dtype=np.float64).T)
        yield rows.assign(value=value, low=low, high=high)[_FIGURES]


def _estimates(kpi: Kpi, sums: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    y, x = sums[0], sums[1]
    nothing = np.full(len(y), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        if kpi.how == "count":
            return y, nothing, nothing
        if kpi.how == "quotient":
            return np.where(x > 0, y / x, np.nan), nothing, nothing
    if kpi.how == "share":
        return shares(*sums)
    told = np.array([around_ratio(one) for one in sums[:5].T])
    told[told[:, 1] == told[:, 2], 1:] = np.nan  # no spread, so none can be told
    return told[:, 0], told[:, 1], told[:, 2]


def shares(
    y: np.ndarray, x: np.ndarray, yy: np.ndarray, xx: np.ndarray, xy: np.ndarray, customers: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Return shares of things, of which a customer may have several, with Wilson's interval.

    Things of one customer resemble each other, so the interval is that of as many independent ones as would spread as
    far: :math:`n^* = p (1 - p) / s^2`, with `s` of the delta method, and no more than there are. Where a customer has
    one thing each, n* is their number.

    Parameters
    ----------
    y, x, yy, xx, xy : ndarray of shape (n,)
        Sums over customers, see `intervals.around_ratio`.
    customers : ndarray of shape (n,)
        How many there are; n* where all or none of the things did.

    References
    ----------
    Korn, E. L. & Graubard, B. I. (1998). Confidence intervals for proportions with small expected number of positive
    counts estimated from survey data. Survey Methodology 24, 193-201: the effective number, there in Clopper and
    Pearson's interval. In Wilson's: SAS/STAT, The SURVEYFREQ Procedure, Confidence Limits for Proportions.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(x > 0, y / x, np.nan)
        variance = (yy - 2 * share * xy + share**2 * xx) / x**2
        alike = np.where(variance > 0, np.minimum(share * (1 - share) / variance, x), customers)
    low, high = wilson(share * alike, alike)
    return share, np.minimum(low, share), np.maximum(high, share)


def _laid_out(found: pd.DataFrame, ground: Ground, landed: tuple[str, ...], by: str | None) -> pd.DataFrame:
    """Return one row for each figure, period and part, in their order; a count of nobody is 0."""
    names = [kpi.name for kpi in KPIS if not missing(kpi.tables, landed)]
    own = ground.books.frame(f"SELECT DISTINCT part FROM {ground.people} ORDER BY part")["part"] if by else ()
    every = [names, [pd.Timestamp(one.first) for one in ground.periods], [ALL, *own]]
    keys = ["kpi", "period", "part"]
    grid = pd.MultiIndex.from_product(every, names=keys).to_frame(index=False)
    laid = grid.merge(found.assign(period=pd.to_datetime(found["period"])), on=keys, how="left")
    counts = laid["kpi"].map({kpi.name: kpi.how == "count" for kpi in KPIS})
    laid.loc[counts & laid["value"].isna(), "value"] = 0.0
    return laid.assign(customers=laid["customers"].fillna(0).astype(np.int64))
