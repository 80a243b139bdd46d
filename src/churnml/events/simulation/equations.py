"""The equations of the market: rates, hazards and effects, as functions of what a customer is and feels.

Days are counted from the first of the market, day 0, a first of January. `docs/simulation.md` tells them in words.
None of these constants is known to any other folder: what is learned is learned from the tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

BEGINS = date(2023, 1, 1)
"""Day 0."""

ACTIONS = ("thank_you_email", "coupon_10", "free_delivery", "service_call")
"""What can be done, by the names of configs/actions.yaml."""

MAIL, COUPON, SHIPPING, CALL = range(4)
COST = (0.02, 0.0, 0.0, 6.0)
"""What carrying each out costs, in the currency; a coupon and a free delivery cost when they are used."""

COUPON_SHARE, SHIPPING_COST, REDEEM_DAYS = 0.10, 4.0, 14
FADES_DAYS = 30.0
PULLED_FORWARD_DAYS = 45

KEEPS = 0.985
"""What is left of a mood the day after: half is gone in 46 days."""

MOOD_NOISE, MOOD_SPREAD = 0.06, 0.06 / float(np.sqrt(1 - KEEPS**2))
GOOD_ORDER, LATE, DEFECT = 0.05, -0.5, -0.4
LATE_SHARE, LATE_SHARE_DECEMBER, DEFECT_SHARE = 0.06, 0.12, 0.04
RESOLVED_SHARE, UNRESOLVED = 0.85, -0.6
TICKETS_PER_DAY, TICKETS_PER_BAD_ORDER = 0.002, 0.35
FATIGUE = -0.5
"""What a contact within four weeks of another does to the mood of someone wholly averse to contact."""

COMPLAINT_DAYS = 14
WITHDRAWS_PER_DAY, WITHDRAWS_WHEN_CONTACTED = 0.0003, 0.01
ORDERS_BY_MOOD, BASKET_SPREAD = 0.35, 0.45
LOOKS_AROUND_DAYS = 5
USUAL_HOURS, HOURS_SPREAD = 18.0, 0.9
ASKED_SHARE = 0.1
DORMANT_VISITS, GONE_VISITS = 0.15, 0.02
PRICE_RISE_DAY, PRICE_RISE = 500, 0.4
WAKES = 0.02
PAYMENT_FAILS = 0.004
PERIOD_DAYS = 30

_DECEMBER = 12
_INCIDENT_WEEKS = (18, 47, 83)


@dataclass(frozen=True)
class Variant:
    """A market that differs from the plain one.

    Parameters
    ----------
    says : str
        What is different, in words.
    contractual : bool
        Everybody holds a contract, paid every 30 days; who leaves is seen at the next renewal. No baskets.
    effects : float
        What the effects of all actions are multiplied by.
    price_rise : bool
        Whether prices rise on day 500 and content falls for good, most among those who mind prices.
    judgement : float
        How far the choice of whom to contact follows a feeling for the customer's mood that no table records.
    memoryless : bool
        All customers are the same and nothing that was tells what will be.
    """

    says: str
    contractual: bool = False
    effects: float = 1.0
    price_rise: bool = False
    judgement: float = 0.0
    memoryless: bool = False


VARIANTS: Mapping[str, Variant] = {
    "plain": Variant("a shop without contracts, in which everything can be seen that the tables can hold"),
    "contractual": Variant("everybody holds a contract, and who leaves is seen at the renewal", contractual=True),
    "null": Variant("no action has any effect", effects=0.0),
    "drift": Variant("prices rise on day 500", price_rise=True),
    "confounded": Variant("whom to contact also follows a feeling that is not recorded", judgement=0.5),
    "memoryless": Variant("identical customers whose future owes nothing to their past", memoryless=True, effects=0.0),
}


def logistic(logit: Values) -> Values:
    """Return 1 / (1 + exp(-logit))."""
    return np.asarray(1.0 / (1.0 + np.exp(-logit)))


def logit(share: float) -> float:
    """Return log(share / (1 - share))."""
    return float(np.log(share / (1 - share)))


def day_of(day: int) -> date:
    """Return the date of a day of the market."""
    return BEGINS + timedelta(days=day)


def season(day: int) -> float:
    """Return how far orders lie above their usual rate on a day, as a logarithm."""
    today = day_of(day)
    wave = 0.25 * np.sin(2 * np.pi * (day - 300) / 365)
    friday = _black_friday(today.year)
    sale = 0.5 if friday - timedelta(days=4) <= today <= friday + timedelta(days=2) else 0.0
    gifts = 0.25 if today.month == _DECEMBER and today.day <= 22 else 0.0
    quiet = -0.3 if (today.month, today.day) >= (12, 25) or (today.month, today.day) <= (1, 7) else 0.0
    return float(wave + sale + gifts + quiet + (-0.05, -0.05, -0.05, -0.05, 0.05, 0.15, 0.0)[today.weekday()])


def _black_friday(year: int) -> date:
    first = date(year, 11, 1)
    return first + timedelta(days=(4 - first.weekday()) % 7 + 21)


def late_share(day: int) -> float:
    """Return the share of orders delivered late, by the day they were placed."""
    return LATE_SHARE_DECEMBER if day_of(day).month == _DECEMBER else LATE_SHARE


def backlog(day: int) -> float:
    """Return by how much answers take longer: threefold in three weeks of incidents."""
    return 3.0 if day // 7 in _INCIDENT_WEEKS else 1.0


def goes_dormant(mood: Values) -> Values:
    """Return the chance that an active customer falls silent for a while, today."""
    return logistic(-5.5 - 0.5 * mood)


def wakes(mood: Values, couponed: Values) -> Values:
    """Return the chance that a dormant customer wakes up today; `couponed` is price sensitivity times what is left."""
    return np.asarray(np.minimum(WAKES * np.exp(0.3 * mood) * (1 + 3 * couponed), 1.0))


def dies(mood: Values, tenure: Values, orders: Values, pushed: Values) -> Values:
    """Return the chance that a customer leaves for good today; `pushed` is what actions add to the logit."""
    return logistic(logit(0.0015) - 0.9 * mood + 0.35 * (tenure < 60) - 0.3 * np.log1p(orders) + pushed)


def answer_shock(hours: Values) -> Values:
    """Return what an answer does to the mood, by the hours it took."""
    return np.asarray(0.25 - 0.15 * np.log2(1 + hours / 12))


def death_push(action: int, averse: Values, minds_price: Values, mood: Values, dormant: Flags, bad: Flags) -> Values:
    """Return what an action adds to the logit of leaving on the day it is carried out; it fades with exp(-d / 30).

    Parameters
    ----------
    averse, minds_price : ndarray of shape (n,)
        Aversion to contact v and price sensitivity p, in (0, 1).
    dormant, bad : ndarray of shape (n,)
        Whether the customer is dormant; whether the call came within 14 days of a bad ticket.
    """
    if action == MAIL:
        return np.asarray(-1.2 + 2.7 * averse + averse * dormant)
    if action == COUPON:
        return np.asarray(-2.2 * minds_price * np.exp(-(mood**2)) + 0.3 * averse)
    if action == SHIPPING:
        return -1.0 * minds_price
    return np.asarray(-2.5 * bad - 0.3 + 1.8 * averse)


def order_push(action: int, averse: Values, minds_price: Values, bad: Flags) -> Values:
    """Return what an action adds to the logarithm of the order rate on its day; it fades with exp(-d / 30).

    That of a coupon is `coupon_push`.
    """
    if action == MAIL:
        return np.asarray(0.5 - 1.4 * averse)
    if action == SHIPPING:
        return 0.4 * minds_price
    return np.asarray(0.8 * bad + 0.2 - averse)


def coupon_push(minds_price: Values, days: Values) -> Values:
    """Return what a coupon of so many days ago adds to the logarithm of the order rate.

    It moves orders forward: they rise for 14 days and fall short until day 45, without fading.
    """
    later = (days > REDEEM_DAYS) & (days <= PULLED_FORWARD_DAYS)
    return np.asarray(minds_price * (1.2 * (days <= REDEEM_DAYS) - 0.3 * later))


def answers(mood: Values, dormant: Flags) -> Values:
    """Return the chance that a survey is answered: the delighted and the angry answer, the silent do not."""
    return logistic(-1.2 + 0.5 * np.abs(mood) + 0.4 * (mood > 1) - 0.8 * dormant)


def score(mood: Values, noise: Values) -> Values:
    """Return the score from 0 to 10 that an answer gives; `noise` is standard normal."""
    return np.asarray(np.clip(np.round(7 + 1.5 * mood + 1.2 * noise), 0, 10))


def comes_back(mood: Values, defect: Flags) -> Values:
    """Return the chance that an order is returned."""
    return logistic(-2.6 - 0.6 * mood + 2.5 * defect)


def sessions_per_day(usual: Values, mood: Values, soon: Flags, mode_share: Values) -> Values:
    """Return the expected sessions of a day: more before an order, fewer when dormant, hardly any once gone."""
    return np.asarray(usual * np.exp(0.4 * mood) * (1 + 2.5 * soon) * mode_share)
