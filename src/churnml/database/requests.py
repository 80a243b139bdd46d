"""Writing requests that may come again: the deed and its answer are one transaction, so neither is ever there alone.

Every function works within the transaction of its caller.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from churnml.database.tables_requests import requests
from churnml.errors import GoneError, MismatchError

KEPT = 24 * 3_600_000_000
"""How long an answer is kept, microseconds: what a client repeats, it repeats within a day."""
GONE = "this request was done before, and its answer named a customer who has been erased since; it is not done again"


@dataclass(frozen=True)
class Request:
    """A request as its caller named it.

    Parameters
    ----------
    caller : str
        Who asks; the keys of two callers never meet.
    key : str
        What the caller calls it.
    digest : str
        SHA-256 of what is asked, in hexadecimal.
    """

    caller: str
    key: str
    digest: str


@dataclass(frozen=True)
class Answer:
    """What a request was answered: the HTTP status, and the JSON to the byte."""

    status: int
    text: str


def purge(connection: Connection, before: int) -> int:
    """Remove what was asked before an instant, microseconds UTC, and return how many requests that were."""
    return connection.execute(delete(requests).where(requests.c.asked_at < before)).rowcount


def begin(connection: Connection, request: Request, now: int) -> Answer | None:
    """Enter a request, or return what it was answered if it has come before; the first statement of its transaction.

    What the same caller does under the same key at the same time waits here until this transaction ends.

    Raises
    ------
    MismatchError
        If the key was used for something else.
    GoneError
        If the answer named a customer who has been erased since.
    """
    purge(connection, now - KEPT)  # takes SQLite's one lock for writing: nothing read below can be stale
    try:
        with connection.begin_nested():
            connection.execute(insert(requests), vars(request) | {"asked_at": now})
    except IntegrityError:
        return _answered(connection, request)
    return None


def finish(connection: Connection, request: Request, answer: Answer) -> None:
    """Keep what a request is answered; it is visible with the deed, or neither is."""
    values = {"status": answer.status, "answer": answer.text}
    connection.execute(update(requests).where(_named(request)).values(**values))


def forget(connection: Connection, customer_id: str, said: Collection[str] = ()) -> int:
    """Blank every answer that names a customer, and return how many; what was done is not done again for that.

    An answer names them where a text of it is their id, or holds it as a word, as what is said of a row does; or where
    it repeats what was said of them, without saying of whom.

    Parameters
    ----------
    said : collection of str
        What was noted about them.
    """
    rows = connection.execute(select(requests).where(requests.c.answer.is_not(None))).all()
    word = re.compile(rf"(?<!\w){re.escape(customer_id)}(?!\w)")
    naming = [row for row in rows if any(text in said or word.search(text) for text in _texts(json.loads(row.answer)))]
    for row in naming:
        this = Request(row.caller, row.key, row.digest)
        connection.execute(update(requests).where(_named(this)).values(answer=None))
    return len(naming)


def _named(request: Request) -> ColumnElement[bool]:
    return and_(requests.c.caller == request.caller, requests.c.key == request.key)


def _answered(connection: Connection, request: Request) -> Answer:
    row = connection.execute(select(requests).where(_named(request))).one()
    if row.digest != request.digest:
        raise MismatchError(
            "an `Idempotency-Key` must name one request, found it used for another address or body within the last "
            "24 hours; send what was sent then, or take a new key"
        )
    if row.answer is None:
        raise GoneError(GONE)
    return Answer(row.status, row.answer)


def _texts(value: object) -> Iterator[str]:
    """Yield every text in a JSON value, keys of objects included."""
    match value:
        case str():
            yield value
        case list():
            for each in value:
                yield from _texts(each)
        case dict():
            yield from value
            yield from _texts(list(value.values()))
