"""`churnml serve`: API and pages, on this machine or for others."""

from __future__ import annotations

from churnml.config import HandoffConfig, MeasureConfig, ScoreConfig, ServeConfig
from churnml.database.tombstones import require_known
from churnml.errors import NotSetUpError, UsageError
from churnml.verbs.session import Session

_LAST_PORT = 65535


def serve(session: Session, *, host: str | None = None, port: int | None = None, workers: int | None = None) -> None:
    """Serve a workspace until interrupted; on this machine alone, print a link that signs in once.

    Raises
    ------
    UsageError
        If others would be answered before there are an administrator, a name and TLS.
    DependencyError
        If the port is taken.
    """
    from churnml.service import serve as run  # noqa: PLC0415  # FastAPI takes a second to import
    from churnml.service.champion import Terms  # noqa: PLC0415
    from churnml.service.server import Listening  # noqa: PLC0415

    def announce(listening: Listening) -> None:
        session.console.print(f"Serving on {listening.url}  (Ctrl-C stops it)", markup=False)
        if listening.login_url is not None:
            session.console.print("Open this within ten minutes to sign in; it works once:", markup=False)
            session.console.print(listening.login_url, markup=False, soft_wrap=True)

    _warn_of_the_secret(session)
    terms = Terms(
        session.settings,
        session.load("score", ScoreConfig),
        session.load("measure", MeasureConfig),
        session.own_features,
        session.own_learners,
    )
    config = session.load("serve", ServeConfig, host=host, port=port, workers=workers)
    handoff = session.load("handoff", HandoffConfig)
    run(session.workspace, config, announce, session.settings, terms, handoff, session.configs)


def _warn_of_the_secret(session: Session) -> None:
    """Say at once what would otherwise be told at the first row: nobody may come back who was erased."""
    try:
        with session.catalogue.engine.connect() as connection:
            require_known(connection)
    except NotSetUpError as error:
        session.console.print(f"warning: what is sent will be refused: {error}", style="yellow", markup=False)


def check_port(port: int | None) -> None:
    """Check the port of the command line, by the bounds that configs/serve.yaml has.

    Raises
    ------
    UsageError
        If there is no such port.
    """
    if port is not None and not 0 <= port <= _LAST_PORT:
        raise UsageError(f"`--port` must be 0 to {_LAST_PORT}, got {port}; 0 takes a free one")
