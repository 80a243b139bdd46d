"""What happened with one customer, and how they were scored before."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field

from churnml.database import Catalogue
from churnml.database.customer_past import scores_of
from churnml.events.clock import moment
from churnml.events.timeline import DATED, TOLD, Happening, timeline
from churnml.service import etags
from churnml.service.access import requires
from churnml.service.api.shapes import Shape
from churnml.service.api.texts import CustomerId
from churnml.service.clock import asked_at
from churnml.service.problems import described
from churnml.service.readings import Band
from churnml.service.sight import require_seen
from churnml.service.trail import viewed

router = APIRouter(prefix="/v1", tags=["records"], dependencies=[Depends(requires("read"))])
Json = dict[str, Any]  # Any: JSON
MOST = 500
_AN_ORDER = {"table": "orders", "occurred_at": "2018-01-02T10:12:00+00:00", "count": 1,
             "facts": {"amount": 23.5, "channel": "web"}}  # fmt: skip
_VISITS = {"table": "interactions", "occurred_at": "2018-01-01T18:40:00+00:00", "count": 3,
           "facts": {"kind": "visit", "channel": "app"}}  # fmt: skip
EXAMPLE_TIMELINE: Json = {"items": [_AN_ORDER, _VISITS]}
_SCORE = {"cutoff": "2018-01-01T00:00:00+00:00", "churn_probability": 0.43, "value_at_risk": 77.4, "risk_band": "high",
          "model_version": "9b1d…"}  # fmt: skip


class HappeningTold(Shape):
    """Something that happened."""

    table: str = Field(description=f"of the contract, docs/data.md: {', '.join(TOLD)}")
    occurred_at: datetime = Field(description="of several that are alike on a day, the latest")
    count: int = Field(description="how many alike there were on that day")
    facts: Json = Field(
        description="some columns of the row; money in units of the currency, null where nothing is told"
    )


class Timeline(Shape):
    """What happened, the latest first."""

    items: list[HappeningTold]


class ScoreTold(Shape):
    """How a customer was scored at one cutoff."""

    cutoff: datetime
    churn_probability: float | None = Field(description="null where the run did not score them")
    value_at_risk: float | None
    risk_band: Band | None
    model_version: str | None


class ScoreHistory(Shape):
    """Scores by cutoff, the earliest first; of one cutoff that of the run finished last."""

    items: list[ScoreTold]


class PastQuery(Shape):
    """Whose past is wanted."""

    customer_id: CustomerId
    limit: int = Field(50, ge=1, le=MOST)


@router.get(
    "/timeline",
    summary="What happened with one customer: orders, visits, tickets, surveys, contacts, consents",
    response_model=Timeline,
    responses={
        200: {"content": {"application/json": {"example": EXAMPLE_TIMELINE}}},
        **etags.UNCHANGED,
        **described(
            {
                403: ("forbidden", "`li` looks after this customer, and you see your own and nobody's; …"),
                422: ("invalid_request", "`customer_id` is missing; add it"),
            }
        ),
    },
)
def happened(request: Request, query: Annotated[PastQuery, Query()]) -> Response:
    """Return it as it is known by now, the latest first; nothing of a customer who has not landed."""
    require_seen(request, query.customer_id)
    viewed(request, query.customer_id)
    return etags.answer(request, {"items": [_told(one) for one in happenings(request, query.customer_id, query.limit)]})


@router.get(
    "/score-history",
    summary="How one customer was scored before",
    response_model=ScoreHistory,
    responses={
        200: {"content": {"application/json": {"example": {"items": [_SCORE]}}}},
        **etags.UNCHANGED,
        **described(
            {
                403: ("forbidden", "`li` looks after this customer, and you see your own and nobody's; …"),
                422: ("invalid_request", "`customer_id` is missing; add it"),
            }
        ),
    },
)
def scored(request: Request, query: Annotated[PastQuery, Query()]) -> Response:
    """Return the scores that are kept, docs/operations.md says for how long."""
    require_seen(request, query.customer_id)
    viewed(request, query.customer_id)
    with request.app.state.engine.connect() as connection:
        found = scores_of(connection, query.customer_id, query.limit)
    return etags.answer(request, {"items": [asdict(one) for one in found]})


def happenings(request: Request, customer_id: str, limit: int) -> list[Happening]:
    """Return what happened with a customer as it is known by now, the latest first."""
    state = request.app.state
    parts = Catalogue(state.engine).parts()
    return timeline(state.workspace.root, parts, customer_id, state.door.time_zone, asked_at(request), limit)


def _told(one: Happening) -> Json:
    facts = {
        name: moment(int(value)).isoformat() if name in DATED and value is not None else value
        for name, value in one.facts.items()
    }
    return asdict(one) | {"occurred_at": moment(one.occurred_at).isoformat(), "facts": facts}
