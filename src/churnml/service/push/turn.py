"""One endpoint's turn: what is due for it is sent, one after the other, until nothing is or something fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from churnml.database import deliveries
from churnml.database.deliveries import Attempt, Due, Turn
from churnml.database.endpoints import Endpoint
from churnml.service.push import schedule
from churnml.service.push.sending import Answer, Sender
from churnml.service.push.signing import signed

MOST = 50
"""Messages in one turn: then others have theirs."""


@dataclass(frozen=True)
class Pushing:
    """Who disables an endpoint, as the audit log names them."""

    kind: str = "service"
    name: str = "webhooks"


def run_turn(
    engine: Engine, turn: Turn, sender: Sender, now: Callable[[], int], stopping: Callable[[], bool] = lambda: False
) -> int:
    """Send what is due for an endpoint, and return how many attempts were made.

    Whatever ends the process in between, what was being sent still waits, and is sent again under the same id.

    Parameters
    ----------
    now : callable
        Gives the current instant, microseconds UTC.
    stopping : callable
        Whether to end after the present message.
    """
    made = 0
    try:
        while made < MOST and not stopping():
            with engine.begin() as connection:
                found = deliveries.next_due(connection, turn, now())
            if found is None:
                break
            endpoint, due = found
            answer = _send(endpoint, due, sender, now())
            made += 1
            attempt = attempted(answer, endpoint.endpoint_id, due, now())
            with engine.begin() as connection:
                deliveries.settle(connection, turn.endpoint_id, due, attempt, now(), worker=Pushing())
            if answer.problem is not None:
                break
    finally:
        with engine.begin() as connection:
            deliveries.end_turn(connection, turn)
    return made


def attempted(answer: Answer, endpoint_id: str, due: Due, now: int) -> Attempt:
    """Return what an answer means for the delivery and for its endpoint."""
    if answer.problem is None:
        return Attempt(answer.status, None)
    asked = schedule.asked_for(answer.retry_after, now)
    again = schedule.retry_at(due.message_id, endpoint_id, due.attempts + 1, now, asked)
    return Attempt(answer.status, answer.problem, again, max(now + schedule.REST, asked))


def _send(endpoint: Endpoint, due: Due, sender: Sender, now: int) -> Answer:
    body = due.body.encode()
    headers = signed(endpoint.endpoint_id, endpoint.versions(now), due.message_id, body, now)
    return sender.send(endpoint.url, headers, body)
