"""Campaigns and their money, and what their actions did."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field

from churnml.database import units
from churnml.database.history import CampaignTold, campaigns_told
from churnml.service import etags
from churnml.service.access import requires
from churnml.service.api.runs import Database
from churnml.service.api.shapes import Bilingual, Shape, Word, readings
from churnml.service.problems import described
from churnml.service.readings import NO_EFFECT, Readings, instant_told

router = APIRouter(prefix="/v1", tags=["measures"], dependencies=[Depends(requires("read"))])
Json = dict[str, Any]  # Any: JSON
_CAMPAIGN = {
    "name": "retention-2018-01", "budget": 2000.0, "reserved": 1490.0, "spent": 120.5, "left": 389.5,
    "opened_at": "2018-01-01T02:03:00+00:00", "arms": {"treated": 44, "control": 8},
    "states": {"open": 44, "withheld": 8},
}  # fmt: skip
_SAID = {"en": "Not yet conclusive: …", "zh": "尚无定论：……"}
EXAMPLE_EFFECT: Json = {
    "run_id": "5f0c…", "measured_at": "2018-03-02T08:14:03+00:00", "as_of": "2018-03-01", "campaign": None, "by": None,
    "currency": "USD", "time_zone": "UTC", "effect_horizon_days": 60, "label_lag_days": 14, "churn_by": "orders",
    "outcome": "orders", "ended": False, "cases": {"closed": 52, "still_open": 0, "customers_unknown": 0},
    "planned_ends": {"retention-2018-01": "2018-06-30"},
    "actions": {"coupon_10": {"label": {"en": "10 % coupon", "zh": "九折券"}, "said": _SAID, "overall": None}},
    "proposed_for_stopping": [], "remarks": [],
}  # fmt: skip


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


class Campaigns(Shape):
    """The campaigns, the latest opened first."""

    items: list[CampaignShape]


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
        200: {"content": {"application/json": {"example": {"items": [_CAMPAIGN]}}}},
        **etags.UNCHANGED,
        **described({503: ("dependency", "the database does not answer; look at the service's log, then ask again")}),
    },
)
def campaigns(request: Request, database: Database) -> Response:
    """Return every campaign, the latest opened first."""
    with database.connect() as connection:
        found = campaigns_told(connection)
    return etags.answer(request, {"items": [_told(one) for one in found]})


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


def _told(one: CampaignTold) -> Json:
    money = {"budget": one.budget, "reserved": one.reserved, "spent": one.spent}
    money["left"] = one.budget - one.reserved - one.spent
    told: Json = {"name": one.name} | {name: units(amount) for name, amount in money.items()}
    return told | {"opened_at": instant_told(one.opened_at), "arms": one.arms, "states": one.states}
