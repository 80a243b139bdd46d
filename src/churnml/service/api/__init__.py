"""The API: one module per thing asked for, each answering with records as they stand in the database.

In come requests, out go JSON and CSV. Read `shapes.py` first: it says what a record is.
"""

from fastapi import APIRouter

from churnml.service.api import at_risk, customers, data, health

router = APIRouter()
for part in (customers.router, at_risk.router, data.router, health.router):
    router.include_router(part)

__all__ = ["router"]
