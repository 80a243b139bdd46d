"""What is worth it goes over the wire compressed; what is quick as it is, or asked for from elsewhere, does not.

References
----------
RFC 9110, HTTP Semantics, sections 8.8.1 (a strong ETag names one encoding only) and 12.5.3 (Accept-Encoding).
Gluck, Harris, Prado (2013), BREACH: reviving the CRIME attack. Whoever can have a page asked for again and again with
words of their own in it learns from its compressed length what else stands there.
"""

from __future__ import annotations

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from churnml.service.forms import same_origin
from churnml.service.hot.one import ONE

LEAST_BYTES = 1_400
"""What fits into one packet gains nothing."""
LEVEL = 5
"""Of zlib: beyond it, a page gets smaller by a hundredth and takes half as long again."""
QUICK = ("/v1/score", ONE, "/healthz", "/readyz", "/metrics")
"""Addresses whose answers are to be the same to the byte, whether they were ready or not."""
PACKED = (
    *DEFAULT_EXCLUDED_CONTENT_TYPES,
    "application/vnd.apache.parquet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/x-hyper",
)
"""Kinds of files that are compressed in themselves."""
_UNCHANGED = 304
_ZERO = re.compile(r"q=0(\.0*)?")


class Compression:
    """Wraps the application; what it answers goes out compressed to who can read it so.

    Parameters
    ----------
    app : ASGI application
        What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._packing = GZipMiddleware(app, LEAST_BYTES, LEVEL, exclude_content_types=PACKED)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and not scope["path"].startswith(QUICK) and _may_pack(Headers(scope=scope)):
            await self._packing(scope, receive, _weakly_tagged(send))
        else:
            await self._plain(scope, receive, send)


def takes_gzip(accepted: str) -> bool:
    """Tell whether a header `Accept-Encoding` allows gzip."""
    for one in accepted.lower().split(","):
        coding, _, weight = one.partition(";")
        if coding.strip() == "gzip":
            return not _ZERO.fullmatch(weight.strip())
    return False


def _may_pack(headers: Headers) -> bool:
    """Tell whether an answer may be compressed: to who can read it, and never at the wish of another site's page."""
    return takes_gzip(headers.get("accept-encoding", "")) and same_origin(headers)


def _weakly_tagged(send: Send) -> Send:
    """Mark the ETag of what was compressed, or would have been, as one of the same meaning, not of the same bytes."""

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            tag = headers.get("etag", "W/")
            packed = "content-encoding" in headers or message["status"] == _UNCHANGED
            if packed and not tag.startswith("W/"):
                headers["etag"] = f"W/{tag}"
        await send(message)

    return told
