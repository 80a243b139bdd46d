"""What is believed of an ID token: a signature by a key of the provider, and claims that fit this very attempt.

References
----------
OpenID Connect Core 1.0, section 3.1.3.7 (what a client must check), section 2 (the claims). RFC 8725, sections 2.1,
3.1 and 3.2: algorithms are ours to choose, `none` and keys of another kind than the algorithm's are refused.
RFC 7515, section 4.1.11: a header that is critical and not understood is refused, by PyJWT. RFC 7518, section 3.3: RSA
keys of 2,048 bits or more.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import jwt

from churnml.database.tables_identities import LONGEST_SUBJECT
from churnml.errors import SignInRefusedError
from churnml.service.oidc.asking import Json

ALGORITHMS: Mapping[str, tuple[str, str | None]] = {
    "RS256": ("RSA", None),
    "PS256": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "EdDSA": ("OKP", "Ed25519"),
}
"""What a token may be signed with, and the kind and curve of its key; never `none`, never a secret that is shared."""
SKEW_SECONDS = 60
_SECOND = 1_000_000
_NEVER = 1e12
"""A time later than any that is meant, in seconds since 1970."""


class Keys(Protocol):
    """Gives the provider's keys; anew, where one is missing."""

    def __call__(self, *, anew: bool = False) -> list[Json]:
        """Return them."""


@dataclass(frozen=True)
class Expected:
    """What the claims of a token must fit.

    Parameters
    ----------
    issuer, client_id, nonce : str
        Who must have made it, for whom, and for which attempt.
    begun_at, now : int
        When the attempt began, and what time it is, microseconds UTC.
    """

    issuer: str
    client_id: str
    nonce: str
    begun_at: int
    now: int


def checked(token: str, keys: Keys, expected: Expected) -> Json:
    """Return the claims of an ID token that is believed.

    Parameters
    ----------
    token : str
        As the provider sent it.
    keys : callable
        Gives the provider's keys.
    expected : Expected
        What it must fit.

    Raises
    ------
    SignInRefusedError
        If anything is not as it must be; `detail` names what.
    ProviderError
        If the keys cannot be had.
    """
    claims = _signed(token, keys)
    _check_parties(claims, expected)
    _check_times(claims, expected)
    nonce = claims.get("nonce")
    _require(
        "nonce",
        isinstance(nonce, str) and hmac.compare_digest(nonce.encode("utf-8", "replace"), expected.nonce.encode()),
    )
    return claims


def _signed(token: str, keys: Keys) -> Json:
    """Return the claims of a token whose signature holds."""
    try:
        header = jwt.get_unverified_header(token)
        algorithm, kid = header.get("alg"), header.get("kid")
        _require("alg", isinstance(algorithm, str) and algorithm in ALGORITHMS)
        key = _only(keys(), str(algorithm), kid) or _only(keys(anew=True), str(algorithm), kid)
        if key is None:
            raise SignInRefusedError("token", "id_token.kid")
        strict = jwt.PyJWS(options={"verify_signature": True, "enforce_minimum_key_length": True})
        signed = strict.decode_complete(token, jwt.PyJWK(key, str(algorithm)), [str(algorithm)])
        claims = json.loads(signed["payload"])
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise SignInRefusedError("token", "id_token.signature") from error
    _require("claims", isinstance(claims, dict))
    return dict(claims)


def _only(keys: list[Json], algorithm: str, kid: str | None) -> Json | None:
    """Return the one key that a token can be signed with; None where there is none, or it does not say which."""
    kind, curve = ALGORITHMS[algorithm]
    fitting = [
        key
        for key in keys
        if key.get("kty") == kind
        and (curve is None or key.get("crv") == curve)
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (kid is None or key.get("kid") == kid)
    ]
    return fitting[0] if len(fitting) == 1 else None


def _check_parties(claims: Json, expected: Expected) -> None:
    _require("iss", claims.get("iss") == expected.issuer)
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    _require("aud", expected.client_id in audiences)
    _require("azp", claims.get("azp", expected.client_id) == expected.client_id)
    _require("azp", len(audiences) == 1 or "azp" in claims)
    subject = claims.get("sub")
    _require("sub", isinstance(subject, str) and subject.isascii() and 0 < len(subject) <= LONGEST_SUBJECT)


def _check_times(claims: Json, expected: Expected) -> None:
    """Check that a token is good still, and was made since the attempt began."""
    now, begun = expected.now / _SECOND, expected.begun_at / _SECOND
    _require("exp", _time(claims, "exp") > now - SKEW_SECONDS)
    _require("iat", begun - SKEW_SECONDS <= _time(claims, "iat") <= now + SKEW_SECONDS)
    _require("nbf", "nbf" not in claims or _time(claims, "nbf") <= now + SKEW_SECONDS)


def _time(claims: Json, name: str) -> float:
    """Return a time among the claims, in seconds since 1970."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _NEVER:
        raise SignInRefusedError("token", f"id_token.{name}")
    return value


def _require(name: str, holds: bool) -> None:  # noqa: FBT001  # a rule and whether it holds, one line each
    if not holds:
        raise SignInRefusedError("token", f"id_token.{name}")
