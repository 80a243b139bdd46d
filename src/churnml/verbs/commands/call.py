"""What nearly every command is called with, declared once, and what must be let go of when the call ends."""

from __future__ import annotations

import inspect
import signal
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from churnml.errors import DependencyError, UsageError

if TYPE_CHECKING:
    from churnml.database.progress import Progress
    from churnml.verbs.session import Session

WorkspaceOption = Annotated[Path, typer.Option("--workspace", "-w", help="The folder that holds the data.")]
ConfigsOption = Annotated[Path, typer.Option("--configs", help="The folder of YAML files.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
WORKSPACE, CONFIGS = Path("workspace"), Path("configs")

Returned = TypeVar("Returned")
Command = Callable[..., Returned]

STOPPED = 128 + signal.SIGTERM
"""How a call ends that was told to stop."""

_opened: list[Session] = []
"""The sessions of this call, whose databases are let go of when it ends."""
_kept: list[Progress] = []
"""Where this call keeps how far it is, if somebody wants to know."""


@dataclass(frozen=True)
class Call:
    """Where a command works, by which settings, and whether its result is for machines."""

    workspace: WorkspaceOption = WORKSPACE
    configs: ConfigsOption = CONFIGS
    as_json: JsonOption = False

    def open(self, *, create: bool | None = False) -> Session:
        """Return a session on the workspace; `create` makes one where there is none, None leaves it open."""
        from churnml.verbs.session import Session

        kept = _kept[-1] if _kept else None
        session = Session.open(self.workspace, self.configs, as_json=self.as_json, create=create, kept=kept)
        _opened.append(session)
        return session


def with_options_of(
    build: Callable[..., object], place: str, *, without: Collection[str] = (), last: Collection[str] = ()
) -> Callable[[Command[Returned]], Command[Returned]]:
    """Give a command the options of `build` in the place of one of its parameters.

    Parameters
    ----------
    build : callable
        Its parameters are the options, declared as typer wants them; called with what was given, it returns what the
        command takes.
    place : str
        The parameter that takes it; the options stand in help where it stands in the command.
    without : collection of str, optional
        Options that this command does not have; `build` has defaults for them.
    last : collection of str, optional
        Options that stand behind all others.

    Returns
    -------
    callable
        A decorator of commands whose parameters are all given by name.
    """
    shared = {name: one for name, one in _options(build).items() if name not in without}

    def declared(command: Command[Returned]) -> Command[Returned]:
        own = {name: one for name, one in _options(command).items() if name != place}

        def called(**given: Any) -> Returned:  # Any: values of options
            built = build(**{name: given[name] for name in shared if name in given})
            return command(**{place: built}, **{name: given[name] for name in own if name in given})

        options = _in_order(command, place, shared, last)
        called.__name__, called.__doc__ = command.__name__, command.__doc__
        # typer reads both
        called.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
        called.__annotations__ = {one.name: one.annotation for one in options}
        return called

    return declared


def _in_order(
    command: Command[Returned], place: str, shared: Mapping[str, inspect.Parameter], last: Collection[str]
) -> list[inspect.Parameter]:
    """Return a command's own options and those it shares, which stand in the place of one parameter or at the end."""
    found: dict[str, inspect.Parameter] = {}
    for name, one in _options(command).items():
        found |= {name: one} if name != place else {key: other for key, other in shared.items() if key not in last}
    found |= {name: shared[name] for name in last}
    return [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in found.values()]


def _options(command: Callable[..., object]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(command, eval_str=True).parameters


on_workspace = with_options_of(Call, "call", last=("as_json",))
"""Give a command `--workspace` and `--configs` in the place of its parameter `call`, and `--json` as the last."""


def refuse_given(options: Mapping[str, object], place: str) -> None:
    """Refuse options that mean nothing beside what else was given.

    Raises
    ------
    UsageError
        If one of them was given.
    """
    stray = next((name for name, value in options.items() if value), None)
    if stray is not None:
        raise UsageError(f"{stray} belongs to a call {place}; leave it out")


def keep_progress(path: Path) -> None:
    """Keep how far this call is in a file, and end in order when it is told to stop: whoever reads it may say so.

    Raises
    ------
    DependencyError
        If the file cannot be written.
    """
    from churnml.database.progress import Progress

    def stop(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # told twice, it still ends in order
        sys.exit(STOPPED)

    try:
        _kept.append(Progress(path))
    except OSError as error:
        raise DependencyError(f"--progress cannot write {path}: {error.strerror}; choose another place") from error
    signal.signal(signal.SIGTERM, stop)


def tell_end(exit_code: int, code: str | None = None, message: str | None = None) -> None:
    """Keep how this call ended, if somebody wants to know."""
    while _kept:
        _kept.pop().end(exit_code, code, message)


def let_go() -> None:
    """Let go of the databases that this call opened."""
    while _opened:
        _opened.pop().close()
