"""One day in the lives of many customers: moods, silence, departure, orders, complaints, contracts.

Nothing here decides whom to contact and nothing writes a table. All chance is a hash of customer, process and day
(`chance`), so whatever is not asked for, or done otherwise, moves no other draw.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincc, gammainccinv

from churnml.events.simulation import equations as eq
from churnml.events.simulation.chance import Counts, Values, exponential, normal, poisson, uniform
from churnml.events.simulation.customers import Traits, orders_before

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]

UNBORN, ACTIVE, DORMANT, GONE = range(4)
LONG_AGO = -10_000
"""A day before every other."""

_RING = 32
_PAUSE_DAYS = 28


@dataclass
class State:
    """How customers stand on the morning of a day; arrays of shape (n,), changed in place by `step` and `contact`.

    Parameters
    ----------
    mode : ndarray of int8
        `UNBORN`, `ACTIVE`, `DORMANT` or `GONE`.
    mood, content : ndarray
        Satisfaction S, and the level mu it comes back to.
    orders : ndarray of int64
        Placed so far, in a contractual market periods paid.
    left, spent : ndarray
        Time to the next order and since the last, in order intervals; the next is drawn when the last is placed.
    leaving, ordering, waking : ndarray
        What past actions still add to the logit of leaving, to the logarithm of the order rate, to waking up.
    coupon_day, shipping_day, contact_day, complaint_day, order_day : ndarray of int64
        The last of each; `LONG_AGO` for none. A free delivery that is used up has none either.
    allowed : ndarray of bool
        Whether marketing by e-mail is allowed now.
    paying : ndarray of bool
        Whether a contract runs.
    shocks : ndarray of shape (32, n)
        What answers to tickets will do to the mood, by the day modulo 32.
    """

    mode: npt.NDArray[np.int8]
    mood: Values
    content: Values
    orders: Counts
    left: Values
    spent: Values
    leaving: Values
    ordering: Values
    waking: Values
    coupon_day: Counts
    shipping_day: Counts
    contact_day: Counts
    complaint_day: Counts
    order_day: Counts
    allowed: Flags
    paying: Flags
    shocks: Values

    def take(self, places: Places) -> State:
        """Return the state of some customers, or of some several times over, to be changed on its own."""
        taken = {one.name: getattr(self, one.name)[..., places] for one in fields(self)}
        return State(**taken)


@dataclass(frozen=True)
class Orders:
    """The orders of a day; arrays of shape (n_orders,)."""

    place: Places
    amount: Values
    discount: Values
    shipped_free: Flags
    late: Flags
    defect: Flags
    back_after: Counts
    """Days until goods come back, 0 for never."""
    back_share: Values


@dataclass(frozen=True)
class Tickets:
    """The tickets of a day; arrays of shape (n_tickets,)."""

    place: Places
    complaint: Flags
    hours: Values
    resolved: Flags


@dataclass(frozen=True)
class Surveys:
    """The surveys sent on a day; arrays of shape (n_surveys,)."""

    place: Places
    answered: Flags
    score: Values
    after_hours: Values


_NOBODY = np.zeros(0, dtype=np.intp)


@dataclass(frozen=True)
class Happened:
    """What happened on a day that a table may record; places are positions in the arrays of traits."""

    day: int
    orders: Orders
    tickets: Tickets
    surveys: Surveys | None = None
    sessions: Counts | None = None
    paid: Places = field(default_factory=lambda: _NOBODY)
    payment_failed: Places = field(default_factory=lambda: _NOBODY)
    contract_ended: Places = field(default_factory=lambda: _NOBODY)
    withdrew: Places = field(default_factory=lambda: _NOBODY)


def first_state(traits: Traits, variant: eq.Variant) -> State:
    """Return how customers stand before day 0: those known before are active, the others not born."""
    n = len(traits)
    early, never = traits.born < 0, np.full(n, LONG_AGO, dtype=np.int64)
    spread = 0.0 if variant.memoryless else eq.MOOD_SPREAD
    return State(
        mode=np.where(early, ACTIVE, UNBORN).astype(np.int8),
        mood=traits.content + spread * normal(traits.keys, "first mood", 0),
        content=traits.content.copy(),
        orders=orders_before(traits),
        left=_interval(traits, np.zeros(n, dtype=np.int64)),
        spent=np.zeros(n),
        leaving=np.zeros(n),
        ordering=np.zeros(n),
        waking=np.zeros(n),
        coupon_day=never.copy(),
        shipping_day=never.copy(),
        contact_day=never.copy(),
        complaint_day=never.copy(),
        order_day=never.copy(),
        allowed=traits.mail_allowed.copy(),
        paying=traits.member & early,
        shocks=np.zeros((_RING, n)),
    )


def contact(traits: Traits, state: State, variant: eq.Variant, day: int, action: int, places: Places) -> Places:
    """Carry an action out on the morning of a day, and return who takes the permission back for it.

    Parameters
    ----------
    action : int
        `equations.MAIL`, `COUPON`, `SHIPPING` or `CALL`.
    places : ndarray of intp
        On whom, each at most once.
    """
    averse, price = traits.averse[places], traits.minds_price[places]
    mood, dormant = state.mood[places], state.mode[places] == DORMANT
    bad = day - state.complaint_day[places] <= eq.COMPLAINT_DAYS
    strength = variant.effects
    state.leaving[places] += strength * eq.death_push(action, averse, price, mood, dormant, bad)
    if action == eq.COUPON:
        state.coupon_day[places] = day
        state.waking[places] += strength * price
    else:
        state.ordering[places] += strength * eq.order_push(action, averse, price, bad)
    if action == eq.SHIPPING:
        state.shipping_day[places] = day
    again = day - state.contact_day[places] < _PAUSE_DAYS
    state.mood[places] += strength * eq.FATIGUE * averse * again
    state.contact_day[places] = day
    gives_up = uniform(traits.keys[places], "withdraws when contacted", day) < eq.WITHDRAWS_WHEN_CONTACTED * averse
    gone = places[gives_up & state.allowed[places]]
    state.allowed[gone] = False
    return gone


def step(traits: Traits, state: State, variant: eq.Variant, day: int, *, seen: bool = True) -> Happened:
    """Live one day and return what happened on it.

    Parameters
    ----------
    seen : bool
        Whether to draw what changes nobody's life, such as sessions and surveys; other futures leave it out.
    """
    keys = traits.keys
    state.mode[(state.mode == UNBORN) & (traits.born <= day)] = ACTIVE
    starts = traits.member & (traits.born == day)
    state.paying |= starts
    if not variant.memoryless:
        _change_mode(traits, state, day)
    active = state.mode == ACTIVE
    soon, placed = _place_orders(traits, state, variant, day, active)
    orders = _orders(traits, state, day, placed)
    tickets = _tickets(traits, state, variant, day, orders)
    paid, failed, ended = _contracts(traits, state, variant, day)
    here = state.mode != UNBORN
    withdrew = np.flatnonzero(here & state.allowed & (uniform(keys, "withdraws", day) < eq.WITHDRAWS_PER_DAY))
    state.allowed[withdrew] = False
    surveys = _surveys(traits, state, day, orders) if seen else None
    sessions = _sessions(traits, state, day, soon) if seen else None
    if not variant.memoryless:
        _feel(traits, state, variant, day, orders)
    for faded in ("leaving", "ordering", "waking"):
        setattr(state, faded, getattr(state, faded) * _FADE)
    return Happened(day, orders, tickets, surveys, sessions, paid, failed, ended, withdrew)


_FADE = float(np.exp(-1 / eq.FADES_DAYS))


def order_rate(traits: Traits, state: State, variant: eq.Variant, day: int) -> Values:
    """Return orders a day of an active customer: rate, season, mood and what actions add."""
    pushed = state.ordering.copy()
    lately = np.flatnonzero(day - state.coupon_day <= eq.PULLED_FORWARD_DAYS)
    if len(lately):
        since = (day - state.coupon_day[lately]).astype(np.float64)
        price = traits.minds_price[lately]
        pushed[lately] += variant.effects * eq.coupon_push(price, since)
    season = 0.0 if variant.memoryless else eq.season(day)
    return np.asarray(traits.rate * np.exp(season + eq.ORDERS_BY_MOOD * state.mood + pushed))


def redraw_next_order(traits: Traits, state: State, variant: eq.Variant, day: int) -> None:
    """Draw the date of the next order anew, as far as nobody can know it.

    Someone whose order is due within five days already looks around; that stays. For the others the interval is drawn
    given that it is longer than what has passed of it and those five days.
    """
    looks_around = (state.mode == ACTIVE) & (not variant.memoryless)
    due = order_rate(traits, state, variant, day) * eq.LOOKS_AROUND_DAYS * looks_around
    later = np.flatnonzero((state.left > due) & (state.mode != UNBORN))
    k = traits.regular[later].astype(np.float64)
    at_least = gammaincc(k, k * (state.spent + due)[later])
    chance = uniform(traits.keys[later], "next order", day)
    drawn = gammainccinv(k, chance * at_least) / k - state.spent[later]
    known = at_least > _UNLIKELY  # beyond, the tail has no digits left to draw from
    state.left[later[known]] = drawn[known]


_UNLIKELY = 1e-12


def _interval(traits: Traits, number: Counts) -> Values:
    """Return the interval before each customer's order of a number: Gamma with mean 1 and shape `regular`."""
    total = np.zeros(len(traits))
    for part in range(4):
        places = np.flatnonzero(traits.regular > part)
        total[places] += exponential(traits.keys[places], f"interval {part}", number[places])
    return total / traits.regular


