"""Instants as text: microseconds UTC, as they are kept, in ISO 8601, as they are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso(instant: int) -> str:
    """Return an instant in ISO 8601, UTC."""
    return (_EPOCH + timedelta(microseconds=instant)).isoformat()


def iso_day(day: int) -> str:
    """Return a day counted from 1970 in ISO 8601."""
    return (_EPOCH + timedelta(days=day)).date().isoformat()
