"""Listening: one process on a loopback address, until it is told to stop."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Callable

import uvicorn

from churnml.config import HandoffConfig
from churnml.database import Workspace
from churnml.errors import DependencyError, UsageError
from churnml.service.app import create_app
from churnml.service.guard import is_loopback

_BACKLOG = 512


def serve(
    workspace: Workspace,
    host: str = "127.0.0.1",
    port: int = 8000,
    announce: Callable[[str], None] = lambda _: None,
    handoff: HandoffConfig | None = None,
) -> None:
    """Serve the API and the pages of a workspace until the process is interrupted.

    Parameters
    ----------
    workspace : Workspace
        Where the records are.
    host : str, default="127.0.0.1"
        A loopback address or `localhost`.
    port : int, default=8000
        TCP port; 0 takes a free one.
    announce : callable
        Told the address once the service listens on it.
    handoff : HandoffConfig, optional
        What other tools call our fields.

    Raises
    ------
    UsageError
        If `host` is not a loopback address: there are no accounts yet, so whoever reaches the service sees all.
    DependencyError
        If the port is taken or may not be used.
    """
    listening = listen(host, port)
    config = uvicorn.Config(create_app(workspace, handoff), log_level="warning", server_header=False, access_log=False)
    named = f"[{host.strip('[]')}]" if ":" in host else host
    announce(f"http://{named}:{listening.getsockname()[1]}")
    with listening, contextlib.suppress(KeyboardInterrupt):  # being told to stop is how it ends
        uvicorn.Server(config).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on a loopback address; the errors are those of `serve`."""
    if not is_loopback(host):
        raise UsageError(
            f"`host` must be a loopback address such as 127.0.0.1, got {host!r}: there are no accounts yet, so anyone "
            "who reached the service would see every customer; use an SSH tunnel to reach it from elsewhere"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host.strip("[]"), port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise DependencyError(_why_not(error, host, port)) from error
    return listening


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken by another program; stop that one, or choose another with --port"
    return f"cannot listen on port {port} of {host}: {error.strerror}; choose another with --port"
