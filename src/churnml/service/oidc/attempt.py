"""One attempt to sign in: a secret in a cookie of the browser, and what is derived from it for the provider to see.

`state`, `nonce` and the verifier of PKCE each come of the secret by HMAC under a word of their own, so none tells
another, and nothing is kept here between going and coming back: whoever comes back without the cookie of the browser
that went is nobody's attempt. What is kept is which attempts were used up.

References
----------
RFC 6749, section 10.12 (`state` bound to the browser); OpenID Connect Core 1.0, section 15.5.2 (`nonce` made from a
value in a cookie). RFC 7636, section 4.1: a verifier has 43 to 128 unreserved characters; section 4.2: S256.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

from churnml.database.tokens import new_token

LIFE_SECONDS = 600
"""within which somebody must be back"""
_SECOND = 1_000_000
_LONGEST_WAY_BACK = 1_500
_COOKIE = re.compile(r"([A-Za-z0-9_-]{43})\.([0-9]{1,18})\.([A-Za-z0-9_-]*)")


@dataclass(frozen=True)
class Attempt:
    """An attempt to sign in.

    Parameters
    ----------
    secret : str
        256 random bits that only this browser and we know.
    begun_at : int
        When it went to the provider, microseconds UTC.
    way_back : str
        Where the person wanted to go.
    """

    secret: str
    begun_at: int
    way_back: str

    @property
    def state(self) -> str:
        """What the provider sends back unchanged."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """What the provider writes into the ID token."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """What only who began can tell when the code is exchanged."""
        return self._derived("verifier")

    @property
    def challenge(self) -> str:
        """What the provider is told of the verifier beforehand: its SHA-256."""
        return _letters(hashlib.sha256(self.verifier.encode()).digest())

    @property
    def expires_at(self) -> int:
        """From when on it is over, microseconds UTC."""
        return self.begun_at + LIFE_SECONDS * _SECOND

    def is_of(self, state: str) -> bool:
        """Tell whether what came back is of this attempt."""
        return hmac.compare_digest(state.encode("utf-8", "surrogatepass"), self.state.encode())

    def as_cookie(self) -> str:
        """Return it as the browser keeps it."""
        return f"{self.secret}.{self.begun_at}.{_letters(self.way_back.encode('utf-8', 'replace'))}"

    def _derived(self, purpose: str) -> str:
        mac = hmac.new(self.secret.encode(), f"churnml sign-in {purpose}".encode(), hashlib.sha256)
        return _letters(mac.digest())


def begin(way_back: str, now: int) -> Attempt:
    """Return a new attempt; a way back that no cookie could hold leads to the first page."""
    return Attempt(new_token(), now, way_back if len(way_back) <= _LONGEST_WAY_BACK else "/")


def of_cookie(cookie: str, now: int) -> Attempt | None:
    """Return the attempt that a browser has kept; None where there is none that goes on still."""
    found = _COOKIE.fullmatch(cookie)
    if found is None:
        return None
    secret, begun_at, way_back = found.groups()
    kept = base64.urlsafe_b64decode(way_back + "=" * (-len(way_back) % 4)) if len(way_back) % 4 != 1 else b"/"
    attempt = Attempt(secret, int(begun_at), kept.decode("utf-8", "replace"))
    return attempt if attempt.begun_at <= now < attempt.expires_at else None


def _letters(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
