"""Who gets which action: the most net value that a budget and the actions' capacities allow; numbers alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.errors import InvalidTableError, UsageError
from churnml.policy.knapsack import Knapsack, solve

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

MILLION = 1_000_000
"""Reserves are counted in millionths of a currency unit: whole numbers add up without error, in any order."""


@dataclass(frozen=True)
class Assignment:
    """One action for each customer, and how far it can be from the best.

    Attributes
    ----------
    action : ndarray of int, shape (n_customers,)
        Column of the action chosen; 0 is to do nothing.
    value : float
        Total net value of the choice.
    spent : float
        Total reserve of the choice; never above the budget.
    shadow_price : float
        Net value that one more unit of budget would bring; 0 if the budget does not bind.
    capacity_prices : ndarray of shape (n_actions,)
        Net value that one more place in each action would bring.
    dual_bound : float
        No assignment within the limits is worth more than this.
    gap : float
        (dual_bound - value) / dual_bound, and 0 if nothing is to be gained.
    """

    action: Indices
    value: float
    spent: float
    shadow_price: float
    capacity_prices: Floats
    dual_bound: float
    gap: float


def assign(
    net_value: ArrayLike,
    reserve_cost: ArrayLike,
    eligible: ArrayLike,
    budget: float,
    capacities: ArrayLike | None = None,
) -> Assignment:
    """Return the action of each customer that together bring the most net value within the limits.

    Each customer gets one action. An action that is closed to a customer, brings nothing or alone exceeds the
    budget is never chosen. Time is linear in customers times actions for each of a few dozen steps.

    Parameters
    ----------
    net_value : array-like of shape (n_customers, n_actions)
        What each action brings, net of its cost, in currency units; the first column, to do nothing, is 0.
    reserve_cost : array-like of shape (n_actions,) or (n_customers, n_actions)
        What each action sets aside of the budget, in currency units; the first is 0. Finer amounts than a millionth
        are rounded up.
    eligible : array-like of bool, shape (n_customers, n_actions)
        What is open to whom.
    budget : float
        The most that may be set aside in all, in currency units.
    capacities : array-like of shape (n_actions,), optional
        The most customers each action can take; infinite, and by default, without limit.

    Returns
    -------
    Assignment

    Raises
    ------
    InvalidTableError
        If the shapes differ, a value is not finite, a reserve negative, or the first action is not free and neutral.
    UsageError
        If the budget or a capacity is negative or not a number.

    Examples
    --------
    >>> assign([[0, 5], [0, 9], [0, 7]], [0, 4], np.ones((3, 2), bool), budget=10).action
    array([0, 1, 1])
    """
    value, reserve, is_open = _checked(net_value, reserve_cost, eligible)
    n_customers, n_actions = value.shape
    limits = _checked_limits(budget, capacities, n_actions)
    cost = np.broadcast_to(millionths(reserve).T.reshape(n_actions, -1), (n_actions, n_customers))
    purse = int(min(np.floor(limits[0] * MILLION + 1e-3), float(cost.max(axis=0, initial=0).sum())))

    worthwhile = is_open.T & (value.T > 0) & (cost <= purse) & (limits[1:, None] >= 1)
    concerned = np.flatnonzero(worthwhile.any(axis=0))
    gains = np.where(worthwhile, value.T, -np.inf)
    gains[0] = 0.0
    room = np.minimum(limits[1:], len(concerned)).astype(np.int64)
    room[0] = len(concerned)
    problem = Knapsack(gains[:, concerned], cost[:, concerned], purse, room)
    choice, prices = solve(problem)

    action = np.zeros(n_customers, dtype=np.intp)
    action[concerned] = choice
    everyone = np.arange(n_customers)
    reached = float(value[everyone, action].sum())
    bound = max(prices.bound, reached)
    return Assignment(
        action=action,
        value=reached,
        spent=float(cost[action, everyone].sum()) / MILLION,
        shadow_price=prices.budget * MILLION,
        capacity_prices=prices.room,
        dual_bound=bound,
        gap=(bound - reached) / bound if bound > 0 else 0.0,
    )


def millionths(money: Floats) -> NDArray[np.int64]:
    """Return amounts in whole millionths, rounded up but for the noise of a float."""
    return np.ceil(money * MILLION - 1e-3).astype(np.int64)


def _checked(
    net_value: ArrayLike, reserve_cost: ArrayLike, eligible: ArrayLike
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    value, reserve = np.asarray(net_value, dtype=np.float64), np.asarray(reserve_cost, dtype=np.float64)
    is_open = np.asarray(eligible, dtype=bool)
    if value.ndim != 2 or is_open.shape != value.shape or reserve.shape not in {value.shape, value.shape[1:]}:
        raise InvalidTableError(
            "an assignment needs net_value and eligible of shape (n_customers, n_actions) and a reserve per action or "
            f"per customer and action, got {value.shape}, {is_open.shape} and {reserve.shape}"
        )
    if not (np.isfinite(value).all() and np.isfinite(reserve).all() and (reserve >= 0).all()):
        raise InvalidTableError("net values must be finite and reserves finite and at least 0; look for missing scores")
    if value[:, 0].any() or reserve[..., 0].any():
        raise InvalidTableError("the first action is to do nothing and must have net value 0 and reserve 0")
    return value, reserve, is_open


def _checked_limits(budget: float, capacities: ArrayLike | None, n_actions: int) -> Floats:
    """Return the budget and the capacities in one array."""
    room = np.full(n_actions, np.inf) if capacities is None else np.asarray(capacities, dtype=np.float64)
    if room.shape != (n_actions,) or not (room >= 0).all():
        raise UsageError(f"capacities must be {n_actions} numbers of at least 0, one per action, got {room.tolist()}")
    if not budget >= 0:
        raise UsageError(f"`budget` must be at least 0, got {budget:g}; set it in configs/assign.yaml or by --budget")
    return np.array([budget, *room])
