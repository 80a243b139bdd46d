"""The quarantine: every row set aside, whole, with file, row, column, value, rule and remedy; kept 30 days.

Reports show the first of these rows as examples, and show them no longer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import duckdb

from churnml.database import Catalogue, Workspace
from churnml.events.checking import Checked, set_aside
from churnml.events.clock import DAY

Json = dict[str, Any]  # Any: JSON
KEPT_DAYS = 30


def file_of(workspace: Workspace, batch_id: int) -> Path:
    """Return where the rows that a batch set aside, or warned about, are kept."""
    return workspace.quarantine / f"{batch_id:06}.jsonl"


def write_rows(connection: duckdb.DuckDBPyConnection, tables: Iterable[Checked], target: Path) -> None:
    """Write every row set aside or warned about to `target`, one JSON object a line."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf-8") as handle:
        for checked in tables:
            for row in set_aside(connection, checked):
                handle.write(_line(row))


def purge(workspace: Workspace, catalogue: Catalogue, now: int) -> None:
    """Remove what was set aside more than 30 days ago, also from reports, and what no batch owns."""
    for path in old(workspace, catalogue, now):
        path.unlink()
    oldest = now - KEPT_DAYS * DAY
    reports = {number: without_examples(report) for number, report in catalogue.reports(before=oldest).items()}
    stale = {number: report for number, (report, dropped) in reports.items() if dropped}
    if stale:
        catalogue.rewrite({}, stale)


def old(workspace: Workspace, catalogue: Catalogue, now: int) -> list[Path]:
    """Return the files of what was set aside more than 30 days ago, or what no batch owns and is as old."""
    oldest, landed_at = now - KEPT_DAYS * DAY, catalogue.landed_at()
    found = []
    for path in sorted(workspace.quarantine.glob("*.jsonl")):
        number = path.name[:6]
        written = landed_at.get(int(number), 0) if number.isdigit() else int(path.stat().st_mtime * 1_000_000)
        if written < oldest:
            found.append(path)
    return found


def without_examples(report: Json, goes: Callable[[Json], bool] = lambda _: True) -> tuple[Json, bool]:
    """Return a report without the examples that are to go, and whether it had any."""
    new, dropped = json.loads(json.dumps(report)), False
    for finding in (finding for table in new.get("tables", ()) for finding in table.get("findings", ())):
        stays = [row for row in finding["examples"] if not goes(row)]
        dropped |= len(stays) < len(finding["examples"])
        finding["examples"] = stays
    return new, dropped


def forget(workspace: Workspace, customer_ids: frozenset[str]) -> int:
    """Rewrite every file without the rows of these customers, and return how many rows went."""
    return sum(_forget_in(workspace, path, customer_ids) for path in sorted(workspace.quarantine.glob("*.jsonl")))


def _forget_in(workspace: Workspace, path: Path, customer_ids: frozenset[str]) -> int:
    with path.open(encoding="utf-8") as handle:
        gone = sum(names(json.loads(line), customer_ids) for line in handle)
    if gone:
        with (
            workspace.atomically(path) as draft,
            path.open(encoding="utf-8") as old,
            draft.open("w", encoding="utf-8") as new,
        ):
            new.writelines(line for line in old if not names(json.loads(line), customer_ids))
    return gone


def names(row: Json, customer_ids: frozenset[str]) -> bool:
    """Tell whether a row is about one of the customers; where the id could not be read, any of its values may say so.

    What differs from an id by blanks only, names that customer: it is why the row was set aside.
    """
    whole = row.get("whole_row")  # a feature table's rows stand there by id and broken value alone
    values = list(whole.values()) if isinstance(whole, dict) else []
    told = (row.get("customer_id"), row.get("value"), *values)
    if any(str(value).strip() in customer_ids for value in told if value is not None):
        return True
    text = whole if isinstance(whole, str) else ""
    return any(re.search(rf"(?<!\w){re.escape(customer)}(?!\w)", text) for customer in customer_ids if text)


def _line(row: Json) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"
