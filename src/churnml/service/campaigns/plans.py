"""The plan of the next campaign that `churnml assign --dry-run --keep` kept, and what it says of any budget."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from churnml.database import Catalogue
from churnml.errors import DependencyError
from churnml.service.campaigns.reading import OF_ACTION
from churnml.service.readings import instant_told

Json = dict[str, Any]  # Any: JSON

_PLAN = "plan"  # the verb of the runs that keep plans
_TOLD = (
    "campaign", "budget", "taken", "cutoff", "time_zone", "currency", "population", "held_out", "holdout_share",
    "control_share", "effect_source", "effect_horizon_days", "points", "tests",
)  # fmt: skip
_BETWEEN = (
    "reserved", "expected_cost", "expected_net_value", "cautious_net_value", "shadow_price", "treated", "control",
    "explored",
)  # fmt: skip
NO_PLAN = "no plan is kept yet; run `churnml assign --dry-run --keep`, or ask for a job `plan`"


@dataclass(frozen=True)
class KeptPlan:
    """A plan, which run kept it and when, and whether there are newer scores than those it chose by."""

    run_id: str
    planned_at: str
    """ISO 8601 in UTC"""
    body: Json
    outdated: bool


class Plans:
    """Reads the plan that was kept last.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        From `open_engine`.
    """

    def __init__(self, engine: Engine) -> None:
        self._catalogue = Catalogue(engine)

    def find(self) -> KeptPlan | None:
        """Return the plan that was kept last, or None before the first."""
        run = self._catalogue.last_run(_PLAN)
        if run is None:
            return None
        scored = self._catalogue.last_run("score")
        outdated = scored is not None and scored.run_id != run.summary.get("scored_by")
        return KeptPlan(run.run_id, instant_told(run.finished_at or 0), run.summary, outdated)

    def latest(self) -> KeptPlan:
        """Return the plan that was kept last.

        Raises
        ------
        DependencyError
            If none was kept yet.
        """
        found = self.find()
        if found is None:
            raise DependencyError(NO_PLAN)
        return found


def plan_told(kept: KeptPlan, budget: float | None = None) -> Json:
    """Return a plan as it is told, with what it says of a budget; by default of the one it was made for."""
    body = kept.body
    return {name: body[name] for name in _TOLD} | {
        "run_id": kept.run_id,
        "planned_at": kept.planned_at,
        "outdated": kept.outdated,
        "enough": body["returns"]["enough"],
        "actions": [{name: one[name] for name in OF_ACTION} for one in body["report"]["actions"]],
        "at": at_budget(body["points"], body["budget"] if budget is None else budget),
    }


def at_budget(points: list[Json], budget: float) -> Json:
    """Return what a campaign would come to at a budget, and whether that was `computed` or lies between what was.

    Parameters
    ----------
    points : list of dict
        Of a plan, by budget ascending.
    budget : float
        In currency units; taken to the nearest end where it lies outside.

    Notes
    -----
    Between two budgets that were computed, figures are on the straight line between theirs.

    Examples
    --------
    >>> ends = [{"budget": 0.0, "treated": 0, "actions": {}}, {"budget": 10.0, "treated": 4, "actions": {}}]
    >>> at_budget(ends, 5.0)["treated"], at_budget(ends, 99.0)["treated"]
    (2, 4)
    """
    place = bisect_left([one["budget"] for one in points], budget)
    if place == len(points):
        return points[-1] | {"computed": True}
    if place == 0 or points[place]["budget"] == budget:
        return points[place] | {"computed": True}
    below, above = points[place - 1], points[place]
    share = (budget - below["budget"]) / (above["budget"] - below["budget"])
    actions = {
        name: {key: _between(below["actions"][name][key], told[key], share) for key in told}
        for name, told in above["actions"].items()
    }
    figures = {name: _between(below[name], above[name], share) for name in _BETWEEN if name in above}
    return {"budget": budget, **figures, "actions": actions, "computed": False}


def _between(low: float | None, high: float | None, share: float) -> float | None:
    if low is None or high is None:
        return None
    value = low + share * (high - low)
    return round(value) if isinstance(low, int) and isinstance(high, int) else value
