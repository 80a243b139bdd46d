"""The application, put together: the door, the API, the pages, and one way to tell every error."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.telemetry import TelemetryConfig
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

import churnml
from churnml.config import HandoffConfig, ServeConfig, WorkspaceConfig
from churnml.database import SERVICE_SECONDS, Workspace, open_engine
from churnml.errors import ChurnmlError, DependencyError
from churnml.events.row_check import Door
from churnml.service import access_docs, api, clock, example_docs, fields, logs, pages, problems, request_ids
from churnml.service.admission import Admission, Rates, Throttle
from churnml.service.bodies import Bodies
from churnml.service.campaigns import Campaigns, Plans
from churnml.service.champion import Scorer, Terms
from churnml.service.compression import Compression
from churnml.service.credentials import Credentials
from churnml.service.deadlines import RETRY, Deadlines
from churnml.service.erasing import Eraser
from churnml.service.exposure import is_public
from churnml.service.gate import Gate, wants_page
from churnml.service.guard import SECURITY_HEADERS, Guard
from churnml.service.hot import Front, HotPath, Keeper
from churnml.service.idempotency import GoingOn
from churnml.service.jobs import Jobs
from churnml.service.landing import Lander, Worker
from churnml.service.metrics import Metrics
from churnml.service.push import Pusher
from churnml.service.push.sending import Sender
from churnml.service.readings import Readings
from churnml.service.request_ids import RequestIds
from churnml.service.static_files import Versioned
from churnml.service.stopping import told_to_stop
from churnml.service.watch import Watch

_AGAIN = {503, 507}
_UNTOLD: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""FastAPI would tell whoever collects traces of every address, which holds an id, as soon as a variable named them."""
_DESCRIPTION = """\
One decision record per customer: the probability of churn, the value at risk, the reasons, the suggested action.
Every error is an `application/problem+json` (RFC 9457) with a stable `code`. A parameter stands once, unless it is a
list."""


def create_app(
    workspace: Workspace,
    settings: ServeConfig | None = None,
    company: WorkspaceConfig | None = None,
    terms: Terms | None = None,
    handoff: HandoffConfig | None = None,
    configs: Path = Path("configs"),
) -> FastAPI:
    """Return the service of a workspace, as an ASGI application.

    Parameters
    ----------
    workspace : Workspace
        Where the records are; they may still be missing, and appear once a run is done.
    settings : ServeConfig, optional
        Under which names it is reached, and how long sessions last; by default on this machine only.
    company : WorkspaceConfig, optional
        The time zone in which rows are read that name none, and the currency of their amounts.
    terms : Terms, optional
        By what requests are scored; by default as the configuration files are by default.
    handoff : HandoffConfig, optional
        What other tools call our fields; usual names if left out.
    configs : Path
        The folder of YAML files that jobs read; as at the command line by default.

    Raises
    ------
    DependencyError
        If the workspace's database cannot be opened, or an identity provider is named and PyJWT is not installed.
    """
    engine = open_engine(workspace.database, patience_seconds=SERVICE_SECONDS)
    chosen = settings or ServeConfig()
    public = is_public(chosen)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        state = app.state
        behind = (state.worker, state.keeper, state.pusher, state.eraser, state.jobs)
        for background in behind:
            background.start()
        with told_to_stop(app, chosen.limits.drain_seconds):
            yield
        for background in reversed(behind):
            await run_in_threadpool(background.stop)
        engine.dispose()
        patient.dispose()
        logs.flush()

    app = FastAPI(
        title="churnml",
        version=churnml.__version__,
        description=_DESCRIPTION,
        openapi_url="/v1/openapi.json",
        docs_url=None,  # FastAPI's own documentation page loads a script from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # an id may end with a slash
        lifespan=lifespan,
        telemetry=_UNTOLD,
        generate_unique_id_function=lambda route: route.name,  # a generated client calls its functions so
    )

    def instant() -> int:
        return int(app.state.now())  # asked anew: tests set it

    told = company or WorkspaceConfig()
    app.state.door = Door(told.time_zone, told.currency)
    app.state.engine = engine
    app.state.stopping = False
    app.state.going_on = GoingOn()
    app.state.workspace = workspace
    app.state.settings = chosen
    app.state.configs = configs
    app.state.now = clock.now
    app.state.handoff = handoff or HandoffConfig()
    app.state.metrics = Metrics(engine, instant)
    app.state.readings = Readings(engine, workspace)
    app.state.campaigns = Campaigns(engine)
    app.state.plans = Plans(engine)
    app.state.scorer = Scorer(workspace, engine, terms or Terms(told))
    lander = Lander(workspace, engine, app.state.scorer, instant)
    app.state.worker = Worker(lander, app.state.scorer, chosen.land_every_seconds)
    app.state.sender = Sender(chosen.webhook_allowed_hosts)
    app.state.pusher = Pusher(engine, app.state.sender, instant)
    patient = open_engine(workspace.database)
    app.state.eraser = Eraser(workspace, patient, instant)
    app.state.jobs = Jobs(workspace, engine, configs, instant, at_once=chosen.jobs_at_once)
    app.state.credentials = Credentials(engine, chosen, public=public)
    app.state.entrance = _entrance(app, instant)
    app.state.keeper = Keeper(workspace, engine)
    app.include_router(api.router)
    app.include_router(pages.router)
    app.mount("/static", Versioned(), name="static")
    _surround(app, instant, public=public)
    for kind in (ChurnmlError, RequestValidationError, HTTPException, SQLAlchemyError, Exception):
        app.add_exception_handler(kind, _answer_error)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _entrance(app: FastAPI, now: Callable[[], int]) -> object | None:
    """Return the way in by the identity provider that is named, if one is."""
    settings: ServeConfig = app.state.settings
    if settings.oidc is None:
        return None
    try:
        from churnml.service.oidc.entrance import make_entrance  # noqa: PLC0415  # an extra that few need
    except ImportError as error:
        raise DependencyError(
            "signing in by an identity provider needs PyJWT, found none; run `pip install 'churnml[oidc]'`, or take "
            "`oidc` out of configs/serve.yaml"
        ) from error
    return make_entrance(app.state.engine, settings, settings.oidc, app.state.sender.trust, now)


