"""Who the customers are: traits that never change, drawn once, and what of them a company gets to see."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from churnml.events.simulation.chance import Counts, Keys, Values, keys_of, normal, uniform
from churnml.events.simulation.equations import Variant, logistic, season

Texts = npt.NDArray[np.str_]

EARLIER_DAYS = 730
REGIONS = ("north", "east", "south", "west", "centre")
_KNOWN_BEFORE = 0.4
_HELD_OUT, _RANDOMISED = 0.08, 0.15
_MEMBERS = 0.2
_BOUGHT = 0.7


@dataclass(frozen=True)
class Traits:
    """What a customer is, whatever happens; arrays of shape (n,).

    Parameters
    ----------
    number : ndarray of int64
        The customer's number in the market.
    keys : ndarray of uint64
        Where their chance comes from.
    born : ndarray of int64
        The day of first contact; before 0 where the data begin later.
    rate : ndarray
        Orders a day at a neutral mood.
    basket : ndarray
        Usual amount of an order, in the currency.
    minds_price, averse : ndarray
        Price sensitivity p and aversion to contact v, in (0, 1).
    redeems, opens : ndarray
        Chance to redeem a coupon, and to open a mail.
    regular : ndarray of int64
        Shape of the gaps between orders: 1 (as chance will), 2 or 4 (regular).
    margin : ndarray
        Margin share of an order.
    content : ndarray
        The mood they come back to.
    visits : ndarray
        Sessions a day at a neutral mood.
    mail_allowed, call_allowed : ndarray of bool
        Whether marketing by e-mail was allowed at first, and whether it is by telephone.
    tracked, profiled : ndarray of bool
        Whether sessions are recorded; whether they may be profiled.
    held_out, randomised : ndarray of bool
        Never contacted; contacted at random.
    member : ndarray of bool
        Whether they take out a contract.
    price : ndarray
        Of 30 days of the contract.
    z : ndarray of shape (n, 4)
        What the traits, and what is seen of the customer, are made of.
    """

    number: Counts
    keys: Keys
    born: Counts
    rate: Values
    basket: Values
    minds_price: Values
    averse: Values
    redeems: Values
    opens: Values
    regular: Counts
    margin: Values
    content: Values
    visits: Values
    mail_allowed: npt.NDArray[np.bool_]
    call_allowed: npt.NDArray[np.bool_]
    tracked: npt.NDArray[np.bool_]
    profiled: npt.NDArray[np.bool_]
    held_out: npt.NDArray[np.bool_]
    randomised: npt.NDArray[np.bool_]
    member: npt.NDArray[np.bool_]
    price: Values
    z: Values

    def __len__(self) -> int:
        return len(self.number)

    def take(self, places: Counts) -> Traits:
        """Return some of them."""
        return Traits(**{field.name: getattr(self, field.name)[places] for field in fields(self)})

    def redrawn(self, seed: int, redraw: Counts) -> Traits:
        """Return the same customers with other chance from here on: 1, 2, 3 … are other futures."""
        return replace(self, keys=keys_of(seed, self.number, redraw))


def draw_traits(seed: int, n_customers: int, days: int, variant: Variant, first: int = 0) -> Traits:
    """Draw customers; the same number in the same market is the same customer, however many are drawn.

    Parameters
    ----------
    days : int
        Length of the market; those who come during it come with the season.
    first : int
        Number of the first.
    """
    number = np.arange(first, first + n_customers, dtype=np.int64)
    keys = keys_of(seed, number)
    raw = np.column_stack([normal(keys, f"trait {place}", 0) for place in range(4)])
    z = raw.copy()
    z[:, 1] = 0.2 * raw[:, 0] + np.sqrt(1 - 0.2**2) * raw[:, 1]
    z[:, 3] = -0.2 * raw[:, 2] + np.sqrt(1 - 0.2**2) * raw[:, 3]
    if variant.memoryless:
        z[:] = 0.0
    same = variant.memoryless

    def drawn(process: str) -> Values:
        return uniform(keys, process, 0)

    return Traits(
        number=number,
        keys=keys,
        born=_born(keys, days, same=same),
        rate=np.exp(-3.4 + 0.7 * z[:, 0]),
        basket=np.exp(3.6 + 0.5 * z[:, 1]),
        minds_price=logistic(-0.3 + z[:, 2]),
        averse=logistic(-1 + z[:, 3]),
        redeems=logistic(-1 + z[:, 2]),
        opens=logistic(0.2 - z[:, 3]),
        regular=np.array([1, 2, 4])[np.searchsorted([0.6, 0.9], drawn("regular")) * (not same)],
        margin=0.25 + 0.15 * drawn("margin") * (not same),
        content=np.zeros(n_customers) if same else 0.3 + 0.6 * normal(keys, "content", 0),
        visits=0.12 * np.exp(0.5 * z[:, 0] + (0.0 if same else 0.4) * normal(keys, "visits", 0)),
        mail_allowed=drawn("allows mail") < np.clip(0.65 + 0.05 * z[:, 0], 0, 1),
        call_allowed=drawn("allows calls") < 0.8,
        tracked=drawn("tracked") < 0.7,
        profiled=drawn("profiled") > 0.01,
        held_out=drawn("campaign group") < _HELD_OUT,
        randomised=(drawn("campaign group") >= _HELD_OUT) & (drawn("campaign group") < _HELD_OUT + _RANDOMISED),
        member=drawn("member") < (1.0 if variant.contractual else _MEMBERS),
        price=np.array([9.9, 19.9, 39.9])[np.searchsorted([-0.4, 0.8], z[:, 1])],
        z=z,
    )


def _born(keys: Keys, days: int, *, same: bool) -> Counts:
    """Return the day of first contact: two in five were there before, the others come with the season."""
    early = np.full(len(keys), same) | (uniform(keys, "known before", 0) < _KNOWN_BEFORE)
    weights = np.exp([season(day) for day in range(days)])
    reached = np.cumsum(weights) / weights.sum()
    coming = np.searchsorted(reached, uniform(keys, "comes", 0)).clip(0, days - 1)
    before = -1 - (uniform(keys, "came", 0) * EARLIER_DAYS).astype(np.int64)
    return np.where(early, before, coming)


def orders_before(traits: Traits) -> Counts:
    """Return how many orders those who were there before the data begin had placed by then."""
    known = np.maximum(-traits.born, 0) * traits.rate
    return np.asarray(np.where(traits.born < 0, np.round(known * _BOUGHT), 0), dtype=np.int64)


def seen_profile(traits: Traits) -> dict[str, Texts | Counts]:
    """Return what a company sees of its customers: noisy functions of the traits, some of it missing (empty)."""
    keys, z = traits.keys, traits.z

    def noisy(place: int, process: str) -> Values:
        return np.asarray(0.6 * z[:, place] + 0.8 * normal(keys, process, 0))

    region = np.array(REGIONS)
    income = np.array(["under 25k", "25k to 50k", "50k to 75k", "75k to 100k", "over 100k"])
    channel = np.array(["referral", "search", "social", "affiliate", "shop"])
    cuts = [-0.84, -0.25, 0.25, 0.84]
    known = uniform(keys, "income told", 0) < 0.7
    return {
        "region": region[np.searchsorted(cuts, noisy(0, "region"))],
        "income_band": np.where(known, income[np.searchsorted(cuts, noisy(1, "income"))], ""),
        "acquisition_channel": channel[np.searchsorted(cuts, noisy(2, "channel"))],
        "gender": np.array(["female", "male", ""])[np.searchsorted([0.45, 0.9], uniform(keys, "gender", 0))],
        "birth_year": np.clip(1980 - 12 * noisy(3, "age"), 1935, 2005).astype(np.int64),
    }
