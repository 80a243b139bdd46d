"""What is in force, to read: the actions to choose from, and the configuration; both are changed in their files."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from churnml.policy import Action
from churnml.service.access import Caller, requires
from churnml.service.clock import asked_at
from churnml.service.configuration import InForce, actions_in_force, in_force
from churnml.service.pages.language import language_of
from churnml.service.pages.rendering import render
from churnml.service.pages.settings.rooms import Tab, tabs

router = APIRouter()
_NINE_OF_TEN = NormalDist().inv_cdf(0.95)


@dataclass(frozen=True)
class ActionsContext:
    """What `settings_actions.html` shows."""

    tabs: list[Tab]
    actions: tuple[Action, ...]
    effects: dict[str, tuple[float, float]]
    """by action, between which odds ratios its assumed effect lies, with 90 % of certainty"""
    currency: str
    file: str
    """where they are changed"""


@dataclass(frozen=True)
class InForceContext:
    """What `settings_in_force.html` shows."""

    tabs: list[Tab]
    found: InForce
    zone: str
    folder: str
    """where the files are"""


@router.get("/settings/actions")
def actions(request: Request, caller: Annotated[Caller, Depends(requires("operate"))]) -> HTMLResponse:
    """Show the catalogue of actions as it stands."""
    state, found = request.app.state, actions_in_force(request)
    context = ActionsContext(
        tabs=tabs(request, caller, language_of(request)),
        actions=found,
        effects={one.name: _between(one) for one in found},
        currency=state.door.currency,
        file=str(state.configs / "actions.yaml"),
    )
    return render(request, "settings_actions.html", vars(context))


@router.get("/settings/in-force")
def configuration(request: Request, admin: Annotated[Caller, Depends(requires("admin"))]) -> HTMLResponse:
    """Show versions, database, backup and the settings of each file."""
    context = InForceContext(
        tabs=tabs(request, admin, language_of(request)),
        found=in_force(request, asked_at(request)),
        zone=request.app.state.door.time_zone,
        folder=str(request.app.state.configs),
    )
    return render(request, "settings_in_force.html", vars(context))


def _between(action: Action) -> tuple[float, float]:
    """Return between which odds ratios an assumed effect lies in nine of ten cases: its logarithm is normal."""
    ratio, spread = action.prior.churn_odds_ratio, math.exp(_NINE_OF_TEN * action.prior.uncertainty)
    return ratio / spread, ratio * spread
