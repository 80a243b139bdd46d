"""Who was given, or by chance refused, which action and when: the log from which effects are measured.

The table `contacts` is read here for this alone; nothing of a withheld contact is ever a feature. What was drawn by
chance is told from what was chosen by a rule by its recorded propensity, and each action finds its controls here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from churnml.errors import InvalidTableError
from churnml.events.clock import local_days
from churnml.events.facts import Facts
from churnml.events.point_in_time import Store, history
from churnml.events.schema import MONEY_SCALE

Texts = npt.NDArray[np.object_]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]

NOTHING: Final = "do_nothing"
"""What a draw among actions is called when it fell on none."""

EXPLORE, CHOICE, RULE = "explore", "choice", ""
"""Drawn among actions and nothing; chosen, then carried out or withheld by chance; neither, or nobody recorded it."""

_COLUMNS = ("action", "campaign", "arm", "propensity", "cost")
_DIGITS, _WHOLE = 9, 1e-6


@dataclass(frozen=True)
class Treatments:
    """One row per decision about a customer; arrays of shape (n_treatments,).

    Parameters
    ----------
    customer_ids : ndarray of object
        Texts; a customer comes as often as they were decided about.
    cutoffs : ndarray of int64
        Local midnight of the day of the decision, microseconds UTC: features stand at it, the outcome begins at it.
    action, campaign : ndarray of object
        Texts; the campaign is empty where none was named. A draw that fell on no action is `do_nothing`.
    arm : ndarray of bool
        True where the action was to be carried out, False where it was withheld, and for `do_nothing`.
    propensity : ndarray of float64
        Probability of being treated; of rows of a draw (`explore`) the probability of what was drawn, nothing included.
        NaN where nobody recorded one.
    cost : ndarray of float64
        What carrying it out cost, in the currency; 0 where it was withheld, NaN where it is not known.
    drawn_by : ndarray of object
        `explore`, `choice`, or empty for neither.
    among : ndarray of object
        Of `explore`, the actions that were open to this customer in the draw, joined by spaces; empty where nobody
        recorded them.

    Raises
    ------
    InvalidTableError
        If lengths differ, or a propensity lies outside [0, 1].
    """

    customer_ids: Texts
    cutoffs: Integers
    action: Texts
    campaign: Texts
    arm: Bools
    propensity: Floats
    cost: Floats
    drawn_by: Texts
    among: Texts

    def __post_init__(self) -> None:
        sizes = {one.name: len(getattr(self, one.name)) for one in fields(self)}
        if len(set(sizes.values())) > 1:
            told = ", ".join(f"{name} {size}" for name, size in sizes.items())
            raise InvalidTableError(f"treatments need one entry per decision in every column, got {told}")
        wrong = np.flatnonzero((self.propensity < 0) | (self.propensity > 1))
        if wrong.size:
            raise InvalidTableError(
                f"a propensity must lie between 0 and 1, got {self.propensity[wrong[0]]:g} in row {wrong[0]}; leave it "
                "empty where nothing was drawn by chance"
            )

    def __len__(self) -> int:
        return len(self.cutoffs)

    @property
    def randomised(self) -> Bools:
        """Which rows were drawn by chance: their propensity is recorded, and neither 0 nor 1."""
        return np.asarray((self.propensity > 0) & (self.propensity < 1))

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions that were given or withheld, sorted; to do nothing is none of them."""
        return tuple(sorted(set(self.action.tolist()) - {NOTHING}))

    def take(self, rows: Bools | Indices) -> Treatments:
        """Return some of the rows, in the order given."""
        return Treatments(*(getattr(self, one.name)[rows] for one in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence[Treatments]) -> Treatments:
        """Return the rows of several logs, one after the other; no log at all gives no rows."""
        if not parts:
            empty = {"cutoffs": np.int64, "arm": np.bool_, "propensity": np.float64, "cost": np.float64}
            return cls(*(np.zeros(0, dtype=empty.get(one.name, np.object_)) for one in fields(cls)))
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))


@dataclass(frozen=True)
class Comparison:
    """An action's treated beside its controls; arrays of shape (n_rows,).

    Parameters
    ----------
    rows : ndarray of intp
        Which treatments, ascending.
    treated : ndarray of bool
    propensity : ndarray of float64
        Probability of being treated, given treated or control of this comparison; within (0, 1).
    """

    rows: Indices
    treated: Bools
    propensity: Floats


