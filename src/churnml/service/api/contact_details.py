"""How to reach a customer, for who is to call or write: a scope of its own, and every look leaves an entry."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from churnml.errors import ForbiddenError, NotFoundError
from churnml.service.access import Caller, requires
from churnml.service.api.case_shapes import OfCustomer
from churnml.service.api.shapes import Shape
from churnml.service.persons import details_of, may_see
from churnml.service.problems import described
from churnml.service.sight import require_seen
from churnml.service.trail import note

router = APIRouter(prefix="/v1", tags=["records"])
_EXAMPLE = {
    "customer_id": "42", "display_name": "Ms Li", "phone": "+86 10 5555 0123", "owner": "ann",
    "email": "li@example.com",
}  # fmt: skip
_NOBODY = "no customer `nobody` has landed in the table `customers`; ids are compared as text"
_NOT_YOURS = (
    "this customer must be your own to be seen so: claim the case first (PATCH /v1/cases/ID), or ask whoever holds it"
)


class ContactTold(Shape):
    """How to address and reach a customer; null where nothing is told."""

    customer_id: str
    display_name: str | None = Field(description="how to address them")
    phone: str | None
    email: str | None
    owner: str | None = Field(description="who looks after them, as the table `customers` says")


@router.get(
    "/contact-details",
    summary="How to address and reach one customer",
    response_model=ContactTold,
    responses={
        200: {"content": {"application/json": {"example": _EXAMPLE}}},
        **described({
            403: ("forbidden", _NOT_YOURS),
            404: ("not_found", _NOBODY),
            422: ("invalid_request", "`customer_id` is missing; add it"),
        }),
    },
)  # fmt: skip
def details(
    request: Request, query: Annotated[OfCustomer, Query()], caller: Annotated[Caller, Depends(requires("contact"))]
) -> JSONResponse:
    """Return name, telephone and e-mail as learned last; each look leaves an entry in the audit log, a key's too.

    An agent sees those of their own customers: whose case they hold, or whose `owner` they are while nobody holds it.
    """
    customer_id = query.customer_id
    require_seen(request, customer_id)
    found = details_of(request, [customer_id]).get(customer_id)
    if not may_see(request, caller, customer_id, found):
        raise ForbiddenError(_NOT_YOURS)
    if found is None:
        raise NotFoundError(_NOBODY.replace("nobody", customer_id))
    note(request, "customer.contact_viewed", {"customer_id": customer_id})
    return JSONResponse({"customer_id": customer_id} | asdict(found))
