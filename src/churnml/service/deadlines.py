"""Every request has a deadline; one that runs over it is answered all the same, with nothing of it done.

The database breaks off by itself (`database/deadlines.py`), and the route then answers as on any error. What does not
ask the database is answered for here a moment later; should its thread come to commit after that, it is refused.
"""

from __future__ import annotations

import asyncio
import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from churnml.config import LoadLimits
from churnml.database.deadlines import Deadline, within
from churnml.service.admission import ALWAYS, kind_of
from churnml.service.problems import Response, explain

RETRY = {"retry-after": "2"}
_GRACE_SECONDS = 0.25
_log = logging.getLogger(__name__)


class Deadlines:
    """Wraps the application; whatever it does ends in time.

    Parameters
    ----------
    app : ASGI application
        What answers.
    limits : LoadLimits
        How long it may take.
    """

    def __init__(self, app: ASGIApp, limits: LoadLimits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] in ALWAYS:
            await self._app(scope, receive, send)
            return
        is_file = kind_of(scope) == "files"
        deadline = Deadline(self._limits.file_seconds if is_file else self._limits.request_seconds)
        answer = _Answer(send)
        with within(deadline):
            task = asyncio.create_task(_run(self._app, scope, receive, answer.send))
        try:
            await asyncio.wait({task}, timeout=deadline.seconds + _GRACE_SECONDS)
            if not task.done():
                await self._end(task, deadline, answer, scope, receive, send)
            else:
                task.result()
        except asyncio.CancelledError:
            task.cancel()
            raise

    async def _end(
        self, task: asyncio.Task[None], deadline: Deadline, answer: _Answer, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer for what is still going on, then stay until it has ended: its place is not free before."""
        if answer.begun:
            _log.warning("an answer was cut off: it was not sent within %g s", deadline.seconds)
            task.cancel()  # the connection is closed, so whoever reads it knows that it is not whole
        elif deadline.give_up():
            answer.closed = True
            await Response(explain(deadline.error()), RETRY)(scope, receive, send)
        try:
            await task
        except Exception as error:  # it was answered for
            if not answer.closed:
                raise
            _log.warning("what was given up ended with %s", type(error).__name__)
        except asyncio.CancelledError:
            if not answer.begun:
                raise


class _Answer:
    """The way out: whether anything went over it, and whether anything still may."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False
        self.closed = False

    async def send(self, message: Message) -> None:
        if not self.closed:
            self.begun = True
            await self._send(message)


async def _run(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)