def treatments(store: Store, known_by: int) -> Treatments:
    """Return every contact that was carried out or withheld, of everyone who has not refused to be profiled.

    Parameters
    ----------
    known_by : int
        What happened or was learned after this instant is left out; microseconds UTC.

    Returns
    -------
    Treatments
        By customer, then by time; no rows where no contacts have landed. `propensity` follows the contract of the
        table, which records the probability of the arm that was drawn: that of a control is turned round.
    """
    if "contacts" not in store.tables:
        return Treatments.joined([])
    logged = Treatments.joined([_of_block(store, number, known_by) for number in range(store.n_blocks)])
    explore = _drawn_among_actions(logged)
    propensity = np.where(logged.arm | explore, logged.propensity, 1 - logged.propensity)
    by_chance = (propensity > 0) & (propensity < 1)
    drawn_by = np.where(explore, EXPLORE, np.where(by_chance, CHOICE, RULE)).astype(object)
    return replace(logged, propensity=propensity, drawn_by=drawn_by)


def comparison(log: Treatments, action: str) -> Comparison:
    """Return those who got an action by chance, and those who by chance did not.

    Controls are of two kinds, and both are used. Of a *choice*, those for whom the same action was chosen and then
    withheld: treated with the recorded propensity. Of a *draw* (`explore`), those to whom it gave nothing though this
    action was open to them: given one of the two, the action came with :math:`p_a / (p_a + p_0)`, which is one half, as
    both are drawn with equal probability. Where nobody recorded what was open, draws of one campaign with one
    propensity are taken as draws among the same actions, from the first day on which this action came up to the last.

    Parameters
    ----------
    log : Treatments
    action : str

    Returns
    -------
    Comparison
        Without rows where the action was never drawn by chance. One of the arms may be empty.
    """
    by_chance, its = log.randomised, log.action == action
    choice = by_chance & its & (log.drawn_by != EXPLORE)
    drawn = by_chance & its & (log.drawn_by == EXPLORE) & log.arm
    nothing = by_chance & (log.action == NOTHING) & (log.drawn_by == EXPLORE)
    controls = _was_open(log, action, drawn, nothing)
    rows = np.flatnonzero(choice | drawn | controls)
    propensity = np.where((drawn | controls)[rows], 0.5, log.propensity[rows])
    return Comparison(rows, log.arm[rows], propensity)


@dataclass(frozen=True)
class Draws:
    """Draws among actions and nothing, with the chance of everything that was in each.

    Parameters
    ----------
    rows : ndarray of intp, shape (n_draws,)
        Which treatments, ascending.
    action : ndarray of intp, shape (n_draws,)
        What was drawn: 0 for nothing, then the actions in the order asked for.
    propensities : ndarray of float64, shape (n_draws, 1 + n_actions)
        Of each; 0 where an action was not open. A row adds up to 1.
    """

    rows: Indices
    action: Indices
    propensities: Floats


def draws(log: Treatments, actions: Sequence[str]) -> Draws:
    """Return the draws whose chances are all known, so that any policy over these actions can be held against them.

    Parameters
    ----------
    log : Treatments
    actions : sequence of str
        Without `do_nothing`. Draws in which others were open, too, are left out: their chances do not add up to 1.

    Returns
    -------
    Draws
    """
    explored = log.randomised & (log.drawn_by == EXPLORE) & (log.arm | (log.action == NOTHING))
    open_to = [_was_open(log, one, explored & log.arm & (log.action == one), explored) for one in actions]
    chances = np.column_stack([explored, *open_to]) * log.propensity[:, None]
    whole = explored & (np.abs(np.nan_to_num(chances).sum(axis=1) - 1) < _WHOLE)
    whole &= np.isin(log.action.astype(str), [NOTHING, *actions])
    rows, place = np.flatnonzero(whole), {name: number for number, name in enumerate([NOTHING, *actions])}
    return Draws(rows, np.array([place[one] for one in log.action[rows]], dtype=np.intp), chances[rows])


