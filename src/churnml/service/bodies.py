"""Bodies: read whole before the application sees them, within a size, a time and a depth.

JSON of a thousand levels costs a parser its stack, and a body that trickles in holds a place for as long as it likes.
"""

from __future__ import annotations

import asyncio
import re

import numpy as np
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from churnml.service.forms import FORGED, SAFE_METHODS, carries_token, is_form
from churnml.service.problems import Problem, Response, problem

BODY_LIMIT = 1_000_000
BODY_SECONDS = 10.0
DEPTH_LIMIT = 20
NOT_UTF8 = "the body must be JSON written in UTF-8; send it in no other encoding"
"""RFC 8259, section 8.1; a parser that guesses would take UTF-16, and read what a proxy before us reads otherwise."""
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.?)*+(?:"|\Z)', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class Bodies:
    """Wraps the application; gives it a body that has arrived, or answers why not.

    Where a person in a browser changes something, it also looks for the token that only our pages know.

    Parameters
    ----------
    app : ASGI application
        What is guarded.
    seconds : float
        How long a body may take.
    """

    def __init__(self, app: ASGIApp, seconds: float = BODY_SECONDS) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS:
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._seconds):
                body = await read_whole(receive)
        except TimeoutError:
            await slow_answer(self._seconds)(scope, receive, send)
            return
        if body is None:  # whoever asked has gone
            return
        refused = _refused(Headers(scope=scope), body, scope.get("state", {}).get("session"))
        if refused is not None:
            await Response(refused)(scope, receive, send)
            return
        await self._app(scope, again(body, receive), send)


def slow_answer(seconds: float) -> Response:
    """Return the answer to a body that did not arrive in time; what still comes of it is not waited for."""
    slow = problem(408, "too_slow", f"the body must arrive within {seconds:g} s; send less at a time")
    return Response(slow, {"connection": "close"})


def too_large() -> Problem:
    """Return the problem of a body that holds too much."""
    return problem(413, "too_large", f"the body may hold at most {BODY_LIMIT:,} bytes; send fewer ids at a time")


def depth(body: bytes) -> int:
    """Return how many levels of lists and objects stand in each other in JSON; brackets within texts do not count."""
    if body.count(b"[") + body.count(b"{") <= DEPTH_LIMIT:
        return 0  # it cannot be too many, and nobody asks how many
    brackets = np.frombuffer(_TEXT.sub(b"", body).translate(None, _NO_BRACKETS), dtype=np.uint8)
    opening = (brackets == ord("[")) | (brackets == ord("{"))
    return int(np.where(opening, 1, -1).cumsum().max(initial=0))


async def read_whole(receive: Receive) -> bytes | None:
    """Return a body, at most one byte too long; None if it was not sent to its end."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BODY_LIMIT or not message.get("more_body", False):
            return b"".join(parts)[: BODY_LIMIT + 1]


def _refused(headers: Headers, body: bytes, session: str | None) -> Problem | None:
    if len(body) > BODY_LIMIT:
        return too_large()
    if not is_form(headers):
        if not is_utf8(body):
            return problem(422, "invalid_request", NOT_UTF8)
        if depth(body) > DEPTH_LIMIT:
            return problem(
                422, "too_deep", f"the body may hold lists and objects in each other {DEPTH_LIMIT} levels deep"
            )
    if session is not None and not carries_token(headers, body, session):
        return problem(403, "forbidden", FORGED)
    return None


def is_utf8(body: bytes) -> bool:
    """Tell whether bytes can be JSON in UTF-8: no NUL stands in it, and many stand in UTF-16 and UTF-32."""
    try:
        return b"\0" not in body and (body.isascii() or bool(body.decode()))
    except UnicodeDecodeError:
        return False


def again(body: bytes, receive: Receive) -> Receive:
    """Give the body that was read, then whatever comes after it."""
    given = False

    async def message() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return message
