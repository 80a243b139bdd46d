"""What has passed between us and each customer lately: complaints not settled, contacts carried out.

It is read through the wall, as it was known at the cutoff the customers were scored at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from churnml.events.clock import days_later, local_days
from churnml.events.facts import Facts
from churnml.events.point_in_time import Block, Store, history

Flags = npt.NDArray[np.bool_]

COMPLAINTS = ("complaint", "problem", "incident")
"""What kinds of ticket complain, in small letters."""

COMPLAINS = f"lower(trim(kind)) IN {COMPLAINTS}"
"""The same as a condition in SQL over `tickets`."""

WEEK_DAYS = 7
_WANTED = {
    "contacts": ("action", "arm"),
    "tickets": ("kind",),
    "tickets.resolved_at": ("kind",),
    "tickets.reopened_at": ("kind",),
}
_TURNS = {"tickets": 1, "tickets.resolved_at": -1, "tickets.reopened_at": 1}
"""What each fact of a complaint does to the number of those that are open."""


@dataclass(frozen=True)
class Recent:
    """What passed between us and some customers.

    Parameters
    ----------
    open_complaint : ndarray of bool, shape (n_customers,)
        Whether a complaint is not settled, or was opened again.
    contacts : ndarray of int, shape (n_customers,)
        Contacts carried out in the seven days before the cutoff; those withheld from a control never reached anybody.
    days_since : ndarray of shape (n_customers, n_actions)
        Local days since each action was last carried out; infinite where it never was.
    """

    open_complaint: Flags
    contacts: npt.NDArray[np.int64]
    days_since: npt.NDArray[np.float64]


def recent(
    store: Store, cutoff: int, customer_ids: Sequence[str], actions: Sequence[str], complaint_days: int
) -> Recent:
    """Return what passed between us and some customers before a cutoff.

    Parameters
    ----------
    cutoff : int
        Microseconds UTC; nothing that happened at it or later, or was learned later, is read.
    customer_ids : sequence of str, length n_customers
        About whom is asked, each once.
    actions : sequence of str, length n_actions
        Names of actions as `contacts` bear them, in whatever case.
    complaint_days : int
        How long a complaint counts as open whose end was never recorded, as where an export tells no ends at all.
    """
    asked = {customer: place for place, customer in enumerate(customer_ids)}
    found = Recent(
        np.zeros(len(asked), dtype=np.bool_),
        np.zeros(len(asked), dtype=np.int64),
        np.full((len(asked), len(actions)), np.inf),
    )
    if not {"contacts", "tickets"} & store.tables:
        return found
    since = days_later(cutoff, -complaint_days, store.time_zone)
    for number in range(store.n_blocks):
        block = history(store, number, [cutoff], _WANTED)
        mine = np.fromiter((asked.get(one, -1) for one in block.customer_ids), np.intp, len(block.customer_ids))
        if "tickets" in block.facts:
            found.open_complaint[mine[mine >= 0]] = _complaining(block, since)[mine >= 0]
        if "contacts" in block.facts:
            _add_contacts(found, block.facts["contacts"], mine, actions, cutoff, store.time_zone)
    return found


def said(facts: Facts, column: str, words: Sequence[str]) -> Flags:
    """Tell of which rows a text column holds one of some words, in whatever case they are written."""
    codes = [place for place, word in enumerate(facts.words[column]) if word.strip().casefold() in words]
    return np.isin(facts.columns[column], codes)


def _complaining(block: Block, since: int) -> Flags:
    """Return who has more complaints opened since an instant than of these were settled; shape (n_customers,)."""
    still_open = np.zeros(len(block.customer_ids), dtype=np.int64)
    for name, turn in _TURNS.items():
        facts = block.facts[name]
        rows = said(facts, "kind", COMPLAINTS) & (facts.event_at >= since)
        np.add.at(still_open, facts.customer[rows], turn)
    return still_open > 0


def _add_contacts(
    found: Recent, contacts: Facts, mine: npt.NDArray[np.intp], actions: Sequence[str], cutoff: int, time_zone: str
) -> None:
    rows = ~said(contacts, "arm", ("control",)) & (mine[contacts.customer] >= 0)
    who, at = mine[contacts.customer[rows]], contacts.event_at[rows]
    week = at >= days_later(cutoff, -WEEK_DAYS, time_zone)
    np.add.at(found.contacts, who[week], 1)
    today = local_days(np.array([cutoff]), time_zone)[0][0]
    days = (today - local_days(at, time_zone)[0]).astype(np.float64)
    for place, action in enumerate(actions):
        same = said(contacts, "action", (action.casefold(),))[rows]
        np.minimum.at(found.days_since[:, place], who[same], days[same])
