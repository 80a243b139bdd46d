"""`churnml handoff`: the list at risk as files that another tool imports."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from churnml.config import HandoffConfig
from churnml.database.lists import Wanted
from churnml.errors import DataRefusedError, DependencyError, UsageError, nearest
from churnml.verbs.actor import note
from churnml.verbs.session import Session, clock, require_places
from churnml.wording import Language

Json = dict[str, Any]  # Any: JSON
Part = tuple[int, bytes]

_COLUMNS = ("customer_id", "email")
_BANDS = ("high", "medium", "low")


def handoff(
    session: Session,
    to: str,
    out: Path,
    *,
    bands: tuple[str, ...] = (),
    emails: Path | None = None,
    marked: bool = False,
    language: Language = "en",
) -> Json:
    """Write the list at risk for a tool, and return which files there are and who was left out.

    Nothing is at its place before all of it is written.

    Parameters
    ----------
    to : str
        The tool: `salesforce`, `hubspot`, …
    out : Path
        The file; where the tool takes less than the list in one, `-2`, `-3`, … stand before the ending of the others.
    bands : tuple of str
        Only these risk bands; all if empty.
    emails : Path, optional
        A CSV with the columns `customer_id` and `email`, for a tool that finds people by their address.
    marked : bool, default False
        Whether controls and held-out customers stay, marked by `do_not_approach`.

    Raises
    ------
    UsageError
        If there is no such tool.
    ConfigError
        If configs/handoff.yaml says what it cannot.
    DataRefusedError
        If the file of addresses lacks a column.
    BroughtBackError
        If customers who were erased are back after a restore.
    ConflictError
        If customers were erased meanwhile; nothing is written then.
    DependencyError
        If there are no records yet, a file cannot be written, or a library is missing.
    """
    from churnml.service.handoff import Handoff, make, shape_of  # noqa: PLC0415  # FastAPI takes a second to import
    from churnml.service.readings import Readings  # noqa: PLC0415

    shape = shape_of(to)
    require_places([out])
    session.require_nobody_back()
    began, config = clock(), session.load("handoff", HandoffConfig)
    reader = Readings(session.catalogue.engine, session.workspace)
    run, addresses = reader.run(), _addresses(emails) if emails else {}
    asked = Handoff(to, config, Wanted(bands=bands), language, addresses, marked)
    with session.step(f"Writing for {shape.title}"):
        sorter, parts = make(asked, reader, run)
        files = _written(session, out.resolve(), parts, began)
    note(session, "list.exported", {"list": "at-risk", "format": to, "run": run.run_id})
    listed = reader.count_at_risk(run, asked.wanted)
    return {
        "to": to,
        "files": [str(file) for file in files],
        "customers": listed - sorter.left_out.total(),
        "left_out": dict(sorter.left_out.most_common()),
        "run_id": run.run_id,
        "cutoff": run.summary.get("cutoff"),
    }


def require_bands(bands: Iterable[str]) -> tuple[str, ...]:
    """Return risk bands that were named.

    Raises
    ------
    UsageError
        If there is no such band.
    """
    found = tuple(bands)
    for band in found:
        if band not in _BANDS:
            raise UsageError(f"--band must be one of {', '.join(_BANDS)}, got {band!r}{nearest(band, _BANDS)}")
    return found


def told(body: Json, language: Language = "en") -> str:
    """Return what was written, in words."""
    from churnml.service.handoff import LEFT_OUT, SHAPES  # noqa: PLC0415

    files = "\n".join(body["files"])
    lines = [f"{body['customers']:,} customers for {SHAPES[body['to']].title}:", files]
    if language == "zh":
        lines = [f"已为 {SHAPES[body['to']].title} 写出 {body['customers']:,} 位客户：", files]
    left = "left out" if language == "en" else "未写入"
    lines += [f"{left}: {number:,} {LEFT_OUT[why].to(language)}" for why, number in body["left_out"].items()]
    return "\n".join(lines)


def _addresses(file: Path) -> Mapping[str, str]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            missing = [name for name in _COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                raise DataRefusedError(f"{file} must have the columns customer_id and email, found no `{missing[0]}`")
            return {row["customer_id"]: row["email"] or "" for row in rows}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataRefusedError(f"{file} must be a CSV in UTF-8 that can be read: {error}") from error


def _written(session: Session, out: Path, parts: Iterator[Part], began: int) -> list[Path]:
    """Write the parts beside their places, and move all of them there at the end."""
    files: list[Path] = []
    with ExitStack() as open_files:
        handle: IO[bytes] | None = None
        try:
            for part, chunk in parts:
                if part > len(files) or handle is None:
                    files.append(out if part == 1 else out.with_name(f"{out.stem}-{part}{out.suffix}"))
                    draft = open_files.enter_context(session.workspace.atomically(files[-1]))
                    handle = open_files.enter_context(draft.open("wb"))
                handle.write(chunk)
            session.require_nobody_erased_since(began)
        except OSError as error:
            raise DependencyError(
                f"cannot write {files[-1]}: {error.strerror}; make room, or choose another"
            ) from error
    return files
