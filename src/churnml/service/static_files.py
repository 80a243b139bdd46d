"""The style sheet, the script and the mark: their addresses say which version they are, so that browsers keep them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "static"
_KEPT = "public, max-age=31536000, immutable"
"""RFC 8246: what stands at an address with a version never changes, and is not asked for again."""
_ASKED_AGAIN = "no-cache"


@cache
def address(name: str) -> str:
    """Return the address of a file in `static/`, with its version.

    Parameters
    ----------
    name : str
        Of the file.
    """
    return f"/static/{name}?v={hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:12]}"


class Versioned(StaticFiles):
    """Serves `static/`: what is asked for by its version may be kept, everything else is asked for again."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, or raise 404."""
        answer = await super().get_response(path, scope)
        asked = f"/static/{path}?{scope['query_string'].decode('latin-1')}"
        kept = "?v=" in asked and (FOLDER / path).is_file() and asked == address(path)
        answer.headers["cache-control"] = _KEPT if kept else _ASKED_AGAIN
        return answer
