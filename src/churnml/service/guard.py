"""The door: which hosts are answered, how much a body may hold, and what every answer tells the browser to forbid."""

from __future__ import annotations

import ipaddress

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from churnml.service.problems import Response, problem

BODY_LIMIT = 1_000_000
SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """Wraps the application; what does not pass never reaches it.

    A page from elsewhere can make a browser ask us under a name of its own that resolves to 127.0.0.1 (DNS
    rebinding). It cannot forge the Host header, so only loopback names are answered.

    Parameters
    ----------
    app : ASGI application
        What is guarded.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = _refusal(headers)
        if refusal is not None:
            await refusal(scope, receive, _secured(send))
            return
        await self.app(scope, _limited(receive), _secured(send))


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address can only mean this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _refusal(headers: Headers) -> Response | None:
    host = headers.get("host", "")
    if not is_loopback(_without_port(host)):
        allowed = "localhost, 127.0.0.1 and [::1]"
        return Response(problem(421, "wrong_host", f"only the hosts {allowed} are answered, asked for `{host}`"))
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:20]) > BODY_LIMIT:
        return Response(problem(413, "too_large", _too_large()))
    return None


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _too_large() -> str:
    return f"the body may hold at most {BODY_LIMIT:,} bytes; send fewer ids at a time"


def _limited(receive: Receive) -> Receive:
    """Count what arrives: a body sent in chunks does not say beforehand how long it is."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > BODY_LIMIT:
            raise HTTPException(413, _too_large())
        return message

    return counted


def _secured(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return with_headers
