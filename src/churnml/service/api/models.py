"""Models: each version that was trained here, what was asked of it before promotion, and which is asked today."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response
from pydantic import Field

from churnml.database import Catalogue
from churnml.service import etags, trained
from churnml.service.access import requires
from churnml.service.api.runs import Database
from churnml.service.api.shapes import Shape
from churnml.service.problems import described

router = APIRouter(prefix="/v1", tags=["operations"], dependencies=[Depends(requires("read"))])
Json = dict[str, Any]  # Any: JSON
Version = Annotated[str, Path(min_length=4, max_length=64, pattern=r"^[0-9a-f]+$")]
_DOWN = {503: ("dependency", "the database does not answer; look at the service's log, then ask again")}
_MODEL: Json = {
    "model_version": "9b1d…", "kind": "events", "trained_at": "2018-01-01T01:50:00+00:00", "run_id": "5f0c…",
    "cutoff": "2018-01-01T00:00:00+00:00", "horizon_days": 60, "churn_by": "orders", "rung": "blend",
    "gates": [{"name": "auc", "asked": True, "passed": True, "rule": "AUC of at least .6", "found": ".71"}],
    "refused_because": [], "not_judged_because": "", "aliases": ["champion"],
}  # fmt: skip
_MOVE = {
    "alias": "champion", "model_version": "9b1d…", "back": False, "why": "passed every gate",
    "moved_at": "2018-01-01T01:50:01+00:00",
}  # fmt: skip


EXAMPLE_MODEL = _MODEL | {"judged": None, "card": "# Model 9b1d…"}


class ModelTold(Shape):
    """A version that was trained here; the same inputs trained again are the same version, told as trained last."""

    model_version: str = Field(description="hash of the model bundle")
    kind: str = Field(description="`events`: from landed tables; `feature table`: from a ready table")
    trained_at: datetime
    run_id: str
    cutoff: datetime | None
    horizon_days: int | None
    churn_by: str | None
    rung: str | None
    gates: list[Json] = Field(description="what was asked before promotion, and what was found")
    refused_because: list[str] = Field(description="the gates that refused it; empty if it passed")
    not_judged_because: str = Field(description="why it was not judged out of time; empty if it was")
    aliases: list[str] = Field(description="what points at it today: `champion`, …")


class ModelWhole(ModelTold):
    """The same with how it did, and its card."""

    judged: Json | None = Field(description="how it did out of time, beside the baselines, with intervals")
    card: str | None = Field(description="the model card, Markdown; null of one trained by an earlier version")


class MoveTold(Shape):
    """An alias that was pointed at a version."""

    alias: str
    model_version: str
    back: bool = Field(description="whether it went back to what it had pointed at before")
    why: str
    moved_at: datetime


class Models(Shape):
    """The models, the latest trained first, and how aliases moved, the latest move first."""

    items: list[ModelTold]
    moves: list[MoveTold]


@router.get(
    "/models",
    summary="Models that were trained, their gates, what each alias points at and how it moved",
    response_model=Models,
    responses={
        200: {"content": {"application/json": {"example": {"items": [_MODEL], "moves": [_MOVE]}}}},
        **etags.UNCHANGED,
        **described(_DOWN),
    },
)
def models(request: Request, database: Database) -> Response:
    """Return every version that was trained here."""
    catalogue = Catalogue(database)
    items = [{name: one[name] for name in ModelTold.model_fields} for one in trained.models(catalogue)]
    return etags.answer(request, {"items": items, "moves": trained.moves(catalogue)})


@router.get(
    "/models/{model_version}",
    summary="One model, with how it did and its card",
    response_model=ModelWhole,
    responses={
        **etags.UNCHANGED,
        **described({
            404: ("not_found", "no model `9b1d` was trained in this workspace; /v1/models lists them"),
            422: ("invalid_request", "`model_version` must have at least 4 characters, got 'x'"),
            **_DOWN,
        }),
    },
)  # fmt: skip
def model(request: Request, model_version: Version, database: Database) -> Response:
    """Return a model by its version, or by the first characters of it where they fit one alone."""
    return etags.answer(request, trained.model(Catalogue(database), model_version))
