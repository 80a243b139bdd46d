"""Passwords: what one must be, and how it is kept.

References
----------
RFC 9106, Argon2, section 4: argon2id, the second recommended option (64 MiB, 3 passes, 4 lanes).
NIST SP 800-63B-4, section 3.1.1.2: length rather than rules of composition; Unicode, normalised.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from argon2 import PasswordHasher, profiles
from argon2.exceptions import InvalidHashError, VerificationError

from churnml.errors import UsageError

SHORTEST, LONGEST = 12, 256
_HASHER = PasswordHasher.from_parameters(profiles.RFC_9106_LOW_MEMORY)


def hash_password(password: str, name: str) -> str:
    """Return what is kept of a person's password.

    Raises
    ------
    UsageError
        If it is too short, too long, or the name over again.
    """
    plain = _normal(password)
    if not SHORTEST <= len(plain) <= LONGEST:
        raise UsageError(f"a password must have {SHORTEST} to {LONGEST} characters, got {len(plain)}")
    if name and not plain.casefold().replace(name.casefold(), ""):
        raise UsageError("a password must be more than the name over again; choose another")
    return _HASHER.hash(plain)


def matches(kept: str | None, password: str) -> bool:
    """Tell whether a password is the one that is kept; where none is, take as long and say no."""
    plain = _normal(password)[: LONGEST + 1]
    nobodys = _nobodys()  # made at the first login of a process, whosever it is
    try:
        _HASHER.verify(kept or nobodys, plain)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password.encode("utf-8", "replace").decode())


@lru_cache(maxsize=1)
def _nobodys() -> str:
    """Return a hash that costs to verify what any other costs."""
    return _HASHER.hash("of nobody at all")
