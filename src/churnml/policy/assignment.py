"""Who gets which action: the most net value that a budget and the actions' capacities allow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.errors import InvalidTableError, UsageError
from churnml.policy.actions import Catalogue
from churnml.policy.effect import prior_effect
from churnml.policy.eligibility import Exclusions, eligible, exclusions
from churnml.policy.experiment import assign_control
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


@dataclass(frozen=True)
class Decisions:
    """What to do for each customer, and the sums a summary needs.

    Attributes
    ----------
    action : ndarray of str, shape (n_customers,)
        The action chosen, also for those from whom it is withheld.
    arm : ndarray of str, shape (n_customers,)
        `treated`: carry it out. `control`: chosen but withheld at random. `none`: the choice is to do nothing.
    propensity : ndarray of shape (n_customers,)
        Probability with which the chosen action is carried out: 1 - control share, and 0 in the arm `none`.
    expected_net_value : ndarray of shape (n_customers,)
        Expected effect less expected cost of the chosen action, in currency units. For a control it is what the
        action would have brought.
    effect_source : ndarray of str, shape (n_customers,)
        Where the effect comes from: `prior`, or `definition` for doing nothing.
    reserved : float
        Sum of `max_cost` over the treated; what was set aside for controls is released.
    expected_cost : float
        Sum of `cost` over the treated.
    assignment : Assignment
        The choice before controls were withheld, in the cautious values it was made by.
    exclusions : mapping of rule to count
        (customer, action) pairs closed by each rule of eligibility.
    """

    action: NDArray[np.str_]
    arm: NDArray[np.str_]
    propensity: Floats
    expected_net_value: Floats
    effect_source: NDArray[np.str_]
    reserved: float
    expected_cost: float
    assignment: Assignment
    exclusions: Exclusions


def decide(
    customer_ids: Sequence[str],
    *,
    bands: ArrayLike,
    reasons: ArrayLike,
    churn_probability: ArrayLike,
    value_if_retained: ArrayLike,
    expected_margin: ArrayLike,
    catalogue: Catalogue,
    budget: float,
    control_share: float,
    salt: str,
    consented: ArrayLike | None = None,
) -> Decisions:
    """Return one decision per customer: the best affordable action, and whether it is carried out or withheld.

    Actions are compared by the lower bound of their effect less their expected cost; the budget reserves their
    `max_cost`.

    Parameters
    ----------
    customer_ids : sequence of str, length n_customers
        The customers, each once.
    bands, reasons, consented : array-like of shape (n_customers,), `consented` also (n_customers, n_actions)
        As in `eligible`.
    churn_probability, value_if_retained, expected_margin : array-like of shape (n_customers,)
        As in `prior_effect`.
    catalogue : Catalogue
        The actions.
    budget : float
        The most that all actions together may cost, in currency units.
    control_share : float
        Share of the chosen customers from whom the action is withheld, between 0 and 1.
    salt : str
        Names the experiment, see `assign_control`.

    Returns
    -------
    Decisions

    Raises
    ------
    InvalidTableError
        If the columns differ in length, a customer comes twice or a value is out of its range.
    UsageError
        If the budget is negative or the control share not between 0 and 1.
    """
    _check_unique(customer_ids)
    effect = prior_effect(catalogue, churn_probability, value_if_retained, expected_margin)
    _check_length(len(customer_ids), len(effect.lower))
    open_to = eligible(catalogue, bands, reasons, consented)
    _check_length(len(customer_ids), len(open_to))
    best = assign(effect.lower - catalogue.costs, catalogue.max_costs, open_to, budget, catalogue.capacities)

    # The action is chosen for everyone first, the coin tossed after. So within an action treated and controls were
    # chosen by one rule from one set of facts and differ by the coin alone. Tossed first, controls would have no
    # action to be compared on. The money released is not spent again: whoever got it would be treated because of
    # another's coin, with a propensity nobody knows and no counterpart among the controls.
    chosen = best.action > 0
    control = chosen & assign_control(customer_ids, salt, control_share)
    treated = best.action[chosen & ~control]
    everyone = np.arange(len(chosen))
    return Decisions(
        action=np.array(catalogue.names)[best.action],
        arm=np.where(control, "control", np.where(chosen, "treated", "none")),
        propensity=np.where(chosen, 1 - control_share, 0.0),
        expected_net_value=(effect.margin_change - catalogue.costs)[everyone, best.action],
        effect_source=np.array([action.effect_source for action in catalogue.actions])[best.action],
        reserved=float(_millionths(catalogue.max_costs)[treated].sum()) / MILLION,
        expected_cost=float(catalogue.costs[treated].sum()),
        assignment=best,
        exclusions=exclusions(catalogue, bands, reasons, consented),
    )


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
    cost = np.broadcast_to(_millionths(reserve).T.reshape(n_actions, -1), (n_actions, n_customers))
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


def _millionths(money: Floats) -> NDArray[np.int64]:
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


def _check_length(n_ids: int, n_rows: int) -> None:
    if n_ids != n_rows:
        raise InvalidTableError(f"decisions need one row per customer, got {n_ids} ids and {n_rows} rows of values")


def _check_unique(customer_ids: Sequence[str]) -> None:
    if len(set(customer_ids)) < len(customer_ids):
        twice = next(customer_id for customer_id, times in Counter(customer_ids).items() if times > 1)
        raise InvalidTableError(f"decisions need each customer once, got `{twice}` twice; pass one row per customer")
