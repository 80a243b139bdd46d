"""`churnml simulate`: a market with known truth, as files in the form of the contract, landed like anyone's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from churnml.database.workspace import alone_in
from churnml.errors import DependencyError, UsageError
from churnml.events.simulation import Market, same, write_new
from churnml.verbs.ingest import ingest_sources
from churnml.verbs.session import Session

Json = dict[str, Any]  # Any: JSON
FOLDER = "market"


def simulate(session: Session, market: Market) -> Json:
    """Make a market in the workspace, land its tables, and return what was made and the report of the landing.

    What stands already is not made again.

    Raises
    ------
    UsageError
        If the workspace holds other data, or another market.
    """
    folder = session.workspace.root / FOLDER
    stands = folder / "market.json"
    if stands.exists() and not same(market, folder):
        raise UsageError(
            f"{session.workspace.root} holds another market ({stands}); name a new one with --workspace. Nothing was "
            "written"
        )
    if not stands.exists() and session.catalogue.parts():
        raise UsageError(
            f"a market needs a workspace of its own, found other data in {session.workspace.root}; name a new one with "
            "--workspace, or have the files alone with --out FOLDER. Nothing was written"
        )
    made = files(session, market, folder)
    return made | {"report": ingest_sources(session, folder / "sources.yaml")}


def files(session: Session, market: Market, folder: Path) -> Json:
    """Make the files of a market in a folder, if they do not stand there already, and return what was made.

    Raises
    ------
    UsageError
        If something else stands there; it is left as it was.
    DependencyError
        If the folder cannot be written.
    """
    words = f"Living {market.days:,} days of {market.customers:,} customers"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with alone_in(folder.parent), session.step(words) as tick:
            rows = write_new(market, folder, tick)
    except OSError as error:
        raise DependencyError(f"cannot write {folder}: {error.strerror}; choose another folder") from error
    return {"folder": str(folder), "variant": market.variant, "says": market.equations.says, "rows": rows}


def told(made: Json) -> str:
    """Return in words what was made, and where the truth is."""
    rows = sum(made["rows"].values())
    return (
        f"{made['folder']}: {rows:,} rows in {sum(map(bool, made['rows'].values()))} tables, a simulated market: "
        f"{made['says']}. The truth is in {made['folder']}/truth; nothing reads it but you, the tests and `churnml "
        "check truth`"
    )
