"""What is done about each customer: the recipe from what is known of them to an action, an arm and a propensity."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from churnml.policy.actions import DO_NOTHING, Catalogue
from churnml.policy.assignment import MILLION, Assignment, assign, millionths
from churnml.policy.effect import SOURCES, Effect, prior_effect
from churnml.policy.eligibility import Eligibility, Limits, eligibility
from churnml.policy.experiment import Design, Explored, control_of_each, explore
from churnml.policy.facts import Facts

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Texts = NDArray[np.str_]


@dataclass(frozen=True)
class Decisions:
    """What to do for each customer, and the sums a summary needs.

    Attributes
    ----------
    action : ndarray of str, shape (n_customers,)
        The action chosen or drawn, also for those from whom it is withheld.
    arm : ndarray of str, shape (n_customers,)
        `treated`: carry it out. `control`: chosen but withheld at random, or nothing was drawn. `held_out`: in the
        hold-out of every campaign. `none`: the choice is to do nothing.
    propensity : ndarray of shape (n_customers,)
        Of what was chosen, the probability that it is carried out: 1 - control share. Of what was drawn by lot, the
        probability of what was drawn. 0 in the arms `held_out` and `none`.
    explored : Explored
        Who got their action by lot, and among which.
    expected_net_value : ndarray of shape (n_customers,)
        Expected effect less expected cost of the action, in currency units. For a control it is what the action would
        have brought.
    effect_source : ndarray of str, shape (n_customers,)
        Where the effect comes from, one of `effect.SOURCES`.
    cost, max_cost : ndarray of shape (n_customers,)
        What the action is expected to cost and can cost at most, in currency units.
    no_action_because : ndarray of str, shape (n_customers,)
        Why the choice is to do nothing, a key of `words.BECAUSE`; None where something is done or was drawn.
    assignment : Assignment
        The choice before controls were withheld, in the cautious values it was made by; explorers are not in it.
    eligibility : Eligibility
        What was open to whom, and by which rule the rest was closed.
    choosing : Choosing
        What the choice was made from.
    """

    action: Texts
    arm: Texts
    propensity: Floats
    explored: Explored
    expected_net_value: Floats
    effect_source: Texts
    cost: Floats
    max_cost: Floats
    no_action_because: NDArray[np.object_]
    assignment: Assignment
    eligibility: Eligibility
    choosing: Choosing

    @property
    def treated(self) -> Flags:
        """For whom something is done, shape (n_customers,)."""
        return np.asarray(self.arm == "treated")

    @property
    def reserved(self) -> float:
        """Sum of `max_cost` over the treated; what was set aside for controls is released."""
        return float(millionths(self.max_cost[self.treated]).sum()) / MILLION

    @property
    def expected_cost(self) -> float:
        """Sum of `cost` over the treated."""
        return float(self.cost[self.treated].sum())

    def without(self, refused: Flags) -> Decisions:
        """Return the decisions with nothing done about some: others took the money while this was decided.

        Parameters
        ----------
        refused : ndarray of bool, shape (n_customers,)
        """
        if not refused.any():
            return self
        lots = Explored(
            self.explored.who & ~refused,
            np.where(refused, 0, self.explored.action),
            self.explored.among & ~refused[:, None],
        )
        return replace(
            self,
            action=np.where(refused, DO_NOTHING, self.action),
            arm=np.where(refused, "none", self.arm),
            explored=lots,
            propensity=np.where(refused, 0.0, self.propensity),
            expected_net_value=np.where(refused, 0.0, self.expected_net_value),
            cost=np.where(refused, 0.0, self.cost),
            max_cost=np.where(refused, 0.0, self.max_cost),
            effect_source=np.where(refused, SOURCES[0], self.effect_source),
            no_action_because=np.where(refused, "limits", self.no_action_because),
        )


@dataclass(frozen=True)
class Choosing:
    """What actions are chosen from; arrays of shape (n_customers, n_actions).

    Attributes
    ----------
    net_value : ndarray
        The lower bound of the effect less the expected cost, in currency units.
    max_costs : ndarray of shape (n_actions,)
        The most that each action can cost.
    is_open : ndarray of bool
        What is open to whom; nothing to those who draw by lot.
    budget : float
        What is left for choosing.
    capacities : ndarray of shape (n_actions,)
        Customers that each action can still take.
    """

    net_value: Floats
    max_costs: Floats
    is_open: Flags
    budget: float
    capacities: Floats

    def best(self) -> Assignment:
        """Return the choice that is worth most."""
        return assign(self.net_value, self.max_costs, self.is_open, self.budget, self.capacities)


def decide(
    facts: Facts,
    catalogue: Catalogue,
    *,
    budget: float,
    design: Design,
    limits: Limits | None = None,
    effect: Effect | None = None,
) -> Decisions:
    """Return one decision per customer: the best affordable action or one drawn by lot, carried out or withheld.

    Actions are compared by the lower bound of their effect less their expected cost; the budget reserves their
    `max_cost`.

    Parameters
    ----------
    facts : Facts
        What is known of the customers.
    catalogue : Catalogue
        The actions.
    budget : float
        The most that all actions together may cost, in currency units.
    design : Design
        How chance is used.
    limits : Limits, optional
        What holds for all customers alike, see `eligibility`.
    effect : Effect, optional
        What each action would change for each customer; by default what the catalogue's priors imply.

    Returns
    -------
    Decisions

    Raises
    ------
    InvalidTableError
        If a value is out of its range, or a column with one entry per action has another number of actions.
    UsageError
        If the budget is negative or a share out of its range.
    """
    effect = effect or prior_effect(catalogue, facts.churn_probability, facts.value_if_retained, facts.expected_margin)
    costs, allowed = catalogue.costs(facts.baskets), eligibility(catalogue, facts, limits)
    lots = _explore(facts, catalogue, allowed, design, budget)
    choosing = _what_is_left(catalogue, effect.lower - costs, allowed, lots, budget)
    best = choosing.best()

    # The action is chosen for everyone first, the coin tossed after. So within an action treated and controls were
    # chosen by one rule from one set of facts and differ by the coin alone. Tossed first, controls would have no
    # action to be compared on. The money released is not spent again: whoever got it would be treated because of
    # another's coin, with a propensity nobody knows and no counterpart among the controls.
    action, everyone = np.where(lots.who, lots.action, best.action), np.arange(len(facts))
    chosen, names = best.action > 0, np.array(catalogue.names)[action]
    control = _withheld(facts, names, chosen, design) | (lots.who & (lots.action == 0))
    arm = np.where(control, "control", np.where(action > 0, "treated", "none"))
    return Decisions(
        action=names,
        arm=np.where(facts.flags("held_out"), "held_out", arm),
        propensity=np.where(lots.who, lots.propensity, np.where(chosen, 1 - design.control_share, 0.0)),
        explored=lots,
        expected_net_value=(effect.margin_change - costs)[everyone, action],
        effect_source=np.array(SOURCES)[effect.source[everyone, action]],
        cost=costs[everyone, action],
        max_cost=catalogue.max_costs[action],
        no_action_because=_because(allowed, effect.lower - costs, chosen | lots.who),
        assignment=best,
        eligibility=allowed,
        choosing=choosing,
    )


def _explore(facts: Facts, catalogue: Catalogue, allowed: Eligibility, design: Design, budget: float) -> Explored:
    unknown = np.array([name not in design.known for name in catalogue.names])
    unknown[0] = False
    asking = (allowed.is_open & unknown).any(axis=1)
    return explore(
        facts.customer_ids,
        allowed.is_open,
        catalogue.max_costs,
        salt=design.salt,
        share=np.where(asking, design.explore_share, design.explore_share_known),
        budget=budget * design.explore_budget_share,
        capacities=catalogue.capacities * design.explore_budget_share,
    )


def _what_is_left(
    catalogue: Catalogue, cautious: Floats, allowed: Eligibility, lots: Explored, budget: float
) -> Choosing:
    """Return what is chosen from once lots are drawn: less what each could have drawn, so that no lot moves another."""
    claimed = np.where(lots.among, catalogue.max_costs, 0.0).max(axis=1, initial=0.0).sum()
    room = catalogue.capacities - lots.among.sum(axis=0)
    room[0] = np.inf
    is_open = allowed.is_open & ~lots.who[:, None]
    return Choosing(cautious, catalogue.max_costs, is_open, max(budget - float(claimed), 0.0), room)


def _withheld(facts: Facts, names: Texts, chosen: Flags, design: Design) -> Flags:
    """Return from whom the action that was chosen is withheld."""
    control, rows = np.zeros(len(facts), dtype=np.bool_), np.flatnonzero(chosen)
    who = [facts.customer_ids[row] for row in rows.tolist()]
    control[rows] = control_of_each(who, names[rows].tolist(), design.salt, design.control_share)
    return control


def _because(allowed: Eligibility, cautious: Floats, decided: Flags) -> NDArray[np.object_]:
    """Return why nothing is done, None where something is, or was drawn."""
    worthwhile = (allowed.is_open & (cautious > 0))[:, 1:].any(axis=1)
    because = np.where(worthwhile, "limits", "not_worthwhile").astype(np.object_)
    because[allowed.nothing_open] = allowed.main_rule[allowed.nothing_open]
    because[decided] = None
    return because
