"""Endpoints: where messages are pushed to, which events each asks for, and whether it is sent anything at present.

No secret is kept: that of an endpoint is derived from the deployment's, by its id and the version of its secret.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, delete, func, insert, select, update

from churnml.database.audit import Answerable, audit
from churnml.database.instants import iso
from churnml.database.outbox import EVENTS, post_to
from churnml.database.tables_push import deliveries, endpoints
from churnml.errors import ConflictError, NotFoundError, UsageError, nearest

State = Literal["enabled", "disabled"]
Why = Literal["by_hand", "gone", "failing"]
MOST = 50
"""Endpoints of one deployment: each is looked at for every deed."""
OVERLAP = 24 * 3_600_000_000
"""For how long after a rotation the secret before signs as well, microseconds."""
_LONGEST_URL, _LONGEST_WORDS = 2_000, 256


@dataclass(frozen=True)
class Endpoint:
    """Where messages are pushed to."""

    endpoint_id: str
    url: str
    events: tuple[str, ...]
    description: str
    created_by: str
    created_at: int
    state: State
    why: Why | None
    secret_version: int
    rotated_at: int | None
    failing_since: int | None
    delivered_at: int | None

    def versions(self, now: int) -> tuple[int, ...]:
        """Return the versions of its secret that sign at an instant, the newest first."""
        if self.rotated_at is None or now >= self.rotated_at + OVERLAP:
            return (self.secret_version,)
        return (self.secret_version, self.secret_version - 1)


_COLUMNS = tuple(endpoints.c[name] for name in Endpoint.__dataclass_fields__)


def create(
    connection: Connection, caller: Answerable, url: str, events: Iterable[str], description: str = "", *, at: int
) -> Endpoint:
    """Make an endpoint that is sent what happens from now on.

    Parameters
    ----------
    url : str
        Checked already to lead where we may send, see `service/push/destination.py`.
    events : iterable of str
        Of `outbox.EVENTS`.

    Raises
    ------
    UsageError
        If there is no such event, or a text is too long.
    ConflictError
        If there are 50 endpoints already.
    """
    asked = checked_events(events)
    _check_words(url, description)
    if int(connection.execute(select(func.count()).select_from(endpoints)).scalar_one()) >= MOST:
        raise ConflictError(f"there may be {MOST} endpoints, and there are; remove one that is no longer used")
    made = Endpoint(
        uuid.uuid4().hex, url, asked, description, caller.name, at, "enabled", None, 1, None, None, None
    )  # fmt: skip
    connection.execute(insert(endpoints), vars(made) | {"events": " ".join(asked)})
    about = {"webhook": made.endpoint_id, "events": " ".join(asked)}
    audit(connection, caller, "webhook.created", about, at=at)
    return made


def known(connection: Connection, endpoint_id: str) -> Endpoint:
    """Return an endpoint.

    Raises
    ------
    NotFoundError
        If there is none of that id.
    """
    row = connection.execute(select(*_COLUMNS).where(endpoints.c.endpoint_id == endpoint_id)).mappings().first()
    if row is None:
        raise NotFoundError(f"there is no webhook `{endpoint_id[:64]}`; GET /v1/webhooks lists them")
    return _endpoint(row)


def listed(connection: Connection) -> list[Endpoint]:
    """Return every endpoint, in the order in which they were made."""
    query = select(*_COLUMNS).order_by(endpoints.c.created_at, endpoints.c.endpoint_id)
    return [_endpoint(row) for row in connection.execute(query).mappings()]


def change(
    connection: Connection,
    caller: Answerable,
    endpoint_id: str,
    *,
    url: str | None = None,
    events: Iterable[str] | None = None,
    description: str | None = None,
    state: State | None = None,
    at: int,
) -> Endpoint:
    """Change what is given of an endpoint, and return it; one that is enabled again is sent what waits for it.

    Raises
    ------
    NotFoundError
        If there is none of that id.
    UsageError
        If there is no such event, or a text is too long.
    """
    standing = known(connection, endpoint_id)
    _check_words(url or "", description or "")
    new: dict[str, Any] = {}  # Any: SQL values
    new |= {} if url is None else {"url": url}
    new |= {} if events is None else {"events": " ".join(checked_events(events))}
    new |= {} if description is None else {"description": description}
    if state is not None and state != standing.state:
        new |= {"state": state, "why": "by_hand" if state == "disabled" else None}
        new |= {"failing_since": None, "rests_until": 0} if state == "enabled" else {}
    if new:
        connection.execute(update(endpoints).where(endpoints.c.endpoint_id == endpoint_id).values(**new))
        changed = " ".join(name for name in new if name not in _UNTOLD)
        audit(connection, caller, "webhook.changed", {"webhook": endpoint_id, "changed": changed}, at=at)
    return known(connection, endpoint_id)


_UNTOLD = ("why", "failing_since", "rests_until")


def rotate(connection: Connection, caller: Answerable, endpoint_id: str, *, at: int) -> Endpoint:
    """Give an endpoint a new secret, and return it; for a day messages bear the signature of the old one as well.

    Raises
    ------
    NotFoundError
        If there is none of that id.
    """
    theirs = endpoints.c.endpoint_id == endpoint_id
    newer = {"secret_version": endpoints.c.secret_version + 1, "rotated_at": at}
    connection.execute(update(endpoints).where(theirs).values(**newer))
    changed = known(connection, endpoint_id)
    version = changed.secret_version
    audit(connection, caller, "webhook.rotated", {"webhook": endpoint_id, "secret_version": version}, at=at)
    return changed


def remove(connection: Connection, caller: Answerable, endpoint_id: str, *, at: int) -> Endpoint:
    """Remove an endpoint with all that waits for it, and return what it was.

    Raises
    ------
    NotFoundError
        If there is none of that id.
    """
    gone = known(connection, endpoint_id)
    connection.execute(delete(deliveries).where(deliveries.c.endpoint_id == endpoint_id))
    connection.execute(delete(endpoints).where(endpoints.c.endpoint_id == endpoint_id))
    audit(connection, caller, "webhook.removed", {"webhook": endpoint_id}, at=at)
    return gone


def try_out(connection: Connection, caller: Answerable, endpoint_id: str, *, at: int) -> int:
    """Keep a message by which an endpoint is tried, and return the number of its delivery.

    Raises
    ------
    NotFoundError
        If there is none of that id.
    """
    known(connection, endpoint_id)
    made = post_to(connection, endpoint_id, {"endpoint_id": endpoint_id, "asked_at": iso(at)}, at=at)
    audit(connection, caller, "webhook.tested", {"webhook": endpoint_id, "delivery": made}, at=at)
    return made


def checked_events(events: Iterable[str]) -> tuple[str, ...]:
    """Return the events that are asked for, each once, in our order.

    Raises
    ------
    UsageError
        If there is none, or one that we do not tell.
    """
    asked = list(events)
    for one in asked:
        if one not in EVENTS:
            known_ones = ", ".join(EVENTS)
            raise UsageError(f"an event must be one of {known_ones}, got {one[:64]!r}{nearest(one, EVENTS)}")
    if not asked:
        raise UsageError(f"`events` must name at least one of {', '.join(EVENTS)}")
    return tuple(one for one in EVENTS if one in asked)


def told(endpoint: Endpoint) -> dict[str, Any]:  # Any: JSON
    """Return an endpoint as API and command line tell it."""
    instants = ("created_at", "rotated_at", "failing_since", "delivered_at")
    at = {name: None if getattr(endpoint, name) is None else iso(getattr(endpoint, name)) for name in instants}
    return vars(endpoint) | {"events": list(endpoint.events)} | at


def _endpoint(row: Mapping[Any, Any]) -> Endpoint:  # Any: SQL values
    return Endpoint(**{**row, "events": tuple(row["events"].split())})


def _check_words(url: str, description: str) -> None:
    for name, text, longest in (("url", url, _LONGEST_URL), ("description", description, _LONGEST_WORDS)):
        if len(text) > longest:
            raise UsageError(f"`{name}` must have at most {longest} characters, got {len(text)}")
