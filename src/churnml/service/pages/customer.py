"""One customer as a page: who it is, how likely to leave and what that would cost, why, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from churnml.service.access import requires
from churnml.service.api.shapes import readings
from churnml.service.pages.rendering import customer_path, render
from churnml.service.readings import CurrentRun, Readings, Record
from churnml.service.trail import viewed

router = APIRouter(dependencies=[Depends(requires("read"))])


@dataclass(frozen=True)
class CustomerContext:
    """What `customer.html` shows."""

    record: Record
    """the decision record, as the API gives it"""
    run: CurrentRun
    """the run that made it; it says in which zone days are told"""
    span: float
    """the weight that fills one half of a reason's bar: the greatest of them"""
    path: list[tuple[str, float]]
    """the stays of their path, each the class of its stage and how long it was"""
    json_path: str
    """address of the JSON twin"""


@router.get("/customers/{customer_id:path}")
def customer(customer_id: str, request: Request, reader: Annotated[Readings, Depends(readings)]) -> HTMLResponse:
    """Show one customer; before the first run, show what to do."""
    run = reader.find_run()
    if run is None:
        return render(request, "no_run.html", {}, 503)
    record = reader.customer(customer_id)
    viewed(request, customer_id)
    span = max((abs(reason["weight"]) for reason in record["reasons"]), default=1.0)
    path = [(f"stage-{stay['stage']}", float(stay["periods"])) for stay in record["lifecycle_path"]]
    context = CustomerContext(record, run, span, path, "/v1" + customer_path(customer_id))
    return render(request, "customer.html", vars(context))
