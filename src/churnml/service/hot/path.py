"""The short way to a decision record: one by its id, or some hundred, for a key, without the application around it.

It answers nothing that it does not have ready. Whatever else is asked, by whomever, goes on to the routes, which would
have answered with the same bytes.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from churnml.errors import ChurnmlError, TooManyRequestsError
from churnml.service.access import Caller
from churnml.service.admission import Rates
from churnml.service.api.shapes import LONGEST_ID, MAX_IDS
from churnml.service.bodies import BODY_LIMIT, BODY_SECONDS, DEPTH_LIMIT, again, depth, is_utf8, read_whole, slow_answer
from churnml.service.credentials import Credentials
from churnml.service.hot.front import first_of_each
from churnml.service.hot.keeper import DAY, Held, Keeper, Known
from churnml.service.hot.one import JSON, ONE, ONE_ROUTE, Given, one
from churnml.service.hot.snapshot import Snapshot
from churnml.service.problems import Response, explain

_MANY = "/v1/scores"
_MATTER = frozenset({b"authorization", b"if-none-match", b"content-type", b"content-length"})
_PLAIN = (b"application/json", b"application/json; charset=utf-8")


@dataclass(frozen=True)
class _Ready:
    caller: Caller
    snapshot: Snapshot


class HotPath:
    """Wraps the application; what is ready is answered here.

    Parameters
    ----------
    app : ASGI application
        What answers everything else.
    credentials : Credentials
        Finds who asks.
    keeper : Keeper
        Has the snapshot.
    rates : Rates or None
        How often each caller may ask; None where as often as they like.
    now : callable
        Gives the current instant, microseconds UTC.
    """

    def __init__(
        self, app: ASGIApp, credentials: Credentials, keeper: Keeper, rates: Rates | None, now: Callable[[], int]
    ) -> None:
        self._app = app
        self._credentials = credentials
        self._keeper = keeper
        self._rates = rates
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and not scope["query_string"]:
            method, path = scope["method"], scope["path"]
            if method == "GET" and path.startswith(ONE):
                if await self._one(scope, path[len(ONE) :], send):
                    return
            elif method == "POST" and path == _MANY:
                await self._many(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _one(self, scope: Scope, customer_id: str, send: Send) -> bool:
        """Answer with one record, and tell whether it was ready."""
        given = first_of_each(scope, _MATTER)
        ready = await self._ready(scope, given)
        told = one(ready.snapshot, customer_id, given) if ready is not None else None
        if ready is None or told is None:
            return False
        await self._answer(scope, ready.caller, ONE_ROUTE, send, *told)
        return True

    async def _many(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the records of many, or hand on what was asked, with the body that was read."""
        given = first_of_each(scope, _MATTER)
        if not _is_plain(given) or await self._ready(scope, given) is None:
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await read_whole(receive)
        except TimeoutError:
            await slow_answer(BODY_SECONDS)(scope, receive, send)
            return
        if body is None:  # whoever asked has gone
            return
        wanted = _ids(body)
        ready = await self._ready(scope, given)  # asked again: much may have been committed while the body came
        if wanted is None or ready is None:
            await self._app(scope, again(body, receive), send)
            return
        answer = _scores(ready.snapshot, wanted)
        told = [(b"content-length", b"%d" % len(answer)), JSON]
        await self._answer(scope, ready.caller, _MANY, send, 200, told, answer)

    async def _answer(
        self,
        scope: Scope,
        caller: Caller,
        route: str,
        send: Send,
        status: int,
        headers: list[tuple[bytes, bytes]],
        body: bytes = b"",
    ) -> None:
        """Answer, unless the caller asks too often; the log is told who asked, and which route this was."""
        scope.setdefault("state", {}).update(caller=caller, route=route)
        if self._rates is not None:
            try:
                self._rates.take(f"{caller.kind}:{caller.name}", time.monotonic())
            except TooManyRequestsError as error:
                await Response(explain(error), error.headers)(scope, _nothing, send)
                return
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _ready(self, scope: Scope, given: Given) -> _Ready | None:
        """Return what can be answered from; None where there is nothing, or where the caller may not read it."""
        authorization = given.get(b"authorization")
        if authorization is None:
            return None  # a person: what they look at goes into the audit log
        try:
            held = await self._stands()
            caller = await self._caller(scope, authorization, held)
        except (ChurnmlError, SQLAlchemyError, sqlite3.Error):
            return None  # the routes say what is wrong
        snapshot = self._keeper.snapshot(held.standing) if "read" in caller.scopes else None
        if snapshot is None:
            self._keeper.held = None
            return None
        return _Ready(caller, snapshot)

    async def _stands(self) -> Held:
        pulse, held = self._keeper.pulse, self._keeper.held
        beat = pulse.beat() if pulse.is_quick else await run_in_threadpool(pulse.beat)
        if held is None or held.beat != beat:
            held = self._keeper.held = await run_in_threadpool(self._keeper.look, beat)
        return held

    async def _caller(self, scope: Scope, authorization: bytes, held: Held) -> Caller:
        key, now = sha256(authorization).digest(), self._now()
        known = held.callers.get(key)
        if known is not None and known.day == now // DAY and now < known.until:
            return known.caller
        found = await run_in_threadpool(self._credentials.find, Headers(scope=scope), now)  # notes the day, too
        if found.until is not None:
            held.callers[key] = Known(found.caller, found.until, now // DAY)
        return found.caller


def _scores(snapshot: Snapshot, wanted: list[str]) -> bytes:
    """Return the records found, in the order asked for and each once, and the ids that no record bears."""
    each = dict.fromkeys(wanted)
    found: list[bytes] = []
    unknown: list[str] = []
    for customer_id, record in zip(each, snapshot.bare(each), strict=True):
        if record is None:
            unknown.append(customer_id)
        else:
            found += (b"}," if found else b"", record)
    rest = json.dumps(unknown, ensure_ascii=False, separators=(",", ":")).encode()
    return b"".join((b'{"records":[', *found, b"}" if found else b"", b'],"unknown":', rest, b"}"))


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


def _is_plain(given: Given) -> bool:
    """Tell whether a body is JSON, not too long, and told how long."""
    length = given.get(b"content-length", b"")
    return given.get(b"content-type") in _PLAIN and length.isdigit() and int(length[:20]) <= BODY_LIMIT


def _ids(body: bytes) -> list[str] | None:
    """Return the ids that a body asks for; None where it is not just as it should be, and the route says why."""
    if not is_utf8(body) or depth(body) > DEPTH_LIMIT:
        return None
    try:
        asked = json.loads(body)
    except ValueError:
        return None
    ids = asked.get("customer_ids") if isinstance(asked, dict) and len(asked) == 1 else None
    if not isinstance(ids, list) or not 1 <= len(ids) <= MAX_IDS:
        return None
    # what cannot be printed, such as half a character, cannot always be written as UTF-8 either
    fit = all(isinstance(one, str) and 1 <= len(one) <= LONGEST_ID and one.isprintable() for one in ids)
    return ids if fit else None
