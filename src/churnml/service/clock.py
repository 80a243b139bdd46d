"""What time it is: asked at the door, passed in everywhere below."""

from __future__ import annotations

import time

from fastapi import Request


def now() -> int:
    """Return the current instant, microseconds UTC."""
    return time.time_ns() // 1_000


def asked_at(request: Request) -> int:
    """Return when a request came, microseconds UTC, by the clock of its application."""
    instant: int = request.app.state.now()
    return instant
