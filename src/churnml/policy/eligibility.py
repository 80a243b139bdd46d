"""What may be done for whom: permission first, then rest, then whether the action suits the customer.

The rules are asked in a fixed order and every closed (customer, action) pair is counted once, under the first that
closed it; so the counts and the open pairs add up to all pairs. `policy/words.py` says each rule in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from churnml.config import Sector
from churnml.errors import InvalidTableError
from churnml.policy.actions import Action, Catalogue
from churnml.policy.facts import Facts

Flags = NDArray[np.bool_]

Rule = Literal[
    "no_profiling",
    "held_out",
    "assigned",
    "sector",
    "no_consent",
    "open_complaint",
    "contact_cap",
    "cool_down",
    "stage",
    "segment",
    "risk_band",
    "reason",
    "no_renewal",
    "no_category",
    "sleeping_dog",
]
RULES: tuple[Rule, ...] = get_args(Rule)
"""In the order they are asked."""

_OPEN = -1


@dataclass(frozen=True)
class Limits:
    """What holds for all customers alike.

    Parameters
    ----------
    sector : str
        The kind of business; actions for others are closed.
    contacts_per_week : int
        Contacts that a customer may have in seven days, the one that is chosen included.
    """

    sector: Sector = "retail"
    contacts_per_week: int = 2


@dataclass(frozen=True)
class Eligibility:
    """Which actions are open to which customers, and which rule closed the others.

    Parameters
    ----------
    catalogue : Catalogue
        The actions.
    closed_by : ndarray of int8, shape (n_customers, n_actions)
        Place among `RULES` of the first rule that closed the pair; -1 where it is open. `do_nothing`, the first
        column, is open to everyone.
    """

    catalogue: Catalogue
    closed_by: NDArray[np.int8]

    @property
    def is_open(self) -> Flags:
        """Which actions are open to which customers, shape (n_customers, n_actions)."""
        return np.asarray(self.closed_by == _OPEN)

    @cached_property
    def by_action(self) -> Mapping[str, Mapping[Rule, int]]:
        """How many customers each rule closed each action to; rules that closed it to nobody are left out."""
        counts = {
            name: np.bincount(column[column != _OPEN], minlength=len(RULES))
            for name, column in zip(self.catalogue.names, self.closed_by.T, strict=True)
        }
        return {
            name: {rule: int(count) for rule, count in zip(RULES, found, strict=True) if count}
            for name, found in counts.items()
        }

    @cached_property
    def pairs(self) -> Mapping[Rule, int]:
        """How many (customer, action) pairs each rule closed."""
        return {rule: sum(found.get(rule, 0) for found in self.by_action.values()) for rule in RULES}

    @cached_property
    def nothing_open(self) -> Flags:
        """To whom every action but doing nothing is closed, shape (n_customers,); nobody where there is no other."""
        return np.asarray((self.closed_by[:, 1:] != _OPEN).all(axis=1) & (self.closed_by.shape[1] > 1))

    @cached_property
    def main_rule(self) -> NDArray[np.object_]:
        """Why nothing was open: the rule that closed most of the actions, shape (n_customers,); None where some are.

        Actions for another kind of business say nothing of a customer and count only where there are no others. Of
        two rules that closed as many, the one that is asked first.
        """
        sector = RULES.index("sector")
        counts = np.stack([(self.closed_by[:, 1:] == place).sum(axis=1) for place in range(len(RULES))], axis=1)
        counts[np.delete(counts, sector, axis=1).any(axis=1), sector] = 0
        named = np.array(RULES, dtype=np.object_)[np.argmax(counts, axis=1)]
        return np.asarray(np.where(self.nothing_open, named, None))


def eligibility(catalogue: Catalogue, facts: Facts, limits: Limits | None = None) -> Eligibility:
    """Return which actions are open to which customers, and why the others are not.

    Parameters
    ----------
    catalogue : Catalogue
        The actions.
    facts : Facts
        The customers.
    limits : Limits, optional
        What holds for all of them.

    Raises
    ------
    InvalidTableError
        If a column with one entry per action has another number of actions.
    """
    closed_by = np.full((len(facts), len(catalogue.actions)), _OPEN, dtype=np.int8)
    for rule, closed in _closed(catalogue, facts, limits or Limits()):
        untouched = closed_by == _OPEN
        untouched[:, 0] = False
        closed_by[untouched & closed] = RULES.index(rule)
    return Eligibility(catalogue, closed_by)


def _closed(catalogue: Catalogue, facts: Facts, limits: Limits) -> Iterator[tuple[Rule, Flags]]:
    """Give each rule, in order, with the pairs it closes; its shape is (n_customers, n_actions) or stretches to it."""
    actions = catalogue.actions

    def of(wanted: list[bool]) -> Flags:
        return np.array(wanted, dtype=np.bool_)[None, :]

    contacts = of([action.channel != "none" for action in actions])
    yield "no_profiling", facts.flags("refuses_profiling")[:, None]
    yield "held_out", facts.flags("held_out")[:, None]
    yield "assigned", facts.flags("assigned")[:, None]
    yield "sector", of([bool(action.sectors) and limits.sector not in action.sectors for action in actions])
    yield "no_consent", ~_consented(facts, actions) & contacts & of([one.purpose == "marketing" for one in actions])
    complains = facts.flags("open_complaint")[:, None]
    yield (
        "open_complaint",
        (complains & of([action.open_complaint == "closes" for action in actions]))
        | (~complains & of([action.open_complaint == "requires" for action in actions])),
    )
    lately = facts.numbers("contacts", 0.0) + facts.numbers("assigned_contacts", 0.0)
    yield "contact_cap", (lately >= limits.contacts_per_week)[:, None] & contacts
    yield "cool_down", _days_since(facts, actions) < np.array([action.cool_down_days for action in actions])
    yield "stage", _unsuited(facts, "stages", actions)
    yield "segment", _unsuited(facts, "segments", actions)
    yield "risk_band", _unsuited(facts, "bands", actions)
    yield "reason", _unsuited(facts, "reasons", actions)
    within = np.array([np.inf if one.renews_within_days is None else one.renews_within_days for one in actions])
    ahead = np.nan_to_num(facts.numbers("days_to_renewal", np.nan), nan=np.inf)[:, None]
    yield "no_renewal", np.isfinite(within)[None, :] & ~(ahead <= within)
    categories, place = facts.words("next_category")
    unnamed = np.array([not category for category in categories], dtype=np.bool_)[place]
    yield "no_category", unnamed[:, None] & of([action.names_category for action in actions])
    yield "sleeping_dog", _sleeping(facts, actions)


def _consented(facts: Facts, actions: tuple[Action, ...]) -> Flags:
    if facts.consented is None:
        return np.ones((1, 1), dtype=np.bool_)
    consent = np.asarray(facts.consented, dtype=np.bool_)
    if consent.ndim == 1:
        return consent[:, None]
    _check_actions("consented", consent.shape, actions)
    return consent


def _days_since(facts: Facts, actions: tuple[Action, ...]) -> NDArray[np.float64]:
    if facts.days_since is None:
        return np.full((1, 1), np.inf)
    days = np.asarray(facts.days_since, dtype=np.float64)
    _check_actions("days_since", days.shape, actions)
    return days


def _sleeping(facts: Facts, actions: tuple[Action, ...]) -> Flags:
    if facts.sleeping is None:
        return np.zeros((1, 1), dtype=np.bool_)
    sleeping = np.asarray(facts.sleeping, dtype=np.bool_)
    _check_actions("sleeping", sleeping.shape, actions)
    return sleeping


def _check_actions(name: str, shape: tuple[int, ...], actions: tuple[Action, ...]) -> None:
    if len(shape) != 2 or shape[1] != len(actions):
        raise InvalidTableError(
            f"`{name}` needs one entry per customer and action, got shape {shape} for {len(actions)} actions"
        )


def _unsuited(facts: Facts, name: str, actions: tuple[Action, ...]) -> Flags:
    """Return to whom an action is closed because it wants another word in a column; wanting none suits everyone."""
    words, place = facts.words(name)
    wanted = [getattr(action, name) for action in actions]
    closed = np.array([[bool(some) and word not in some for some in wanted] for word in words], dtype=np.bool_)
    return np.asarray(closed.reshape(len(words), len(actions))[place])
