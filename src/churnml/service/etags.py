"""JSON that a caller need not take twice: its ETag is a digest of what it says, so it changes whenever that does.

References
----------
RFC 9110, HTTP Semantics, sections 8.8.3 (ETag) and 13.1.2 (If-None-Match, compared weakly).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse, Response

UNCHANGED: dict[int | str, dict[str, Any]] = {  # Any: a fragment of OpenAPI
    304: {"description": "unchanged since the answer whose ETag is given in `If-None-Match`"}
}

CACHING = "private, no-cache"
"""RFC 9111, section 5.2.2: the caller's own cache may keep it, and asks each time whether it still stands."""


def answer(request: Request, body: Mapping[str, Any]) -> Response:  # Any: JSON
    """Return a body as JSON with its ETag, or 304 and nothing where the caller has it already."""
    made = JSONResponse(body)
    tag = f'"{digest(bytes(made.body))}"'
    headers = {"etag": tag, "cache-control": CACHING}
    if is_held(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    made.headers.update(headers)
    return made


def digest(body: bytes) -> str:
    """Return what stands between the quotes of a body's ETag."""
    return hashlib.sha256(body).hexdigest()[:32]


def is_held(if_none_match: str | None, tag: str) -> bool:
    """Tell whether a header `If-None-Match` names a tag."""
    if if_none_match is None:
        return False
    held = [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    return "*" in held or tag in held
