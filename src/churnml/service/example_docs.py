"""Examples in the description of the API as they were written, what is null in them included."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.routing import BaseRoute

from churnml.service.routes import api_routes


def restore(schema: dict[str, Any], routes: Iterable[BaseRoute]) -> None:  # Any: OpenAPI
    """Put the examples of each route back whole: FastAPI drops whatever is null, here a field that is always there."""
    for route in api_routes(routes):
        for method in sorted(route.methods or ()):
            told = schema["paths"].get(route.path_format, {}).get(method.lower(), {}).get("responses", {})
            for status, written in route.responses.items():
                for media, body in written.get("content", {}).items():
                    if "example" in body:
                        told[str(status)]["content"][media]["example"] = body["example"]
