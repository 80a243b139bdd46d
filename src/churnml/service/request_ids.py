"""A name for each request: given by the caller or made here, told in the answer, in problems and in the log."""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "x-request-id"
_HEADER = HEADER.encode()
_FORM = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_current: ContextVar[str | None] = ContextVar("request_id", default=None)


class RequestIds:
    """Wraps the application; whatever answers, the request's id is in the answer.

    One given by the caller is kept where it is of our form, so that nothing of its making but letters, digits and
    `. _ : -` gets into a log.

    Parameters
    ----------
    app : ASGI application
        What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        named = name_of(Headers(scope=scope).get(HEADER))
        _current.set(named)
        structlog.contextvars.bind_contextvars(request_id=named)

        async def with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = [one for one in message.get("headers", ()) if one[0] != _HEADER]
                message["headers"] = [*told, (_HEADER, named.encode())]
            await send(message)

        await self.app(scope, receive, with_id)


def current() -> str | None:
    """Return the id of the request that is being answered; None outside of one."""
    return _current.get()


def name_of(given: str | None) -> str:
    """Return the id of a request by what its caller called it, if it did."""
    return given if given is not None and _FORM.fullmatch(given) else secrets.token_hex(16)
