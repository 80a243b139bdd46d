"""Whether the process lives, whether it has something to serve, and how it fares: for those who watch over it."""

from __future__ import annotations

import shutil
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from churnml.database.erasures import AGAIN, repeat_due
from churnml.errors import DependencyError
from churnml.service.access import requires
from churnml.service.api.shapes import Health, Readiness, readings
from churnml.service.metrics import MEDIA_TYPE, Metrics
from churnml.service.problems import described
from churnml.service.readings import NO_RUN, CurrentRun, Readings

router = APIRouter(tags=["health"])
STOPPING = "the service is stopping; ask another one, or this address again in a while"
_MEGABYTE = 1_000_000
_READY = {"status": "ready", "run_id": "5f0c…", "cutoff": "2018-01-01T00:00:00+00:00"}


@router.get(
    "/healthz",
    summary="Whether the process lives",
    response_model=Health,
    responses={200: {"content": {"application/json": {"example": {"status": "ok"}}}}},
)
async def healthz() -> JSONResponse:
    """Answer without asking the database."""
    return JSONResponse({"status": "ok"})


@router.get(
    "/readyz",
    summary="Whether there are records to serve",
    response_model=Readiness,
    responses={
        200: {"content": {"application/json": {"example": _READY}}},
        **described({503: ("dependency", NO_RUN)}),
    },
)
def readyz(request: Request, reader: Annotated[Readings, Depends(readings)]) -> JSONResponse:
    """Answer 503 while something is wrong, with what it is.

    The database, no run yet, erased customers who may be back, the model, the disk, or that the service stops.
    """
    if request.app.state.stopping:
        raise DependencyError(STOPPING)
    run = _run(reader)
    reasons = [*_erased(request), *_model(request, reader), *_room(request)]
    if reasons:
        raise DependencyError("; ".join(reasons))
    return JSONResponse({"status": "ready", "run_id": run.run_id, "cutoff": run.summary.get("cutoff")})


@router.get(
    "/metrics",
    summary="How the service fares, for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}, "example": "churnml_database_up 1.0"}}}},
    dependencies=[Depends(requires("read"))],
)
def metrics(request: Request) -> Response:
    """Answer in Prometheus' text format; no customer is in it."""
    counted: Metrics = request.app.state.metrics
    return Response(counted.told(), media_type=MEDIA_TYPE)


def _run(reader: Readings) -> CurrentRun:
    try:
        return reader.run()
    except SQLAlchemyError as error:
        raise DependencyError("the database does not answer; look at the log of the service") from error


def _erased(request: Request) -> list[str]:
    """Tell of a restore that brought back who was erased since the backup was made."""
    with request.app.state.engine.connect() as connection:
        return [AGAIN] if repeat_due(connection) else []


def _model(request: Request, reader: Readings) -> list[str]:
    """Tell of a champion whose files are gone; before the first there is none to miss."""
    champion = reader.champion()
    if champion is None:
        return []
    manifest = request.app.state.workspace.models / champion / "manifest.json"
    try:
        with manifest.open("rb") as file:
            file.read(1)
    except OSError as error:
        return [f"the model in service cannot be read ({error.strerror}); restore it, or promote another"]
    return []


def _room(request: Request) -> list[str]:
    """Tell of a disk that is as good as full."""
    least = request.app.state.settings.limits.least_free_mb
    free = shutil.disk_usage(request.app.state.workspace.root).free // _MEGABYTE
    if free >= least:
        return []
    return [f"the disk of the workspace must have {least} MB free, found {free} MB; make room"]
