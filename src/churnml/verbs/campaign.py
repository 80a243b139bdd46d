"""A campaign between the policy and the ledger: its name, what it wants to reserve, and what records say of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from churnml.database import Assignment, Reservation
from churnml.events.clock import days_later, moment
from churnml.policy import DO_NOTHING, Action, Catalogue, Decisions, Facts
from churnml.policy.assignment import millionths

Json = dict[str, Any]  # Any: JSON

_PLACES = 4
IN_LEDGER = ("treated", "control")
"""The arms that the ledger keeps; of those held out, and of those for whom nothing was chosen, it knows nothing."""


def campaign_name(template: str, cutoff: int, time_zone: str) -> str:
    """Return the name of the campaign that a cutoff falls into.

    Parameters
    ----------
    template : str
        As in `configs/assign.yaml`; `{year}`, `{month}` and `{week}` stand for those of the cutoff.
    cutoff : int
        Microseconds UTC.
    time_zone : str
        IANA name.

    Examples
    --------
    >>> campaign_name("retention-{year}-{month}", 1_514_764_800_000_000, "UTC")
    'retention-2018-01'
    """
    day = moment(cutoff, time_zone).date()
    return template.format(year=day.year, month=f"{day.month:02}", week=f"{day.isocalendar().week:02}")


def wanted(
    facts: Facts, decisions: Decisions, catalogue: Catalogue, cutoff: int, time_zone: str
) -> Iterator[Reservation]:
    """Yield what the ledger is asked to keep: those drawn by lot first, then the others, in the order of customers."""
    until = {action.name: days_later(cutoff, action.valid_days, time_zone) for action in catalogue.actions}
    reserves = dict(zip(catalogue.names, millionths(catalogue.max_costs).tolist(), strict=True))
    asked = np.isin(decisions.arm, IN_LEDGER)
    for row in (*np.flatnonzero(asked & decisions.explored.who), *np.flatnonzero(asked & ~decisions.explored.who)):
        action = catalogue[str(decisions.action[row])]
        explored = bool(decisions.explored.who[row])
        among = [
            name
            for name, some in zip(catalogue.names, decisions.explored.among[row], strict=True)
            if some and name != DO_NOTHING
        ]
        yield Reservation(
            facts.customer_ids[row],
            action.name,
            "treated" if decisions.arm[row] == "treated" else "control",
            float(decisions.propensity[row]),
            "explore" if explored else "choice",
            action.channel,
            reserves[action.name],
            until[action.name],
            _details(facts, decisions, action, int(row)) | ({"among": among} if explored else {}),
            "redeemed" if action.cost.redemption else "carried_out",
            max((reserves[name] for name in among), default=0),
        )


def told_of(one: Assignment, catalogue: Catalogue) -> Json:
    """Return what a record says of an assignment of the ledger; of an action no longer in the catalogue its name."""
    action = catalogue[one.action] if one.action in catalogue.names else None
    details = one.details or {}
    return {
        "action": one.action,
        "action_label": action.label.model_dump() if action else {"en": one.action, "zh": one.action},
        "action_script": action.script_about(details.get("category")) if action else None,
        "arm": one.arm,
        "propensity": one.propensity,
        "drawn_by": one.drawn_by,
        "campaign": one.campaign,
        "assignment_id": one.assignment_id,
        "action_cost": details.get("expected_cost"),
        "expected_net_value": details.get("expected_net_value"),
        "effect_source": details.get("effect_source"),
        "no_action_because": None,
    }


def _details(facts: Facts, decisions: Decisions, action: Action, row: int) -> dict[str, object]:
    more: dict[str, object] = {"category": facts.category(row)} if action.names_category else {}
    if action.cost.order_share:
        more["cost_beside_orders"] = round(action.cost.beside_orders, _PLACES)
    return more | {
        "expected_cost": round(float(decisions.cost[row]), _PLACES),
        "expected_net_value": round(float(decisions.expected_net_value[row]), _PLACES),
        "effect_source": str(decisions.effect_source[row]),
    }
