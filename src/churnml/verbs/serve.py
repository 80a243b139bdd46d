"""`churnml serve`: API and pages on a loopback address."""

from __future__ import annotations

from churnml.config import HandoffConfig, ServeConfig
from churnml.errors import UsageError
from churnml.verbs.session import Session

_LAST_PORT = 65535


def serve(session: Session, *, host: str | None = None, port: int | None = None) -> None:
    """Serve a workspace until interrupted.

    Raises
    ------
    UsageError
        If the host is not a loopback address; there are no accounts yet that could guard another.
    DependencyError
        If the port is taken.
    """
    from churnml.service import serve as run  # noqa: PLC0415  # FastAPI takes a second to import

    config = session.load("serve", ServeConfig)
    run(
        session.workspace,
        host or config.host,
        config.port if port is None else port,
        lambda url: session.console.print(f"Serving on [bold]{url}[/]  (Ctrl-C stops it)"),
        session.load("handoff", HandoffConfig),
    )


def check_port(port: int | None) -> None:
    """Check the port of the command line, by the bounds that configs/serve.yaml has.

    Raises
    ------
    UsageError
        If there is no such port.
    """
    if port is not None and not 0 <= port <= _LAST_PORT:
        raise UsageError(f"`--port` must be 0 to {_LAST_PORT}, got {port}; 0 takes a free one")
