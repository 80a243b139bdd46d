"""Who asks, and what they may do: every route says what it needs, and a route that says nothing is closed.

In comes a request, out goes its caller, or a refusal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from fastapi import Request

Scope = Literal["read", "contact", "write", "operate", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""`read`: records, lists and measures; `contact`: names, addresses and notes; `write`: outcomes, contacts, events and
cases in; `operate`: jobs, models and campaigns; `admin`: keys, people, webhooks and erasure."""


@dataclass(frozen=True)
class Caller:
    """Who asks.

    Parameters
    ----------
    kind : {'key', 'person', 'local'}
        A machine by its key, a person by their session, or whoever is on this machine while nobody has an account.
    name : str
        As the audit log and a case call them.
    scopes : frozenset of str
        What they may do.
    """

    kind: Literal["key", "person", "local"]
    name: str
    scopes: frozenset[Scope]


LOCAL = Caller("local", "local", frozenset(SCOPES))
"""Whoever reaches the loopback address."""


def requires(scope: Scope) -> Callable[[Request], Caller]:
    """Return a dependency that lets pass who may do this, and gives the route its caller."""

    def caller(request: Request) -> Caller:
        found: Caller = getattr(request.state, "caller", LOCAL)
        return found

    caller.scope = scope  # type: ignore[attr-defined]  # what a test of all routes asks for
    return caller