def _change_mode(traits: Traits, state: State, day: int) -> None:
    keys, mood = traits.keys, state.mood
    tenure = (day - traits.born).astype(np.float64)
    hazard = eq.dies(mood, tenure, state.orders.astype(np.float64), state.leaving)
    here = (state.mode == ACTIVE) | (state.mode == DORMANT)
    sleeps = (state.mode == ACTIVE) & (uniform(keys, "sleeps", day) < eq.goes_dormant(mood))
    rises = (state.mode == DORMANT) & (uniform(keys, "wakes", day) < eq.wakes(mood, state.waking))
    state.mode[sleeps] = DORMANT
    state.mode[rises] = ACTIVE
    state.mode[here & (uniform(keys, "leaves", day) < hazard)] = GONE


def _place_orders(traits: Traits, state: State, variant: eq.Variant, day: int, active: Flags) -> tuple[Flags, Places]:
    """Return who will order within five days, and who does today."""
    if variant.contractual:
        return np.zeros(len(traits), dtype=np.bool_), _NOBODY
    work = order_rate(traits, state, variant, day) * active
    # where the past is to tell nothing, nobody looks around before an order: such visits would announce it
    soon = active & (state.left <= eq.LOOKS_AROUND_DAYS * work) & (not variant.memoryless)
    state.left -= work
    state.spent += work
    placed = np.flatnonzero(active & (state.left <= 0))
    if len(placed):
        state.orders[placed] += 1
        some = traits.take(placed)
        state.left[placed] += _interval(some, state.orders[placed])  # what was overshot counts towards the next
        state.spent[placed] = 0.0
        state.order_day[placed] = day
    return soon, placed


