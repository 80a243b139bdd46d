"""All campaigns as a page: what each may spend, how far it is, and whether it paid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from churnml.service.access import Caller, requires
from churnml.service.api.campaigns import campaign_reader
from churnml.service.campaigns import Campaigns
from churnml.service.pages.campaigns.lines import Lines, lines_of
from churnml.service.pages.language import language_of
from churnml.service.pages.rendering import render

Json = dict[str, Any]  # Any: JSON

router = APIRouter()


@dataclass(frozen=True)
class CampaignShown:
    """One campaign of the page."""

    campaign: Json
    """as `/v1/campaigns` tells it"""
    path: str
    """address of its page"""
    lines: Lines | None
    """what it did; None before it is measured"""


@dataclass(frozen=True)
class CampaignsContext:
    """What `campaigns.html` shows."""

    campaigns: list[CampaignShown]
    currency: str
    zone: str
    may_operate: bool
    """whether the reader may have things done"""
    json_path: str
    """address of the JSON twin"""


@router.get("/campaigns")
def campaigns(
    request: Request,
    reader: Annotated[Campaigns, Depends(campaign_reader)],
    caller: Annotated[Caller, Depends(requires("read"))],
) -> HTMLResponse:
    """Show every campaign, the latest opened first."""
    door = request.app.state.door
    context = CampaignsContext(
        campaigns=[shown(one, door.currency, request) for one in reader.every()],
        currency=door.currency,
        zone=door.time_zone,
        may_operate=may_operate(caller),
        json_path="/v1/campaigns",
    )
    return render(request, "campaigns.html", vars(context))


def shown(campaign: Json, currency: str, request: Request) -> CampaignShown:
    """Return a campaign with its address, and with what it did in words."""
    effect = campaign["effect"]
    lines = None if effect is None else lines_of(effect, currency, language_of(request))
    return CampaignShown(campaign, campaign_path(campaign["name"]), lines)


def may_operate(caller: Caller) -> bool:
    """Tell whether somebody may have something done from a page: forms are for people."""
    return "operate" in caller.scopes and caller.kind != "key"


def campaign_path(name: str) -> str:
    """Return the path of a campaign's page, whatever characters its name has."""
    return "/campaigns/" + quote(name, safe="", errors="replace")
