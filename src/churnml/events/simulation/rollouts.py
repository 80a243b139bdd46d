"""What would have happened: other futures of a saved state, alike but for one action.

A future is named by a number; futures of the same number share every draw, whatever is done to the customer, so that
their difference is what the action did and little else (common random numbers; Glasserman & Yao 1992).

References
----------
Glasserman, P. & Yao, D. D. (1992), Some guidelines and guarantees for common random numbers, Management Science 38(6).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from churnml.events.simulation import equations as eq
from churnml.events.simulation.chance import Counts, Values
from churnml.events.simulation.contacting import NOTHING, carry_out, decide
from churnml.events.simulation.customers import Traits
from churnml.events.simulation.lives import Orders, Places, State, contact, redraw_next_order, step

DISCOUNT_A_YEAR = 0.10
HORIZONS = (30, 60, 90)
_LANES = 20_000


@dataclass(frozen=True)
class Futures:
    """What other futures of each customer average to; arrays of shape (n_horizons, n_customers).

    Parameters
    ----------
    horizons : tuple of int
        Days, ascending.
    silent, silent_error : ndarray
        The share of futures without an order, in a contractual market of those whose contract does not run at the end
        of the horizon; and its standard error.
    margin, margin_error : ndarray
        Discounted margin of orders net of returns, in a contractual market of the periods paid, and net of what the
        action cost, in the currency; the mean, and its standard error.
    """

    horizons: tuple[int, ...]
    silent: Values
    silent_error: Values
    margin: Values
    margin_error: Values


def futures(
    seed: int,
    traits: Traits,
    state: State,
    variant: eq.Variant,
    day: int,
    actions: Counts,
    *,
    horizons: tuple[int, ...] = HORIZONS,
    redraws: int = 400,
    first: int = 1,
    usual: bool = False,
    discount_rate: float = DISCOUNT_A_YEAR,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Futures:
    """Live the days after a morning again and again, with one action each on that morning and no other afterwards.

    Parameters
    ----------
    state : State
        On the morning of `day`; it stays as it is.
    actions : ndarray of shape (n_customers,)
        What is done to each, `contacting.NOTHING` for nothing. Actions that cost or need leave are taken as given.
    redraws : int
        Futures of each customer.
    horizons : tuple of int
        Days ahead at which to look, ascending.
    first : int
        The number of the first future; the life that is recorded is number 0.
    usual : bool, default False
        Whether the company goes on contacting customers as it does in the market, from that morning on; what is usual
        costs nothing here, for it is no one action's cost.
    discount_rate : float, default 0.1
        A year, of the margin.
    progress : callable
        Told how many lives are done, of how many.
    """
    n = len(traits)
    sums, how = np.zeros((4, len(horizons), n)), (horizons, usual, discount_rate)
    for begin in range(0, n * redraws, _LANES):
        lanes = np.arange(begin, min(begin + _LANES, n * redraws))
        place, number = lanes % n, lanes // n + first
        silent, margin = _live(seed, traits, state, variant, day, actions, place, number, *how)
        for row, values in enumerate((silent, silent**2, margin, margin**2)):
            for at in range(len(horizons)):
                sums[row, at] += np.bincount(place, values[at], n)
        progress(int(lanes[-1]) + 1, n * redraws)
    mean = sums / redraws
    error = np.sqrt(np.maximum(mean[1::2] - mean[::2] ** 2, 0.0) / max(redraws - 1, 1))
    return Futures(horizons, mean[0], error[0], mean[2], error[1])


def each_action(
    seed: int, traits: Traits, state: State, variant: eq.Variant, day: int, **how: int
) -> dict[int, Futures]:
    """Return the futures of everybody under each action and under none, coupled."""
    arms = (NOTHING, *range(len(eq.ACTIONS)))
    return {
        arm: futures(seed, traits, state, variant, day, np.full(len(traits), arm), **how)  # type: ignore[arg-type]
        for arm in arms
    }


def _live(
    seed: int,
    traits: Traits,
    state: State,
    variant: eq.Variant,
    day: int,
    actions: Counts,
    place: Places,
    number: Counts,
    horizons: tuple[int, ...],
    usual: bool,  # noqa: FBT001  # passed on
    discount_rate: float,
) -> tuple[Values, Values]:
    """Return whether each future was silent, and its margin; shape (n_horizons, n_lanes)."""
    some, now = traits.take(place).redrawn(seed, number), state.take(place)
    redraw_next_order(some, now, variant, day)
    margin, ordered = np.zeros(len(place)), np.zeros(len(place), dtype=np.bool_)
    silent_at, margin_at = np.zeros((2, len(horizons), len(place)))
    for action in range(len(eq.ACTIONS)):
        chosen = np.flatnonzero(actions[place] == action)
        if len(chosen):
            contact(some, now, variant, day, action, chosen)
            margin[chosen] -= eq.COST[action]
    for ahead in range(horizons[-1]):
        decided = decide(some, now, variant, day + ahead) if usual else None
        if decided is not None:
            carry_out(some, now, variant, day + ahead, decided)
        happened = step(some, now, variant, day + ahead, seen=False)
        worth = (1 + discount_rate) ** (-ahead / 365)
        margin[happened.orders.place] += worth * margin_of(some, happened.orders)
        ordered[happened.orders.place] = True
        if variant.contractual:
            margin[happened.paid] += worth * (some.price * some.margin)[happened.paid]
        for at in np.flatnonzero(np.array(horizons) == ahead + 1):
            silent_at[at], margin_at[at] = ~(now.paying if variant.contractual else ordered), margin
    return silent_at, margin_at


def margin_of(traits: Traits, orders: Orders) -> npt.NDArray[np.float64]:
    """Return what each order leaves: its amount less the cost of goods, less what goes back, at the rate of the rest.

    The order counts on its day with what will go back of it, as the labels of this product do.
    """
    cost = cost_of(traits, orders)
    back = np.where(orders.back_after > 0, np.round(orders.amount * orders.back_share, 2), 0.0)
    return np.asarray((orders.amount - cost) * (1 - back / orders.amount))


def cost_of(traits: Traits, orders: Orders) -> Values:
    """Return what the goods of each order cost, and the delivery where it was free of charge."""
    goods = (1 - traits.margin[orders.place]) * (orders.amount + orders.discount)
    return np.asarray(np.round(goods + eq.SHIPPING_COST * orders.shipped_free, 2))
