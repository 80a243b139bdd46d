"""When an attempt that failed is made again: the schedule of Standard Webhooks, each delay a little longer.

References
----------
Standard Webhooks, specification 1.0.0, section "Deliverability and reliability": ten attempts in three days.
RFC 9110, section 10.2.3: Retry-After.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_SECOND = 1_000_000
DELAYS = tuple(seconds * _SECOND for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400))
"""After the first attempt, the second, …, microseconds; ten in all."""
REST = 5 * _SECOND
"""An endpoint that failed is left in peace for so long, whatever else is due for it."""
LONGEST_WAIT = 24 * 3_600 * _SECOND
"""No `Retry-After` holds us longer."""
_JITTER = 0.2


def retry_at(message_id: str, endpoint_id: str, attempts: int, now: int, asked: int = 0) -> int | None:
    """Return when the next attempt is made, microseconds UTC; None after the tenth.

    Of many messages that failed at once each comes back at a time of its own, up to a fifth later; which is drawn from
    their names, so that it is the same whoever asks.

    Parameters
    ----------
    attempts : int
        Made so far, at least 1.
    asked : int, default 0
        When the receiver asked us to come again; it is not before that.
    """
    if attempts > len(DELAYS):
        return None
    drawn = hashlib.sha256(f"{message_id} {endpoint_id} {attempts}".encode()).digest()
    share = int.from_bytes(drawn[:4], "big") / 2**32
    return max(now + round(DELAYS[attempts - 1] * (1 + _JITTER * share)), asked)


def asked_for(header: str | None, now: int) -> int:
    """Return until when a `Retry-After` asks us to wait, microseconds UTC; 0 where it says nothing sound."""
    text = (header or "").strip()[:64]
    if text.isascii() and text.isdigit():
        return now + min(int(text[:9]) * _SECOND, LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0
    instant = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return min(round(instant.total_seconds()) * _SECOND, now + LONGEST_WAIT)
