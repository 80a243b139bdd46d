"""What may be done: the scopes, and which of them each role has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

from churnml.errors import UsageError, nearest

Scope = Literal["read", "contact", "write", "operate", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""`read`: records, lists and measures; `contact`: names, addresses and notes; `write`: outcomes, contacts, events and
cases in; `operate`: jobs, models and campaigns; `admin`: keys, people, webhooks and erasure."""

Role = Literal["agent", "analyst", "admin"]
ROLES: dict[Role, frozenset[Scope]] = {
    "agent": frozenset({"read", "contact", "write"}),
    "analyst": frozenset({"read", "write", "operate"}),
    "admin": frozenset(SCOPES),
}
"""What a person of each role may do; an agent writes about their own customers only.

An analyst runs campaigns: they tell what came of them, and report a contact that was made with somebody held out."""


def checked_scopes(asked: Iterable[str]) -> tuple[Scope, ...]:
    """Return scopes once each, in the order of `SCOPES`.

    Raises
    ------
    UsageError
        If one is unknown, or there is none.
    """
    wanted = set(asked)
    for word in sorted(wanted - set(SCOPES)):
        raise UsageError(f"a scope must be one of {', '.join(SCOPES)}, got {word!r}{nearest(word, SCOPES)}")
    if not wanted:
        raise UsageError(f"a key must have at least one scope of {', '.join(SCOPES)}, got none")
    return tuple(scope for scope in SCOPES if scope in wanted)


def checked_role(word: str) -> Role:
    """Return a role.

    Raises
    ------
    UsageError
        If there is no such role.
    """
    for role in ROLES:
        if word == role:
            return role
    raise UsageError(f"a role must be one of {', '.join(ROLES)}, got {word!r}{nearest(word, ROLES)}")
