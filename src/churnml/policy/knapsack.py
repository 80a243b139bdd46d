"""The multiple-choice knapsack: one option per customer, the most value within a budget and each option's room.

Prices come first, then whole choices. At given prices every customer takes the option worth most to them after paying
for it, independently of all others, which is one pass over the arrays; the prices that make these wishes just fit
also bound what any choice can be worth. What still sticks out at those prices is moved where it loses least, what is
left over goes where it gains most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Indices = NDArray[np.intp]
Bools = NDArray[np.bool_]
Number = TypeVar("Number", np.float64, np.int64)

MAX_STEPS: Final = 200
ENOUGH: Final = 1e-6
"""Share of the dual bound below which a further gain is not worth another pass."""


@dataclass(frozen=True)
class Knapsack:
    """What there is to choose from. Option 0 is to do nothing: no value, no cost, room for all.

    Attributes
    ----------
    value : ndarray of shape (n_options, n_customers)
        Value of each choice; minus infinity where the option is closed.
    cost : ndarray of int64, shape (n_options, n_customers)
        What each choice takes from the budget, at least 0. Whole numbers, so that sums are exact.
    budget : int
        The most all choices may take together.
    room : ndarray of int64, shape (n_options,)
        The most customers each option can take.
    """

    value: Floats
    cost: Integers
    budget: int
    room: Integers


@dataclass(frozen=True)
class Prices:
    """What one unit of budget, and one place in each option, is worth; and the bound that follows."""

    budget: float
    room: Floats
    bound: float


Mixture = list[tuple[float, Floats]]
"""Shares of the customers, and the prices (the budget's first) at which each share is granted its wishes."""


def solve(problem: Knapsack) -> tuple[Indices, Prices]:
    """Return the option of each customer, shape (n_customers,), and the prices it was found by.

    The choice never exceeds the budget or an option's room. Equal claims are served in the order of the customers.
    """
    prices, mixture = shadow_prices(problem)
    choice = _apportion(problem, mixture)
    _make_room(problem, choice, prices)
    _save(problem, choice)
    _spend(problem, choice, prices.bound)
    return choice, prices


def shadow_prices(problem: Knapsack) -> tuple[Prices, Mixture]:
    r"""Return the prices that minimise the Lagrangian dual, and the mixture of wishes that keeps the limits.

    .. math:: L(\lambda, \mu) = \lambda B + \sum_a \mu_a R_a + \sum_i \max_a (v_{ia} - \lambda c_{ia} - \mu_a)

    is convex and piecewise linear in few prices, so a linear programme over its tangents (Kelley's cutting planes)
    closes in on the minimum; halving the step towards each proposal keeps the early ones from jumping about. The
    programme's own dual weighs the tangents (Dantzig-Wolfe): followed in these shares, the wishes at their prices
    fit the limits and are worth the minimum.

    References
    ----------
    Kelley (1960), The cutting-plane method for solving convex programs, J. SIAM 8(4), 703-712.
    Kellerer, Pferschy & Pisinger (2004), Knapsack Problems, chapter 11, on the multiple-choice problem.
    """
    limits = np.array([problem.budget, *problem.room], dtype=np.float64)
    highest = _highest_prices(problem)
    tangents: list[Floats] = []
    offsets: list[float] = []
    points: list[Floats] = []
    point = centre = np.zeros(len(limits))
    bound, unit = np.inf, 1.0
    for _ in range(MAX_STEPS):
        _, wished, used = _wishes(problem, point * highest)
        height = wished + float((point * highest) @ limits)
        unit = unit if points else max(height, np.finfo(float).tiny)
        if height < bound:
            bound, centre = height, point
        points.append(point)
        tangents.append((limits - used) * highest / unit)
        offsets.append(height / unit - float(tangents[-1] @ point))
        lowest, floor, shares = _lowest(np.array(tangents), np.array(offsets))
        if bound - floor * unit <= ENOUGH * bound:
            break
        point = (lowest + centre) / 2
    mixture = [(float(share), where * highest) for share, where in zip(shares, points, strict=True) if share > 0]
    # The lowest prices first: among customers alike, the first in order are granted the most.
    mixture.sort(key=lambda part: tuple(part[1]))
    return Prices(float(centre[0] * highest[0]), centre[1:] * highest[1:], bound), mixture


def _lowest(tangents: Floats, offsets: Floats) -> tuple[Floats, float, Floats]:
    """Return where the highest of the tangents is lowest, prices between 0 and 1; how low; each tangent's share."""
    from scipy.optimize import linprog  # noqa: PLC0415  # a service that starts does without it

    slopes = np.column_stack([tangents, -np.ones(len(tangents))])
    box = [(0.0, 1.0)] * tangents.shape[1] + [(None, None)]
    found = linprog(np.eye(slopes.shape[1])[-1], A_ub=slopes, b_ub=-offsets, bounds=box, method="highs")
    solution = np.asarray(found.x)
    return solution[:-1], float(solution[-1]), -np.asarray(found.ineqlin.marginals)


def _apportion(problem: Knapsack, mixture: Mixture) -> Indices:
    """Return one wish for each customer, so that those who wish alike throughout are divided in the shares given."""
    shares = np.cumsum([share for share, _ in mixture])
    wishes = np.stack([_wishes(problem, prices)[0] for _, prices in mixture])
    choice: Indices = wishes[0]
    torn = np.flatnonzero((wishes != choice).any(axis=0))
    kind, size = np.unique(wishes[:, torn], axis=1, return_inverse=True, return_counts=True)[1:]
    order = np.argsort(kind, kind="stable")
    rank = np.arange(len(torn)) - (np.cumsum(size) - size)[kind[order]]
    part = np.searchsorted(shares / shares[-1], (rank + 0.5) / size[kind[order]])
    choice[torn[order]] = wishes[part, torn[order]]
    return choice


def _wishes(problem: Knapsack, prices: Floats) -> tuple[Indices, float, Floats]:
    """Return what each customer would choose at these prices, the sum of what is left to them, and what it uses.

    Prices and uses stand in one array each, the budget first and then the options.
    """
    n_options, n_customers = problem.value.shape
    left, choice = np.zeros(n_customers), np.zeros(n_customers, dtype=np.intp)
    for option in range(1, n_options):
        after_paying = problem.value[option] - prices[0] * problem.cost[option] - prices[1 + option]
        choice[after_paying > left] = option
        np.maximum(left, after_paying, out=left)
    used = [_taken(problem.cost, choice).sum(), *np.bincount(choice, minlength=n_options)]
    return choice, float(left.sum()), np.array(used, dtype=np.float64)


def _highest_prices(problem: Knapsack) -> Floats:
    """Return for the budget and each option a price nobody would pay, and 0 where the limit cannot bind."""
    wanted = problem.value > 0
    most = np.where(wanted, problem.cost, 0).max(axis=0, initial=0).sum()
    paid = wanted & (problem.cost > 0)
    rate = float((problem.value[paid] / problem.cost[paid]).max(initial=0.0)) if most > problem.budget else 0.0
    dearest = problem.value.max(axis=1, initial=0.0)
    return np.array([rate, *np.where(wanted.sum(axis=1) > problem.room, dearest, 0.0)])


def _make_room(problem: Knapsack, choice: Indices, prices: Prices) -> None:
    """Move the least attached customers out of options that are too full, in place."""
    closed = np.zeros(len(problem.room), dtype=bool)
    while (overfull := np.flatnonzero(_free(problem, choice) < 0)).size:
        # Once relieved an option takes nobody in again, so each is relieved once and the loop ends.
        closed[overfull[0]] = True
        inside = np.flatnonzero(choice == overfull[0])
        net = problem.value[:, inside] - prices.budget * problem.cost[:, inside] - prices.room[:, None]
        elsewhere = np.where(closed[:, None], -np.inf, net)
        order = _least_and_last(net[overfull[0]] - elsewhere.max(axis=0))
        leaving = order[: len(inside) - problem.room[overfull[0]]]
        choice[inside[leaving]] = elsewhere.argmax(axis=0)[leaving]


def _save(problem: Knapsack, choice: Indices) -> None:
    """Move customers to cheaper options, least loss per unit saved first, until the budget is kept, in place."""
    while (excess := int(_taken(problem.cost, choice).sum()) - problem.budget) > 0:
        paying = np.flatnonzero(_taken(problem.cost, choice) > 0)
        saved = _taken(problem.cost, choice)[paying] - problem.cost[:, paying]
        lost = _taken(problem.value, choice)[paying] - problem.value[:, paying]
        free = _free(problem, choice)
        possible = (saved > 0) & (free > 0)[:, None]
        rate = np.where(possible, lost, np.inf) / np.where(possible, saved, 1)
        target, order = rate.argmin(axis=0), _least_and_last(rate.min(axis=0))
        enough = np.searchsorted(saved[target[order], order].cumsum(), excess) + 1
        moved = order[:enough][_admitted(target[order[:enough]], free)]
        choice[paying[moved]] = target[moved]


def _spend(problem: Knapsack, choice: Indices, bound: float) -> None:
    """Move customers to better options, most gain per unit spent first, while anything fits, in place."""
    able = np.arange(len(choice))
    while bound - _worth(problem, choice) > ENOUGH * bound:
        free, left = _free(problem, choice), problem.budget - int(_taken(problem.cost, choice).sum())
        now = choice[able]
        gain = problem.value[:, able] - problem.value[now, able]
        extra = problem.cost[:, able] - problem.cost[now, able]
        possible = (gain > 0) & (extra <= left) & (free > 0)[:, None]
        some = possible.any(axis=0)
        if not some.any():
            break
        able, gain, extra = able[some], gain[:, some], np.maximum(extra[:, some], 0)
        # Half the smallest unit stands in for nothing: what costs no more goes first, by gain.
        rate = np.where(possible[:, some], gain, -np.inf) / np.maximum(extra, 0.5)
        target, order = rate.argmax(axis=0), np.argsort(-rate.max(axis=0), kind="stable")
        order = order[extra[target[order], order].cumsum() <= left]
        moved = order[_admitted(target[order], free)]
        choice[able[moved]] = target[moved]


def _taken(table: NDArray[Number], choice: Indices) -> NDArray[Number]:
    """Return each customer's entry under their choice."""
    return table[choice, np.arange(len(choice))]


def _least_and_last(key: Floats) -> Indices:
    """Return the order of a key, and among equals the last customer first: who came first keeps what they have."""
    return np.lexsort((-np.arange(len(key)), key))


def _worth(problem: Knapsack, choice: Indices) -> float:
    return float(_taken(problem.value, choice).sum())


def _free(problem: Knapsack, choice: Indices) -> Integers:
    """Return how many more customers each option could take; below zero if it has too many."""
    return problem.room - np.bincount(choice, minlength=len(problem.room))


def _admitted(target: Indices, free: Integers) -> Bools:
    """Return who gets in when each option takes the first comers it has room for."""
    admitted = np.ones(len(target), dtype=bool)
    for option in np.flatnonzero(free < len(target)):
        admitted[np.flatnonzero(target == option)[max(free[option], 0) :]] = False
    return admitted
