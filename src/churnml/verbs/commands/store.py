"""`churnml backup`, `restore`, `vacuum` and `erase`: the workspace itself, kept, cleaned and forgotten from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from churnml.errors import UsageError
from churnml.verbs.commands.call import Call, on_workspace


@on_workspace
def vacuum(
    *,
    call: Call,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would go, and remove nothing.")] = False,
) -> None:
    """Let go of records of old runs and of rows set aside long ago; nothing that is served or measured by goes."""
    from churnml.verbs import vacuum as verb

    session = call.open()
    session.tell(verb.vacuum(session, dry_run=dry_run), verb.told)


@on_workspace
def backup(
    *,
    to: Annotated[Path, typer.Option("--to", help="A new folder, or a file whose name ends in .tar.")],
    call: Call,
) -> None:
    """Write a backup of the workspace, its database and its models, while everything goes on."""
    from churnml.verbs import backup as verb

    session = call.open()
    session.tell(verb.backup(session, to), verb.told)


@on_workspace
def restore(
    *,
    source: Annotated[Path, typer.Argument(metavar="BACKUP", help="What `churnml backup` wrote.")],
    call: Call,
    replace: Annotated[bool, typer.Option("--replace", help="All that is in the workspace may go.")] = False,
    tombstones: Annotated[
        Path | None, typer.Option(help="What `churnml erase --export` wrote: whoever is in it is erased again.")
    ] = None,
) -> None:
    """Make a workspace what a backup holds, once every byte of it is checked; stop the service before."""
    from churnml.verbs import restore as verb
    from churnml.verbs.erase import brought

    session = call.open(create=None)
    again = None if tombstones is None else brought(tombstones)
    session.tell(verb.restore(session, source, replace=replace, tombstones=again), verb.told)


@on_workspace
def erase(
    *,
    customers: Annotated[list[str] | None, typer.Argument(metavar="CUSTOMER", help="Ids of customers.")] = None,
    call: Call,
    file: Annotated[Path | None, typer.Option(help="A text with one id a line.")] = None,
    reason: Annotated[str, typer.Option(help="Why; see docs/erasure.md.")] = "request",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: what is erased cannot be brought back.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with erasures that did not get to their end.")
    ] = False,
    lift: Annotated[str | None, typer.Option(metavar="CUSTOMER", help="Let a customer who came back in again.")] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the tombstones, which name nobody.")
    ] = None,
    language: Annotated[str, typer.Option(help="Of the receipt: en or zh.")] = "en",
) -> None:
    """Forget customers everywhere, and print a receipt; CHURNML_SECRET keeps them from being landed again."""
    from churnml.verbs import erase as verb
    from churnml.wording import language_named

    what = [bool(customers or file), resume, lift is not None, export is not None]
    if sum(what) != 1:
        raise UsageError("give customers to erase, or one of --resume, --lift and --export, found several or none")
    spoken, session = language_named(language), call.open()
    if lift is not None or export is not None:
        body = verb.lift(session, lift) if lift is not None else verb.export(session, export or Path())
        session.say(body, ", ".join(f"{name} {value}" for name, value in body.items()))
    elif resume:
        session.tell(verb.resume(session), verb.said, spoken)
    else:
        whom = verb.named(customers or (), file)
        if not yes and not (sys.stdin.isatty() and typer.confirm(f"Erase {len(whom)} customers for good?")):
            raise UsageError("what is erased cannot be brought back, so nothing was erased; give --yes to do it")
        session.tell(verb.erase(session, whom, reason), verb.said, spoken)
