"""Every request is watched on its way out: one line in the log, and what /metrics counts.

Both name the route, never the address: an address holds ids of customers.
"""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from churnml.service.logs import REQUESTS
from churnml.service.metrics import Metrics

if TYPE_CHECKING:
    from churnml.service.access import Caller

_log = logging.getLogger(REQUESTS)
_KEY_ID = re.compile(r"\((\w+)\)\Z")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
NO_ROUTE = "(none)"


@dataclass(frozen=True)
class Ended:
    """A request that has ended: by which method and route, how, after how many seconds, with how many bytes, for whom.

    `code` is that of the problem that was told, if one was; `whole` tells whether the answer was sent to its end.
    """

    method: str
    route: str
    status: int
    seconds: float
    size: int
    caller: Caller | None = None
    code: str | None = None
    whole: bool = True


class Watch:
    """Wraps the application; tells the log and the metrics of each request once it has ended.

    Parameters
    ----------
    app : ASGI application
        What answers.
    metrics : Metrics
        What counts.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, size, began = 0, 0, time.perf_counter()
        whole = False

        async def counted(message: Message) -> None:
            nonlocal status, size, whole
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
                whole = not message.get("more_body", False)
            await send(message)

        self._metrics.in_flight.inc()
        try:
            await self._app(scope, receive, counted)
        except BaseException:
            status = status or 500  # what is told of a bug is made further outside
            scope.setdefault("state", {})["problem"] = "internal"
            raise
        finally:
            self._metrics.in_flight.dec()
            self._tell(scope, status, size, time.perf_counter() - began, whole=whole)

    def _tell(self, scope: Scope, status: int, size: int, seconds: float, *, whole: bool) -> None:
        state = scope.get("state", {})
        method = scope["method"] if scope["method"] in _METHODS else "other"
        told = Ended(
            method, route_of(scope), status, seconds, size, state.get("caller"), state.get("problem"), whole=whole
        )
        tell(self._metrics, told)


def tell(metrics: Metrics, ended: Ended) -> None:
    """Tell the metrics and the log of a request."""
    metrics.note(ended.method, ended.route, ended.status, ended.seconds, ended.code)
    if ended.route in _QUIET and ended.whole and ended.status < 400:  # probes come every second
        return
    caller = ended.caller
    told = {
        "method": ended.method,
        "route": ended.route,
        "status": ended.status,
        "ms": round(ended.seconds * 1000, 1),
        "bytes": ended.size,
        "caller": None if caller is None else caller.kind,
        "key": key_of(caller.name) if caller is not None and caller.kind == "key" else None,
        "code": ended.code,
        "whole": ended.whole,
    }
    _log.info("request", extra={"told": {name: value for name, value in told.items() if value is not None}})


@lru_cache(maxsize=1024)
def key_of(name: str) -> str | None:
    """Return the id of the key that asks, by its caller's name; a person's name is nobody's business here."""
    found = _KEY_ID.search(name)
    return found and found.group(1)


def route_of(scope: Scope) -> str:
    """Return the address of the route that answered, with its parameters in braces; `(none)` where none did."""
    path: str = scope["path"]
    if path.startswith("/static/"):
        return "/static"
    found = getattr(scope.get("route"), "path", None) or scope.get("state", {}).get("route")
    return str(found) if found is not None else NO_ROUTE
