"""What jobs printed, and how far they are: customers who are named there against the rule are overwritten.

A job that goes on appends to its log, and holds the lock of that very file; so a line that names somebody is blanked
where it stands, and the file neither moves nor gets shorter.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from churnml.database import Workspace
from churnml.database.striking_out import without_names

_BLANK = b"*"


def forget(workspace: Workspace, customer_ids: Collection[str]) -> dict[str, int]:
    """Blank every line of a job's log that names one of some customers, and strike them out of what it told of itself.

    Returns
    -------
    dict of str to int
        `job_lines`, how many lines went; empty if none did.
    """
    gone = sum(forget_in(workspace, path.stem, customer_ids) for path in sorted(workspace.jobs.glob("*.log")))
    return {"job_lines": gone} if gone else {}


def forget_in(workspace: Workspace, job_id: str, customer_ids: Collection[str]) -> int:
    """Do so with the log of one job, and return how many lines that were."""
    log, told = workspace.jobs / f"{job_id}.log", workspace.jobs / f"{job_id}.json"
    if told.is_file():
        text, found = without_names(told.read_text(encoding="utf-8"), customer_ids)
        if found:
            with workspace.atomically(told) as draft:
                draft.write_text(text, encoding="utf-8")
    return _blank(log, customer_ids) if log.is_file() else 0


def words_of(workspace: Workspace, job_id: str) -> frozenset[str]:
    """Return what may be an id in the log of a job: each word of it, without what quotes it."""
    log = workspace.jobs / f"{job_id}.log"
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    return frozenset(word.strip("\"'“”‘’`,;:.()[]{}") for word in text.split())


def _blank(log: Path, customer_ids: Collection[str]) -> int:
    gone, place = 0, 0
    with log.open("rb") as lines, log.open("rb+") as over:
        for line in lines:
            text = line.rstrip(b"\r\n")
            if without_names(text.decode("utf-8", "surrogateescape"), customer_ids)[1]:
                over.seek(place)
                over.write(_BLANK * len(text))
                gone += 1
            place += len(line)
        over.flush()
        os.fsync(over.fileno())
    return gone
