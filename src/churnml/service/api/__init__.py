"""The API: one module per thing asked for, each answering with records as they stand in the database.

In come requests, out go JSON and CSV. Read `shapes.py` first: it says what a record is.
"""

from fastapi import APIRouter, Depends

from churnml.service.api import (
    access,
    at_risk,
    campaign_shapes,
    campaigns,
    case_notes,
    cases,
    consents,
    contact_details,
    contacts,
    customers,
    data,
    data_health,
    erasures,
    events,
    from_history,
    handoff,
    health,
    jobs,
    measures,
    models,
    outcomes,
    overview,
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
    overview,
    data,
    data_health,
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
    "/v1/campaigns": campaign_shapes.EXAMPLE_CAMPAIGNS,
    "/v1/campaigns/{campaign}": campaign_shapes.EXAMPLE_CAMPAIGN,
    "/v1/effects": campaigns.EXAMPLE_EFFECT,
    "/v1/plan": campaign_shapes.EXAMPLE_PLAN,
    "/v1/models/{model_version}": models.EXAMPLE_MODEL,
    "/v1/overview": overview.EXAMPLE,
    "/v1/data/health": data_health.EXAMPLE,
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
