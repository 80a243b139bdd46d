"""The API: one module per thing asked for, each answering with records as they stand in the database.

In come requests, out go JSON and CSV. Read `shapes.py` first: it says what a record is.
"""

from fastapi import APIRouter

from churnml.service.api import access, at_risk, customers, data, health, measures, prospects

router = APIRouter()
for part in (
    customers.router,
    at_risk.router,
    prospects.router,
    data.router,
    measures.router,
    access.router,
    health.router,
):
    router.include_router(part)

EXAMPLES = {"/v1/prospects": prospects.EXAMPLE_LIST, **measures.EXAMPLES}
"""Answers to a GET in which some fields are null: FastAPI would leave them out, so the application puts them in."""

__all__ = ["EXAMPLES", "router"]
