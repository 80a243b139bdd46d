"""`churnml restore`: a workspace as a backup holds it, checked byte by byte before anything is touched."""

from __future__ import annotations

import contextlib
import shutil
import uuid
from pathlib import Path
from typing import Any

from churnml.database import Workspace, open_engine
from churnml.database.backup import DATABASE, Manifest, check_files, copied, reading
from churnml.database.erasures import must_repeat
from churnml.database.jobs import abandon
from churnml.database.secret import derived
from churnml.database.server import name_of
from churnml.database.snapshot import copy_in, is_known, revision_of
from churnml.database.tombstones import bring, exported
from churnml.errors import DataRefusedError, UsageError
from churnml.events.erasing import finish_all
from churnml.verbs.actor import note
from churnml.verbs.session import Session, clock

Json = dict[str, Any]  # Any: JSON
_KEPT = "mlflow"
"""What a backup does not hold: notes of what was tried."""


def restore(session: Session, backup: Path, *, replace: bool = False, tombstones: Json | None = None) -> Json:
    """Make the workspace what a backup holds, and return what was restored; stop the service before.

    All is read, checked and laid out beside the workspace first, and takes its place in the end; so one that is stopped
    on the way leaves the workspace as it was, or is done again. A database that comes from SQLite can go to a
    PostgreSQL and the other way round, as `CHURNML_DATABASE_URL` says.

    Parameters
    ----------
    backup : Path
        What `churnml backup` wrote.
    replace : bool, default False
        Whether a workspace that is there goes; its tombstones stay.
    tombstones : dict, optional
        Those of another workspace, as `churnml erase --export` wrote them.

    Raises
    ------
    DataRefusedError
        If the backup is damaged, no backup, or made by a newer churnml.
    UsageError
        If something is there already and `replace` is false, or a run goes on in it; or if somebody was erased, and
        `CHURNML_SECRET` is missing or another than theirs.
    """
    workspace = session.workspace
    _require_room(workspace, replace=replace)
    carried = [one for one in (tombstones, _standing_tombstones(workspace)) if one is not None]
    if any(one.get("tombstones") for one in carried):
        derived("tombstones")  # refuses before anything is touched
    workspace.root.parent.mkdir(parents=True, exist_ok=True)
    with reading(backup.resolve(), workspace.root.parent) as folder:
        with session.step("Checking every file of the backup"):
            manifest = Manifest.read(folder)
            check_files(folder, manifest)
            _require_known(folder)
        draft = Workspace(workspace.root.with_name(f".{workspace.root.name}.{uuid.uuid4().hex}"))
        try:
            with session.step("Laying out the workspace") as tick:
                for done, name in enumerate(manifest.files, start=1):
                    copied(folder / name, draft.root / name)
                    tick(done, len(manifest.files))
                for place in (draft.tables, draft.quarantine):
                    place.mkdir(parents=True, exist_ok=True)
            _bring_tombstones(draft, carried)
            with session.step("Putting it in its place"):
                _take_its_place(workspace, draft, replace=replace)
        finally:
            shutil.rmtree(draft.root, ignore_errors=True)
    again = _erase_again(session)
    with session.catalogue.engine.begin() as connection:
        abandon(connection, clock())
    note(session, "backup.restored", {"made_at": manifest.made_at, "files": len(manifest.files)})
    return {
        "workspace": str(workspace.root),
        "database": "sqlite" if workspace.server is None else name_of(workspace.server),
        "made_at": manifest.made_at,
        "made_by": manifest.version,
        "files": len(manifest.files),
        "bytes": manifest.size,
        "erased_again": again,
        "remember": after_restore(manifest, carried=bool(carried)),
    }


def after_restore(manifest: Manifest, *, carried: bool) -> list[str]:
    """Return what must be done after a restore, in words for people."""
    elsewhere = (
        f"customers erased since {manifest.made_at} are back, for no tombstones were there to know them by: erase them "
        "again before anyone works with this workspace, or restore once more with --tombstones FILE"
    )
    return [
        *([] if carried else [elsewhere]),
        f"what landed, was scored or was posted since {manifest.made_at} is gone: bring it again",
    ]


