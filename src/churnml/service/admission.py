"""Admission: a bounded number of requests in progress, a short queue, and a clear no to the rest.

A service that takes on all that is asked of it gets slower with each request, until everybody's answer comes too late
and none was worth the work. So each kind of request has its places; who finds none waits a moment; who waits too long,
or finds too many waiting, is told when to ask again. Health is answered whatever happens.

References
----------
Google, Site Reliability Engineering (2016), chapters 21, Handling Overload, and 22, Addressing Cascading Failures.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict, deque
from typing import Literal

from starlette.types import ASGIApp, Receive, Scope, Send

from churnml.config import LoadLimits
from churnml.errors import OverloadedError, TooManyRequestsError
from churnml.service.access import PROVIDER_BACK, PROVIDER_LOGIN
from churnml.service.forms import SAFE_METHODS
from churnml.service.problems import Response, explain

Kind = Literal["light", "heavy", "files"]
_OF_ITS_OWN = frozenset({PROVIDER_LOGIN, PROVIDER_BACK})
"""Where somebody else's answer is waited for: the entrance has places of its own, and takes none of ours."""
ALWAYS = frozenset({"/healthz", "/readyz", "/metrics"})
_HEAVY = frozenset({"/v1/scores/from-history"})
_FILES = ("format=csv", "format=xlsx", "format=jsonl")
_MOST_CALLERS = 10_000
_BUSY = "more is asked for at once than can be answered; nothing was begun: ask again in a second or two"


def kind_of(scope: Scope) -> Kind | None:
    """Return what a request costs, by its method and address; None where it costs nothing worth counting."""
    path: str = scope["path"]
    if path in ALWAYS or path in _OF_ITS_OWN or path.startswith("/static/"):
        return None
    if path.startswith("/v1/handoff/") or any(one in scope["query_string"].decode("latin-1") for one in _FILES):
        return "files"
    if path in _HEAVY or (scope["method"] not in SAFE_METHODS and path != "/v1/scores"):
        return "heavy"
    return "light"


class Places:
    """Places for requests of one kind, and the queue before them.

    Parameters
    ----------
    places : int
        How many may be in progress.
    waiting : int
        How many may wait.
    seconds : float
        How long each waits at most.
    """

    def __init__(self, places: int, waiting: int, seconds: float) -> None:
        self._free = places
        self._waiting = waiting
        self._seconds = seconds
        self._queue: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> bool:
        """Take a place, at once or after some waiting; False where none came free in time. Whoever got one leaves."""
        if self._free > 0:
            self._free -= 1
            return True
        if len(self._queue) >= self._waiting:
            return False
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            async with asyncio.timeout(self._seconds):
                await turn
        except (TimeoutError, asyncio.CancelledError) as error:
            if turn.done() and not turn.cancelled():  # it was given a place at the same moment
                self.leave()
            elif turn in self._queue:  # else it was passed over already, as one that waits no longer
                self._queue.remove(turn)
            if isinstance(error, TimeoutError):
                return False
            raise
        return True

    def leave(self) -> None:
        """Give the place to whoever has waited longest, if they still do."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class Admission:
    """Wraps the application; a request gets a place, or a 503 that says when to ask again.

    Parameters
    ----------
    app : ASGI application
        What answers.
    limits : LoadLimits
        How many places there are.
    """

    def __init__(self, app: ASGIApp, limits: LoadLimits) -> None:
        self._app = app
        counts: dict[Kind, int] = {"light": limits.light, "heavy": limits.heavy, "files": limits.files}
        self._places = {kind: Places(count, limits.waiting, limits.wait_seconds) for kind, count in counts.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        kind = kind_of(scope) if scope["type"] == "http" else None
        if kind is None:
            await self._app(scope, receive, send)
            return
        places = self._places[kind]
        if not await places.enter():
            await Response(explain(OverloadedError(_BUSY)), {"retry-after": "1"})(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            places.leave()


class Rates:
    """How often each caller may ask: a bucket of tokens each, filled at a steady rate, counted in this process.

    Parameters
    ----------
    per_second : float
        Requests on average.
    burst : int
        Requests at once.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = burst
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when they were counted

    def take(self, caller: str, now: float) -> None:
        """Take a token of a caller's bucket.

        Parameters
        ----------
        caller : str
            Whose.
        now : float
            Seconds of a clock that never goes back.

        Raises
        ------
        TooManyRequestsError
            If it is empty.
        """
        tokens, counted = self._buckets.pop(caller, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - counted) * self._per_second)
        enough = tokens >= 1
        self._buckets[caller] = (tokens - enough, now)
        if len(self._buckets) > _MOST_CALLERS:
            self._buckets.popitem(last=False)  # who has not asked for longest has a full bucket anyway
        if not enough:
            wait = math.ceil((1 - tokens) / self._per_second)
            raise TooManyRequestsError(
                f"one caller may ask {self._per_second:g} times a second, and {self._burst} times at once; "
                f"ask again in {wait} s",
                wait_seconds=wait,
            )


class Throttle:
    """Wraps the application behind the gate; a caller who asks too often gets a 429 that says when to ask again.

    Parameters
    ----------
    app : ASGI application
        What answers.
    rates : Rates or None
        How often each may ask; None where as often as they like.
    """

    def __init__(self, app: ASGIApp, rates: Rates | None) -> None:
        self._app = app
        self._rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        caller = scope.get("state", {}).get("caller")
        if self._rates is not None and caller is not None:
            try:
                self._rates.take(f"{caller.kind}:{caller.name}", time.monotonic())
            except TooManyRequestsError as error:
                await Response(explain(error), error.headers)(scope, receive, send)
                return
        await self._app(scope, receive, send)
