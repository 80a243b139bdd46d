"""Whoever collects /metrics: a key with `read`, or a token of its own that opens nothing else.

A key with `read` reads every customer. What collects metrics should not have one, and stands in a file of its own
settings; so the environment may name a token for it.
"""

from __future__ import annotations

import hmac
import os

from starlette.datastructures import Headers

from churnml.errors import ConfigError
from churnml.service.access import Caller
from churnml.service.credentials import Found

VARIABLE = "CHURNML_METRICS_TOKEN"
COLLECTOR = Found(Caller("key", "metrics", frozenset({"read"})))
"""Who asks with the token; the gate lets it in at one address."""
_LEAST = 16


def is_collector(headers: Headers) -> bool:
    """Tell whether a request bears the token; nobody does where none is named."""
    token = os.environ.get(VARIABLE, "")
    kind, _, told = headers.get("authorization", "").partition(" ")
    return len(token) >= _LEAST and kind.lower() == "bearer" and hmac.compare_digest(told.encode(), token.encode())


def check_token() -> None:
    """Refuse a token that could be guessed.

    Raises
    ------
    ConfigError
        If it is too short.
    """
    token = os.environ.get(VARIABLE, "")
    if token and len(token) < _LEAST:
        raise ConfigError(f"`{VARIABLE}` must have at least {_LEAST} characters, got {len(token)}; make a longer one")
