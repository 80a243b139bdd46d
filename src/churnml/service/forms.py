"""Forms that only our own pages can send: where a post comes from, and a token that only our pages know.

References
----------
OWASP Cross-Site Request Forgery Prevention: fetch metadata and the origin first, a token bound to the session with it.
Gluck, Harris, Prado (2013), BREACH, section 3.4: a secret in a compressed page is masked anew in each answer.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import Headers

FIELD = "csrf_token"
HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_MOST_FIELDS = 600
_TOKEN_BYTES = 32
_MASKED = re.compile(r"[0-9a-f]{128}")
FORGED = "the form was not sent by a page of ours that is still open; open the page again and send it from there"


def token_for(secret: str) -> str:
    """Return the token that forms carry whose sender has a secret in a cookie, which other sites cannot read."""
    return hmac.new(secret.encode(), b"churnml form", hashlib.sha256).hexdigest()


def masked(token: str) -> str:
    """Return a token as a page carries it: another text each time, so that the length of a page tells nothing of it."""
    mask = secrets.token_bytes(_TOKEN_BYTES)
    return (mask + _xor(mask, bytes.fromhex(token))).hex()


def same_origin(headers: Headers) -> bool:
    """Tell whether a browser says that a request comes from one of our pages; who says nothing is no browser."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""


def carries_token(headers: Headers, body: bytes, secret: str) -> bool:
    """Tell whether a request holds the token of a secret, in its header or in its form."""
    given = headers.get(HEADER) or fields(headers, body).get(FIELD, "")
    return hmac.compare_digest(_unmasked(given).encode(), token_for(secret).encode())


def _unmasked(given: str) -> str:
    """Return the token in what a page carried; anything else as it is."""
    if not _MASKED.fullmatch(given):
        return given
    both = bytes.fromhex(given)
    return _xor(both[:_TOKEN_BYTES], both[_TOKEN_BYTES:]).hex()


def _xor(mask: bytes, other: bytes) -> bytes:
    return bytes(one ^ another for one, another in zip(mask, other, strict=True))


def is_form(headers: Headers) -> bool:
    """Tell whether a body is what a form of ours sends."""
    return headers.get("content-type", "").partition(";")[0].strip().lower() == "application/x-www-form-urlencoded"


def fields(headers: Headers, body: bytes) -> dict[str, str]:
    """Return the fields of a form, the last of each name; none where the body is no form or holds too many."""
    return {name: values[-1] for name, values in every_field(headers, body).items()}


def every_field(headers: Headers, body: bytes) -> dict[str, tuple[str, ...]]:
    """Return the fields of a form, those of one name in their order; none where it is no form or holds too many."""
    if not is_form(headers):
        return {}
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="replace")
    except ValueError:
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        found[name] = (*found.get(name, ()), value)
    return found


def way_back(wanted: str) -> str:
    """Return where to go after signing in: a path of ours, or the first page."""
    plain = wanted.startswith("/") and not wanted.startswith(("//", "/\\", "/login", "/logout"))
    return wanted if plain and wanted.isprintable() and "\\" not in wanted and " " not in wanted else "/"
