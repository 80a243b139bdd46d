"""From the claims of a person to who they are here: a role by their groups, and a name where they are new.

What the provider says of groups counts anew each time: who was taken out of them is not let in any more.
"""

from __future__ import annotations

from churnml.config import OidcConfig
from churnml.database.people import is_name, known_as
from churnml.database.scopes import ROLES, Role
from churnml.errors import SignInRefusedError
from churnml.service.oidc.asking import Json

_OURS = frozenset({"unknown"})
"""What the audit log calls somebody whose name is not written down; nobody may be called so by another's word."""


def role_of(claims: Json, settings: OidcConfig) -> Role | None:
    """Return the role of a person's groups: of several the last in the order of `ROLES`, None where none has one."""
    found: object = claims
    for name in settings.roles_claim:
        found = found.get(name) if isinstance(found, dict) else None
    groups = found if isinstance(found, list) else [found]
    granted = {settings.roles[group] for group in groups if isinstance(group, str) and group in settings.roles}
    return max(granted, key=list(ROLES).index, default=None)


def name_of(claims: Json, settings: OidcConfig) -> str:
    """Return what somebody new is called, as `known_as` has it.

    Raises
    ------
    SignInRefusedError
        If the claim is missing or no name of ours, or is an address that the provider has not verified.
    """
    told = claims.get(settings.name_claim)
    if settings.name_claim == "email" and claims.get("email_verified") is not True:
        raise SignInRefusedError("name", "claim.email_verified")
    called = known_as(told) if isinstance(told, str) else ""
    if not is_name(called) or called in _OURS:
        raise SignInRefusedError("name", "claim.name")
    return called
