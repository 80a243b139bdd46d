"""What a page of campaigns has done: measure one, plan the next, run it; each is a job and leads to its page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse
from pydantic import TypeAdapter, ValidationError

from churnml.errors import UsageError
from churnml.service.access import Caller, requires
from churnml.service.api.job_shapes import JobWanted
from churnml.service.pages.jobs import ask_for
from churnml.service.pages.posting import Form, SentForm

router = APIRouter()
Operator = Annotated[Caller, Depends(requires("operate"))]
_WANTED: TypeAdapter[JobWanted] = TypeAdapter(JobWanted)


@router.post("/campaigns/measure")
def measure(request: Request, form: SentForm, caller: Operator) -> RedirectResponse:
    """Have it measured what a campaign did, also by what parts its customers if the form says so."""
    by = {"by": form.one("by")} if form.one("by") else {}
    return _asked(request, caller, "measure", {"what": "effect", "campaign": _name(form)} | by)


@router.post("/campaigns/plan")
def plan(request: Request, form: SentForm, caller: Operator) -> RedirectResponse:
    """Have the next campaign planned; without a name, that of the month as the settings say."""
    options = {"budget": _budget(form)} | ({"campaign": form.one("campaign")} if form.one("campaign") else {})
    return _asked(request, caller, "plan", options)


@router.post("/campaigns/run")
def run(request: Request, form: SentForm, caller: Operator) -> RedirectResponse:
    """Have a campaign assigned within a budget."""
    return _asked(request, caller, "assign", {"campaign": _name(form), "budget": _budget(form)})


def _asked(request: Request, caller: Caller, verb: str, options: Mapping[str, Any]) -> RedirectResponse:  # Any: JSON
    try:
        wanted = _WANTED.validate_python({"verb": verb, "options": options})
    except ValidationError as error:
        found = error.errors()[0]
        raise UsageError(f"`{found['loc'][-1]}` is not right: {found['msg']}; go back and change it") from None
    return RedirectResponse(ask_for(request, caller, wanted), 303, {"cache-control": "no-store"})


def _name(form: Form) -> str:
    name = form.one("campaign")
    if not name:
        raise UsageError("`campaign` must name a campaign, got nothing; go back and name one")
    return name


def _budget(form: Form) -> float:
    text = form.one("budget")
    try:
        budget = float(text)
    except ValueError:
        budget = math.nan
    if not 0 <= budget < math.inf:
        raise UsageError(f"`budget` must be an amount of at least 0, such as 2000, got {text[:40]!r}")
    return budget
