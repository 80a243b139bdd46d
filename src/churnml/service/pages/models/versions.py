"""The models as a page: which one answers and whether that is right, all that were trained, and how aliases moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from churnml.database import Catalogue
from churnml.service import trained
from churnml.service.access import Caller, requires
from churnml.service.pages.language import language_of
from churnml.service.pages.models.figures import Beside, beside_best
from churnml.service.pages.models.sentences import ALIASES, RUNGS, VERDICTS, WHY_MOVED, Sentence, word
from churnml.service.pages.rendering import render
from churnml.wording import Language, Text

router = APIRouter()
Json = dict[str, Any]  # Any: JSON; `api/models.py` says what stands in it
_TOLD = ("auroc", "brier", "ece")


@dataclass(frozen=True)
class ModelsContext:
    """What `models.html` shows."""

    champion: Json | None
    """the model that answers"""
    beside: list[Beside]
    """its figures out of time, each beside the best baseline; empty where it was not judged"""
    verdict: Sentence | None
    """what was found of it last; None where nobody looked"""
    watched: Json | None
    """the same at length"""
    models: list[Json]
    """every version, the latest trained first"""
    moves: list[Json]
    """how aliases moved, the latest first, with `why` worded"""
    before: str | None
    """what a rollback would go back to; None where there is nothing"""
    may_operate: bool
    rungs: Mapping[str, Text]
    aliases: Mapping[str, Text]
    zone: str
    json_path: str
    """address of the JSON twin"""


@router.get("/models")
def models(request: Request, caller: Annotated[Caller, Depends(requires("read"))]) -> HTMLResponse:
    """Show the models; before the first, what to do."""
    state, language = request.app.state, language_of(request)
    catalogue = Catalogue(state.engine)
    found = trained.models(catalogue)
    answering = next((one for one in found if "champion" in one["aliases"]), None)
    with state.engine.connect() as connection:
        seen = None if answering is None else trained.watched(connection, answering["model_version"])
    context = ModelsContext(
        champion=answering,
        beside=[] if answering is None or not answering["judged"] else _beside(answering["judged"], language),
        verdict=None if seen is None else Sentence(word(VERDICTS, seen["verdict"], language), is_said=True),
        watched=seen,
        models=found,
        moves=[one | {"why": _why(one["why"], language)} for one in trained.moves(catalogue)],
        before=trained.before(catalogue),
        may_operate="operate" in caller.scopes,
        rungs=RUNGS,
        aliases=ALIASES,
        zone=state.door.time_zone,
        json_path="/v1/models",
    )
    return render(request, "models.html", vars(context))


def _beside(judged: Json, language: Language) -> list[Beside]:
    return beside_best(judged["churn"], _TOLD, language) if "churn" in judged else []


def _why(why: str, language: Language) -> Sentence:
    """Return why an alias moved; where a person said why, in their words."""
    return Sentence(WHY_MOVED[why].to(language) if why in WHY_MOVED else why, is_said=True)
