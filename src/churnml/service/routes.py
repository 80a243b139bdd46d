"""Every route of the application, with what it needs: what tests walk and what docs/api.md lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute


@dataclass(frozen=True)
class Told:
    """A route as a reader wants it.

    Parameters
    ----------
    method : str
        `GET`, `POST`, …
    path : str
        With its parameters in braces.
    scope : str or None
        What a caller must have; None where the route declares nothing.
    summary : str
        What it answers with.
    tag : str
        The family it belongs to.
    """

    method: str
    path: str
    scope: str | None
    summary: str
    tag: str


def api_routes(routes: Iterable[BaseRoute]) -> Iterator[APIRoute]:
    """Give the routes of an application or router, those of included routers too."""
    for route in routes:
        included = getattr(route, "original_router", None)  # newer FastAPI keeps an included router whole
        if included is not None:
            yield from api_routes(included.routes)
        elif isinstance(route, APIRoute):
            yield route


def told(routes: Iterable[BaseRoute]) -> list[Told]:
    """Return the routes that the OpenAPI document has, by family and address."""
    found = [
        Told(method, route.path, _scope(route.dependant), route.summary or route.name, str((route.tags or [""])[0]))
        for route in api_routes(routes)
        if route.include_in_schema and route.path.startswith(("/v1/", "/healthz", "/readyz", "/metrics"))
        for method in sorted((route.methods or set()) - {"HEAD"})
    ]
    return sorted(found, key=lambda one: (one.tag, one.path, one.method))


def _scope(dependant: Dependant) -> str | None:
    for needed in dependant.dependencies:
        scope = getattr(needed.call, "scope", None) or _scope(needed)
        if scope is not None:
            return str(scope)
    return None
