"""The groups of behaviour and interests that a workspace keeps: found once, found anew when they are old."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from churnml.config import MeasureConfig
from churnml.errors import ModelRefusedError
from churnml.verbs.session import Session

if TYPE_CHECKING:
    from churnml.events.books import Books
    from churnml.measures.habits import Side
    from churnml.measures.kept_groups import KeptGroups
    from churnml.measures.measure import Asked

Json = dict[str, Any]  # Any: JSON

FILE = "measures/clusters.json"
"""Where they are kept in the workspace: centres and words, and nothing of any one customer."""


def groups_of(session: Session, books: Books, asked: Asked, side: Side) -> KeptGroups | None:
    """Return the groups of one side; found, or found anew, if need be, and then kept.

    Returns
    -------
    KeptGroups or None
        Without centres where no number of groups is stable; None where too few customers did anything.

    Raises
    ------
    ModelRefusedError
        If what is kept was changed by others.
    """
    from churnml.events.clock import days_later  # noqa: PLC0415
    from churnml.measures.kept_groups import KeptGroups, found_groups, outdated  # noqa: PLC0415  # scikit-learn

    settings = session.load("measure", MeasureConfig)
    begin = days_later(asked.end, -settings.groups.days, books.time_zone)
    with session.workspace.locked("groups"):
        told = _read(session)
        before = KeptGroups.of_json(told[side]) if side in told else None
        if before is not None and not outdated(before, books, settings.groups, begin, asked.end):
            return before
        found = found_groups(books, side, settings.groups, begin, asked.end, settings.seed, before)
        if found is not None:
            _write(session, told | {side: found.to_json()})
        return found


def _read(session: Session) -> Json:
    path = session.workspace.root / FILE
    if not path.exists():
        return {}
    try:
        told: Json = json.loads(path.read_text(encoding="utf-8"))
        whole = told.pop("digest") == _digest(told)
    except (ValueError, KeyError, AttributeError, TypeError):
        whole = False
    if not whole:
        raise ModelRefusedError(
            f"{path} must be as `churnml measure segments` wrote it, and was changed since; put it back, or remove it "
            "and have groups found anew, under new ids"
        )
    return told


def _write(session: Session, told: Json) -> None:
    text = json.dumps({**told, "digest": _digest(told)}, ensure_ascii=False, indent=1) + "\n"
    with session.workspace.atomically(session.workspace.root / FILE) as draft:
        draft.write_text(text, encoding="utf-8")


def _digest(told: Json) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
