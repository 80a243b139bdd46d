"""Webhooks: where we push what happens, which events, what became of each delivery; for administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ConfigDict, Field
from sqlalchemy import Connection, Engine

from churnml.database import deliveries, endpoints, outbox
from churnml.service.access import Caller, requires
from churnml.service.api.shapes import Shape
from churnml.service.clock import asked_at
from churnml.service.idempotency import REPEATED, once, raw_body
from churnml.service.problems import described
from churnml.service.push.destination import destination
from churnml.service.push.signing import require_secret, signing_secret

router = APIRouter(prefix="/v1/webhooks", tags=["operations"])
Admin = Annotated[Caller, Depends(requires("admin"))]
Body = Annotated[bytes, Depends(raw_body)]
Id = Annotated[str, Path(max_length=64, description="the `endpoint_id`")]
Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="the `delivery_id`")]
Event = Literal["list.ready", "band.changed", "action.assigned", "customer.erased", "model.promoted"]
Json = dict[str, Any]  # Any: JSON
_MOST_URL, _MOST_WORDS = 2_000, 256
_ID = "8d2f0f6a1b7e4a0c9f6f3f7c2b1d5e90"
_WANTED: Json = {
    "url": "https://crm.example.com/churn",
    "events": ["list.ready", "band.changed"],
    "description": "the CRM of the call centre",
}
_WEBHOOK: Json = {
    "endpoint_id": _ID, **_WANTED, "created_by": "ann", "created_at": "2026-11-01T09:00:00+00:00",
    "state": "enabled", "why": None, "secret_version": 1, "rotated_at": None, "failing_since": None,
    "delivered_at": "2026-11-27T03:10:04+00:00",
}  # fmt: skip
_NEW: Json = _WEBHOOK | {"delivered_at": None, "secret": "whsec_3mH…"}
_DELIVERY: Json = {
    "delivery_id": 41, "message_id": "msg_5c0e2f4b9a7d4c7f8a1b6d3e0f2c4a68", "event": "list.ready",
    "made_at": "2026-11-27T03:10:02+00:00", "state": "waiting", "attempts": 2, "next_at": "2026-11-27T03:15:44+00:00",
    "tried_at": "2026-11-27T03:10:10+00:00", "status": 503, "problem": "status", "settled_at": None,
}  # fmt: skip
_NONE = {
    404: ("not_found", "there is no webhook `abc`; GET /v1/webhooks lists them"),
    422: ("invalid_request", "`endpoint_id` should have at most 64 characters"),
}
_REFUSED = {
    400: (
        "usage",
        "`crm.internal` must lead to public addresses alone, found one that is not; or, if it is your own …",
    ),
    422: ("invalid_request", "`events` must hold at least 1, got 0"),
}
Events = Annotated[list[Event], Field(min_length=1, max_length=len(outbox.EVENTS), description="see docs/webhooks.md")]


class WebhookWanted(Shape):
    """An endpoint to be made."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _WANTED})

    url: str = Field(max_length=_MOST_URL, description="https, of a public address; or of a host that you allowed")
    events: Events
    description: str = Field("", max_length=_MOST_WORDS)


