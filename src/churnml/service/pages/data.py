"""How it stands with the data, and what became of what was brought, as a page; any report as one file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from churnml.service.access import requires
from churnml.service.api.shapes import readings
from churnml.service.clock import asked_at
from churnml.service.data_health import data_health, landing_of
from churnml.service.pages.rendering import document, render
from churnml.service.readings import Readings
from churnml.wording import Language

router = APIRouter(dependencies=[Depends(requires("operate"))])
Json = dict[str, Any]  # Any: a report is JSON; `events/reporting.py` says what stands in it
Outcome = Literal["landed", "checked", "refused", "unchanged"]
_TABLE: Json = {
    "read": 0, "landed": 0, "skipped": 0, "quarantined": 0, "fills": 0, "newer": 0, "findings": [], "missing": {},
    "first_at": None, "last_at": None, "ignored_columns": [], "notes": [], "backfill": False, "learned_now": False,
    "undated": 0,
}  # fmt: skip
_PREFLIGHT: Json = {
    "rows": {}, "first_at": None, "last_at": None, "span_days": None, "missing_tables": [], "cautions": [],
}  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class DataContext:
    """What `data.html` and `ingest_report.html` show."""

    outcome: Outcome
    """whether rows landed, were only checked, were refused, or had all landed before"""
    batch_id: int | None
    """number of the landing; None where nothing landed"""
    at: datetime | None
    """when it was done; None where that is not known"""
    zone: str
    """the time zone in which times are told"""
    tables: list[Json]
    """what became of each source, with `warned`, and its first and last instant"""
    totals: dict[str, int]
    """rows over all sources: read, landed, skipped, quarantined, warned"""
    refused: list[Json]
    """each source that was turned away whole: the tables it was to fill, origin, reason"""
    findings: dict[str, list[Json]]
    """rules broken (`quarantine`) and things to know (`warning`), each with its source, most rows first"""
    already_landed: list[str]
    """sources unchanged since they landed"""
    rows_file: str
    """where every row set aside or warned about is; empty if there is none"""
    preflight: Json
    """what stands in the workspace, rows by table and span"""
    outlook: Json | None
    """whether history suffices for the horizon, and which families of features are on; None where nobody asked"""


def ingest_report_page(
    report: Mapping[str, Any],  # Any: JSON
    language: Language,
    *,
    time_zone: str = "UTC",
    at: int | None = None,
) -> str:
    """Return a report as one HTML document that needs nothing beside it: no script, no network, no other file.

    Parameters
    ----------
    report : mapping
        The JSON of an `IngestReport`, with `outlook` if there is one.
    language : {"en", "zh"}
        Language of the page; what data and files say stays as it is.
    time_zone : str, default="UTC"
        The IANA zone in which days and hours are told.
    at : int, optional
        When the report was made, microseconds UTC.
    """
    return document("ingest_report.html", vars(_context(report, time_zone, at)), language)


@router.get("/data")
def data(
    request: Request,
    reader: Annotated[Readings, Depends(readings)],
    landing: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> HTMLResponse:
    """Show how it stands with the data above the report of the latest landing; before the first, show what to do.

    Of an earlier landing, by its number, its report alone is shown.
    """
    state = request.app.state
    found = reader.find_landing() if landing is None else landing_of(state.engine, landing)
    if found is None:
        return render(request, "no_data.html", {})
    zone = str(found.report.get("time_zone", "UTC"))
    health = data_health(state.engine, state.workspace, asked_at(request)) if landing is None else None
    return render(request, "data.html", vars(_context(found.report, zone, found.landed_at)) | {"health": health})


def _context(report: Mapping[str, Any], zone: str, at: int | None) -> DataContext:  # Any: JSON
    tables = [_table(one) for one in report.get("tables", [])]
    counted = ("read", "landed", "skipped", "quarantined", "warned")
    ahead = _PREFLIGHT | dict(report.get("preflight") or {})
    return DataContext(
        outcome=_outcome(report),
        batch_id=report.get("batch_id"),
        at=_moment(at),
        zone=zone,
        tables=tables,
        totals={name: sum(one[name] for one in tables) for name in counted},
        refused=_refusals(report.get("refused", [])),
        findings={kind: sorted(_findings(tables, kind), key=_rows, reverse=True) for kind in ("quarantine", "warning")},
        already_landed=list(report.get("already_landed", [])),
        rows_file=str(report.get("rows_file") or ""),
        preflight=ahead | {name: _moment(ahead[name]) for name in ("first_at", "last_at")},
        outlook=report.get("outlook"),
    )


def _outcome(report: Mapping[str, Any]) -> Outcome:  # Any: JSON
    if report.get("refused"):
        return "refused"
    if report.get("batch_id") is not None:
        return "landed"
    return "checked" if report.get("tables") else "unchanged"


def _table(told: Mapping[str, Any]) -> Json:  # Any: JSON
    """Return what became of one source; a report of an earlier version lacks some of it."""
    table = _TABLE | dict(told)
    table["warned"] = sum(one["count"] for one in table["findings"] if one["kind"] == "warning")
    return table | {name: _moment(table[name]) for name in ("first_at", "last_at")}


def _refusals(told: Sequence[Mapping[str, Any]]) -> list[Json]:  # Any: JSON
    """Return each refusal once, whose reason does not say again which source it is about, with all its tables."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in told:
        found.setdefault((one["origin"], str(one["reason"])), []).append(one["table"])
    return [
        {"origin": origin, "reason": reason.removeprefix(f"{origin}: "), "tables": tables}
        for (origin, reason), tables in found.items()
    ]


def _findings(tables: list[Json], kind: str) -> Iterator[Json]:
    for table in tables:
        for finding in table["findings"]:
            if finding["kind"] == kind:
                yield finding | {"table": table["table"], "origin": table["origin"], "read": table["read"]}


def _rows(finding: Json) -> int:
    return int(finding["count"])


def _moment(instant: int | None) -> datetime | None:
    return None if instant is None else _EPOCH + timedelta(microseconds=instant)
