"""Listening, by one process or several, on this machine alone or for others, until it is told to stop."""

from __future__ import annotations

import contextlib
import errno
import gc
import math
import os
import signal
import socket
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from churnml.config import HandoffConfig, ServeConfig, WorkspaceConfig
from churnml.database import Workspace, open_engine
from churnml.database.people import count_admins
from churnml.database.sessions import end_sessions
from churnml.errors import DependencyError
from churnml.events.erasing import finish_all
from churnml.service import clock, logs
from churnml.service.app import create_app
from churnml.service.champion import Terms
from churnml.service.collector import check_token
from churnml.service.connections import LimitedConfig
from churnml.service.exposure import check_exposure, is_public
from churnml.service.metrics import FOLDER
from churnml.service.signing_in import login_link

_BACKLOG = 512
_HUNG_SECONDS = 30
"""For so long a process may not answer its supervisor before it is replaced: a model is loaded, code is compiled."""


@dataclass(frozen=True)
class Listening:
    """Where the service listens, once it does."""

    url: str
    login_url: str | None
    """lets whoever opens it in, once, within ten minutes; None where others than this machine are answered"""


def serve(
    workspace: Workspace,
    settings: ServeConfig | None = None,
    announce: Callable[[Listening], None] = lambda _: None,
    company: WorkspaceConfig | None = None,
    terms: Terms | None = None,
    handoff: HandoffConfig | None = None,
    configs: Path = Path("configs"),
) -> None:
    """Serve the API and the pages of a workspace until the process is told to stop.

    Parameters
    ----------
    workspace : Workspace
        Where the records are.
    settings : ServeConfig, optional
        Where to listen, for whom, and with which certificate; by default on 127.0.0.1:8000, for this machine.
    announce : callable
        Told the address once the service listens on it.
    company : WorkspaceConfig, optional
        As `create_app` takes it.
    terms : Terms, optional
        Likewise.
    handoff : HandoffConfig, optional
        What other tools call our fields.
    configs : Path
        The folder of YAML files that jobs read.

    Raises
    ------
    UsageError
        If others than this machine would be answered before there are an administrator, a name and TLS, or customers
        are to be erased again after a restore and `CHURNML_SECRET` is missing.
    DependencyError
        If the port is taken or may not be used.
    """
    chosen = settings or ServeConfig()
    check_token()
    _finish_erasures(workspace)
    make = partial(_answering, workspace, chosen, company, terms, handoff, configs)
    engine = open_engine(workspace.database)
    with engine.begin() as connection:
        check_exposure(chosen, count_admins(connection))
        if is_public(chosen):
            end_sessions(connection, None)  # who was let in by a link of this machine signs in by name from now on
    listening = listen(chosen.host, chosen.port)
    url = _url(chosen, listening.getsockname()[1])
    link = None if is_public(chosen) else f"{url}/login?once={login_link(engine, clock.now())}"
    engine.dispose()
    announce(Listening(url, link))
    logs.configure(chosen.log_format)
    with listening, contextlib.suppress(KeyboardInterrupt):  # being told to stop is how it ends
        run = _run_many if chosen.workers > 1 else _run_one
        run(_config(make, chosen), listening)


def _answering(
    workspace: Workspace,
    settings: ServeConfig,
    company: WorkspaceConfig | None,
    terms: Terms | None,
    handoff: HandoffConfig | None,
    configs: Path,
) -> FastAPI:
    """Return the application in the process that is to answer, whose log is set up with it."""
    logs.configure(settings.log_format)
    app = create_app(workspace, settings, company, terms, handoff, configs)
    gc.freeze()  # all this stays: walking through it again and again would hold up answers
    return app


def _run_one(config: LimitedConfig, listening: socket.socket) -> None:
    """Answer in this process until it is told to stop; being told so is no failure."""
    before = signal.signal(signal.SIGTERM, lambda *_: None)  # uvicorn raises it anew once all is over
    try:
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        signal.signal(signal.SIGTERM, before)


def _run_many(config: LimitedConfig, listening: socket.socket) -> None:
    """Have several processes answer at one address; one that dies or hangs is replaced, signals reach all of them."""
    with tempfile.TemporaryDirectory(prefix="churnml-metrics-") as folder:
        os.environ[FOLDER] = folder  # those that answer are started anew, and find it there
        try:
            Multiprocess(config, sockets=[listening]).run()
        finally:
            del os.environ[FOLDER]


def _finish_erasures(workspace: Workspace) -> None:
    """Bring to their end the erasures that were begun, or that a restore has undone, before anybody is served."""
    engine = open_engine(workspace.database)
    try:
        finish_all(workspace, engine, clock.now)
    finally:
        engine.dispose()


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address.

    Raises
    ------
    DependencyError
        If the port is taken or may not be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # named, or asyncio does not know it for TCP and leaves Nagle's algorithm on: 40 ms for every answer of a kept line
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host.strip("[]"), port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise DependencyError(_why_not(error, host, port)) from error
    return listening


def _config(make: Callable[[], FastAPI], settings: ServeConfig) -> LimitedConfig:
    return LimitedConfig(
        make,
        settings.limits,
        factory=True,
        workers=settings.workers,
        timeout_worker_healthcheck=_HUNG_SECONDS,
        timeout_graceful_shutdown=math.ceil(settings.limits.grace_seconds),
        log_config=None,
        log_level="warning",
        server_header=False,
        access_log=False,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
        # what a client says of itself is believed of nobody but the proxy that was named
        proxy_headers=settings.trusted_proxy is not None,
        forwarded_allow_ips=settings.trusted_proxy or "",
    )


def _url(settings: ServeConfig, port: int) -> str:
    scheme = "https" if settings.tls_certificate else "http"
    named = f"[{settings.host.strip('[]')}]" if ":" in settings.host else settings.host
    return f"{scheme}://{named}:{port}"


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken by another program; stop that one, or choose another with --port"
    return f"cannot listen on port {port} of {host}: {error.strerror}; choose another with --port"
