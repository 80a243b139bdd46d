"""The API: one module per thing asked for, each answering with records as they stand in the database.

In come requests, out go JSON and CSV. Read `shapes.py` first: it says what a record is.
"""

from fastapi import APIRouter

from churnml.service.api import (
    at_risk,
    campaigns,
    customers,
    data,
    handoff,
    health,
    measures,
    models,
    prospects,
    runs,
)

router = APIRouter()
for family in (customers, at_risk, prospects, handoff, campaigns, measures, models, runs, data, health):
    router.include_router(family.router)

EXAMPLES = {
    "/v1/prospects": prospects.EXAMPLE_LIST,
    "/v1/effects": campaigns.EXAMPLE_EFFECT,
    "/v1/models/{model_version}": models.EXAMPLE_MODEL,
    **measures.EXAMPLES,
}
"""Answers to a GET in which some fields are null: FastAPI would leave them out, so the application puts them in."""

__all__ = ["EXAMPLES", "router"]
