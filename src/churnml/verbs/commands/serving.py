"""`churnml demo` and `churnml serve`: what begins the service."""

from __future__ import annotations

from typing import Annotated

import typer

from churnml.verbs.commands.call import CONFIGS, WORKSPACE, Call, ConfigsOption, WorkspaceOption, on_workspace


@on_workspace
def demo(
    *,
    call: Call,
    source: Annotated[
        str, typer.Option(help="completejourney: real households; simulated: a market whose truth is known.")
    ] = "completejourney",
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve the pages afterwards.")] = True,
    port: Annotated[int | None, typer.Option(help="TCP port of the service.")] = None,
) -> None:
    """Do the whole job, on real data or on a simulated market, then serve it."""
    from churnml.verbs import demo as verb
    from churnml.verbs import serve as service

    service.check_port(port)  # before the work, not after
    verb.check_source(source)
    session = call.open(create=True)
    summary = verb.demo(session, source)
    if call.as_json:
        session.print_json(summary)
    if serve:
        service.serve(session, port=port)


def serve(
    *,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    host: Annotated[
        str | None, typer.Option(help="Address to bind; any but a loopback address needs accounts and TLS.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="TCP port.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that answer, 1 to 64.")] = None,
) -> None:
    """Serve the API and the pages; on this machine alone, print a link that signs in once."""
    from churnml.verbs import serve as verb

    verb.check_port(port)
    verb.serve(Call(workspace, configs).open(), host=host, port=port, workers=workers)
