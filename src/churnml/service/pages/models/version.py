"""A model as a page: whether its probabilities mean what they say, whom it finds, what became of what it said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from churnml.database import Catalogue
from churnml.service import trained
from churnml.service.access import Caller, requires
from churnml.service.api.models import TradeOffQuery, Version, stakes_of
from churnml.service.pages.language import language_of
from churnml.service.pages.models.figures import SHOWN, Beside, Gate, Table, beside_best, gates, table
from churnml.service.pages.models.pictures import pictures
from churnml.service.pages.models.sentences import ALIASES, DRIFTS, GATES, RUNGS, VERDICTS, word
from churnml.service.pages.models.words import called, figure
from churnml.service.pages.rendering import render
from churnml.service.trade_off import trade_off
from churnml.wording import Text

router = APIRouter()
Json = dict[str, Any]  # Any: JSON; `api/models.py` says what stands in it
Words = Mapping[str, Text]
SHARES = (1, 2, 5, 10, 20, 30, 50)
"""Shares of customers, in hundredths, that the page offers as links."""


@dataclass(frozen=True)
class ModelContext:
    """What `model.html` shows."""

    model: Json
    judged: Json
    """how it did out of time, by target; empty where it was not judged"""
    beside: list[Beside]
    """the figures of churn, each beside the best baseline"""
    tables: dict[str, Table]
    """every figure of every method, for churn and for value"""
    trade: Json | None
    """whom contacting so many would have found; None where no curves are kept"""
    asked: Json
    """the share in hundredths, and the money, as the form shows them"""
    shares: tuple[int, ...]
    draw: Mapping[str, str]
    """the pictures, by name"""
    gates: list[Gate]
    conversion: list[Beside]
    conversion_gates: list[Gate]
    watched: Json | None
    """what was found of it last; None where nobody looked"""
    verdict: str
    before: str | None
    """what a rollback would go back to"""
    may_operate: bool
    called: Any  # Any: a function, what a method, figure or part is called
    figure: Any  # Any: a function, a figure with its interval
    rungs: Words
    aliases: Words
    drifts: Words
    zone: str
    currency: str
    json_path: str
    """address of the JSON twin"""
    trade_json_path: str


@router.get("/models/{model_version}")
def model(
    request: Request,
    model_version: Version,
    caller: Annotated[Caller, Depends(requires("read"))],
    share: Annotated[int, Query(ge=1, le=100)] = 10,
    clv: Annotated[float | None, Query(gt=0, le=1e9)] = None,
    incentive: Annotated[float | None, Query(ge=0, le=1e9)] = None,
    contact: Annotated[float | None, Query(ge=0, le=1e9)] = None,
    accepts: Annotated[int | None, Query(ge=1, le=100)] = None,
) -> HTMLResponse:
    """Show a model, by its version or the first characters of it; share and acceptance are in hundredths."""
    state, language = request.app.state, language_of(request)
    catalogue = Catalogue(state.engine)
    found = trained.model(catalogue, model_version)
    version = found["model_version"]
    with state.engine.connect() as connection:
        seen = trained.watched(connection, version)
    wanted = TradeOffQuery(
        share=share / 100,
        clv=clv,
        incentive=incentive,
        contact=contact,
        accepts=None if accepts is None else accepts / 100,
    )
    stakes = stakes_of(found, wanted)
    trade = trade_off(found, wanted.share, stakes) if found["curves"] else None
    judged = found["judged"] if found["judged"] and "churn" in found["judged"] else {}
    converts = (found["conversion"] or {}).get("judged")
    context = ModelContext(
        model=found,
        judged=judged,
        beside=beside_best(judged["churn"], SHOWN["churn"], language) if judged else [],
        tables={one: table(judged[one], SHOWN[one], language) for one in ("churn", "value") if one in judged},
        trade=trade,
        asked={"share": share} | vars(stakes) | {"accepts": round(stakes.accepts * 100)},
        shares=SHARES,
        draw=pictures(found, trade, seen, language),
        gates=gates(found["gates"], GATES, language),
        conversion=beside_best(converts, SHOWN["conversion"], language) if converts else [],
        conversion_gates=gates((found["conversion"] or {}).get("gates", []), GATES, language),
        watched=seen,
        verdict="" if seen is None else word(VERDICTS, seen["verdict"], language),
        before=trained.before(catalogue),
        may_operate="operate" in caller.scopes,
        called=lambda name: called(name, language),
        figure=figure,
        rungs=RUNGS,
        aliases=ALIASES,
        drifts=DRIFTS,
        zone=state.door.time_zone,
        currency=state.door.currency,
        json_path=f"/v1/models/{version}",
        trade_json_path=f"/v1/models/{version}/trade-off?{urlencode(wanted.model_dump(exclude_none=True))}",
    )
    return render(request, "model.html", vars(context))
