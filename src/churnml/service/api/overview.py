"""The overview: what changed, what it adds up to, what was saved, and what to do next."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import Field

from churnml.database.cases import CallResult
from churnml.service import etags
from churnml.service.access import requires
from churnml.service.api.data_health import EXAMPLE as HEALTH
from churnml.service.api.data_health import WatchedShape
from churnml.service.api.measures import EXAMPLE as MEASURED
from churnml.service.api.measures import MeasureTable
from churnml.service.api.shapes import Amount, Bilingual, Day, Shape, readings
from churnml.service.clock import asked_at
from churnml.service.overview import overview_of
from churnml.service.overview.steps import Kind
from churnml.service.problems import described
from churnml.service.readings import NO_RUN, Readings

router = APIRouter(prefix="/v1", tags=["measures"], dependencies=[Depends(requires("read"))])
Json = dict[str, Any]  # Any: JSON
_AT, _DAY, _MODEL = "2018-01-02T08:14:03+00:00", "2018-01-01T00:00:00+00:00", "9b1d…"
_SCORED = {
    "run_id": "5f0c…", "cutoff": _DAY, "finished_at": _AT, "model_version": _MODEL, "population": 2469,
    "value_at_risk": 51230.5, "high": 310, "medium": 402,
}  # fmt: skip
_SAID = {"en": "…", "zh": "……"}
EXAMPLE: Json = {
    "at": _AT,
    "scores": {
        "now": _SCORED, "currency": "USD", "time_zone": "UTC",
        "since": [{
            "since": "run_before", "cutoff": "2017-12-25T00:00:00+00:00", "value_at_risk": 49870.0,
            "value_change": 1360.5, "high": 298, "high_change": 12, "other_model": False,
        }],
        "turnover": {
            "before": {
                "run_id": "4e1b…", "cutoff": "2017-12-25T00:00:00+00:00", "value_at_risk": 49870.0,
                "bands": {"high": 298, "medium": 411, "low": 1760}, "model_version": _MODEL,
            },
            "stayed": {"customers": 250, "value": 41020.0},
            "came": {"lower": {"customers": 52, "value": 9010.5}, "new": {"customers": 8, "value": 1200.0}},
            "left": {
                "ordered": {"customers": 30, "value": 5200.0}, "lower": {"customers": 11, "value": 1730.0},
                "unscored": {"customers": 7, "value": 640.0},
            },
        },
        "history": [_SCORED], "listed": None,
    },
    "landed": {"since": _DAY, "landings": 3, "rows": 1204, "set_aside": 3, "waiting": 0, "refused": 0},
    "models": [{"model_version": _MODEL, "back": False, "why": "passed every gate", "moved_at": _AT}],
    "watched": HEALTH["watched"],
    "calls": {"day": "2018-01-02", "yesterday": {"reached": 9}, "week": {"reached": 41}, "claimed": 12, "due": 4},
    "figures": {
        "run_id": "6a2d…", "measured_at": _AT, "every": "month", "currency": "USD", "time_zone": "UTC",
        "now": MEASURED["measures"][0], "course": MEASURED["measures"][0],
    },
    "saved": {
        "spent": 120.5, "budget": 2000.0,
        "campaigns": [{
            "name": "retention-2018-01", "budget": 2000.0, "spent": 120.5, "reserved": 1490.0,
            "closes_on": "2018-03-02", "final_on": "2018-03-16", "to_measure": False,
        }],
        "effects": [{
            "campaign": None, "measured_at": _AT, "as_of": "2018-01-01", "whole": None,
            "actions": [{"action": "coupon_10", "label": _SAID, "said": _SAID, "verdict": "not_yet"}],
        }],
    },
    "next": [{"kind": "nobodys", "count": 187, "about": []}],
}  # fmt: skip


class ScoredShape(Shape):
    """What the scores of a cutoff came to."""

    run_id: str
    cutoff: datetime
    finished_at: datetime
    model_version: str | None
    population: int = Field(description="customers who were scored")
    value_at_risk: Amount
    high: int = Field(description="customers at high risk")
    medium: int


class SinceShape(Shape):
    """What the scores came to some time before, and how much more it is now."""

    since: Literal["run_before", "week", "month"]
    cutoff: datetime
    value_at_risk: Amount
    value_change: Amount
    high: int
    high_change: int
    other_model: bool = Field(description="whether another model scored then: some of the change may come of that")


class GroupShape(Shape):
    """How many customers, and their value at risk."""

    customers: int
    value: Amount


class BeforeShape(Shape):
    """The scores that they are held against."""

    run_id: str
    cutoff: datetime
    value_at_risk: Amount
    bands: dict[str, int]
    model_version: str | None


class CameShape(Shape):
    """Who is at high risk and was not."""

    lower: GroupShape = Field(description="were at lower risk before")
    new: GroupShape = Field(description="were not scored before")


class LeftShape(Shape):
    """Who was at high risk and is not; with their value at risk before."""

    ordered: GroupShape = Field(description="have ordered since")
    lower: GroupShape = Field(description="are at lower risk without an order since")
    unscored: GroupShape = Field(description="are not scored any more")


class TurnoverShape(Shape):
    """What became of the band of high risk since the scores before."""

    before: BeforeShape
    stayed: GroupShape
    came: CameShape
    left: LeftShape


class ScoresShape(Shape):
    """The latest scores and those before them."""

    now: ScoredShape
    currency: str
    time_zone: str
    since: list[SinceShape]
    turnover: TurnoverShape | None = Field(description="null of the first scores, and of those of an earlier version")
    history: list[ScoredShape] = Field(description="by cutoff, the earliest first; 400 at most")
    listed: datetime | None = Field(
        description="the cutoff of the list that people work from, where it is an older one"
    )


class LandedShape(Shape):
    """What landed since the scores before."""

    since: datetime
    landings: int
    rows: int = Field(description="that landed, in the latest 500 of these landings")
    set_aside: int = Field(description="that broke a rule, in the same")
    waiting: int = Field(description="that came in by the API and wait")
    refused: int = Field(description="that came in by the API and were set aside, in the last 30 days")


class ModelMovedShape(Shape):
    """That another model became the one in service."""

    model_version: str
    back: bool = Field(description="whether it had been before")
    why: str
    moved_at: datetime


class CallsShape(Shape):
    """How calling went, by the days of the company."""

    day: Day
    yesterday: dict[CallResult, int]
    week: dict[CallResult, int] = Field(description="today and the six days before it")
    claimed: int = Field(description="customers whom somebody looks after")
    due: int = Field(description="of these, to be called by today")


class FiguresShape(Shape):
    """The figures of the business that a manager wants first."""

    run_id: str
    measured_at: datetime
    every: str
    currency: str
    time_zone: str
    now: MeasureTable = Field(description="of the last whole period, with the one before and the target")
    course: MeasureTable = Field(description="over the periods")


class ActionSaidShape(Shape):
    """What was found of an action."""

    action: str
    label: Bilingual
    said: Bilingual = Field(description="in a sentence, with its interval where it has one")
    verdict: str | None = Field(description="null where there was nothing to compare")


class EffectSaidShape(Shape):
    """What was measured last of a campaign, or of all together."""

    campaign: str | None = Field(description="null: all together")
    measured_at: datetime
    as_of: Day
    whole: ActionSaidShape | None = Field(description="of everything that was done, against those held out")
    actions: list[ActionSaidShape]


class CampaignNowShape(Shape):
    """A campaign, its money, and whether it waits to be measured."""

    name: str
    budget: Amount
    spent: Amount
    reserved: Amount
    closes_on: Day | None = Field(description="the first day whose outcomes count no more; null if not known")
    final_on: Day | None = Field(description="from when on no outcome can be told late; null if not known")
    to_measure: bool = Field(description="whether they have by what has landed, and nothing was measured since")


class SavedShape(Shape):
    """What campaigns cost and what they have saved, as far as it was measured."""

    spent: Amount = Field(description="of all campaigns")
    budget: Amount
    campaigns: list[CampaignNowShape] = Field(description="the latest opened first, 6 at most")
    effects: list[EffectSaidShape]


class StepShape(Shape):
    """Something that waits."""

    kind: Kind
    count: int
    about: list[str] = Field(description="names of tables or campaigns")


class OverviewShape(Shape):
    """What a manager sees first."""

    at: datetime
    scores: ScoresShape
    landed: LandedShape
    models: list[ModelMovedShape] = Field(description="since the scores before, the latest first")
    watched: WatchedShape | None = Field(description="null before the first `churnml monitor`")
    calls: CallsShape
    figures: FiguresShape | None = Field(description="null before the first `churnml measure kpis`")
    saved: SavedShape
    next: list[StepShape] = Field(description="what to do next, the most pressing first, 3 at most")


@router.get(
    "/overview",
    summary="What changed, what it adds up to, what was saved, and what to do next",
    response_model=OverviewShape,
    responses={
        200: {"content": {"application/json": {"example": EXAMPLE}}},
        **etags.UNCHANGED,
        **described({503: ("dependency", NO_RUN)}),
    },
)
def overview(request: Request, reader: Annotated[Readings, Depends(readings)]) -> Response:
    """Return it from what runs left behind: no customer is counted for it but those whom somebody looks after."""
    state = request.app.state
    found = overview_of(state.engine, reader, reader.run(), state.door.time_zone, asked_at(request))
    return etags.answer(request, asdict(found))
