"""Whether the process lives, and whether it has something to serve."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from churnml.service.api.shapes import Health, Readiness, readings
from churnml.service.problems import described
from churnml.service.readings import NO_RUN, Readings

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Whether the process lives", response_model=Health)
async def healthz() -> JSONResponse:
    """Answer without asking the database."""
    return JSONResponse({"status": "ok"})


@router.get(
    "/readyz",
    summary="Whether there are records to serve",
    response_model=Readiness,
    responses=described({503: ("dependency", NO_RUN)}),
)
def readyz(reader: Annotated[Readings, Depends(readings)]) -> JSONResponse:
    """Answer 503, with what to run, until a run has finished."""
    run = reader.run()
    return JSONResponse({"status": "ready", "run_id": run.run_id, "cutoff": run.summary.get("cutoff")})
