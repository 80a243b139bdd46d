"""Campaigns and their money, what their actions did, and the plan of the next one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from pydantic import Field

from churnml.service import etags
from churnml.service.access import requires
from churnml.service.api.campaign_shapes import Campaigns, CampaignWhole, PlanQuery, PlanShape
from churnml.service.api.shapes import Bilingual, Shape, Word, readings
from churnml.service.campaigns import Campaigns as Reader
from churnml.service.campaigns import Plans
from churnml.service.campaigns.plans import NO_PLAN, plan_told
from churnml.service.problems import described
from churnml.service.readings import NO_EFFECT, Readings

router = APIRouter(prefix="/v1", tags=["measures"], dependencies=[Depends(requires("read"))])
Json = dict[str, Any]  # Any: JSON
_SAID = {"en": "Not yet conclusive: …", "zh": "尚无定论：……"}
EXAMPLE_EFFECT: Json = {
    "run_id": "5f0c…", "measured_at": "2018-03-02T08:14:03+00:00", "as_of": "2018-03-01", "campaign": None, "by": None,
    "currency": "USD", "time_zone": "UTC", "effect_horizon_days": 60, "label_lag_days": 14, "churn_by": "orders",
    "outcome": "orders", "ended": False, "cases": {"closed": 52, "still_open": 0, "customers_unknown": 0},
    "planned_ends": {"retention-2018-01": "2018-06-30"},
    "actions": {"coupon_10": {"label": {"en": "10 % coupon", "zh": "九折券"}, "said": _SAID, "overall": None}},
    "proposed_for_stopping": [], "remarks": [],
}  # fmt: skip


def campaign_reader(request: Request) -> Reader:
    """Return what answers questions about campaigns; a dependency."""
    reader: Reader = request.app.state.campaigns
    return reader


def plan_reader(request: Request) -> Plans:
    """Return what reads plans; a dependency."""
    reader: Plans = request.app.state.plans
    return reader


class Effects(Shape):
    """What actions did, by those who by chance got them or not; as `churnml measure effect --json` tells it."""

    run_id: str
    measured_at: datetime
    as_of: date
    campaign: str | None = Field(description="the one that was measured; null: all together")
    by: str | None = Field(description="what parts the customers into segments")
    currency: str
    time_zone: str
    effect_horizon_days: int = Field(description="days after the assignment that outcomes are counted in")
    label_lag_days: int
    churn_by: str
    outcome: str = Field(description="`orders`: margin of landed orders; `posted`: values posted to assignments")
    ended: bool = Field(description="whether a planned end has come; before it intervals hold for every look")
    cases: dict[str, int]
    planned_ends: dict[str, date | None] = Field(description="by campaign")
    actions: dict[str, Json] = Field(description="by action: `said` in words, `overall` and `segments` in figures")
    proposed_for_stopping: list[Json]
    remarks: list[Bilingual] = Field(description="what a reader must know to read the figures")


class EffectQuery(Shape):
    """What may stand behind the question mark of `/v1/effects`."""

    campaign: Word | None = Field(None, description="of this campaign alone; all together if left out")


@router.get(
    "/campaigns",
    summary="Campaigns: budget, what is reserved and spent, and who is in them",
    response_model=Campaigns,
    responses={
        **etags.UNCHANGED,
        **described({503: ("dependency", "the database does not answer; look at the service's log, then ask again")}),
    },
)
def campaigns(request: Request, reader: Annotated[Reader, Depends(campaign_reader)]) -> Response:
    """Return every campaign, the latest opened first, with what was measured last of it."""
    return etags.answer(request, {"items": reader.every()})


@router.get(
    "/campaigns/{campaign:path}",
    summary="One campaign: what was chosen in it, how far that is, and what it did",
    response_model=CampaignWhole,
    responses={
        **etags.UNCHANGED,
        **described({
            404: ("not_found", "no campaign `spring`; /v1/campaigns lists them"),
            422: ("invalid_request", "`campaign` must have at most 64 characters, got 'springspring…'"),
        }),
    },
)  # fmt: skip
def one_campaign(
    request: Request,
    campaign: Annotated[str, Path(min_length=1, max_length=64)],
    reader: Annotated[Reader, Depends(campaign_reader)],
) -> Response:
    """Return a campaign; what its actions did stands in full at `/v1/effects?campaign=…`."""
    return etags.answer(request, reader.one(campaign))


@router.get(
    "/plan",
    summary="The plan of the next campaign: what each budget would do and bring",
    response_model=PlanShape,
    responses={
        **etags.UNCHANGED,
        **described({
            422: ("invalid_request", "`budget` must be at least 0, got -5"),
            503: ("dependency", NO_PLAN),
        }),
    },
)  # fmt: skip
def plan(
    request: Request, query: Annotated[PlanQuery, Query()], reader: Annotated[Plans, Depends(plan_reader)]
) -> Response:
    """Return the plan that was kept last; nothing is computed here but what lies between two budgets of it."""
    return etags.answer(request, plan_told(reader.latest(), query.budget))


@router.get(
    "/effects",
    summary="What actions did, as measured last by `churnml measure effect`",
    response_model=Effects,
    responses={
        **etags.UNCHANGED,
        **described({
            404: ("not_found", "no effect of campaign `spring` was measured; measured were: all together, autumn"),
            422: ("invalid_request", "unknown field `campagne`; did you mean `campaign`?"),
            503: ("dependency", NO_EFFECT),
        }),
    },
)  # fmt: skip
def effects(
    request: Request, query: Annotated[EffectQuery, Query()], reader: Annotated[Readings, Depends(readings)]
) -> Response:
    """Return it as it was measured last: nothing is computed here. An effect without an interval is none."""
    found = reader.effect(query.campaign)
    told = {name: found.body.get(name) for name in Effects.model_fields if name in found.body}
    return etags.answer(request, told | {"run_id": found.run_id, "measured_at": found.measured_at})
