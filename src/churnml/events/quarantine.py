"""The quarantine: every row set aside, whole, with file, row, column, value, rule and remedy; kept 30 days."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from churnml.database import Workspace
from churnml.events.checking import Checked, set_aside
from churnml.events.clock import DAY

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


def purge(workspace: Workspace, landed_at: dict[int, int], now: int) -> None:
    """Remove what was set aside more than 30 days ago, and what no batch owns.

    Parameters
    ----------
    landed_at : dict of int to int
        When each batch landed, microseconds UTC.
    """
    for path in workspace.quarantine.glob("*.jsonl"):
        number = path.name[:6]
        written = landed_at.get(int(number), 0) if number.isdigit() else int(path.stat().st_mtime * 1_000_000)
        if written < now - KEPT_DAYS * DAY:
            path.unlink()


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


def names(row: dict[str, Any], customer_ids: frozenset[str]) -> bool:  # Any: JSON
    """Tell whether a row is about one of the customers; where the id could not be read, any of its values may say so.

    What differs from an id by blanks only, names that customer: it is why the row was set aside.
    """
    whole = row.get("whole_row")  # a feature table's rows stand there by the broken value alone
    values = list(whole.values()) if isinstance(whole, dict) else []
    told = (row.get("customer_id"), row.get("value"), *values)
    if any(str(value).strip() in customer_ids for value in told if value is not None):
        return True
    text = whole if isinstance(whole, str) else ""
    return any(re.search(rf"(?<!\w){re.escape(customer)}(?!\w)", text) for customer in customer_ids if text)


def _line(row: dict[str, Any]) -> str:  # Any: JSON
    return json.dumps(row, ensure_ascii=False) + "\n"
