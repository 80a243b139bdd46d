"""The plan of the next campaign as a page: what each budget would do and bring, and the form that runs it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from churnml.charts import Span, course
from churnml.database import jobs
from churnml.drawing import Line, scale
from churnml.errors import UsageError
from churnml.service.access import Caller, requires
from churnml.service.api.campaigns import plan_reader
from churnml.service.campaigns import Plans
from churnml.service.campaigns.plans import plan_told
from churnml.service.pages.campaigns.every import may_operate
from churnml.service.pages.language import language_of
from churnml.service.pages.rendering import render
from churnml.wording import Language, Text, exact, format_money

Json = dict[str, Any]  # Any: JSON

router = APIRouter()
_TITLE = Text(
    "Expected net value by budget, and how little of it by the cautious end of the effects",
    "不同预算下的预期净收益，以及按效果保守估计的下限",
)
_HERE = Text("{budget}: {value} expected", "{budget}：预期 {value}")
_MOST = 1e12


@dataclass(frozen=True)
class Slider:
    """From where to where the budget can be drawn, and in which steps."""

    least: float
    most: float
    step: float


@dataclass(frozen=True)
class PlanContext:
    """What `campaign_plan.html` shows."""

    plan: Json | None
    """as `/v1/plan` tells it; None before the first"""
    slider: Slider | None
    curve: Markup | None
    actions: Sequence[Json]
    """what is done at the chosen budget: the actions of which anything is, or could be"""
    tests: Sequence[Json]
    """of those, what it takes to tell their effect"""
    waiting: str
    """address of the job that makes a plan just now; empty where none does"""
    may_operate: bool
    currency: str
    zone: str
    here: str
    json_path: str
    """address of the JSON twin"""


@router.get("/campaigns/plan")
def plan(
    request: Request,
    reader: Annotated[Plans, Depends(plan_reader)],
    caller: Annotated[Caller, Depends(requires("operate"))],
    budget: str = "",
) -> HTMLResponse:
    """Show the plan that was kept last, at a budget; before the first, how to have one made."""
    kept, door, language = reader.find(), request.app.state.door, language_of(request)
    wanted = _budget(budget)
    told = None if kept is None else plan_told(kept, wanted)
    query = {} if wanted is None else {"budget": exact(wanted)}
    with request.app.state.engine.connect() as connection:
        made, _ = jobs.page(connection, 1, None, ["plan"], ["queued", "running"])
    context = PlanContext(
        plan=told,
        slider=None if told is None else _slider(told["points"]),
        curve=None if told is None else _curve(told, language),
        actions=[] if told is None else _actions(told),
        tests=[] if told is None else _tests(told),
        waiting=f"/jobs/{made[0].job_id}" if made else "",
        may_operate=may_operate(caller),
        currency=door.currency if told is None else told["currency"],
        zone=door.time_zone if told is None else told["time_zone"],
        here="/campaigns/plan" + (f"?{urlencode(query)}" if query else ""),
        json_path="/v1/plan" + (f"?{urlencode(query)}" if query else ""),
    )
    return render(request, "campaign_plan.html", vars(context))


def _budget(text: str) -> float | None:
    """Return the budget of an address; None where it names none."""
    if not text:
        return None
    try:
        budget = float(text)
    except ValueError:
        budget = math.nan
    if not 0 <= budget <= _MOST:
        raise UsageError(f"`budget` must be an amount of at least 0, such as 2000, got {text[:40]!r}")
    return budget


def _slider(points: Sequence[Json]) -> Slider | None:
    """Return the ends and the steps of the budgets that were computed; None where there is one alone."""
    budgets = [one["budget"] for one in points]
    steps = [after - before for before, after in pairwise(budgets)]
    if not steps:
        return None
    # the budget that was planned for may lie between two round ones: the usual step is the widest, and the slider
    # begins where its steps come to what was computed
    step = max(steps)
    least = next(one for one in budgets if round((budgets[-1] - one) / step, 6).is_integer())
    return Slider(least, budgets[-1], step)


def _actions(told: Json) -> list[Json]:
    """Return the actions that are open to anybody, with what is done of each at the chosen budget."""
    done: Mapping[str, Json] = told["at"]["actions"]
    ours = [one for one in told["actions"] if one["open_to"]]
    return [one | done.get(one["name"], {"treated": 0, "control": 0}) for one in ours]


def _tests(told: Json) -> list[Json]:
    """Return what it takes to tell the effect of each action that the plan carries out for anybody."""
    done: Mapping[str, Json] = told["at"]["actions"]
    tests = (told["tests"] or {}).get("actions", [])
    chosen = [one for one in tests if done.get(one["action"], {}).get("treated") and one["plans"]]
    return sorted(chosen, key=lambda one: -done[one["action"]]["treated"])


def _curve(told: Json, language: Language) -> Markup | None:
    """Return the drawing of what budgets bring; None where nothing that costs is worth it."""
    points, at, currency = told["points"], told["at"], told["currency"]
    values = [one["expected_net_value"] for one in points]
    if len(points) < 2 or max(values) <= 0:  # a line has two ends
        return None
    cautious = [one["cautious_net_value"] for one in points]
    band = [] if None in cautious else list(zip(cautious, values, strict=True))
    lowest = min([0.0, *values, *(low for low, _ in band)])

    def ticks(least: float, most: float, parts: int) -> list[tuple[float, str]]:
        return [(one, format_money(one, currency, language, whole=True)) for one in scale(least, most, parts)]

    line = Line("ours", [(one["budget"], one["expected_net_value"]) for one in points], band)
    here, value = at["budget"], at["expected_net_value"]
    money = [format_money(one, currency, language, whole=True) for one in (here, value)]
    said = _HERE.to(language).format(budget=money[0], value=money[1])
    across = ticks(points[0]["budget"], points[-1]["budget"], 5)
    up = ticks(lowest, max(values), 4)
    return Markup(  # noqa: S704  # drawings escape what they are given
        course([line], _TITLE.to(language), across, up, [Span(across[0][0], here, said)], [(here, value, said)])
    )
