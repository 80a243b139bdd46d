"""What the API tells of campaigns and of the plan of the next one, with an example of each."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import Field

from churnml.service.api.shapes import Bilingual, Shape

Json = dict[str, Any]  # Any: JSON
_LABEL = {"en": "10 % coupon", "zh": "九折券"}
_CAMPAIGN: Json = {
    "name": "retention-2018-01", "budget": 2000.0, "reserved": 1490.0, "spent": 120.5, "left": 389.5,
    "opened_at": "2018-01-01T02:03:00+00:00", "arms": {"treated": 44, "control": 8},
    "states": {"open": 44, "withheld": 8},
    "window": {"days": 60, "assigned_on": "2018-01-01", "closes_on": "2018-03-02", "final_on": "2018-03-16",
               "closed": True},
    "effect": {
        "run_id": "5f0c…", "measured_at": "2018-03-20T08:14:03+00:00", "as_of": "2018-03-19", "ended": True,
        "planned_end": "2018-03-16", "effect_horizon_days": 60, "closed": 52, "still_open": 0,
        "actions": [{
            "action": "coupon_10", "label": _LABEL, "evidence": "randomised", "verdict": "not_yet", "treated": 44,
            "controls": 8, "net": 120.4, "net_low": -310.0, "net_high": 550.8, "return_on_cost": 1.4,
        }],
    },
}  # fmt: skip
EXAMPLE_CAMPAIGNS: Json = {"items": [_CAMPAIGN]}
EXAMPLE_CAMPAIGN: Json = _CAMPAIGN | {
    "assignment": {
        "run_id": "9b1d…", "chosen_at": "2018-01-01T02:03:11+00:00", "cutoff": "2018-01-01T00:00:00+00:00",
        "time_zone": "UTC", "currency": "USD", "budget": 2000.0, "treated": 44, "control": 8, "held_out": 5,
        "holdout_share": 0.05, "control_share": 0.1, "explored": 3, "expected_cost": 61.2, "expected_net_value": 410.0,
        "effect_source": "prior", "shadow_price": 0.75, "effect_horizon_days": 60,
        "actions": [{
            "name": "coupon_10", "label": _LABEL, "channel": "email", "open_to": 90, "treated": 44, "control": 8,
            "expected_cost": 61.2, "reserved": 1490.0, "expected_net_value": 410.0, "capacity": None,
            "place_price": 0.0,
        }],
    },
    "progress": [
        {"action": "coupon_10", "arm": "control", "state": "withheld", "customers": 8, "cost": 0.0},
        {"action": "coupon_10", "arm": "treated", "state": "open", "customers": 44, "cost": 120.5},
    ],
}  # fmt: skip
EXAMPLE_PLAN: Json = {
    "run_id": "7c1e…", "planned_at": "2018-01-01T02:05:00+00:00", "outdated": False, "campaign": "retention-2018-02",
    "budget": 2000.0, "taken": 0.0, "cutoff": "2018-01-01T00:00:00+00:00", "time_zone": "UTC", "currency": "USD",
    "population": 2325, "held_out": 104, "holdout_share": 0.05, "control_share": 0.1, "effect_source": "prior",
    "effect_horizon_days": 90, "enough": 10064.0, "actions": EXAMPLE_CAMPAIGN["assignment"]["actions"],
    "points": [], "tests": None, "at": {
        "budget": 2000.0, "reserved": 1751.0, "expected_cost": 610.0, "expected_net_value": 1951.0,
        "cautious_net_value": 1735.0, "shadow_price": 0.75, "treated": 595, "control": 66,
        "explored": 20, "actions": {},
        "computed": True,
    },
}  # fmt: skip


class WindowShape(Shape):
    """Over which days outcomes of what was assigned last are counted."""

    days: int
    assigned_on: date
    closes_on: date = Field(description="the first day whose outcomes count no more")
    final_on: date = Field(description="the day from which on no outcome of them can be told late")
    closed: bool = Field(description="whether orders of all these days have landed")


class ActionEffect(Shape):
    """What an action did, in money; null where nothing is claimed. `/v1/effects` has all of it."""

    action: str = Field(description="`all_actions`: all together, held against the hold-out")
    label: Bilingual | None
    evidence: str | None
    verdict: str | None = Field(
        description="`helps`, `loses`, `harms`, `not_yet`, `never` at this size, `open_end`, `too_few`"
    )
    treated: int | None
    controls: int | None
    net: float | None = Field(description="what all treated brought, cost taken off, in currency units")
    net_low: float | None
    net_high: float | None
    return_on_cost: float | None = Field(description="net by cost")


class CampaignEffect(Shape):
    """A measurement of a campaign alone."""

    run_id: str
    measured_at: datetime
    as_of: date
    ended: bool = Field(description="whether its planned end has come; before it intervals hold for every look")
    planned_end: date | None
    effect_horizon_days: int
    closed: int = Field(description="cases whose window has closed")
    still_open: int
    actions: list[ActionEffect]


class CampaignShape(Shape):
    """A campaign, its money in the workspace's currency, and how many customers are in it."""

    name: str
    budget: float
    reserved: float = Field(description="set aside for what was assigned and may still cost something")
    spent: float = Field(description="what outcomes cost")
    left: float = Field(description="below 0 if outcomes cost more than was reserved for them")
    opened_at: datetime
    arms: dict[str, int] = Field(description="assignments by arm: `treated`, `control`")
    states: dict[str, int] = Field(description="assignments by state of the ledger, docs/ledger.md")
    window: WindowShape | None = Field(description="null where the run that chose did not say over how many days")
    effect: CampaignEffect | None = Field(description="as measured last of this campaign alone; null before that")


