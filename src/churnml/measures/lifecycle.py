"""Where a customer stands in their life with the company, by their own rhythm (docs/lifecycle.md gives the reasons).

A monthly buyer who is silent for three weeks is as usual, a daily one is leaving. So every rule counts in the
customer's own gaps between orders, never in days that are the same for all. Of few gaps little is known; one more gap
of a configured length, mixed in, keeps the usual gap of a new customer from being read off a single pair of orders.
Under contracts the ends are seen and need no rule; how somebody uses what they pay for tells the rest.

All rules read columns of the feature table at one cutoff and nothing else, so the same function at several cutoffs
gives a customer's path.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from churnml.config import LifecycleRules
from churnml.events import By, Standing
from churnml.wording import Text

if TYPE_CHECKING:  # policy knows the stages and has no use for the kernel, which takes a second to import
    from churnml.features import FeatureTable

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int8]
Columns = Mapping[str, Values]

Stage = Literal["prospect", "new", "growing", "mature", "declining", "churned", "won_back"]
STAGES: dict[Stage, Text] = {
    "prospect": Text("Prospect", "潜在客户"),
    "new": Text("New", "新客户"),
    "growing": Text("Growing", "成长期"),
    "mature": Text("Mature", "成熟期"),
    "declining": Text("Declining", "衰退期"),
    "churned": Text("Churned", "已流失"),
    "won_back": Text("Won back", "已赢回"),
}
"""The stages, in the order of a life, and how each is worded."""

NO_STAGE = -1
"""In place of a stage, where stages are told as their places in `STAGES`."""

_CODES: dict[Stage, int] = {stage: place for place, stage in enumerate(STAGES)}

_WINDOWS = (30, 90, 180, 365)
_CLOSED = (30, 60, 90, 180, 365)
_RHYTHM_ORDERS = 3
_ORDERS = ("orders_all", "tenure_days", "recency_days", "gap_max_days", "gap_last_days")
_CONTRACTS = ("contracts_held", "contracts_lapsed", "contract_days", "paid_contract_days", "renewal_every_days")
_USE = ("active_days_all", "days_since_activity")
ORDER_COLUMNS = (*_ORDERS, *(f"orders_{days}d" for days in _CLOSED))
"""The features that tell the stages of who orders."""

CONTRACT_COLUMNS = (*_CONTRACTS, *_USE, *(f"active_days_{days}d" for days in _WINDOWS))
"""Those that tell the stages of who has a contract."""

COLUMNS = (*ORDER_COLUMNS, *CONTRACT_COLUMNS)
"""All features that are read, where their tables have landed."""


def stage_columns(table: FeatureTable) -> dict[str, Values]:
    """Return the columns of a feature table that `lifecycle_stages` reads."""
    return {name: table.column(name) for name in COLUMNS if name in table.names}


def lifecycle_stages(
    columns: Columns, standing: Codes, patience_days: float, rules: LifecycleRules, by: By = "orders"
) -> npt.NDArray[np.object_]:
    """Return the stage of each customer at one cutoff.

    Parameters
    ----------
    columns : mapping of str to ndarray of shape (n_customers,)
        From `stage_columns`; those of tables that have not landed may be absent.
    standing : ndarray of shape (n_customers,)
        Values of `events.Standing`.
    patience_days : float
        How long one may be silent whose own rhythm is not known: the days of the population.
    rules : LifecycleRules
        In gaps of the customer's own.
    by : {'orders', 'contracts'}
        What makes a customer.

    Returns
    -------
    ndarray of shape (n_customers,)
        Keys of `STAGES`; None for who refuses to be profiled.
    """
    words = np.array([*STAGES, None], dtype=np.object_)
    return np.asarray(words[stage_codes(columns, standing, patience_days, rules, by)])


def stage_codes(
    columns: Columns, standing: Codes, patience_days: float, rules: LifecycleRules, by: By = "orders"
) -> Codes:
    """Return what `lifecycle_stages` does, as places in `STAGES`; `NO_STAGE` for who refuses to be profiled.

    Rows may be of several cutoffs, for each is told by itself.
    """
    n_customers = len(standing)
    unknown = np.broadcast_to(np.nan, (n_customers,))
    known = {name: columns.get(name, unknown) for name in COLUMNS}
    ordered, paid = known["orders_all"] > 0, np.isfinite(known["paid_contract_days"])
    by_contract = paid & ((by == "contracts") | ~ordered)
    codes = np.full(n_customers, _CODES["prospect"], dtype=np.int8)
    rules_of = ((ordered & ~by_contract, ORDER_COLUMNS, _by_orders), (by_contract, CONTRACT_COLUMNS, _by_contracts))
    for mine, names, tell in rules_of:
        rows = np.flatnonzero(mine)
        if len(rows):
            codes[rows] = tell({name: known[name][rows] for name in names}, patience_days, rules)
    codes[standing == Standing.NO_PROFILING] = NO_STAGE
    return codes


def _by_orders(own: Columns, patience_days: float, rules: LifecycleRules) -> Codes:
    orders, silent, tenure = own["orders_all"], own["recency_days"], own["tenure_days"]
    usual = (tenure - silent + patience_days / rules.churned_gaps) / orders
    too_long = _too_long(usual, orders, patience_days, rules)
    gone = silent > np.maximum(too_long, np.minimum(np.nan_to_num(own["gap_max_days"]), 2 * too_long))
    codes = np.full(len(orders), _CODES["churned"], dtype=np.int8)
    rows = np.flatnonzero(~gone)  # of who is gone nothing else is asked
    codes[rows] = _still_ordering(
        {name: column[rows] for name, column in own.items()}, usual[rows], patience_days, rules
    )
    return codes


def _still_ordering(own: Columns, usual: Values, patience_days: float, rules: LifecycleRules) -> Codes:
    silent, tenure = own["recency_days"], own["tenure_days"]
    rises, falls = _pace(own, "orders", tenure, usual, rules)
    falls |= silent > np.maximum(rules.declining_gaps * usual, rules.shortest_days)
    new = tenure <= np.clip(rules.new_gaps * usual, *rules.new_days)
    back = _won_back(own, patience_days, rules)
    return _first(("won_back", back), ("new", new), ("declining", falls), ("growing", rises))


def _too_long(usual: Values, orders: Values, patience_days: float, rules: LifecycleRules) -> Values:
    """Return from when on a silence is churn, by the gaps alone; of fewer than three orders nobody reads a rhythm."""
    least = np.where(orders < _RHYTHM_ORDERS, patience_days, float(rules.shortest_days))
    return np.asarray(np.maximum(rules.churned_gaps * usual, least))


def _won_back(own: Columns, patience_days: float, rules: LifecycleRules) -> Flags:
    """Return who came back lately from a silence that had counted as churn by the rhythm before it.

    The last gap tells it directly. After further orders a window without any, before a window with some, still does.
    """
    orders, span = own["orders_all"], own["tenure_days"] - own["recency_days"]
    longest = np.nan_to_num(own["gap_max_days"])
    usual = (span - longest + patience_days / rules.churned_gaps) / np.maximum(orders - 1, 1)
    too_long = _too_long(usual, orders - 1, patience_days, rules)
    lately = np.clip(rules.new_gaps * usual, *rules.new_days)
    back = (own["gap_last_days"] > too_long) & (own["gap_last_days"] == longest) & (own["recency_days"] <= lately)
    for place, end in enumerate(_CLOSED):
        for begin in _CLOSED[place + 1 :]:
            since, until = own[f"orders_{end}d"], own[f"orders_{begin}d"]
            paused = (since > 0) & (until == since) & (orders > since)
            back |= paused & (begin - end > _too_long(usual, orders - since, patience_days, rules)) & (end <= lately)
    return np.asarray(back)


def _by_contracts(own: Columns, patience_days: float, rules: LifecycleRules) -> Codes:
    period = np.where(np.isfinite(own["renewal_every_days"]), own["renewal_every_days"], rules.new_days[0])
    lately = np.clip(rules.new_gaps * period, *rules.new_days)
    gone = own["contracts_held"] == 0
    back = (own["contracts_lapsed"] > 0) & (own["contract_days"] <= lately)
    new = own["paid_contract_days"] <= lately
    back &= own["contract_days"] < own["paid_contract_days"]
    days = own["active_days_all"]
    since = own["paid_contract_days"]
    usual = (since + patience_days / rules.churned_gaps) / np.maximum(np.nan_to_num(days), 1)
    rises, falls = _pace(own, "active_days", since, usual, rules)
    silent = np.nan_to_num(own["days_since_activity"])
    falls |= (days > 1) & (silent > np.maximum(rules.declining_gaps * usual, rules.shortest_days))
    return _first(("churned", gone), ("won_back", back), ("new", new), ("declining", falls), ("growing", rises))


def _pace(own: Columns, what: str, tenure: Values, usual: Values, rules: LifecycleRules) -> tuple[Flags, Flags]:
    """Return whose pace rises and whose falls, by a window of their own, beyond what chance would do.

    The window is the shortest that holds `window_gaps` of their gaps. Of the days with an order in it and in the time
    before, each fell into the window with the window's share of the time if the pace had not changed, so their number
    is binomial (Przyborowski & Wilenski 1940); its tail is counted with half of what was found itself (mid-P), for
    counts so small are seldom beyond a tail that holds them whole.
    """
    from scipy.special import bdtr  # noqa: PLC0415  # a service that starts does without it

    lately, before, window, length = _counts(own, what, tenure, usual, rules)
    rows = np.flatnonzero((length > 0) & (lately + before >= rules.fewest))
    total, seen = (lately + before)[rows].astype(np.int64), lately[rows]
    share = window[rows] / (window[rows] + length[rows].clip(min=1.0))
    upto, below = bdtr(seen, total, share), np.where(seen > 0, bdtr(seen - 1, total, share), 0.0)
    middle = np.full(len(lately), np.nan)  # where there is too little to compare
    middle[rows] = (upto + below) / 2
    return middle > 1 - rules.chance, middle < rules.chance


def _counts(
    own: Columns, what: str, tenure: Values, usual: Values, rules: LifecycleRules
) -> tuple[Values, Values, Values, Values]:
    """Return the days counted in each customer's window and before it, and how long both are."""
    ends = [*(own[f"{what}_{days}d"] for days in _WINDOWS), own[f"{what}_all"]]
    inside = np.nan_to_num(np.stack(ends))
    starts = np.stack([*(np.full(len(tenure), float(days)) for days in _WINDOWS), tenure])
    place = np.minimum(np.searchsorted(_WINDOWS, rules.window_gaps * usual), len(_WINDOWS) - 1)
    everyone = np.arange(len(tenure))
    window = starts[place, everyone]
    length = np.minimum(starts[place + 1, everyone], tenure) - window
    return inside[place, everyone], inside[place + 1, everyone] - inside[place, everyone], window, length


def _first(*rules: tuple[Stage, Flags]) -> Codes:
    """Return for each customer the first stage whose rule holds; mature where none does."""
    codes = np.array([_CODES[stage] for stage in (*(stage for stage, _ in rules), "mature")], dtype=np.int8)
    holds = np.stack([*(rule for _, rule in rules), np.ones(len(rules[0][1]), dtype=np.bool_)])
    return np.asarray(codes[np.argmax(holds, axis=0)])
