"""The API: one module per thing asked for, each answering with records as they stand in the database.

In come requests, out go JSON and CSV. Read `shapes.py` first: it says what a record is.
"""

from fastapi import APIRouter, Depends

from churnml.service.api import (
    access,
    at_risk,
    campaigns,
    case_notes,
    cases,
    consents,
    contact_details,
    contacts,
    customers,
    data,
    erasures,
    events,
    from_history,
    handoff,
    health,
    jobs,
    measures,
    models,
    outcomes,
    prospects,
    queue,
    runs,
    settings,
    timeline,
    views,
    webhooks,
)
from churnml.service.parameters import once_each

router = APIRouter(dependencies=[Depends(once_each)])
for part in (
    customers,
    contact_details,
    timeline,
    at_risk,
    views,
    prospects,
    handoff,
    campaigns,
    measures,
    models,
    runs,
    jobs,
    data,
    access,
    settings,
    health,
    outcomes,
    cases,
    case_notes,
    queue,
    contacts,
    consents,
    events,
    from_history,
    erasures,
    webhooks,
):
    router.include_router(part.router)

EXAMPLES = {
    "/v1/events/{batch}": events.BATCH_EXAMPLE,
    "/v1/prospects": prospects.EXAMPLE_LIST,
    "/v1/timeline": timeline.EXAMPLE_TIMELINE,
    "/v1/effects": campaigns.EXAMPLE_EFFECT,
    "/v1/models/{model_version}": models.EXAMPLE_MODEL,
    **measures.EXAMPLES,
}
"""Answers to a GET in which some fields are null: FastAPI would leave them out, so the application puts them in."""

WRITTEN = {
    ("/v1/outcomes", "post"): outcomes.EXAMPLE,
    ("/v1/contacts", "post"): contacts.EXAMPLE,
    ("/v1/consents", "post"): consents.EXAMPLE,
    ("/v1/events", "post"): events.EXAMPLE,
    ("/v1/scores/from-history", "post"): from_history.EXAMPLE,
    **cases.EXAMPLES,
    **jobs.EXAMPLES,
    **case_notes.EXAMPLES,
    **queue.EXAMPLES,
    **views.EXAMPLES,
    **settings.EXAMPLES,
}
"""The same of routes by their method."""

__all__ = ["EXAMPLES", "WRITTEN", "router"]
