"""Small markets, each lived once for all tests of this folder."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from churnml.events.simulation import Market, live


@dataclass
class Lived:
    """A market as it was lived: its days, the saved mornings, and arrays of shape (n_days, n_customers)."""

    market: Market
    traits: object
    happened: list = field(default_factory=list)
    decided: dict = field(default_factory=dict)
    mornings: dict = field(default_factory=dict)
    ordered: np.ndarray = None
    mood: np.ndarray = None
    mode: np.ndarray = None

    @classmethod
    def of(cls, market):
        shape = market.days, market.customers
        arrays = {"ordered": np.zeros(shape, bool), "mood": np.zeros(shape), "mode": np.zeros(shape, np.int8)}
        one = cls(market, market.traits(), **arrays)
        for number, day in enumerate(live(market, one.traits)):
            one.happened.append(day.happened)
            one.ordered[number, day.happened.orders.place] = True
            one.mood[number], one.mode[number] = day.state.mood, day.state.mode
            if day.decided is not None:
                one.decided[number] = day.decided
            if day.morning is not None:
                one.mornings[number] = day.morning
        return one


@pytest.fixture(scope="session")
def lived():
    """Return a function that gives a market of a variant."""
    known = {}

    def of(variant="plain", customers=3_000, days=560):
        key = variant, customers, days
        known[key] = known.get(key) or Lived.of(Market(*key[1:], 7, variant))
        return known[key]

    return of
