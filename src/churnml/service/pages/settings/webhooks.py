"""Webhooks: where we push what happens, how each fares, and why a delivery failed; for administrators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection

from churnml.database import deliveries, endpoints
from churnml.database.deliveries import Delivery
from churnml.database.endpoints import Endpoint
from churnml.database.outbox import EVENTS
from churnml.service.access import Caller, requires
from churnml.service.clock import asked_at
from churnml.service.idempotency import in_one
from churnml.service.pages.language import language_of
from churnml.service.pages.posting import SentForm, back
from churnml.service.pages.rendering import render
from churnml.service.pages.settings.rooms import Tab, tabs
from churnml.service.push.destination import destination
from churnml.service.push.signing import require_secret, signing_secret
from churnml.wording import Text

router = APIRouter()
Admin = Annotated[Caller, Depends(requires("admin"))]
_DEEDS = ("create", "try", "rotate", "disable", "enable", "remove")
_SHOWN = 5
EVENT_WORDS: dict[str, Text] = {
    "list.ready": Text("a new list is ready", "新名单已生成"),
    "band.changed": Text("a customer's risk band changed", "客户风险等级变化"),
    "action.assigned": Text("actions were assigned", "已分配行动"),
    "customer.erased": Text("a customer was erased", "客户数据已删除"),
    "model.promoted": Text("a model went into service", "模型已上线"),
    "webhook.test": Text("a trial", "测试"),
}
PROBLEM_WORDS: dict[str, Text] = {
    "address": Text("the address leads nowhere that may be sent to", "地址无效或不允许发送"),
    "connection": Text("no connection", "无法连接"),
    "tls": Text("its certificate is not trusted", "证书不受信任"),
    "timeout": Text("no answer in time", "响应超时"),
    "redirect": Text("it leads elsewhere, which is not followed", "对方要求重定向，不予跟随"),
    "gone": Text("it says that it is gone for good (410)", "对方表示已永久停用 (410)"),
    "status": Text("it refused", "对方拒绝"),
}


@dataclass(frozen=True)
class Told:
    """An endpoint and what it was sent last."""

    endpoint: Endpoint
    latest: list[Delivery]
    json_path: str


@dataclass(frozen=True)
class WebhooksContext:
    """What `settings_webhooks.html` shows."""

    tabs: list[Tab]
    webhooks: list[Told]
    events: dict[str, Text]
    """those that can be asked for"""
    event_words: dict[str, Text]
    problem_words: dict[str, Text]
    zone: str
    secret: str | None = None
    """of an endpoint that was just made or given another, shown this once"""
    secret_of: str = ""


@router.get("/settings/webhooks")
def webhooks(request: Request, admin: Admin) -> HTMLResponse:
    """Show every endpoint with its latest deliveries."""
    return _page(request, admin)


@router.post("/settings/webhooks")
def change(request: Request, form: SentForm, admin: Admin) -> Response:
    """Make an endpoint, try it, give it another secret, disable, enable or remove it."""
    deed, which, now = form.among("deed", _DEEDS), form.one("endpoint_id"), asked_at(request)
    url, sender = form.one("url"), request.app.state.sender
    if deed == "create":
        destination(url, sender.allowed, sender.resolve)
    if deed in {"create", "rotate"}:
        require_secret()

    def make(connection: Connection) -> Endpoint:
        match deed:
            case "create":
                return endpoints.create(connection, admin, url, form.all("event"), form.one("description"), at=now)
            case "rotate":
                return endpoints.rotate(connection, admin, which, at=now)
            case "try":
                endpoints.try_out(connection, admin, which, at=now)
            case "remove":
                return endpoints.remove(connection, admin, which, at=now)
            case _:
                state: endpoints.State = "enabled" if deed == "enable" else "disabled"
                return endpoints.change(connection, admin, which, state=state, at=now)
        return endpoints.known(connection, which)

    made = in_one(request.app.state.engine, make)
    if deed in {"create", "rotate"}:
        return _page(request, admin, signing_secret(made.endpoint_id, made.secret_version), made.url)
    return back(form, f"webhook_{deed}", made.url)


def _page(request: Request, admin: Caller, secret: str | None = None, secret_of: str = "") -> HTMLResponse:
    with request.app.state.engine.connect() as connection:
        found = [
            Told(
                one,
                deliveries.of_endpoint(connection, one.endpoint_id, _SHOWN),
                f"/v1/webhooks/{one.endpoint_id}/deliveries",
            )
            for one in endpoints.listed(connection)
        ]
    context = WebhooksContext(
        tabs=tabs(request, admin, language_of(request)),
        webhooks=found,
        events={one: EVENT_WORDS[one] for one in EVENTS},
        event_words=EVENT_WORDS,
        problem_words=PROBLEM_WORDS,
        zone=request.app.state.door.time_zone,
        secret=secret,
        secret_of=secret_of,
    )
    return render(request, "settings_webhooks.html", vars(context))
