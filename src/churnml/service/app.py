"""The application, put together: the door, the API, the pages, and one way to tell every error."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

import churnml
from churnml.config import HandoffConfig
from churnml.database import SERVICE_SECONDS, Workspace, open_engine
from churnml.errors import ChurnmlError
from churnml.service import api, pages, problems, request_ids
from churnml.service.guard import SECURITY_HEADERS, Guard
from churnml.service.readings import Readings
from churnml.service.request_ids import RequestIds

_STATIC = Path(__file__).parent / "static"
_DESCRIPTION = """\
One decision record per customer: the probability of churn, the value at risk, the reasons, the suggested action.
Every error is an `application/problem+json` (RFC 9457) with a stable `code`."""


def create_app(workspace: Workspace, handoff: HandoffConfig | None = None) -> FastAPI:
    """Return the service of a workspace, as an ASGI application.

    Parameters
    ----------
    workspace : Workspace
        Where the records are; they may still be missing, and appear once a run is done.
    handoff : HandoffConfig, optional
        What other tools call our fields; usual names if left out.

    Raises
    ------
    DependencyError
        If the workspace's database cannot be opened.
    """
    engine = open_engine(workspace.database, patience_seconds=SERVICE_SECONDS)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        engine.dispose()

    app = FastAPI(
        title="churnml",
        version=churnml.__version__,
        description=_DESCRIPTION,
        openapi_url="/v1/openapi.json",
        docs_url=None,  # FastAPI's own documentation page loads a script from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # an id may end with a slash
        lifespan=lifespan,
    )
    app.state.engine = engine
    app.state.handoff = handoff or HandoffConfig()
    app.state.readings = Readings(engine, workspace)
    app.include_router(api.router)
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    app.add_middleware(Guard)
    app.add_middleware(RequestIds)  # the last one added is met first
    for kind in (ChurnmlError, RequestValidationError, HTTPException, SQLAlchemyError, Exception):
        app.add_exception_handler(kind, _answer_error)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _answer_error(request: Request, error: Exception) -> Response:
    """Tell a person by a page, a program by a problem; the traceback of a bug goes to the log only."""
    problem = problems.explain(error)
    path = request.url.path
    if not path.startswith(("/v1/", "/healthz", "/readyz")) and "text/html" in request.headers.get("accept", ""):
        answer: Response = pages.error_page(request, problem)
    else:
        answer = problems.Response(problem)
    answer.headers.update(SECURITY_HEADERS)  # the answer to a bug does not pass the door
    answer.headers[request_ids.HEADER] = request_ids.current() or ""
    answer.headers.update(getattr(error, "headers", None) or {})
    return answer


def _openapi(app: FastAPI) -> dict[str, Any]:  # Any: OpenAPI
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schema["components"]["schemas"]["Problem"] = problems.Problem.model_json_schema()
        _without_errors_we_never_send(schema)
        for path, example in api.EXAMPLES.items():
            schema["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["example"] = example
        app.openapi_schema = schema
    return app.openapi_schema


def _without_errors_we_never_send(schema: dict[str, Any]) -> None:  # Any: OpenAPI
    """Drop the validation error that FastAPI describes unasked; ours is a problem, described route by route."""
    for name in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(name, None)
    for path in schema["paths"].values():
        for route in path.values():
            if "application/json" in route["responses"].get("422", {}).get("content", {}):
                del route["responses"]["422"]
