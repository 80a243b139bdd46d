"""Backups that lie within the workspace: customers are forgotten in them as well, and they still restore."""

from __future__ import annotations

import json
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from churnml.database import Catalogue, Workspace, open_engine
from churnml.database.backup import DATABASE, MANIFEST, Manifest, reading
from churnml.database.snapshot import revision_of
from churnml.database.workspace import digest_of_file
from churnml.errors import DataRefusedError
from churnml.events.forgetting import forget as forget_within


def forget(workspace: Workspace, customer_ids: frozenset[str]) -> dict[str, int]:
    """Forget customers in every backup within the workspace, and return how many backups there were.

    One that is stopped on the way is damaged by its own manifest until the next has gone through it.
    """
    done = 0
    for folder in folders(workspace):
        _forget_in(folder, customer_ids)
        done += 1
    for packed in sorted(workspace.root.rglob("*.tar")):
        done += _forget_packed(workspace, packed, customer_ids)
    return {"backups": done} if done else {}


def folders(workspace: Workspace) -> Iterator[Path]:
    """Yield the folders within the workspace that are backups."""
    for path in sorted(workspace.root.rglob(MANIFEST)):
        if path.parent != workspace.root and _is_backup(path.parent):
            yield path.parent


def _is_backup(folder: Path) -> bool:
    try:
        Manifest.read(folder)
    except DataRefusedError:  # somebody else's file of that name
        return False
    return (folder / DATABASE).is_file()


def _forget_packed(workspace: Workspace, packed: Path, customer_ids: frozenset[str]) -> int:
    try:
        with reading(packed, workspace.root) as folder:
            if not _is_backup(folder):
                return 0
            _forget_in(folder, customer_ids)
            with workspace.atomically(packed) as draft, tarfile.open(draft, "w") as archive:
                for path in sorted(folder.rglob("*")):
                    archive.add(path, path.relative_to(folder).as_posix(), recursive=False)
    except DataRefusedError:  # no archive that can be read is no backup
        return 0
    return 1


def _forget_in(folder: Path, customer_ids: frozenset[str]) -> None:
    manifest, within = Manifest.read(folder), Workspace(folder)
    for place in (within.tables, within.quarantine):
        place.mkdir(exist_ok=True)
    engine = open_engine(within.file)
    try:
        forget_within(within, Catalogue(engine), customer_ids)
    finally:
        engine.dispose()
    with closing(sqlite3.connect(within.file)) as database:
        database.execute("PRAGMA journal_mode=DELETE")  # so that one file is all of it
    for lock in folder.glob("*.lock"):
        lock.unlink()
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path != folder / MANIFEST]
    files = {path.relative_to(folder).as_posix(): [digest_of_file(path), path.stat().st_size] for path in paths}
    told = replace(manifest, revision=revision_of(within.file), files=files).to_json()
    (folder / MANIFEST).write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
