"""Whether the process lives, and whether it has something to serve."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from churnml.service.api.shapes import Health, Readiness, readings
from churnml.service.problems import described
from churnml.service.readings import NO_RUN, Readings

router = APIRouter(tags=["health"])
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
def readyz(reader: Annotated[Readings, Depends(readings)]) -> JSONResponse:
    """Answer 503, with what to run, until a run has finished."""
    run = reader.run()
    return JSONResponse({"status": "ready", "run_id": run.run_id, "cutoff": run.summary.get("cutoff")})
