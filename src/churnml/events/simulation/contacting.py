"""Whom the company of the market contacts, and what it logs: a hold-out, a slice at random, and a rule for the rest.

Each customer is up for a decision every fourth Monday. The rule looks at nothing but how long someone has been silent
and whether they complained, as rules of thumb do; it looks at one customer at a time, so a market can be lived in
parts. In a confounded market a feeling for the mood, which no table records, sways it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from churnml.events.simulation import equations as eq
from churnml.events.simulation.chance import Counts, Values, uniform
from churnml.events.simulation.customers import Traits
from churnml.events.simulation.lives import UNBORN, Places, State, contact

NOTHING = -1
"""The arm that leaves in peace."""

_MONDAY, _TURNS = 1, 4
_SILENT = (30, 60, 90, 150)
_BY_SILENCE = np.array([NOTHING, eq.MAIL, eq.SHIPPING, eq.COUPON, NOTHING])
_CALLS_BACK, _COMPLAINED_DAYS = 0.5, 28
_FEELING_DAYS = 60.0


@dataclass(frozen=True)
class Decisions:
    """What was decided on a morning; arrays of shape (n_decisions,).

    Parameters
    ----------
    place : ndarray of intp
        About whom.
    action : ndarray of int64
        What, or `NOTHING`.
    treated : ndarray of bool
        Whether it was carried out; False for what was withheld.
    propensity : ndarray
        The probability with which the arm was drawn; NaN where nothing was drawn.
    """

    place: npt.NDArray[np.intp]
    action: Counts
    treated: npt.NDArray[np.bool_]
    propensity: Values


def decide(traits: Traits, state: State, variant: eq.Variant, day: int) -> Decisions | None:
    """Return the decisions of a morning; None on a day that is no Monday."""
    if day % 7 != _MONDAY:
        return None
    up = (state.mode != UNBORN) & (traits.number % _TURNS == day // 7 % _TURNS)
    by_chance = np.flatnonzero(up & traits.randomised & state.allowed & traits.call_allowed)
    arms = len(eq.ACTIONS) + 1
    drawn = (uniform(traits.keys[by_chance], "arm", day) * arms).astype(np.int64) - 1
    by_rule = np.flatnonzero(up & ~traits.randomised)
    ruled = _rule(traits, state, variant, day, by_rule)
    by_rule, ruled = by_rule[ruled != NOTHING], ruled[ruled != NOTHING]
    return Decisions(
        np.concatenate([by_chance, by_rule]),
        np.concatenate([drawn, ruled]),
        np.concatenate([drawn != NOTHING, ~traits.held_out[by_rule]]),
        np.concatenate([np.full(len(by_chance), 1 / arms), np.full(len(by_rule), np.nan)]),
    )


def carry_out(traits: Traits, state: State, variant: eq.Variant, day: int, decided: Decisions) -> Places:
    """Carry out what was decided on a morning, and return who takes the permission back for it."""
    withdrew = []
    for action in range(len(eq.ACTIONS)):
        chosen = decided.place[(decided.action == action) & decided.treated]
        withdrew.append(contact(traits, state, variant, day, action, chosen))
    return np.concatenate(withdrew)


def _rule(traits: Traits, state: State, variant: eq.Variant, day: int, places: npt.NDArray[np.intp]) -> Counts:
    """Return what the rule of thumb would do about some customers."""
    silent = (day - np.maximum(state.order_day, traits.born)[places]).astype(np.float64)
    felt = _FEELING_DAYS * variant.judgement * (traits.content - state.mood)[places]
    chosen = _BY_SILENCE[np.searchsorted(_SILENT, silent + felt)]
    chosen = np.where(state.allowed[places], chosen, NOTHING)
    complained = day - state.complaint_day[places] <= _COMPLAINED_DAYS
    calls = complained & traits.call_allowed[places] & (uniform(traits.keys[places], "calls", day) < _CALLS_BACK)
    return np.where(calls, eq.CALL, chosen)