class ChosenAction(Shape):
    """What was chosen of an action."""

    name: str
    label: Bilingual
    channel: str
    open_to: int
    treated: int
    control: int
    expected_cost: float
    reserved: float
    expected_net_value: float
    capacity: int | None = Field(description="customers it can be chosen for in a run")
    place_price: float = Field(description="net value that one more place would bring")


class Assignment(Shape):
    """What the run that chose last in a campaign decided; null where an older version did not tell it."""

    run_id: str
    chosen_at: datetime
    cutoff: datetime | None
    time_zone: str | None
    currency: str | None
    budget: float | None
    treated: int | None
    control: int | None = Field(description="from whom the action chosen is withheld at random")
    held_out: int | None = Field(description="customers whom every campaign leaves in peace")
    holdout_share: float | None
    control_share: float | None
    explored: int | None = Field(description="who drew their action by lot")
    expected_cost: float | None
    expected_net_value: float | None
    effect_source: str | None = Field(description="`prior`: assumed; `measured`, `uplift`, or `mixed`")
    shadow_price: float | None = Field(description="what one more unit of budget would bring, taken cautiously")
    effect_horizon_days: int | None
    actions: list[ChosenAction]


class ProgressShape(Shape):
    """How many assignments stand so, and what their outcomes cost."""

    action: str | None
    arm: str | None
    state: str
    customers: int
    cost: float


class CampaignWhole(CampaignShape):
    """A campaign with what was chosen in it, and how far that is."""

    assignment: Assignment | None
    progress: list[ProgressShape]


class PlanPoint(Shape):
    """What the campaign would come to within a budget."""

    budget: float
    reserved: float
    expected_cost: float
    expected_net_value: float
    cautious_net_value: float | None = Field(
        description="by the cautious end of each effect; null if the campaign had assigned some before"
    )
    shadow_price: float = Field(description="what one more unit of budget would bring, taken cautiously")
    treated: int
    control: int
    explored: int = Field(description="who draw their action by lot")
    actions: dict[str, dict[str, float]] = Field(description="`treated`, `control`, `reserved`, … by action")


class PlanAt(PlanPoint):
    """The same at the budget that was asked for."""

    computed: bool = Field(description="false: on the line between the two budgets nearest to it")


class PlanShape(Shape):
    """The plan of the next campaign, as `churnml assign --dry-run --keep` kept it last; nothing is reserved."""

    run_id: str
    planned_at: datetime
    outdated: bool = Field(description="whether there are newer scores than those it chose by")
    campaign: str
    budget: float = Field(description="the one it was planned for")
    taken: float = Field(description="what the campaign has spent and reserved already")
    cutoff: datetime
    time_zone: str
    currency: str
    population: int
    held_out: int
    holdout_share: float
    control_share: float
    effect_source: str
    effect_horizon_days: int
    enough: float = Field(description="what setting aside for everything that pays takes, beside lots")
    actions: list[ChosenAction]
    points: list[PlanPoint] = Field(description="each a choice of its own")
    tests: Json | None = Field(description="what it takes to tell each action's effect, as `churnml measure plan` says")
    at: PlanAt


class PlanQuery(Shape):
    """What may stand behind the question mark of `/v1/plan`."""

    budget: float | None = Field(
        None, ge=0, le=1e12, allow_inf_nan=False, description="for `at`; by default the one that was planned for"
    )


class Campaigns(Shape):
    """The campaigns, the latest opened first."""

    items: list[CampaignShape]
