"""`churnml webhooks`: where the service pushes what happens: make one, see how each fares, rotate, try, remove."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from churnml.config import ServeConfig
from churnml.database import endpoints
from churnml.verbs.actor import whoever_types
from churnml.verbs.session import Session, clock

Json = dict[str, Any]  # Any: JSON


def add(session: Session, url: str, events: Sequence[str], *, description: str = "") -> Json:
    """Make an endpoint and return it; its secret is shown this once.

    Raises
    ------
    UsageError
        If the URL leads where we may not send, there is no such event, or there is no `CHURNML_SECRET`.
    """
    from churnml.service.push.destination import destination  # noqa: PLC0415  # the service takes a second to import
    from churnml.service.push.signing import require_secret  # noqa: PLC0415

    require_secret()
    asked = endpoints.checked_events(events)
    destination(url, session.load("serve", ServeConfig).webhook_allowed_hosts)
    with session.catalogue.engine.begin() as connection:
        made = endpoints.create(connection, whoever_types(), url, asked, description, at=clock())
    return _with_secret(made)


def rotate(session: Session, endpoint_id: str) -> Json:
    """Give an endpoint a new secret and return it with that; for a day the one before signs as well.

    Raises
    ------
    NotFoundError
        If there is none of that id.
    UsageError
        If there is no `CHURNML_SECRET`.
    """
    from churnml.service.push.signing import require_secret  # noqa: PLC0415

    require_secret()
    with session.catalogue.engine.begin() as connection:
        changed = endpoints.rotate(connection, whoever_types(), endpoint_id, at=clock())
    return _with_secret(changed)


def remove(session: Session, endpoint_id: str) -> Json:
    """Remove an endpoint with all that waits for it, and return what it was.

    Raises
    ------
    NotFoundError
        If there is none of that id.
    """
    with session.catalogue.engine.begin() as connection:
        return endpoints.told(endpoints.remove(connection, whoever_types(), endpoint_id, at=clock()))


def test(session: Session, endpoint_id: str) -> Json:
    """Keep a message by which an endpoint is tried; a service that runs sends it within seconds.

    Raises
    ------
    NotFoundError
        If there is none of that id.
    """
    with session.catalogue.engine.begin() as connection:
        return {"delivery_id": endpoints.try_out(connection, whoever_types(), endpoint_id, at=clock())}


def known(session: Session) -> Json:
    """Return every endpoint, and how it fares."""
    with session.catalogue.engine.connect() as connection:
        return {"items": [endpoints.told(one) for one in endpoints.listed(connection)]}


def listing(body: Json) -> Table:
    """Return the endpoints as a table for people."""
    table = Table("webhook", "url", "events", "state", "delivered", box=None, header_style="bold")
    for one in body["items"]:
        state = f"{one['state']} ({one['why']})" if one["why"] else one["state"]
        failing = f", failing since {one['failing_since'][:16]}" if one["failing_since"] else ""
        events, last = " ".join(one["events"]), (one["delivered_at"] or "never")[:16]
        table.add_row(one["endpoint_id"], one["url"], events, state + failing, last)
    return table


def shown_once(body: Json) -> str:
    """Return what is said of a secret that is shown."""
    before = "\nFor a day the secret before holds as well." if body["rotated_at"] else ""
    return (
        f"The signing secret of webhook {body['endpoint_id']} ({', '.join(body['events'])}), on standard output; "
        f"it is shown this once.{before}"
    )


def _with_secret(endpoint: endpoints.Endpoint) -> Json:
    from churnml.service.push.signing import signing_secret  # noqa: PLC0415

    secret = signing_secret(endpoint.endpoint_id, endpoint.secret_version)
    return endpoints.told(endpoint) | {"secret": secret}