def _surround(app: FastAPI, now: Callable[[], int], *, public: bool) -> None:
    """Put around the routes what each request passes; the last one added is met first."""
    state, settings = app.state, app.state.settings
    limits, per_second = settings.limits, settings.limits.per_key_per_second
    rates = None if per_second is None else Rates(per_second, limits.per_key_burst)
    app.add_middleware(Bodies)
    app.add_middleware(Deadlines, limits=limits)
    app.add_middleware(Throttle, rates=rates)
    app.add_middleware(Gate, application=app, credentials=state.credentials, refuse=_told)
    app.add_middleware(Compression)
    app.add_middleware(HotPath, credentials=state.credentials, keeper=state.keeper, rates=rates, now=now)
    app.add_middleware(Admission, limits=limits)
    app.add_middleware(Guard, hosts=settings.public_hosts, public=public)
    app.add_middleware(Watch, metrics=state.metrics)
    app.add_middleware(RequestIds)
    app.add_middleware(
        Front,
        keeper=state.keeper,
        metrics=state.metrics,
        rates=rates,
        now=now,
        hosts=settings.public_hosts,
        public=public,
    )


def _answer_error(request: Request, error: Exception) -> Response:
    """Answer with the error; the answer to a bug does not pass the door, so it gets its headers here."""
    answer = _told(request, error)
    for name, value in SECURITY_HEADERS.items():
        answer.headers.setdefault(name, value)  # a page has a policy of its own
    answer.headers[request_ids.HEADER] = request_ids.current() or ""
    return answer


def _told(request: Request, error: Exception) -> Response:
    """Tell a person by a page, a program by a problem; the traceback of a bug goes to the log only."""
    problem = problems.explain(error)
    answer = pages.error_page(request, problem) if wants_page(request) else problems.Response(problem)
    request.scope.setdefault("state", {})["problem"] = problem.code
    if problem.status in _AGAIN:
        answer.headers.update(RETRY)
    answer.headers.update(getattr(error, "headers", None) or {})
    return answer


def _openapi(app: FastAPI) -> dict[str, Any]:  # Any: OpenAPI
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schema["components"]["schemas"]["Problem"] = problems.Problem.model_json_schema()
        _without_errors_we_never_send(schema)
        fields.describe(schema)
        example_docs.restore(schema, app.routes)
        access_docs.describe(schema, app.routes)
        for path, example in api.EXAMPLES.items():
            schema["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["example"] = example
        for (path, method), example in api.WRITTEN.items():
            answers = schema["paths"][path][method]["responses"]
            for status in {"200", "202"} & set(answers):
                answers[status]["content"]["application/json"]["example"] = example
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
