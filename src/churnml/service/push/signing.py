"""Signatures by which a receiver knows that a message is ours, whole, and of now.

References
----------
Standard Webhooks, specification 1.0.0, sections "Signature scheme" and "Webhook headers".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

from churnml.database import secret

PREFIX = "whsec_"


def require_secret() -> None:
    """Refuse where the deployment has no secret to derive those of endpoints from.

    Raises
    ------
    NotSetUpError
        If `CHURNML_SECRET` is missing or too short.
    """
    secret.derived("webhook")


def signing_secret(endpoint_id: str, version: int) -> str:
    """Return the secret of an endpoint as its receiver keeps it: `whsec_` and 32 bytes in base64.

    Raises
    ------
    NotSetUpError
        If the deployment has no `CHURNML_SECRET`.
    """
    return PREFIX + base64.b64encode(_key(endpoint_id, version)).decode()


def signed(endpoint_id: str, versions: Sequence[int], message_id: str, body: bytes, now: int) -> dict[str, str]:
    """Return the three headers of an attempt.

    Parameters
    ----------
    versions : sequence of int
        Of the endpoint's secret: a signature by each.
    message_id : str
        The same at every attempt; it holds no full stop.
    now : int
        Of the attempt, microseconds UTC.

    Raises
    ------
    NotSetUpError
        If the deployment has no `CHURNML_SECRET`.
    """
    seconds = str(now // 1_000_000)
    content = b".".join((message_id.encode(), seconds.encode(), body))
    seals = [hmac.new(_key(endpoint_id, version), content, hashlib.sha256).digest() for version in versions]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(seal).decode()}" for seal in seals),
    }


def _key(endpoint_id: str, version: int) -> bytes:
    return secret.derived(f"webhook:{endpoint_id}:{version}")