def executed(assigned: Treatments, contacts: Treatments) -> tuple[Treatments, Bools]:
    """Return assignments and contacts as one log, and which assignments were broken.

    A contact of the same campaign, customer and action as an assignment is how that was carried out, and no treatment
    of its own; so is any of a customer to whom the campaign's draw gave nothing. The arm stays as it was assigned
    (intention to treat).

    Parameters
    ----------
    assigned : Treatments
        Of the ledger; within a campaign a customer is assigned once.
    contacts : Treatments

    Returns
    -------
    Treatments
        The assignments, then the contacts that belong to none.
    ndarray of bool, shape (n_assigned,)
        Controls who were treated all the same.
    """
    given = dict(zip(_whose(assigned), zip(assigned.action.tolist(), assigned.arm.tolist(), strict=True), strict=True))
    own, broken = np.ones(len(contacts), dtype=np.bool_), set()
    for row, whose in enumerate(_whose(contacts)):
        action, arm = given.get(whose, (None, True))
        own[row] = action not in {contacts.action[row], NOTHING}
        if not own[row] and contacts.arm[row] and not arm:
            broken.add(whose)
    breach = np.fromiter((whose in broken for whose in _whose(assigned)), dtype=np.bool_, count=len(assigned))
    return Treatments.joined([assigned, contacts.take(own)]), breach


def _whose(log: Treatments) -> list[tuple[str, str]]:
    return list(zip(log.campaign.tolist(), log.customer_ids.tolist(), strict=True))


def _was_open(log: Treatments, action: str, drawn: Bools, asked: Bools) -> Bools:
    """Return for which of the rows asked for a draw could have fallen on an action; `drawn` are those where it did."""
    told = np.fromiter((action in among.split() for among in log.among), dtype=np.bool_, count=len(log))
    unsaid = log.among == ""
    draw = _draws(log)
    seen = drawn & unsaid
    first = np.full(int(draw.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    last = np.full(len(first), np.iinfo(np.int64).min)
    np.minimum.at(first, draw[seen], log.cutoffs[seen])
    np.maximum.at(last, draw[seen], log.cutoffs[seen])
    within = (log.cutoffs >= first[draw]) & (log.cutoffs <= last[draw])
    return np.asarray(np.where(unsaid, within, told) & asked)


def _drawn_among_actions(log: Treatments) -> Bools:
    """Return which contacts were drawn among actions and nothing: there are such draws that fell on nothing."""
    nothing = (log.action == NOTHING) & (log.propensity > 0) & (log.propensity < 1)
    draw = _draws(log)
    some = np.zeros(int(draw.max(initial=-1)) + 1, dtype=np.bool_)
    some[draw[nothing]] = True
    return np.asarray(nothing | (log.arm & some[draw]))


def _draws(log: Treatments) -> Indices:
    """Return a number for each campaign and propensity that occur together."""
    _, campaign = np.unique(log.campaign.astype(str), return_inverse=True)
    _, propensity = np.unique(np.round(log.propensity, _DIGITS), return_inverse=True)
    together = np.stack([campaign, propensity], axis=1).reshape(-1, 2)
    return np.asarray(np.unique(together, axis=0, return_inverse=True)[1].reshape(-1), dtype=np.intp)


def _of_block(store: Store, number: int, known_by: int) -> Treatments:
    """Return the contacts of a block, each with the propensity of its arm as it was recorded."""
    block = history(store, number, [known_by], {"contacts": _COLUMNS})
    facts = block.facts["contacts"]
    action, campaign, arm = (_words(facts, name) for name in ("action", "campaign", "arm"))
    treated = np.asarray((arm != "control") & (action != NOTHING), dtype=np.bool_)
    cost, recorded = (np.asarray(facts.columns[name], dtype=np.float64) for name in ("cost", "propensity"))
    unsaid = np.full(len(action), "", dtype=object)
    return Treatments(
        customer_ids=block.customer_ids[facts.customer],
        cutoffs=facts.event_at - local_days(facts.event_at, store.time_zone)[1],
        action=action,
        campaign=campaign,
        arm=treated,
        propensity=recorded,
        cost=np.where(treated, cost / MONEY_SCALE, 0.0),
        drawn_by=unsaid,
        among=unsaid,
    )


def _words(facts: Facts, name: str) -> Texts:
    """Return a column of texts, empty where there is none."""
    return np.array([*facts.words[name], ""], dtype=object)[facts.columns[name]]
