"""One campaign as a page: what was chosen in it, how far that is, and what it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import HTMLResponse

from churnml.errors import NotFoundError
from churnml.policy import DO_NOTHING
from churnml.service.access import Caller, requires
from churnml.service.api.campaigns import campaign_reader
from churnml.service.api.shapes import readings
from churnml.service.campaigns import Campaigns
from churnml.service.handoff import SHAPES
from churnml.service.pages.campaigns.every import CampaignShown, may_operate, shown
from churnml.service.pages.language import language_of
from churnml.service.pages.rendering import render
from churnml.service.pages.reports.effect import effect_context
from churnml.service.readings import Readings
from churnml.wording import Language, Text

Json = dict[str, Any]  # Any: JSON

router = APIRouter()
_STATES = ("open", "carried_out", "redeemed", "not_delivered", "expired", "withheld", "breach", "refused")
_NOTHING = Text("nothing, by lot", "抽签结果为不采取行动")
_BLANK = Text("blanked: refuse to be profiled", "已清空：拒绝画像")


@dataclass(frozen=True)
class Step:
    """How far the assignments of one action are: customers by state, in the order of the table's columns."""

    label: str
    counts: Sequence[int]
    cost: float


@dataclass(frozen=True)
class CampaignContext:
    """What `campaign.html` shows."""

    shown: CampaignShown
    campaign: Json
    """as `/v1/campaigns/{name}` tells it"""
    states: Sequence[str]
    """the states that anybody is in"""
    steps: Sequence[Step]
    report: Mapping[str, Any] | None  # Any: what `_effect.html` shows
    """the whole measurement; None before the first of this campaign"""
    served: bool
    """whether the list of customers at risk shows what this campaign chose"""
    tools: Sequence[tuple[str, str]]
    """key and name of each tool that takes the list as a file"""
    currency: str
    zone: str
    may_operate: bool
    json_path: str
    """address of the JSON twin"""
    effect_path: str
    """address of the measurement as JSON"""


@router.get("/campaigns/{name:path}")
def campaign(
    request: Request,
    name: Annotated[str, Path(max_length=64)],
    reader: Annotated[Campaigns, Depends(campaign_reader)],
    runs: Annotated[Readings, Depends(readings)],
    caller: Annotated[Caller, Depends(requires("read"))],
) -> HTMLResponse:
    """Show a campaign."""
    found, language, door = reader.one(name), language_of(request), request.app.state.door
    states, steps = _steps(found, language)
    run = runs.find_run()
    one = shown(found, door.currency, request)
    context = CampaignContext(
        shown=one,
        campaign=found,
        states=states,
        steps=steps,
        report=_report(runs, found, language),
        served=run is not None and run.summary.get("campaign") == name,
        tools=[(key, shape.title) for key, shape in SHAPES.items() if shape.kind != "hyper" or _makes_extracts()],
        currency=door.currency,
        zone=door.time_zone,
        may_operate=may_operate(caller),
        json_path="/v1" + one.path,
        effect_path="/v1/effects?" + urlencode({"campaign": name}),
    )
    return render(request, "campaign.html", vars(context))


def _makes_extracts() -> bool:
    """Tell whether a Tableau extract can be made here: it takes a library that not everybody installs."""
    return find_spec("pantab") is not None


def _report(runs: Readings, found: Json, language: Language) -> dict[str, Any] | None:  # Any: as the report
    """Return what the report of an effect shows; None where this campaign was not measured alone."""
    if found["effect"] is None:
        return None
    try:
        body = runs.effect(found["name"]).body
    except NotFoundError:  # it was swept away since
        return None
    return effect_context(body, language)


def _steps(found: Json, language: Language) -> tuple[list[str], list[Step]]:
    """Return the states that anybody is in, and of each action how many are in each."""
    progress = found["progress"]
    states = [state for state in _STATES if any(one["state"] == state for one in progress)]
    labels = {one["name"]: one["label"][language] for one in (found["assignment"] or {}).get("actions", [])}
    labels |= {DO_NOTHING: _NOTHING.to(language)}
    steps = []
    for action in dict.fromkeys(one["action"] for one in progress):
        mine = [one for one in progress if one["action"] == action]
        counts = [sum(one["customers"] for one in mine if one["state"] == state) for state in states]
        label = _BLANK.to(language) if action is None else labels.get(action, action)
        steps.append(Step(label, counts, sum(one["cost"] for one in mine)))
    return states, sorted(steps, key=lambda one: -sum(one.counts))