def _orders(traits: Traits, state: State, day: int, placed: Places) -> Orders:
    keys, mood = traits.keys[placed], state.mood[placed]
    listed = traits.basket[placed] * np.exp(
        0.1 * mood + 0.15 * eq.season(day) + eq.BASKET_SPREAD * normal(keys, "basket", day)
    )
    redeems = uniform(keys, "redeems", day) < traits.redeems[placed]
    coupon = redeems & (day - state.coupon_day[placed] <= eq.REDEEM_DAYS)
    free = redeems & ~coupon & (day - state.shipping_day[placed] <= eq.REDEEM_DAYS)
    state.shipping_day[placed[free]] = LONG_AGO
    discount = np.round(coupon * eq.COUPON_SHARE * listed, 2)
    late = uniform(keys, "late", day) < eq.late_share(day)
    defect = uniform(keys, "defect", day) < eq.DEFECT_SHARE
    returned = uniform(keys, "comes back", day) < eq.comes_back(mood, defect)
    after = 3 + (uniform(keys, "back after", day) * 18).astype(np.int64)
    share = uniform(keys, "back share", day) ** 0.25  # Beta(4, 1)
    amount = np.maximum(np.round(listed, 2) - discount, 0.01)
    return Orders(placed, amount, discount, free, late, defect, np.where(returned, after, 0), share)


