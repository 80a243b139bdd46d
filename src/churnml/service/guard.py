"""The door: which hosts are answered, how long a request may be, and what every answer tells the browser to forbid."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from churnml.service.bodies import BODY_LIMIT, too_large
from churnml.service.problems import Response, problem

URL_LIMIT = 8_000
HEADERS_LIMIT = 100
NUL = "an address must hold no NUL character (`%00`): no id and no word has one; leave it out"
"""PostgreSQL takes none in a text, and SQLite ends some texts at one."""
SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # with `no-referrer` browsers hide where our own forms come from
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


PAGE_POLICY = SECURITY_HEADERS["content-security-policy"] + "; script-src 'self'; connect-src 'self'"
"""Of a page of ours: its script is a file of ours, and asks us alone. Nothing else may run anything."""
HSTS = "max-age=31536000"
"""RFC 6797: for a year, browsers ask by TLS only."""


class Guard:
    """Wraps the application; what does not pass never reaches it.

    A page from elsewhere can make a browser ask us under a name of its own that resolves to 127.0.0.1 (DNS
    rebinding). It cannot forge the Host header, so only loopback names are answered, and those that were given.

    Parameters
    ----------
    app : ASGI application
        What is guarded.
    hosts : tuple of str
        Further names that are answered.
    public : bool
        Whether others than this machine are answered, which they are by TLS only.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...] = (), *, public: bool = False) -> None:
        self.app = app
        self._hosts = hosts
        self._headers = told_to_browsers(public=public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        secured = self._secured(send)
        refusal = _refusal(scope, self._hosts)
        if refusal is not None:
            await refusal(scope, receive, secured)
            return
        await self.app(scope, receive, secured)

    def _secured(self, send: Send) -> Send:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = message["headers"] = list(message.get("headers", ()))
                names = {name for name, _ in told}
                told.extend(one for one in self._headers if one[0] not in names)
            await send(message)

        return with_headers


def told_to_browsers(*, public: bool) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers that stand in every answer, as they go over the wire."""
    told = SECURITY_HEADERS | ({"strict-transport-security": HSTS} if public else {})
    return tuple((name.encode(), value.encode()) for name, value in told.items())


@lru_cache(maxsize=64)  # every request asks, nearly all of the same few
def is_answered(host: str, hosts: tuple[str, ...]) -> bool:
    """Tell whether a header `Host` names this machine, or one of the names that were given."""
    name = _without_port(host)
    return is_loopback(name) or name.lower() in hosts


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address can only mean this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _refusal(scope: Scope, hosts: tuple[str, ...]) -> Response | None:
    headers = Headers(scope=scope)
    host = headers.get("host", "")
    if not is_answered(host, hosts):
        allowed = ", ".join(("localhost", "127.0.0.1", "[::1]", *hosts))
        return Response(problem(421, "wrong_host", f"only the hosts {allowed} are answered, asked for `{host}`"))
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > URL_LIMIT:
        return Response(problem(414, "url_too_long", f"an address may have at most {URL_LIMIT:,} characters"))
    if "\0" in scope["path"] or b"%00" in scope["query_string"]:
        return Response(problem(400, "usage", NUL))
    if len(scope["headers"]) > HEADERS_LIMIT:
        return Response(problem(431, "too_many_headers", f"a request may have at most {HEADERS_LIMIT} headers"))
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:20]) > BODY_LIMIT:
        return Response(too_large())
    return None


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]
