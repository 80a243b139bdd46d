"""`churnml backup`: a workspace as it stands, database, parts and bundles, in one folder or one .tar."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import churnml
from churnml.database import Catalogue, Workspace, open_engine
from churnml.database.backup import DATABASE, MANIFEST, Manifest, check_target, copied, writing
from churnml.database.snapshot import copy_out, revision_of
from churnml.database.workspace import digest_of_file
from churnml.errors import DataRefusedError
from churnml.verbs.actor import note
from churnml.verbs.session import Session, Tick, clock

Json = dict[str, Any]  # Any: JSON
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def backup(session: Session, to: Path) -> Json:
    """Write a backup of the workspace while everything goes on, and return what is in it.

    The database is copied first, then the files that this copy names. Whoever lands, erases or vacuums waits meanwhile,
    so that none of these is replaced; whoever reads, scores or posts outcomes does not.

    Parameters
    ----------
    to : Path
        A folder that is not there or empty, or a file whose name ends in .tar.

    Raises
    ------
    UsageError
        If something is there already.
    DataRefusedError
        If a file that counts is missing or damaged: a backup of it would not restore.
    DependencyError
        If it cannot be written.
    """
    target, workspace = to.resolve(), session.workspace
    check_target(target)
    with workspace.locked("ingest"), writing(target) as draft:
        at = (_EPOCH + timedelta(microseconds=clock())).isoformat()
        with session.step("Copying the database"):
            copy_out(session.catalogue.engine, draft / DATABASE)
        with session.step("Copying the files that it names") as tick:
            files = _files(workspace, draft, tick)
        files[DATABASE] = [digest_of_file(draft / DATABASE), (draft / DATABASE).stat().st_size]
        kind = session.catalogue.engine.dialect.name
        manifest = Manifest(churnml.__version__, revision_of(draft / DATABASE), at, kind, files)
        (draft / MANIFEST).write_text(json.dumps(manifest.to_json(), ensure_ascii=False, indent=1), encoding="utf-8")
    parts, bundles = (_count(files, kind) for kind in ("tables", "models"))
    note(session, "backup.made", {"made_at": at, "files": len(files)})
    return {
        "to": str(target),
        "made_at": at,
        "database": manifest.database,
        "revision": manifest.revision,
        "files": len(files),
        "parts": parts,
        "bundles": bundles,
        "bytes": manifest.size,
    }


def told(made: Json) -> str:
    """Return what was backed up, in a sentence for people."""
    size = f"{made['files']:,} files of {made['bytes'] / 1e6:,.1f} MB"
    return (
        f"{made['to']}: the workspace as of {made['made_at']}, {size} ({made['parts']:,} parts, {made['bundles']:,} "
        f"models); `churnml restore {made['to']}` brings it back"
    )


def _count(files: dict[str, list[Any]], kind: str) -> int:  # Any: a text and a number
    names = [Path(name).parts for name in files if name.startswith(f"{kind}/")]
    return len({parts[1] for parts in names}) if kind == "models" else len(names)


def _files(workspace: Workspace, draft: Path, tick: Tick) -> dict[str, list[Any]]:  # Any: a text and a number
    """Copy the parts and bundles that the copied database names, what is set aside, and what measures keep."""
    engine = open_engine(draft / DATABASE)
    catalogue = Catalogue(engine)
    digests = {part.path: part.digest for part in catalogue.parts()}
    bundles = [folder for name in sorted(catalogue.bundles()) if (folder := workspace.models / name).is_dir()]
    engine.dispose()
    (draft / f"{DATABASE}.lock").unlink(missing_ok=True)
    wanted = {path: workspace.root / path for path in digests}
    wanted |= {f"models/{path.relative_to(workspace.models).as_posix()}": path for path in _within(*bundles)}
    kept = _within(workspace.quarantine, workspace.measures)
    wanted |= {path.relative_to(workspace.root).as_posix(): path for path in kept}
    files = {}
    for done, (name, path) in enumerate(wanted.items(), start=1):
        if not path.is_file():
            raise DataRefusedError(f"a part that counts must be there, and {path} is missing; restore an older backup")
        files[name] = copied(path, draft / name)
        if digests.get(name, files[name][0]) != files[name][0]:
            raise DataRefusedError(f"{path} is damaged: its digest is not the catalogue's; restore an older backup")
        tick(done, len(wanted))
    return files


def _within(*folders: Path) -> list[Path]:
    """Return the files in some folders and in those within; drafts of files, which begin with a dot, left out."""
    found = (path for folder in folders for path in sorted(folder.rglob("*")))
    return [path for path in found if path.is_file() and not path.name.startswith(".")]
