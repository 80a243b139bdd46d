"""`churnml erase`: customers forgotten everywhere, and a receipt; tombstones lifted, taken along and brought."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from churnml.database import erasures, tombstones
from churnml.database.audit import audit
from churnml.errors import DependencyError, NotFoundError, UsageError
from churnml.events.erasing import finish_all, receipt
from churnml.events.erasure_words import receipts_told
from churnml.verbs.actor import whoever_types
from churnml.verbs.session import Session, clock
from churnml.wording import Language

Json = dict[str, Any]  # Any: JSON


def named(customers: Sequence[str], file: Path | None) -> list[str]:
    """Return the ids of the command line and of a file that holds one a line; each once.

    Raises
    ------
    UsageError
        If there are none, or the file cannot be read as UTF-8.
    """
    lines: list[str] = []
    if file is not None:
        try:
            lines = file.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"--file must be a text of one customer id a line, {file} cannot be read: {error}"
            ) from error
    found = list(dict.fromkeys(one.strip() for one in (*customers, *lines) if one.strip()))
    if not found:
        raise UsageError("name the customers to erase, or give --file with one id a line")
    return found


def erase(session: Session, customers: Sequence[str], reason: str = "request") -> Json:
    """Erase customers, at most 100 an erasure, bring all that was begun to its end, and return the receipts.

    Raises
    ------
    UsageError
        If `CHURNML_SECRET` is missing, or another than that of the tombstones that stand, or the reason is none.
    DependencyError
        If others held the database for too long; `churnml erase --resume` goes on.
    """
    engine, begun = session.catalogue.engine, []
    for start in range(0, len(customers), erasures.MOST):
        with engine.begin() as connection:
            some = customers[start : start + erasures.MOST]
            begun.append(erasures.begin(connection, whoever_types(), some, reason, at=clock()))
    return resume(session, begun)


def resume(session: Session, begun: Sequence[str] = ()) -> Json:
    """Bring every erasure that was begun to its end, repeat what a restore undid, and return the receipts.

    Raises
    ------
    UsageError
        If a restore made it necessary to repeat them, and `CHURNML_SECRET` is missing or another one.
    DependencyError
        If others held the database for too long.
    """
    engine = session.catalogue.engine
    with session.step("Forgetting in files and database"):
        done = [one.erasure_id for one in finish_all(session.workspace, engine, clock)]
    with engine.connect() as connection:
        return {"erasures": [receipt(connection, one) for one in dict.fromkeys((*begun, *done))]}


def lift(session: Session, customer: str) -> Json:
    """Take a customer's tombstone away, for they came back.

    Raises
    ------
    NotFoundError
        If there is none.
    UsageError
        If `CHURNML_SECRET` is missing, or another than that of the tombstones.
    """
    with session.catalogue.engine.begin() as connection:
        if not tombstones.lift(connection, customer):
            raise NotFoundError("nobody was erased under that id; ids are compared as text")
        audit(connection, whoever_types(), "tombstone.lifted", {}, at=clock())
    return {"lifted": 1}


def export(session: Session, to: Path) -> Json:
    """Write all tombstones to a file, to be brought where a backup of this workspace is restored.

    Raises
    ------
    DependencyError
        If it cannot be written.
    """
    with session.catalogue.engine.connect() as connection:
        told = tombstones.exported(connection)
    try:
        to.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise DependencyError(f"cannot write {to}: {error.strerror}; choose another place") from error
    return {"to": str(to), "tombstones": len(told["tombstones"])}


def brought(file: Path) -> Json:
    """Return the tombstones of a file.

    Raises
    ------
    UsageError
        If it cannot be read.
    """
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--tombstones must be a file that `churnml erase --export` wrote, {file} cannot be read: {error}"
        ) from error
    return told if isinstance(told, dict) else {}


def said(done: Json, language: Language = "en") -> str:
    """Return receipts as lines for people, in a language."""
    return receipts_told(done["erasures"], language)
