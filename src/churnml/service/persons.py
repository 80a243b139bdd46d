"""Who a customer is as a person: how to address and reach them, for those who may know it."""

from __future__ import annotations

from collections.abc import Collection

from fastapi import Request

from churnml.database import Catalogue
from churnml.database.cases import cases_of
from churnml.events.contact_details import ContactDetails, contact_details
from churnml.service.access import Caller
from churnml.service.clock import asked_at


def details_of(request: Request, customer_ids: Collection[str]) -> dict[str, ContactDetails]:
    """Return the contact details of each of some customers who has landed, as learned last, by id."""
    state = request.app.state
    parts = Catalogue(state.engine).parts("customers")
    return contact_details(state.workspace.root, parts, customer_ids, asked_at(request))


def may_see(request: Request, caller: Caller, customer_id: str, found: ContactDetails | None) -> bool:
    """Tell whether somebody may know how to reach a customer.

    It takes the scope `contact`, and an agent sees their own customers: whose case they hold, or whose `owner` they are
    while nobody holds it.
    """
    if "contact" not in caller.scopes:
        return False
    if not caller.only_own:
        return True
    with request.app.state.engine.connect() as connection:
        case = cases_of(connection, [customer_id]).get(customer_id)
    if case is not None and case.owner is not None:
        return case.owner == caller.name
    return found is not None and found.owner == caller.name
