"""Who asks, and what they may do: every route says what it needs, and a route that says nothing is closed.

In comes a request, out goes its caller, or a refusal. The gate (`gate.py`) finds the caller and refuses before a body
is read; each route asks again through `requires`, so that a gate that was wrong lets nobody through.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from fastapi import Request

from churnml.database.scopes import ROLES, SCOPES, Role, Scope
from churnml.errors import ForbiddenError, UnauthenticatedError

__all__ = ["CHALLENGE", "PUBLIC", "ROLES", "SCOPES", "Caller", "Role", "Scope", "caller_of", "requires"]

PROVIDER_LOGIN, PROVIDER_BACK = "/login/provider", "/login/return"
"""Where a browser goes to sign in by the identity provider, and where the provider sends it back to."""
PUBLIC = frozenset({"/healthz", "/readyz", "/login", PROVIDER_LOGIN, PROVIDER_BACK, "/static", "/v1/openapi.json"})
"""The only addresses that answer whoever asks."""
CHALLENGE = 'Bearer realm="churnml"'
"""What every 401 says in `WWW-Authenticate` (RFC 9110, section 11.6.1)."""
UNKNOWN = "say who asks: `Authorization: Bearer ck_…` with a key of `churnml keys create`, or sign in at /login"


@dataclass(frozen=True)
class Caller:
    """Who asks.

    Parameters
    ----------
    kind : {'key', 'person', 'local'}
        A machine by its key, a person by their session, or whoever opened the login link on this machine.
    name : str
        As the audit log and a case call them; of a key, its name and id.
    scopes : frozenset of str
        What they may do.
    role : {'agent', 'analyst', 'admin'} or None, default=None
        Of a person; a key has scopes alone.
    family : str, default=''
        Of a key: what it shares with the keys whose place it took.
    """

    kind: Literal["key", "person", "local"]
    name: str
    scopes: frozenset[Scope]
    role: Role | None = None
    family: str = ""

    @property
    def same_as(self) -> str:
        """What two requests of one caller share, though a key was rotated in between."""
        return f"{self.kind}:{self.family or self.name}"

    @property
    def only_own(self) -> bool:
        """Whether they may write about their own customers only: so it is with agents."""
        return self.role == "agent"


def requires(scope: Scope) -> Callable[[Request], Awaitable[Caller]]:
    """Return a dependency that lets pass who may do this, and gives the route its caller.

    It raises `UnauthenticatedError` where nobody is known to ask, and `ForbiddenError` where they may not.
    """

    async def caller(request: Request) -> Caller:
        found = caller_of(request)
        if found is None:
            raise UnauthenticatedError(UNKNOWN)
        check(found, frozenset({scope}))
        return found

    caller.scope = scope  # type: ignore[attr-defined]  # what the gate and a test of all routes ask for
    return caller


def caller_of(request: Request) -> Caller | None:
    """Return who the gate found to ask, or None on a public route."""
    found: Caller | None = getattr(request.state, "caller", None)
    return found


def check(caller: Caller, needed: frozenset[Scope]) -> None:
    """Let pass who has every scope that is needed.

    Raises
    ------
    ForbiddenError
        If one is missing; it names the scope.
    """
    missing = [scope for scope in SCOPES if scope in needed - caller.scopes]
    if missing:
        has = ", ".join(f"`{scope}`" for scope in SCOPES if scope in caller.scopes)
        raise ForbiddenError(f"this needs the scope `{missing[0]}`, `{caller.name}` has {has}; ask an administrator")