def _tickets(traits: Traits, state: State, variant: eq.Variant, day: int, orders: Orders) -> Tickets:
    """Return the tickets of a day; what their answers do to the mood is set down for the day of the answer."""
    here = state.mode != UNBORN
    expected = np.where(here & (state.mode != GONE), eq.TICKETS_PER_DAY, 0.0)
    bad = orders.late | orders.defect
    expected[orders.place[bad]] += eq.TICKETS_PER_BAD_ORDER
    place = np.flatnonzero(uniform(traits.keys, "asks", day) < expected)
    complaint = np.isin(place, orders.place[bad])
    keys = traits.keys[place]
    hours = np.exp(np.log(eq.USUAL_HOURS) + eq.HOURS_SPREAD * normal(keys, "answered", day)) * eq.backlog(day)
    hours = np.clip(hours, 0.2, 24.0 * (_RING - 2))
    resolved = uniform(keys, "resolved", day) < eq.RESOLVED_SHARE
    state.complaint_day[place[complaint]] = day
    if not variant.memoryless:
        shock = np.where(resolved, eq.answer_shock(hours), eq.UNRESOLVED)
        np.add.at(state.shocks, ((day + (hours // 24).astype(np.int64)) % _RING, place), shock)
    return Tickets(place, complaint, hours, resolved)


def _contracts(traits: Traits, state: State, variant: eq.Variant, day: int) -> tuple[Places, Places, Places]:
    """Return whose period was paid, whose payment failed, and whose contract ended: leaving is seen at the renewal."""
    due = np.flatnonzero(state.paying & ((day - traits.born) % eq.PERIOD_DAYS == 0) & (traits.born <= day))
    gone = state.mode[due] == GONE
    fails = ~gone & (uniform(traits.keys[due], "payment", day) < eq.PAYMENT_FAILS)
    ended, failed, paid = due[gone | fails], due[fails], due[~gone & ~fails]
    state.paying[ended] = False
    if variant.contractual:
        state.mode[failed] = GONE
        state.orders[paid] += 1
    return paid, failed, ended


def _surveys(traits: Traits, state: State, day: int, orders: Orders) -> Surveys:
    asked = uniform(traits.keys[orders.place], "asked", day) < eq.ASKED_SHARE
    place = orders.place[asked]
    keys, mood = traits.keys[place], state.mood[place]
    answered = uniform(keys, "answers", day) < eq.answers(mood, state.mode[place] == DORMANT)
    score = eq.score(mood, normal(keys, "score", day))
    return Surveys(place, answered, score, 2 + 70 * uniform(keys, "answers after", day))


def _sessions(traits: Traits, state: State, day: int, soon: Flags) -> Counts:
    share = np.array([0.0, 1.0, eq.DORMANT_VISITS, eq.GONE_VISITS])[state.mode]
    return poisson(uniform(traits.keys, "sessions", day), eq.sessions_per_day(traits.visits, state.mood, soon, share))


def _feel(traits: Traits, state: State, variant: eq.Variant, day: int, orders: Orders) -> None:
    """Let the mood of the evening be: most of this morning's, what happened, and chance."""
    if variant.price_rise and day == eq.PRICE_RISE_DAY:
        state.content -= eq.PRICE_RISE * traits.minds_price
    shocks = state.shocks[day % _RING]
    state.mood = state.content + eq.KEEPS * (state.mood - state.content) + shocks
    state.mood += eq.MOOD_NOISE * normal(traits.keys, "mood", day)
    good = ~(orders.late | orders.defect)
    state.mood[orders.place] += eq.GOOD_ORDER * good + eq.LATE * orders.late + eq.DEFECT * orders.defect
    state.shocks[day % _RING] = 0.0
