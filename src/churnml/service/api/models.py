"""Models: each version that was trained here, what was asked of it before promotion, and which is asked today."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from churnml.database import Catalogue
from churnml.errors import UsageError
from churnml.service import etags, trained
from churnml.service.access import requires
from churnml.service.api.runs import Database
from churnml.service.api.shapes import Shape
from churnml.service.problems import described
from churnml.service.trade_off import NOT_KEPT, Stakes, trade_off

router = APIRouter(prefix="/v1", tags=["operations"], dependencies=[Depends(requires("read"))])
Json = dict[str, Any]  # Any: JSON
Version = Annotated[str, Path(min_length=4, max_length=64, pattern=r"^[0-9a-f]+$")]
_DOWN = {503: ("dependency", "the database does not answer; look at the service's log, then ask again")}
_MODEL: Json = {
    "model_version": "9b1d…", "kind": "events", "trained_at": "2018-01-01T01:50:00+00:00", "run_id": "5f0c…",
    "cutoff": "2018-01-01T00:00:00+00:00", "horizon_days": 60, "churn_by": "orders", "rung": "blend",
    "gates": [{"name": "auc", "asked": True, "passed": True, "rule": "AUC of at least .6", "found": ".71"}],
    "refused_because": [], "not_judged_because": "", "aliases": ["champion"], "auroc": [0.79, 0.76, 0.81],
}  # fmt: skip
_MOVE = {
    "alias": "champion", "model_version": "9b1d…", "back": False, "why": "passed every gate",
    "moved_at": "2018-01-01T01:50:01+00:00",
}  # fmt: skip


EXAMPLE_MODEL = _MODEL | {
    "judged": None, "card": "# Model 9b1d…", "rung_because": "", "next_rung_needs": "", "training_cutoffs": 16,
    "snapshots": 24630, "weights": {"trees": 0.4, "ridge": 0.4, "rhythm": 0.2}, "calibration": None, "weighs": [],
    "curves": None, "campaign": None, "conversion": None, "satisfaction": None, "next_category": None, "watched": None,
}  # fmt: skip
_POINT: Json = {
    "share": 0.1, "edge": 0.42, "customers": 172, "caught": [95.0, 84.0, 107.0], "wrongly": [77.0, 65.0, 88.0],
    "found": [0.23, 0.2, 0.26], "profit": [2.14, 1.8, 2.5],
}  # fmt: skip
EXAMPLE_TRADE_OFF: Json = {
    "as_of": "2017-11-02", "customers": 1725, "left": 412,
    "stakes": {"clv": 200.0, "incentive": 10.0, "contact": 1.0, "accepts": 0.3}, "pays_above": 0.16,
    "at": _POINT | {
        "baselines": [{"name": "recency rule", "caught": 70.0, "lead_of_ours": [25.0, 14.0, 36.0], "profit": 1.2}]
    },
    "points": [_POINT], "money": {"churnml": [[0.0, 0.0, 0.0], [2.14, 1.8, 2.5]], "recency rule": [[0.0], [1.2]]},
    "best_share": 0.45,
}  # fmt: skip


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
    auroc: list[float] | None = Field(description="out of time, with its interval; null if it was not judged")


class ModelWhole(ModelTold):
    """The same with how it did, and its card."""

    judged: Json | None = Field(description="how it did out of time, beside the baselines, with intervals")
    card: str | None = Field(description="the model card, Markdown; null of one trained by an earlier version")
    rung_because: str | None = Field(description="why it stands on no higher rung; empty on the highest")
    next_rung_needs: str | None = Field(description="what the next rung takes")
    training_cutoffs: int | None = Field(description="how many cutoffs taught it")
    snapshots: int | None = Field(description="how many snapshots of customers taught it")
    weights: dict[str, float] | None = Field(description="of each learner in the blend")
    calibration: Json | None = Field(description="which calibration was taken, and why")
    weighs: list[Json] | None = Field(description="the features that pull hardest, with their share of all pulls")
    curves: Json | None = Field(
        description="points of its curves out of time, see docs/promotion.md; null if it was not judged, or an earlier "
        "version trained it"
    )
    campaign: dict[str, float] | None = Field(description="what its money is counted with by default")
    conversion: Json | None = Field(description="how it tells who becomes a customer")
    satisfaction: Json | None = Field(description="how it tells satisfaction")
    next_category: Json | None = Field(description="how it tells which category comes next")
    watched: Json | None = Field(description="what `churnml monitor` found of it last; null if nobody looked")


class Stake(Shape):
    """What a campaign costs and brings, in money."""

    clv: float
    incentive: float
    contact: float
    accepts: float


class Point(Shape):
    """What contacting a share of the customers, the riskiest first, would have come to at the test of a model."""

    share: float
    edge: float = Field(description="churn probability of the last who is contacted")
    customers: int = Field(description="who is contacted")
    caught: list[float] = Field(description="of them who left, with 95 % interval")
    wrongly: list[float] = Field(description="of them who stayed, with 95 % interval")
    found: list[float] = Field(description="the share caught of all who left, with 95 % interval")
    profit: list[float] = Field(description="money per customer of the base, with 95 % interval")


class Beside(Shape):
    """The same of a baseline."""

    name: str
    caught: float
    lead_of_ours: list[float] = Field(description="customers caught more by ours, with 95 % interval; paired")
    profit: float


class PointBeside(Point):
    """A point beside the baselines."""

    baselines: list[Beside]


class TradeOff(Shape):
    """Who is found and who is contacted in vain."""

    as_of: date = Field(description="cutoff of the test")
    customers: int
    left: int
    stakes: Stake
    pays_above: float = Field(description="churn probability above which a contact pays")
    at: PointBeside = Field(description="at the share asked for")
    points: list[Point] = Field(description="at each share that is kept")
    money: dict[str, list[list[float]]] = Field(description="by method, profit at no share and at each kept")
    best_share: float = Field(description="where ours earned most, with hindsight")


class TradeOffQuery(Shape):
    """What may stand behind the question mark; what is left out is as the model was trained."""

    share: float = Field(0.1, gt=0, le=1, description="of all customers, the riskiest first")
    clv: float | None = Field(None, ge=0.01, le=1e9, description="value of a customer kept")
    incentive: float | None = Field(None, ge=0, le=1e9, description="cost of the incentive, paid if accepted")
    contact: float | None = Field(None, ge=0, le=1e9, description="cost of a contact, always paid")
    accepts: float | None = Field(None, ge=0.001, le=1, description="probability that one who would leave accepts")


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
    found = trained.model(Catalogue(database), model_version)
    with database.connect() as connection:
        watched = trained.watched(connection, found["model_version"])
    return etags.answer(request, found | {"watched": watched})


@router.get(
    "/models/{model_version}/trade-off",
    summary="Who would have been found by contacting a share of customers, who in vain, and what that earned",
    response_model=TradeOff,
    responses={
        200: {"content": {"application/json": {"example": EXAMPLE_TRADE_OFF}}},
        **described({
            400: ("usage", "`incentive` must be below `clv`, got 300 and 200; say what both are"),
            404: ("not_found", NOT_KEPT.format(version="9b1d…")),
            422: ("invalid_request", "`share` must be greater than 0, got '0'"),
            **_DOWN,
        }),
    },
)  # fmt: skip
def trade_off_of(model_version: Version, query: Annotated[TradeOffQuery, Query()], database: Database) -> JSONResponse:
    """Return what the model did at its test out of time, read off the curves kept of it, by the money asked about."""
    found = trained.model(Catalogue(database), model_version)
    return JSONResponse(trade_off(found, query.share, stakes_of(found, query)))


def stakes_of(model: Json, query: TradeOffQuery) -> Stakes:
    """Return the money that was asked about, the rest as the model was trained.

    Raises
    ------
    UsageError
        If the incentive is not below the value.
    """
    asked = query.model_dump(exclude={"share"}, exclude_none=True)
    stakes = replace(Stakes.of(model["campaign"]), **asked)
    if stakes.incentive >= stakes.clv:
        raise UsageError(
            f"`incentive` must be below `clv`, got {stakes.incentive:g} and {stakes.clv:g}; say what both are"
        )
    return stakes
