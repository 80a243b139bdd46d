"""What writers that were killed left half done: drafts of exports and backups, copies that a restore had unpacked.

They hold customers like the files they were to become, and nobody looks for them there. Whoever writes goes on writing,
so what has not changed for an hour belongs to nobody who lives.
"""

from __future__ import annotations

import glob
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from churnml.database import Workspace
from churnml.database.backup import MANIFEST

STALE = 3_600_000_000
"""For how long a draft must not have changed, microseconds."""
_DRAFT = re.compile(r"\..+\.[0-9a-f]{32}(\.old|\.tar)?")
"""What `Workspace.atomically`, a backup and a restore call what is not yet in its place."""
_UNPACKED = ".backup-*"


def sweep(workspace: Workspace, now: int) -> int:
    """Remove what was left behind within the workspace and, by a restore, beside it; return how much that was.

    Parameters
    ----------
    now : int
        The present instant, microseconds UTC.
    """
    gone = 0
    for path in sorted(_left(workspace)):
        if _changed_at(path) > now - STALE:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        gone += 1
    return gone


def _left(workspace: Workspace) -> Iterator[Path]:
    root = workspace.root
    within = [path for path in root.rglob(".*") if _DRAFT.fullmatch(path.name)]
    beside = [path for path in root.parent.glob(f".{glob.escape(root.name)}.*") if _DRAFT.fullmatch(path.name)]
    unpacked = [*root.glob(_UNPACKED), *(one for one in root.parent.glob(_UNPACKED) if (one / MANIFEST).is_file())]
    found = {*within, *beside, *unpacked}
    yield from (path for path in found if not found & set(path.parents))


def _changed_at(path: Path) -> int:
    """Return when anything of a file or folder changed last, microseconds UTC."""
    every = (path, *(path.rglob("*") if path.is_dir() else ()))
    latest: int = max(one.lstat().st_mtime_ns for one in every)
    return latest // 1_000
