"""Which sheets of a workbook no source of a landing reads; said once, for one file may fill several tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from churnml.events.checking import Checked
from churnml.events.reporting import TableReport
from churnml.events.sources import Rows, unread_sheets


def with_unread_sheets(reports: Sequence[TableReport], tables: Iterable[Checked]) -> list[TableReport]:
    """Return the reports, the first of each workbook with a note of the sheets that none of its sources read."""
    read: dict[object, list[Rows]] = {}
    first: dict[tuple[str, str], object] = {}
    for checked in tables:
        for staged in checked.sources:
            if staged.opened.rows.sheet:
                read.setdefault(staged.source.files, []).append(staged.opened.rows)
                first.setdefault((checked.table.name, staged.source.origin), staged.source.files)
    told = []
    for report in reports:
        rows = read.pop(first.get((report.table, report.origin)), [])
        unread = unread_sheets(rows)
        told.append(replace(report, notes=[*report.notes, unread]) if unread else report)
    return told