class WebhookChanges(Shape):
    """What is to change; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"state": "enabled"}})

    url: str | None = Field(None, max_length=_MOST_URL)
    events: Events | None = None
    description: str | None = Field(None, max_length=_MOST_WORDS)
    state: Literal["enabled", "disabled"] | None = Field(None, description="one that is enabled gets what waits for it")


class Webhook(Shape):
    """Where we push what happens."""

    endpoint_id: str
    url: str
    events: list[Event]
    description: str
    created_by: str
    created_at: datetime
    state: Literal["enabled", "disabled"]
    why: Literal["by_hand", "gone", "failing"] | None = Field(
        description="of a disabled one: somebody did so, it answered 410, or it failed for five days"
    )
    secret_version: int
    rotated_at: datetime | None = Field(description="for a day since, the secret before signs as well")
    failing_since: datetime | None = Field(description="the first failure after the last success")
    delivered_at: datetime | None = Field(description="the last success")


class NewWebhook(Webhook):
    """An endpoint with the secret by which its receiver verifies."""

    secret: str = Field(description="shown this once; `whsec_` and base64")


class Webhooks(Shape):
    """Every endpoint, in the order in which they were made."""

    items: list[Webhook]


class Delivery(Shape):
    """What an endpoint was, or is to be, sent."""

    delivery_id: int
    message_id: str = Field(description="the header `webhook-id`: the same at every attempt")
    event: str
    made_at: datetime = Field(description="when it happened")
    state: Literal["waiting", "delivered", "failed"]
    attempts: int
    next_at: datetime | None = Field(description="of one that waits: not before then")
    tried_at: datetime | None
    status: int | None = Field(description="of the latest answer")
    problem: str | None = Field(
        description="of the latest attempt: address, connection, tls, timeout, redirect, gone or status"
    )
    settled_at: datetime | None


class Deliveries(Shape):
    """Deliveries, the latest first."""

    items: list[Delivery]
    next_before: int | None = Field(description="ask for what comes `before` this; null at the end")


class Tried(Shape):
    """A message is on its way."""

    delivery_id: int = Field(description="…/deliveries tells within seconds what became of it")


def _answers(example: Json, refusals: dict[int, tuple[str, str]], status: int = 200) -> dict[int | str, Json]:
    return {status: {"content": {"application/json": {"example": example}}}, **described(refusals)}


@router.get("", summary="The webhooks", response_model=Webhooks, responses=_answers({"items": [_WEBHOOK]}, {}))
def list_webhooks(request: Request, _admin: Admin) -> JSONResponse:
    """Return every endpoint, and how it fares; the secrets are not kept."""
    with _engine(request).connect() as connection:
        return JSONResponse({"items": [endpoints.told(one) for one in endpoints.listed(connection)]})


@router.post(
    "", summary="Make a webhook", status_code=201, response_model=NewWebhook,
    responses=_answers(_NEW, {**_REFUSED, 409: ("conflict", "there may be 50 endpoints, and there are; …")}, 201),
)  # fmt: skip
def create_webhook(wanted: WebhookWanted, request: Request, admin: Admin) -> JSONResponse:
    """Return the secret this once. It takes no `Idempotency-Key`: an answer that holds a secret is not kept."""
    _check(request, wanted.url)
    require_secret()
    with _engine(request).begin() as connection:
        made = endpoints.create(
            connection, admin, wanted.url, wanted.events, wanted.description, at=asked_at(request)
        )  # fmt: skip
    return JSONResponse(_with_secret(made), 201)


@router.get("/{endpoint_id}", summary="A webhook", response_model=Webhook, responses=_answers(_WEBHOOK, _NONE))
def one_webhook(endpoint_id: Id, request: Request, _admin: Admin) -> JSONResponse:
    """Return an endpoint, and how it fares."""
    with _engine(request).connect() as connection:
        return JSONResponse(endpoints.told(endpoints.known(connection, endpoint_id)))


@router.patch(
    "/{endpoint_id}", summary="Change, disable or enable a webhook", response_model=Webhook,
    responses=REPEATED | _answers(_WEBHOOK, {**_NONE, **_REFUSED}),
)  # fmt: skip
def change_webhook(endpoint_id: Id, wanted: WebhookChanges, request: Request, admin: Admin, body: Body) -> Response:
    """Change what is named. Enabled again, it gets what has waited for it, but not what happened meanwhile."""
    if wanted.url is not None:
        _check(request, wanted.url)
    asked: Json = wanted.model_dump(exclude_none=True)

    def make(connection: Connection) -> tuple[int, Json]:
        return 200, endpoints.told(endpoints.change(connection, admin, endpoint_id, **asked, at=asked_at(request)))

    return once(request, admin, body, make)


@router.delete(
    "/{endpoint_id}", summary="Remove a webhook", response_model=Webhook, responses=REPEATED | _answers(_WEBHOOK, _NONE)
)
def remove_webhook(endpoint_id: Id, request: Request, admin: Admin, body: Body) -> Response:
    """Remove an endpoint with all that waits for it, and return what it was."""

    def make(connection: Connection) -> tuple[int, Json]:
        return 200, endpoints.told(endpoints.remove(connection, admin, endpoint_id, at=asked_at(request)))

    return once(request, admin, body, make)


@router.post(
    "/{endpoint_id}/rotate", summary="Give a webhook a new secret", response_model=NewWebhook,
    responses=_answers(_NEW | {"secret_version": 2}, _NONE),
)  # fmt: skip
def rotate_webhook(endpoint_id: Id, request: Request, admin: Admin) -> JSONResponse:
    """Return the new secret this once; for a day messages bear the signature by the one before as well."""
    require_secret()
    with _engine(request).begin() as connection:
        changed = endpoints.rotate(connection, admin, endpoint_id, at=asked_at(request))
    return JSONResponse(_with_secret(changed))


@router.post(
    "/{endpoint_id}/test", summary="Send a webhook a message to try it", status_code=202, response_model=Tried,
    responses=REPEATED | _answers({"delivery_id": 42}, _NONE, 202),
)  # fmt: skip
def test_webhook(endpoint_id: Id, request: Request, admin: Admin, body: Body) -> Response:
    """Send a `webhook.test` within seconds, if the endpoint is enabled."""
    now = asked_at(request)

    def make(connection: Connection) -> tuple[int, Json]:
        return 202, {"delivery_id": endpoints.try_out(connection, admin, endpoint_id, at=now)}

    return once(request, admin, body, make)


@router.get(
    "/{endpoint_id}/deliveries", summary="What a webhook was sent, and what became of it", response_model=Deliveries,
    responses=_answers({"items": [_DELIVERY], "next_before": 41},
                       {**_NONE, 422: ("invalid_request", "`limit` must be at most 100, got 500")}),
)  # fmt: skip
def list_deliveries(
    endpoint_id: Id,
    request: Request,
    _admin: Admin,
    before: Annotated[int | None, Query(ge=1, le=2**53, description="`next_before` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> JSONResponse:
    """Return deliveries, the latest first, as long as they are kept: see configs/store.yaml."""
    with _engine(request).connect() as connection:
        endpoints.known(connection, endpoint_id)
        found = deliveries.of_endpoint(connection, endpoint_id, limit + 1, before)
    more = found[limit - 1].delivery_id if len(found) > limit else None
    return JSONResponse({"items": [deliveries.told(one) for one in found[:limit]], "next_before": more})


@router.post(
    "/{endpoint_id}/deliveries/{delivery_id}/resend", summary="Send a message again", response_model=Delivery,
    responses=REPEATED | _answers(_DELIVERY, _NONE),
)  # fmt: skip
def resend(endpoint_id: Id, delivery_id: Number, request: Request, admin: Admin, body: Body) -> Response:
    """Try a delivery anew at once, from the beginning of the schedule; its `webhook-id` stays."""

    def make(connection: Connection) -> tuple[int, Json]:
        endpoints.known(connection, endpoint_id)
        again = deliveries.resend(connection, admin, endpoint_id, delivery_id, at=asked_at(request))
        return 200, deliveries.told(again)

    return once(request, admin, body, make)


def _check(request: Request, url: str) -> None:
    """Refuse a URL that leads where we may not send; asked again at every delivery."""
    sender = request.app.state.sender
    destination(url, sender.allowed, sender.resolve)


def _with_secret(endpoint: endpoints.Endpoint) -> Json:
    return endpoints.told(endpoint) | {"secret": signing_secret(endpoint.endpoint_id, endpoint.secret_version)}


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine
