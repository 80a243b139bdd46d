"""The shortest way to one record: what is ready is answered at once, before anything of the application is met.

It does in one step what the door, the ids of requests, the metrics and the log do around every other answer, and by
their own functions, so that the answer is the same to the byte. It waits for nothing and refuses nobody: an answer that
takes no time needs no place, and whatever is not ready, not known or not allowed goes on as if there were no front.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from hashlib import sha256

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from churnml.errors import TooManyRequestsError
from churnml.service import request_ids
from churnml.service.access import Caller
from churnml.service.admission import Rates
from churnml.service.guard import HEADERS_LIMIT, URL_LIMIT, is_answered, told_to_browsers
from churnml.service.hot.keeper import DAY, Keeper
from churnml.service.hot.one import ONE, ONE_ROUTE, Given, Told, one
from churnml.service.logs import REQUESTS, request_lines, stamp
from churnml.service.metrics import Metrics
from churnml.service.watch import Ended, key_of, tell

_ID = request_ids.HEADER.encode()
_MATTER = frozenset({b"authorization", b"content-length", b"host", b"if-none-match", b"transfer-encoding", _ID})
_LINE = (
    f'{{"method": "GET", "route": "{ONE_ROUTE}", "status": %d, "ms": %.1f, "bytes": %d, "caller": "key", "key": "%s", '
    f'"whole": true, "event": "request", "level": "info", "logger": "{REQUESTS}", '
    '"timestamp": "%s", "request_id": "%s"}'
)
"""What the log says of every other request, with gaps: nothing that is put into them has to be escaped."""


class Front:
    """Wraps everything; one record that is ready is answered here.

    Parameters
    ----------
    app : ASGI application
        What answers everything else.
    keeper : Keeper
        Has the snapshot, and what was read of keys.
    metrics : Metrics
        What counts.
    rates : Rates or None
        How often each caller may ask; None where as often as they like.
    now : callable
        Gives the current instant, microseconds UTC.
    hosts : tuple of str
        Names that are answered beside those of this machine.
    public : bool
        Whether others than this machine are answered.
    """

    def __init__(
        self,
        app: ASGIApp,
        keeper: Keeper,
        metrics: Metrics,
        rates: Rates | None,
        now: Callable[[], int],
        hosts: tuple[str, ...],
        *,
        public: bool,
    ) -> None:
        self._app = app
        self._keeper = keeper
        self._metrics = metrics
        self._rates = rates
        self._now = now
        self._hosts = hosts
        self._always = told_to_browsers(public=public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        began = time.perf_counter()
        path = scope["path"] if scope["type"] == "http" and scope["method"] == "GET" else ""
        if not path.startswith(ONE) or scope["query_string"]:
            await self._app(scope, receive, send)
            return
        given = first_of_each(scope, _MATTER)
        caller = self._caller(scope, given)
        told = None if caller is None else self._told(caller, path[len(ONE) :], given)
        if caller is None or told is None:
            await self._app(scope, receive, send)
            return
        asked_as = given.get(_ID)
        named = request_ids.name_of(None if asked_as is None else asked_as.decode("latin-1"))
        status, headers, body = told
        headers += self._always
        headers.append((_ID, named.encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        self._note(caller, status, len(body), time.perf_counter() - began, named)

    def _caller(self, scope: Scope, given: Given) -> Caller | None:
        """Return who asks, where the door would let the request in and their key was found good a moment ago."""
        held, authorization = self._keeper.held, given.get(b"authorization")
        if (
            held is None
            or authorization is None
            or not self._keeper.pulse.is_quick
            or not is_answered(given.get(b"host", b"").decode("latin-1"), self._hosts)
            or len(scope["headers"]) > HEADERS_LIMIT
            or len(scope.get("raw_path") or b"") > URL_LIMIT
            or b"content-length" in given
            or b"transfer-encoding" in given
        ):
            return None
        known, now = held.callers.get(sha256(authorization).digest()), self._now()
        if known is None or known.day != now // DAY or now >= known.until or "read" not in known.caller.scopes:
            return None
        return known.caller

    def _told(self, caller: Caller, customer_id: str, given: Given) -> Told | None:
        """Return the answer, if what it rests on still stands and the caller may ask once more."""
        held = self._keeper.held
        try:
            stands = held is not None and held.beat == self._keeper.pulse.beat()
        except sqlite3.Error:
            return None  # the routes say what is wrong
        snapshot = self._keeper.snapshot(held.standing) if held is not None and stands else None
        told = None if snapshot is None else one(snapshot, customer_id, given)
        if told is not None and self._rates is not None:
            try:
                self._rates.take(f"{caller.kind}:{caller.name}", time.monotonic())
            except TooManyRequestsError:
                return None  # which is told as for every other route
        return told

    def _note(self, caller: Caller, status: int, size: int, seconds: float, named: str) -> None:
        """Have the request counted, and its line written."""
        lines = request_lines()
        if lines is None:
            structlog.contextvars.bind_contextvars(request_id=named)
            tell(self._metrics, Ended("GET", ONE_ROUTE, status, seconds, size, caller))
        else:
            self._metrics.note("GET", ONE_ROUTE, status, seconds, None)
            lines.add(_LINE % (status, seconds * 1000, size, key_of(caller.name), stamp(time.time()), named))


def first_of_each(scope: Scope, names: frozenset[bytes]) -> Given:
    """Return the headers of these names; of one that is given twice the first counts, as it does in Starlette."""
    given: Given = {}
    for name, value in scope["headers"]:
        if name in names:
            given.setdefault(name, value)
    return given
