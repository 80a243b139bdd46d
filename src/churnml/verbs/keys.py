"""`churnml keys`: API keys for programs: make one, see which there are, replace one, revoke one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from churnml.database.keys import create_key, list_keys, revoke_key, rotate_key, told
from churnml.errors import UsageError
from churnml.events.clock import DAY, HOUR
from churnml.verbs.actor import whoever_types
from churnml.verbs.session import Session, clock

Json = dict[str, Any]  # Any: JSON
LONGEST_DAYS = 3650
DEFAULT_DAYS, DEFAULT_OVERLAP_HOURS = 90, 24


def create(session: Session, name: str, scopes: Sequence[str], *, days: int = DEFAULT_DAYS) -> Json:
    """Make a key and return it; its text is shown this once.

    Raises
    ------
    UsageError
        If the name, a scope or the days are not what they must be.
    """
    now, expires_at = clock(), clock() + checked_days(days) * DAY
    with session.catalogue.engine.begin() as connection:
        key, text = create_key(connection, whoever_types(), name, scopes, at=now, expires_at=expires_at)
    return told(key, now) | {"key": text}


def rotate(
    session: Session, word: str, *, days: int = DEFAULT_DAYS, overlap_hours: int = DEFAULT_OVERLAP_HOURS
) -> Json:
    """Make a key like an old one, which goes on for the overlap; return the new one with its text, and the old one.

    Raises
    ------
    NotFoundError
        If no valid key is called so.
    UsageError
        If several are, or a duration is not what it must be.
    """
    now, overlap = clock(), checked_overlap(overlap_hours) * HOUR
    with session.catalogue.engine.begin() as connection:
        made, text, old = rotate_key(
            connection, whoever_types(), word, at=now, expires_at=now + checked_days(days) * DAY, overlap=overlap
        )
    return told(made, now) | {"key": text, "replaces": told(old, now)}


def revoke(session: Session, word: str) -> Json:
    """Revoke a key by its id, or all of a name, at once; return those that were revoked now.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    now = clock()
    with session.catalogue.engine.begin() as connection:
        gone = revoke_key(connection, whoever_types(), word, at=now)
    return {"revoked": [told(key, now) | {"standing": "revoked"} for key in gone]}


def known(session: Session) -> Json:
    """Return every key, without its text, which nobody has."""
    with session.catalogue.engine.connect() as connection:
        return {"keys": [told(key, clock()) for key in list_keys(connection)]}


def checked_days(days: int) -> int:
    """Return for how many days a key holds.

    Raises
    ------
    UsageError
        If that is none, or more than ten years.
    """
    if not 1 <= days <= LONGEST_DAYS:
        raise UsageError(f"--days must be 1 to {LONGEST_DAYS}, got {days}")
    return days


def checked_overlap(hours: int) -> int:
    """Return for how many hours an old key goes on beside the new one.

    Raises
    ------
    UsageError
        If that is less than none, or more than 90 days.
    """
    if not 0 <= hours <= 24 * 90:
        raise UsageError(f"--overlap-hours must be 0 to {24 * 90}, got {hours}")
    return hours


def listing(body: Json) -> Table:
    """Return the keys as a table for people."""
    table = Table("key", "name", "scopes", "standing", "until", "last used", box=None, header_style="bold")
    for key in body["keys"]:
        used = key["last_used_on"] or "never"
        table.add_row(
            key["key_id"], key["name"], " ".join(key["scopes"]), key["standing"], key["expires_at"][:10], used
        )
    return table


def shown_once(body: Json) -> str:
    """Return what is said of a key that was just made."""
    old = body.get("replaces")
    goes_on = f"\nThe old one, {old['key_id']}, holds until {old['expires_at'][:16]} UTC." if old else ""
    return (
        f"The key of {body['name']} ({', '.join(body['scopes'])}) until {body['expires_at'][:10]}, on standard output; "
        f"it is shown this once.{goes_on}"
    )
