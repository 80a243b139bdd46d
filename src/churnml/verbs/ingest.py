"""`churnml ingest`: check tables against the contract and land what keeps it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table as Grid

from churnml.errors import UsageError, nearest
from churnml.events import TABLES, IngestReport, ingest
from churnml.events.sources import Source
from churnml.events.sources.files import file_source
from churnml.verbs.session import Session, clock


def ingest_file(
    session: Session, table: str, file: Path, *, check: bool, backfill: bool, report: Path | None
) -> IngestReport:
    """Land one file in one table.

    Raises
    ------
    UsageError
        If the table is not one of the contract, or the file cannot be read as a table at all.
    """
    if table not in TABLES:
        raise UsageError(f"--table must be one of {', '.join(TABLES)}, got {table!r}{nearest(table, TABLES)}")
    source = file_source(table, file, session.settings.time_zone)
    return land(session, [source], check=check, backfill=backfill, report=report)


def land(
    session: Session,
    sources: Sequence[Source],
    *,
    check: bool = False,
    backfill: bool = False,
    report: Path | None = None,
) -> IngestReport:
    """Land sources, tell what became of each, and write the report if asked."""
    words = "Checking the tables" if check else "Checking and landing the tables"
    with session.step(words):
        found = ingest(
            session.workspace,
            session.catalogue,
            sources,
            session.settings,
            clock(),
            check_only=check,
            backfill=backfill,
        )
    if report is not None:
        with session.workspace.atomically(report.resolve()) as draft:
            draft.write_text(json.dumps(found.to_json(), ensure_ascii=False, indent=1), encoding="utf-8")
    tell(session, found)
    return found


def tell(session: Session, found: IngestReport) -> None:
    """Say in a table how many rows landed, were known, or were set aside, and show the first of those."""
    if found.tables:
        grid = Grid("table", "from", box=None, header_style="bold")
        for name in ("rows", "landed", "known already", "quarantined"):
            grid.add_column(name, justify="right")
        for one in found.tables:
            counts = (one.read, one.landed, one.skipped, one.quarantined)
            grid.add_row(one.table, one.origin, *(f"{count:,}" for count in counts))
        session.console.print(grid)
    for one in found.tables:
        for rule, count in one.broken_rules.items():
            rows = "row" if count == 1 else "rows"
            session.console.print(f"[yellow]quarantined[/] {one.table}: {count:,} {rows}: {rule}")
        for row in one.examples[:3]:
            session.console.print(
                f"  row {row['row']:,}, {row['column']}: found {row['value']!r}; {row['rule']}: {row['remedy']}",
                markup=False,
            )
        if one.ignored_columns:
            session.console.print(f"[yellow]ignored[/] {one.table}: columns {', '.join(one.ignored_columns)}")
    _tell_clocks(session, found)
    if found.already_landed:
        session.console.print(f"[dim]unchanged since they landed: {len(found.already_landed)} sources[/]")


def _tell_clocks(session: Session, found: IngestReport) -> None:
    """Say how rows that do not tell when they were learned were taken: it decides which cutoffs see them."""
    late = [one.table for one in found.tables if one.learned_now and one.landed]
    if late:
        session.console.print(
            f"[yellow]learned today[/] {', '.join(late)}: rows that do not say when they were learned count as "
            "learned now, since this is not the table's first landing; no earlier cutoff sees them. "
            "If they are history, land them with --backfill instead"
        )
    if any(one.backfill for one in found.tables):
        session.console.print("[dim]backfill: the rows count as known when they happened[/]")
