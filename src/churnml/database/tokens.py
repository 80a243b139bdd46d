"""Secrets that we give out once: random, so long that nobody guesses one, and kept as a hash only.

A random token of 256 bits needs no slow hash: there is no list of likely ones to try. Passwords do, see `passwords.py`.
"""

from __future__ import annotations

import hashlib
import secrets

_BYTES = 32


def new_token() -> str:
    """Return a token of 256 random bits, in letters that fit an address and a cookie."""
    return secrets.token_urlsafe(_BYTES)


def digest_of(token: str) -> str:
    """Return what is kept of a token: its SHA-256, in hexadecimal."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
