"""A plan of the next campaign that is kept: what each of many budgets would do, and what it takes to measure it.

Every budget is a choice of its own for the same customers, by the same lots and coins; nothing is drawn on from one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from churnml.config import AssignConfig
from churnml.database import units
from churnml.drawing import scale
from churnml.policy import Decisions
from churnml.verbs.assign_report import actions_told
from churnml.verbs.choosing import Chosen, Day
from churnml.verbs.measure_plan import Asked, plan
from churnml.verbs.session import Session, Tick, clock

Json = dict[str, Any]  # Any: JSON

PLAN = "plan"
"""The verb of the runs that keep plans."""
_MANY, _FEW = 30, 10
_PAIRS = 5_000_000
"""Customers times actions up to which many budgets are tried; beyond, few."""
_BEYOND = 4.0
"""How many times the budget that is set a plan looks at, where even more would still pay."""


def keep_plan(session: Session, day: Day, chosen: Chosen, config: AssignConfig) -> Json:
    """Keep what a dry run would do, what other budgets would do, and what it takes to measure it; return all of it.

    Parameters
    ----------
    chosen : Chosen
        With the budget that is set; nothing of it is reserved.
    """
    inputs = session.inputs(config, score=day.scored.run_id, plan=day.campaign)
    with session.running(PLAN, inputs) as run_id:
        summary = day.scored.summary | chosen.planned() | {"scored_by": day.scored.run_id}
        budgets = budgets_of(chosen, summary["returns"]["enough"])
        with session.step("Choosing within other budgets") as tick:
            points = _points(chosen, budgets, tick)
        with session.step("What it takes to tell an effect"):
            tests = plan(session, Asked(), budget=config.budget)
        summary |= {"taken": _taken(chosen), "points": points, "tests": tests}
        session.catalogue.finish(run_id, clock(), summary, bundle=day.scored.bundle)
    return summary


def budgets_of(chosen: Chosen, enough: float) -> list[float]:
    """Return the budgets of a plan: round ones, evenly apart, from what is taken already to what buys all that pays.

    The one that is set is among them. Where all that pays takes more than four times that, they end there.

    Parameters
    ----------
    enough : float
        What setting aside for everything that pays takes, beside lots, in currency units.
    """
    made, taken, budget = chosen.decisions.choosing, _taken(chosen), units(chosen.money.budget)
    beside = max(units(chosen.money.left) - made.budget, 0.0)
    most = max(taken + beside + enough, budget)
    most = min(most, _BEYOND * budget) if budget > 0 else most
    parts = _MANY if made.net_value.size <= _PAIRS else _FEW
    return sorted({budget, *(one for one in scale(0.0, most, parts) if one >= taken)}) if most > 0 else [0.0]


def _points(chosen: Chosen, budgets: Sequence[float], tick: Tick) -> list[Json]:
    points = []
    for done, budget in enumerate(budgets):
        points.append(_point(chosen.within(budget)))
        tick(done + 1, len(budgets))
    return points


def _point(chosen: Chosen) -> Json:
    """Return what the campaign comes to within its budget, those included whom it had assigned before."""
    made, before = chosen.decisions, chosen.before
    actions = {one["name"]: one for one in actions_told(made, before)}
    names = ("treated", "control", "reserved", "expected_net_value")
    treated = sum(one["treated"] for one in actions.values())
    return {
        "budget": units(chosen.money.budget),
        "reserved": units(chosen.money.reserved) + made.reserved,
        "expected_cost": sum(one["expected_cost"] for one in actions.values()),
        "expected_net_value": sum(one["expected_net_value"] for one in actions.values()),
        "cautious_net_value": None if before else _cautious(made),
        "shadow_price": made.assignment.shadow_price,
        "treated": treated,
        "explored": int(made.explored.who.sum()) + sum(one.drawn_by == "explore" for one in before.values()),
        "control": int((made.arm == "control").sum()) + sum(one.arm == "control" for one in before.values()),
        "actions": {name: {key: one[key] for key in names} for name, one in actions.items()},
    }


def _cautious(made: Decisions) -> float:
    """Return what the treated bring net of cost, each by the cautious end of their effect."""
    rows = np.flatnonzero(made.treated)
    place = {name: column for column, name in enumerate(made.eligibility.catalogue.names)}
    columns = [place[name] for name in made.action[rows].tolist()]
    return float(made.choosing.net_value[rows, columns].sum())


def _taken(chosen: Chosen) -> float:
    """Return what the campaign has spent and reserved already, below which its budget cannot go."""
    return units(chosen.money.reserved + chosen.money.spent)
