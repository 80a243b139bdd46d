"""Forms about models: have one trained or watched, make it the champion, go back; each leads to the page of its job.

What is promoted passed every gate: one that did not is promoted by a person at the command line alone, who says why.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse
from pydantic import TypeAdapter

from churnml.database import Catalogue
from churnml.errors import ConflictError
from churnml.service import trained
from churnml.service.access import Caller, requires
from churnml.service.api.job_shapes import JobWanted
from churnml.service.api.models import Version
from churnml.service.pages.jobs import ask_for
from churnml.service.pages.posting import SentForm, back

router = APIRouter()
Operator = Annotated[Caller, Depends(requires("operate"))]
_WANTED: TypeAdapter[JobWanted] = TypeAdapter(JobWanted)
_SHOWN = 12


@router.post("/models/train")
def train(request: Request, _form: SentForm, caller: Operator) -> RedirectResponse:
    """Have a model trained as configs/train.yaml says."""
    return _asked(request, caller, "train")


@router.post("/models/monitor")
def monitor(request: Request, _form: SentForm, caller: Operator) -> RedirectResponse:
    """Have the champion watched."""
    return _asked(request, caller, "monitor")


@router.post("/models/rollback")
def rollback(request: Request, form: SentForm, caller: Operator) -> RedirectResponse:
    """Have the champion go back; where it moved since the page was read, say so and do nothing."""
    if trained.before(Catalogue(request.app.state.engine)) != form.one("to"):
        return back(form, "models_moved")
    return _asked(request, caller, "rollback")


@router.post("/models/{model_version}/promote")
def promote(request: Request, _form: SentForm, model_version: Version, caller: Operator) -> RedirectResponse:
    """Have a model made the champion.

    Raises
    ------
    ConflictError
        If a gate refused it.
    """
    found = trained.model(Catalogue(request.app.state.engine), model_version)
    version = found["model_version"]
    if found["refused_because"]:
        raise ConflictError(
            f"model {version[:_SHOWN]} must pass every gate, and did not: {'; '.join(found['refused_because'])}. Bring "
            "more data or train with other settings"
        )
    return _asked(request, caller, "promote", model=version)


def _asked(request: Request, caller: Caller, verb: str, **options: str) -> RedirectResponse:
    wanted = _WANTED.validate_python({"verb": verb, "options": options})
    return RedirectResponse(ask_for(request, caller, wanted), 303, {"cache-control": "no-store"})
