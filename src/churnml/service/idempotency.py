"""A request that comes again is not done again: `Idempotency-Key`.

A caller who got no answer cannot know whether the deed was done. Under a key of their choice they may ask again: the
deed is done once, and every repetition gets the same answer, to the byte.

References
----------
J. Jena and S. Dalal, The Idempotency-Key HTTP Header Field, IETF draft-ietf-httpapi-idempotency-key-header.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Annotated, Any, TypeVar

from fastapi import Header, Request, Response
from sqlalchemy import Connection, Engine

from churnml.database.requests import GONE, Answer, begin, finish, purge
from churnml.database.requests import Request as Asked
from churnml.errors import InProgressError, UsageError
from churnml.service.access import Caller
from churnml.service.clock import asked_at
from churnml.service.problems import described

Make = Callable[[Connection], tuple[int, dict[str, Any]]]  # Any: JSON
Done = TypeVar("Done")
HEADER = "Idempotency-Key"
REPLAYED = "idempotency-replayed"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_RULE = "1 to 255 letters, digits or signs without blanks; a UUID will do"
_GOING_ON = f"the request with this `{HEADER}` is still being done; send it again in a second for its answer"


class GoingOn:
    """Which requests this process is doing, so that a repetition does not wait with a thread of its own."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._keys: set[tuple[str, str]] = set()

    @contextmanager
    def alone(self, caller: str, key: str) -> Iterator[None]:
        """Do something under a key that nobody in this process uses at the same time.

        Raises
        ------
        InProgressError
            If somebody does.
        """
        with self._lock:
            if (caller, key) in self._keys:
                raise InProgressError(_GOING_ON)
            self._keys.add((caller, key))
        try:
            yield
        finally:
            with self._lock:
                self._keys.remove((caller, key))


REPEATED = described({
    400: ("usage", f"`{HEADER}` must be {_RULE}"),
    409: ("in_progress", _GOING_ON),
    410: ("gone", GONE),
    503: ("dependency", "the database does not answer; look at the service's log, then ask again"),
})  # fmt: skip
"""How a route that may be repeated answers what it cannot answer."""


async def raw_body(
    request: Request,
    _key: Annotated[str | None, Header(alias=HEADER, description=f"{_RULE}; see docs/api.md")] = None,
) -> bytes:
    """Return the body as it came; a dependency, for what `once` is to compare."""
    return await request.body()


def once(request: Request, caller: Caller, body: bytes, make: Make) -> Response:
    """Do what is asked and return its answer; under an `Idempotency-Key`, once however often it is asked.

    Deed and answer are one transaction: whoever is killed in between leaves neither. Without the header the deed is
    done each time, in one transaction all the same.

    Parameters
    ----------
    body : bytes
        What was sent, from `raw_body`.
    make : callable
        Does it within the transaction and returns status and body; what it raises undoes all, and is not kept.

    Raises
    ------
    UsageError
        If the key is empty, too long or no plain text.
    MismatchError
        If the key was used for another address or body within a day.
    InProgressError
        If the same is being done at this moment.
    """
    engine: Engine = request.app.state.engine
    now, key = asked_at(request), request.headers.get(HEADER)
    if key is None:
        return _respond(in_one(engine, lambda connection: _done(connection, make)))
    if not _KEY.fullmatch(key):
        raise UsageError(f"`{HEADER}` must be {_RULE}")
    asked = Asked(caller.same_as, key, _digest(request, body))
    going_on: GoingOn = request.app.state.going_on
    with going_on.alone(asked.caller, key), engine.begin() as connection:
        before = begin(connection, asked, now)
        if before is not None:
            return _respond(before, {REPLAYED: "true"})
        answer = _done(connection, make)
        finish(connection, asked, answer)
    return _respond(answer)


def in_one(engine: Engine, deed: Callable[[Connection], Done]) -> Done:
    """Do something in one transaction in which nothing that is read can be stale; what it raises undoes all."""
    with engine.begin() as connection:
        purge(connection, 0)  # removes nothing, and takes SQLite's lock for writing as `begin` does
        return deed(connection)


def _done(connection: Connection, make: Make) -> Answer:
    status, body = make(connection)
    return Answer(status, json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")))


def _digest(request: Request, body: bytes) -> str:
    what = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return hashlib.sha256(what + body).hexdigest()


def _respond(answer: Answer, headers: Mapping[str, str] | None = None) -> Response:
    return Response(answer.text, answer.status, headers, media_type="application/json")
