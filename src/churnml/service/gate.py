"""The gate: who asks is found and let through before anything of the application runs; what nobody opened is closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from re import Pattern
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from churnml.database.scopes import SCOPES
from churnml.database.scopes import Scope as Needed
from churnml.errors import ChurnmlError, ForbiddenError, UnauthenticatedError
from churnml.service.access import CHALLENGE, PUBLIC, check
from churnml.service.collector import COLLECTOR, is_collector
from churnml.service.credentials import Credentials, Found
from churnml.service.forms import FORGED, SAFE_METHODS, same_origin
from churnml.service.routes import api_routes

CLOSED = "this address is closed: it says of nobody that they may use it"
_JSON = ("/v1/", "/healthz", "/readyz", "/metrics")
Open = tuple[Pattern[str], frozenset[str], frozenset[Needed]]
"""Where a route is, which methods it takes, and what a caller must have."""


class Gate:
    """Wraps the application; a request passes with its caller, or is refused.

    Parameters
    ----------
    app : ASGI application
        What is guarded.
    application : FastAPI
        Whose routes say what they need.
    credentials : Credentials
        Finds who asks.
    refuse : callable
        Makes the answer of an error, as a page or as a problem.
    """

    def __init__(
        self,
        app: ASGIApp,
        application: FastAPI,
        credentials: Credentials,
        refuse: Callable[[Request, Exception], Response],
    ) -> None:
        self._app = app
        self._application = application
        self._credentials = credentials
        self._refuse = refuse
        self._routes: tuple[Open, ...] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what is neither HTTP nor the start and stop of the server is closed."""
        if scope["type"] == "lifespan" or (scope["type"] == "http" and is_public(scope["path"])):
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})  # RFC 6455: against the policy of this side
            return
        request = Request(scope)
        try:
            found = await self._pass(request)
        except (ChurnmlError, SQLAlchemyError) as error:
            await self._refusal(request, error)(scope, receive, send)
            return
        scope.setdefault("state", {}).update(caller=found.caller, session=found.session)
        await self._app(scope, receive, send)

    async def _pass(self, request: Request) -> Found:
        if request.scope["path"] == "/metrics" and is_collector(request.headers):
            return COLLECTOR
        found = await run_in_threadpool(self._credentials.find, request.headers, self._application.state.now())
        needed = self.needed(request.method, request.scope["path"])
        if needed is not None:
            if not needed:
                raise ForbiddenError(CLOSED)
            check(found.caller, needed)
        if found.session is not None and request.method not in SAFE_METHODS and not same_origin(request.headers):
            raise ForbiddenError(FORGED)
        return found

    def needed(self, method: str, path: str) -> frozenset[Needed] | None:
        """Return the scopes that the route of an address needs; none at all of a closed one, None where none is."""
        if self._routes is None:
            self._routes = tuple(_open(self._application))
        for pattern, methods, scopes in self._routes:
            if method in methods and pattern.match(path):
                return scopes
        return None

    def _refusal(self, request: Request, error: Exception) -> Response:
        """Lead a person who is not signed in to where they can, with the way back; tell all others what is wrong."""
        if isinstance(error, UnauthenticatedError) and wants_page(request) and request.method in SAFE_METHODS:
            path = _as_asked(request.scope)
            return RedirectResponse(f"/login?next={quote(path, safe='')}", 303, {"cache-control": "no-store"})
        answer = self._refuse(request, error)
        if isinstance(error, UnauthenticatedError):
            answer.headers["www-authenticate"] = CHALLENGE
        return answer


def is_public(path: str) -> bool:
    """Tell whether an address answers whoever asks."""
    return path in PUBLIC - {"/static"} or path.startswith("/static/")


def wants_page(request: Request) -> bool:
    """Tell whether a browser asks for one of the pages."""
    return not request.scope["path"].startswith(_JSON) and "text/html" in request.headers.get("accept", "")


def scopes_of(dependant: Dependant) -> frozenset[Needed]:
    """Return the scopes that a route declares, wherever among its dependencies."""
    own = {getattr(needed.call, "scope", None) for needed in dependant.dependencies}
    below = (scopes_of(needed) for needed in dependant.dependencies)
    return frozenset(scope for scope in SCOPES if scope in own).union(*below)


def _as_asked(scope: Scope) -> str:
    """Return path and query as they came, escapes and all; a decoded path may hold a `?` of its own."""
    path = scope.get("raw_path") or quote(scope["path"]).encode()
    return (path + (b"?" + scope["query_string"] if scope["query_string"] else b"")).decode("latin-1")


def _open(application: FastAPI) -> Iterator[Open]:
    for route in api_routes(application.routes):
        pattern, _, _ = compile_path(route.path)
        yield pattern, frozenset(route.methods or ()), scopes_of(route.dependant)
