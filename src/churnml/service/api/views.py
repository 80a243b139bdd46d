"""Saved views of the list at risk: kept, told and removed under their names."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ConfigDict, Field
from sqlalchemy import Connection

from churnml.service.access import Caller, requires
from churnml.service.api.shapes import Shape
from churnml.service.api.texts import Name
from churnml.service.clock import asked_at
from churnml.service.idempotency import REPEATED, once, raw_body
from churnml.service.listing import COLUMNS, Asked
from churnml.service.problems import described
from churnml.service.views import Whose, remove_view, save_view, told, views_for

router = APIRouter(prefix="/v1", tags=["lists"])
Json = dict[str, Any]  # Any: JSON
Reader = Annotated[Caller, Depends(requires("read"))]
Body = Annotated[bytes, Depends(raw_body)]
Called = Annotated[Name, Path(description="what the view is called")]
_ASKED = {"band": "high", "change": "risen", "sort": "clv"}
_COLUMNS = ["value_at_risk", "churn_probability", "change", "clv", "owner"]
_WANTED: Json = {"asked": _ASKED, "columns": _COLUMNS}
_VIEW: Json = {
    "whose": "own", "name": "Rising fast", "asked": _ASKED, "columns": _COLUMNS,
    "path": "/at-risk?band=high&change=risen&sort=clv&columns=value_at_risk&…", "saved_by": "ann",
    "saved_at": "2018-01-09T10:30:00+00:00",
}  # fmt: skip
_SHARED = "a view for everybody is kept by an analyst or an administrator; keep it as your own"
_REFUSED = described({
    403: ("forbidden", _SHARED),
    422: ("invalid_request", "`whose` must be `own` or `shared`, got 'mine'"),
})  # fmt: skip
EXAMPLES: dict[tuple[str, str], Json] = {
    ("/v1/views", "get"): {"items": [_VIEW]},
    ("/v1/views/{whose}/{name}", "put"): _VIEW,
    ("/v1/views/{whose}/{name}", "delete"): {"removed": True},
}


class ViewWanted(Shape):
    """What a view is to show."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _WANTED})

    asked: dict[str, Annotated[str, Field(max_length=64)]] = Field(
        default_factory=dict,
        max_length=20,
        description="filters and sort in the words of the address of /at-risk: "
        + ", ".join(f"`{name}`" for name in vars(Asked()) if name != "columns"),
    )
    columns: list[Annotated[str, Field(max_length=64)]] = Field(
        default_factory=list,
        max_length=len(COLUMNS),
        description=f"which are shown, of {', '.join(f'`{one}`' for one in COLUMNS)}; the usual ones if left out",
    )


class ViewTold(Shape):
    """A saved view."""

    whose: Whose = Field(description="`own`: of whoever asks; `shared`: everybody's")
    name: str
    asked: dict[str, str] = Field(description="filters and sort, in the words of the address of /at-risk")
    columns: list[str] = Field(description="which are shown, in order")
    path: str = Field(description="address of the page that shows it")
    saved_by: str
    saved_at: datetime


class Views(Shape):
    """Views to choose from, everybody's first, then those of whoever asks, each by name."""

    items: list[ViewTold]


class ViewRemoved(Shape):
    """What became of a view that was to be removed."""

    removed: bool = Field(description="false where there was none")


@router.get("/views", summary="Saved views of the list at risk", response_model=Views)
def list_views(request: Request, caller: Reader) -> JSONResponse:
    """Return everybody's views and those of whoever asks."""
    with request.app.state.engine.connect() as connection:
        return JSONResponse({"items": [told(one) for one in views_for(connection, caller)]})


@router.put(
    "/views/{whose}/{name}",
    summary="Keep a view under a name",
    response_model=ViewTold,
    responses=REPEATED | _REFUSED | described({
        400: ("usage", "`band` must be one of high, medium, low, got 'huge'"),
    }),
)  # fmt: skip
def keep(request: Request, whose: Whose, name: Called, wanted: ViewWanted, caller: Reader, body: Body) -> Response:
    """Keep filters, sort and columns, in place of what has the name already; `owner` may be `me` or `nobody`."""
    now = asked_at(request)

    def make(connection: Connection) -> tuple[int, Json]:
        return 200, told(save_view(connection, caller, whose, name, wanted.asked, wanted.columns, now))

    return once(request, caller, body, make)


@router.delete(
    "/views/{whose}/{name}",
    summary="Remove a view",
    response_model=ViewRemoved,
    responses=REPEATED | _REFUSED,
)
def remove(request: Request, whose: Whose, name: Called, caller: Reader, body: Body) -> Response:
    """Remove a view; one that is not there is removed already."""
    now = asked_at(request)

    def make(connection: Connection) -> tuple[int, Json]:
        return 200, {"removed": remove_view(connection, caller, whose, name, now)}

    return once(request, caller, body, make)
