"""Whether the process lives, and whether it has something to serve."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from churnml.database.erasures import repeat_due
from churnml.errors import DependencyError
from churnml.service.api.shapes import Health, Readiness, readings
from churnml.service.problems import described
from churnml.service.readings import NO_RUN, Readings

router = APIRouter(tags=["health"])
AGAIN = "a backup was restored, and customers erased since it was made may be back; run `churnml erase --resume`"


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
def readyz(request: Request, reader: Annotated[Readings, Depends(readings)]) -> JSONResponse:
    """Answer 503, with what to run, until a run has finished, and while erased customers may be back."""
    with request.app.state.engine.connect() as connection:
        if repeat_due(connection):
            raise DependencyError(AGAIN)
    run = reader.run()
    return JSONResponse({"status": "ready", "run_id": run.run_id, "cutoff": run.summary.get("cutoff")})
