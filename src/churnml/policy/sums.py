"""What a set of decisions comes to, action by action: for whom it was open, what closed it, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from churnml.policy.decisions import Decisions
from churnml.policy.eligibility import Rule


@dataclass(frozen=True)
class ActionSum:
    """What the decisions for one action come to; money is in currency units.

    Attributes
    ----------
    name : str
        The action.
    open_to : int
        To how many customers it was open.
    closed_by : mapping of rule to int
        To how many each rule closed it; rules that closed it to nobody are left out.
    treated, control : int
        For how many it is done, and from how many it is withheld at random.
    expected_cost, reserved, expected_net_value : float
        Sums over the treated.
    capacity : int or None
        Customers it can be chosen for in a run.
    place_price : float
        Net value that one more place would bring.
    """

    name: str
    open_to: int
    closed_by: Mapping[Rule, int]
    treated: int
    control: int
    expected_cost: float
    reserved: float
    expected_net_value: float
    capacity: int | None
    place_price: float


def action_sums(decisions: Decisions) -> tuple[ActionSum, ...]:
    """Return what the decisions come to, for every action but doing nothing, in the order of the catalogue."""
    allowed = decisions.eligibility
    catalogue, open_to = allowed.catalogue, allowed.is_open.sum(axis=0)
    sums = []
    for place, action in enumerate(catalogue.actions[1:], 1):
        mine = np.asarray(decisions.action == action.name)
        treated = mine & decisions.treated
        sums.append(
            ActionSum(
                name=action.name,
                open_to=int(open_to[place]),
                closed_by=allowed.by_action[action.name],
                treated=int(treated.sum()),
                control=int((mine & (decisions.arm == "control")).sum()),
                expected_cost=float(decisions.cost[treated].sum()),
                reserved=float(decisions.max_cost[treated].sum()),
                expected_net_value=float(decisions.expected_net_value[treated].sum()),
                capacity=action.capacity,
                place_price=float(decisions.assignment.capacity_prices[place]),
            )
        )
    return tuple(sums)