def told(done: Json) -> str:
    """Return what was restored, in words for people."""
    first = (
        f"{done['workspace']}: as of {done['made_at']} (made by churnml {done['made_by']}), {done['files']:,} files of "
        f"{done['bytes'] / 1e6:,.1f} MB; the database is {done['database']}"
    )
    again = f"{done['erased_again']:,} customers with a tombstone were erased again"
    return "\n".join([first, again, *(f"! {one}" for one in done["remember"])])


def _standing_tombstones(workspace: Workspace) -> Json | None:
    """Return the tombstones of the workspace that is to go, None where there is none."""
    if not workspace.exists or (workspace.server is None and not workspace.file.exists()):
        return None
    engine = open_engine(workspace.database)
    try:
        with engine.connect() as connection:
            return exported(connection)
    finally:
        engine.dispose()


def _bring_tombstones(draft: Workspace, carried: list[Json]) -> None:
    """Put tombstones up in the database that is about to take its place, and note that whoever has one goes again."""
    engine = open_engine(draft.file)  # an older one is brought to the present schema
    try:
        with engine.begin() as connection:
            must_repeat(connection, clock())
            for one in carried:
                bring(connection, one)
    finally:
        engine.dispose()


def _erase_again(session: Session) -> int:
    """Erase again everybody with a tombstone whom the backup brought back, and return how many that were."""
    engine = open_engine(session.workspace.database)
    try:
        with session.step("Erasing again who was erased"):
            return sum(one.customers for one in finish_all(session.workspace, engine, clock))
    finally:
        engine.dispose()


def _require_room(workspace: Workspace, *, replace: bool) -> None:
    root = workspace.root
    held = root.is_dir() and any(path for path in root.iterdir() if not path.name.endswith(".lock"))
    if held and not replace:
        raise UsageError(
            f"a workspace must be empty to restore into, found {root} with something in it; give --workspace another "
            "folder, or --replace if all that is in it may go"
        )
    going_on = [path.name for path in root.glob(".run-*.lock") if workspace.attended(path.name[5:-5])]
    if going_on:
        raise UsageError(f"nothing may run in a workspace that is replaced, found a run in {root}; let it end first")


def _require_known(folder: Path) -> None:
    revision = revision_of(folder / DATABASE)
    if not is_known(revision):
        raise DataRefusedError(
            f"a backup must be of this version or an older one, found one whose schema is {revision}; restore it by a "
            "newer churnml"
        )


def _take_its_place(workspace: Workspace, draft: Workspace, *, replace: bool) -> None:
    """Bring database, bundles and files where they belong, in this order: what refers to others comes last."""
    held = workspace.locked("ingest") if workspace.root.is_dir() else contextlib.nullcontext()
    with held:
        if workspace.server is not None:
            engine = open_engine(workspace.server)
            try:
                copy_in(draft.file, engine, replace=replace)
            finally:
                engine.dispose()
            for left in draft.root.glob(f"{DATABASE}*"):
                left.unlink()
        _bring_bundles(draft.root / "models", workspace.models)
        old = workspace.root.with_name(f".{workspace.root.name}.{uuid.uuid4().hex}.old")
        if workspace.root.is_dir():
            workspace.root.replace(old)
        draft.root.replace(workspace.root)
        if (old / _KEPT).is_dir():
            (old / _KEPT).replace(workspace.root / _KEPT)
        shutil.rmtree(old, ignore_errors=True)


def _bring_bundles(source: Path, models: Path) -> None:
    """Put bundles beside those that are there; their names are their digests, so one of a name is the same."""
    for folder in sorted(source.glob("*")):
        models.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(models / folder.name, ignore_errors=True)
        folder.replace(models / folder.name)
    shutil.rmtree(source, ignore_errors=True)
