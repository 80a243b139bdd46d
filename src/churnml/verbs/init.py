"""`churnml init`: a new workspace with commented settings, an empty template of every table, and a `sources.yaml`."""

from __future__ import annotations

import csv
import io
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table as Grid

import churnml
from churnml.database import Workspace
from churnml.errors import DependencyError
from churnml.events import TABLES
from churnml.events.sources.example import EXAMPLE
from churnml.events.sources.proposing import Proposal, propose, require_folder
from churnml.verbs.session import Session

Json = dict[str, Any]  # Any: JSON

_SURE = 0.8


def init(session: Session, source: Path | None = None) -> Json:
    """Write what a new workspace starts from, and return what was written, what was left, and what comes next.

    The settings go to the session's folder of configs; `sources.yaml` and `templates/` go beside that folder. Nothing
    that exists is overwritten.

    Parameters
    ----------
    source : Path, optional
        A folder of files for which `sources.yaml` is proposed.

    Raises
    ------
    UsageError
        If it is no folder, or one that holds no file that can be read.
    DependencyError
        If something cannot be written.
    """
    root = session.configs.absolute().parent
    proposal = None
    if source is not None:
        require_folder(source)  # before it is shown: a URL may hold a password
        with session.step(f"Looking at the files in {source}"):
            proposal = propose(source, root)
    Workspace.open(session.workspace.root, create=True)  # only now: a folder that was misspelt makes none
    session.catalogue.engine.dispose()  # the database is made by being opened
    written: list[str] = []
    left: list[str] = []
    for path, text in _files(session.configs.absolute(), root, proposal):
        (written if _write_new(path, text) else left).append(_told(path))
    sources = _told(root / "sources.yaml")
    body: Json = {
        "workspace": str(session.workspace.root),
        "written": written,
        "left": left,
        "next": _next(session, sources),
    }
    if proposal is not None:
        body["proposed"] = [
            {key: said for key, said in asdict(one).items() if key != "text"} for one in proposal.entries
        ]
        body["questions"] = list(proposal.questions)
        body["not_used"] = [{"file": name, "why": why} for name, why in proposal.left]
        if sources in left:
            body["proposal"] = proposal.text
    _tell(session, body, proposal)
    return body


def _files(configs: Path, root: Path, proposal: Proposal | None) -> Iterator[tuple[Path, str]]:
    for file in sorted(packaged_configs().glob("*.yaml")):
        text = file.read_text(encoding="utf-8")
        yield configs / file.name, without_demo(text) if file.name == "workspace.yaml" else text
    for table in TABLES.values():
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(table.names)
        yield root / "templates" / f"{table.name}.csv", line.getvalue()
    yield root / "sources.yaml", EXAMPLE if proposal is None else proposal.text


def packaged_configs() -> Path:
    """Return the folder of commented settings: inside the installed package, or at the root of a checkout."""
    package = Path(churnml.__file__).parent
    return next(folder for folder in (package / "configs", package.parents[1] / "configs") if folder.is_dir())


def without_demo(text: str) -> str:
    r"""Return `workspace.yaml` with the attributes of the demo's customers as an example in comments.

    Examples
    --------
    >>> print(without_demo("currency: USD\nattributes:\n  kids: {en: children, zh: 子女数}"))
    currency: USD
    # attributes:
    #   kids: {en: children, zh: 子女数}
    """
    return re.sub(r"(?m)^attributes:.*(\n +.*)*", lambda block: re.sub(r"(?m)^", "# ", block.group()), text)


def _write_new(path: Path, text: str) -> bool:
    """Write a file that is not there yet, and tell whether it was written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as handle:
            handle.write(text)
    except FileExistsError:
        return False
    except OSError as error:
        raise DependencyError(f"cannot write {path}: {error.strerror}; choose another folder") from error
    return True


def _next(session: Session, sources: str) -> str:
    """Return the command that comes next, with the folders that are not the usual ones."""
    folders = {"--workspace": session.workspace.root, "--configs": session.configs.absolute()}
    usual = {"--workspace": "workspace", "--configs": "configs"}
    said = [f"{option} {shlex.quote(_told(path))}" for option, path in folders.items() if _told(path) != usual[option]]
    return " ".join([f"churnml ingest --sources {shlex.quote(sources)} --check", *said])


def _told(path: Path) -> str:
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)


def _tell(session: Session, body: Json, proposal: Proposal | None) -> None:
    say = session.console.print
    say(f"workspace: {body['workspace']}", markup=False)
    for what in ("written", "left"):
        words = "written" if what == "written" else "there already, left as they were"
        if body[what]:
            say(f"{words}: {_by_folder(body[what])}", markup=False)
    if proposal is not None:
        _tell_proposal(session, proposal)
        if "proposal" in body:
            say("sources.yaml is there already; move it away to have the proposed one written, or see it with --json")
    first = "put your rows in templates/, or name your files in sources.yaml; then "
    if proposal is not None and proposal.entries:
        first = "answer in sources.yaml what is to decide; then " if proposal.questions else ""
    say(f"next: {first}{body['next']}", markup=False, soft_wrap=True)


def _by_folder(names: list[str]) -> str:
    folders = Counter(Path(name).parent.as_posix() for name in names if not name.endswith("sources.yaml"))
    told = [f"{folder}/ ({count} files)" for folder, count in folders.items()]
    return ", ".join([*told, *(name for name in names if name.endswith("sources.yaml"))])


def _tell_proposal(session: Session, proposal: Proposal) -> None:
    grid = Grid("from", "table", box=None, header_style="bold")
    grid.add_column("confidence", justify="right")
    grid.add_column("why")
    for one in proposal.entries:
        style = "" if one.confidence >= _SURE else "yellow"
        unsure = [f"{name} {sure:.2f}" for name, sure in one.columns.items() if sure < _SURE]
        why = one.why + (f"; less sure: {', '.join(unsure)}" if unsure else "")
        grid.add_row(one.files, ", ".join(one.tables), f"{one.confidence:.2f}", why, style=style)
    if proposal.entries:
        session.console.print(grid, markup=False)
    else:
        session.console.print("nothing could be proposed; name your files in sources.yaml as docs/sources.md shows")
    for name, why in proposal.left:
        session.console.print(f"left out {name}: {why}", markup=False)
    for number, question in enumerate(proposal.questions, start=1):
        session.console.print(f"to decide {number}: {question}", markup=False)
