"""`churnml ingest`: check tables against the contract and land what keeps it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.markup import escape
from rich.table import Table as Grid

from churnml.config import TrainConfig
from churnml.database import Workspace
from churnml.errors import DataRefusedError, UsageError, nearest
from churnml.events import TABLES, IngestReport, ingest
from churnml.events.clock import moment
from churnml.events.reporting import quoted_value
from churnml.events.sources import Source
from churnml.events.sources.files import file_source
from churnml.events.sources.mapping import sources_of
from churnml.verbs.session import Session, clock

Json = dict[str, Any]  # Any: JSON
_SHOWN = 3
_LISTED = 20
_FEWEST_CUSTOMERS = 30


def ingest_file(session: Session, table: str, file: Path, **how: Any) -> Json:  # Any: the options of `land`
    """Land one file in one table and return the report.

    Raises
    ------
    UsageError
        If the table is not one of the contract, or the file cannot be read as a table at all.
    """
    if table not in TABLES:
        raise UsageError(f"--table must be one of {', '.join(TABLES)}, got {table!r}{nearest(table, TABLES)}")
    return land(session, [file_source(table, file, session.settings.time_zone)], **how)


def ingest_sources(session: Session, file: Path, **how: Any) -> Json:  # Any: the options of `land`
    """Land everything that a `sources.yaml` names and return the report."""
    return land(session, sources_of(file, session.settings.time_zone), **how)


def land(
    session: Session,
    sources: Sequence[Source],
    *,
    check: bool = False,
    backfill: bool = False,
    report: Path | None = None,
) -> Json:
    """Land sources, tell what became of each, write the report if asked, and return it.

    Parameters
    ----------
    report : Path, optional
        A file that ends in .json, or in .html for people; the rows set aside go beside it, one JSON object a line.

    Raises
    ------
    DataRefusedError
        If a file breaks the contract as a whole; the report is written all the same.
    """
    if report is not None and report.suffix not in {".json", ".html"}:
        raise UsageError(f"--report must name a file that ends in .json or .html, got {report.name!r}")
    with _workspace(session, check=check) as held:
        if not check:
            held.sweep()
        try:
            found = _run(held, sources, report, check=check, backfill=backfill)
        except DataRefusedError as error:
            if error.report is not None and report is not None:
                _write(held, dict(error.report), report)
            elif error.report is not None and any(table["findings"] for table in error.report["tables"]):
                held.console.print("[dim]--report report.html shows every rule that was broken, and the rows[/]")
            raise
        body = found.to_json()
        if report is not None:
            _write(held, body, report)
        tell(held, found, check=check)
    return body


@contextlib.contextmanager
def _workspace(session: Session, *, check: bool) -> Iterator[Session]:
    """Give the session; one that only checks and has no workspace yet gets one that is gone afterwards."""
    if not check or session.workspace.exists:
        yield session
        return
    with TemporaryDirectory() as folder:
        there = Workspace(Path(folder).resolve())  # a file of its own, whatever database the workspace will have
        (there.tables).mkdir()
        there.quarantine.mkdir()
        held = replace(session, workspace=there)
        yield held
        held.catalogue.engine.dispose()


def _run(
    session: Session, sources: Sequence[Source], report: Path | None, *, check: bool, backfill: bool
) -> IngestReport:
    rows_file = None if report is None else report.with_name(f"{report.stem}.rows.jsonl").resolve()
    with session.step("Checking the tables" if check else "Checking and landing the tables"):
        return ingest(
            session.workspace,
            session.catalogue,
            sources,
            session.settings,
            clock(),
            check_only=check,
            backfill=backfill,
            rows_file=rows_file,
            outlook=partial(outlook, session),
        )


def _write(session: Session, body: Json, report: Path) -> None:
    if report.suffix == ".html":
        from churnml.service.pages.data import ingest_report_page  # noqa: PLC0415  # Jinja is not needed otherwise

        text = ingest_report_page(body, "en", time_zone=session.settings.time_zone, at=clock())
    else:
        text = json.dumps(body, ensure_ascii=False, indent=1)
    with session.workspace.atomically(report.resolve()) as draft:
        draft.write_text(text, encoding="utf-8")


def outlook(session: Session, preflight: Json) -> Json:
    """Return whether history would suffice to train, and which families of features would be on."""
    from churnml.features.catalogue import catalogue  # noqa: PLC0415
    from churnml.labels import history_needed_days  # noqa: PLC0415

    config = session.load("train", TrainConfig)
    lag = (config.return_window_days if preflight["rows"].get("returns") else 0) + preflight["lateness_days"]
    needs = history_needed_days(config.horizon_days, config.min_history_days, config.step_days, lag)
    has = preflight["span_days"] or 0
    features = catalogue(preflight["rows"])
    ready = has >= needs and not preflight["missing_tables"] and _tells_who_left(preflight)
    enough = ready and preflight["rows"]["customers"] >= _FEWEST_CUSTOMERS
    return {
        "suffices": enough,
        "horizon_days": config.horizon_days,
        "needs_days": needs,
        "has_days": has,
        "says": _verdict(preflight, needs, has, config.horizon_days),
        "families_on": sorted(features.families),
        "families_off": dict(features.off),
    }


def _tells_who_left(preflight: Json) -> bool:
    return any(preflight["rows"].get(table) for table in ("orders", "subscriptions"))


def _verdict(preflight: Json, needs: int, has: int, horizon_days: int) -> str:
    if preflight["missing_tables"]:
        return f"not enough to train yet: no {' and no '.join(preflight['missing_tables'])}"
    if not _tells_who_left(preflight):
        return "not enough to train yet: who left is told by `orders` or `subscriptions`, and there is neither"
    few = preflight["rows"]["customers"]
    if has >= needs and few < _FEWEST_CUSTOMERS:
        return (
            f"{few:,} customers are too few to learn from who leaves, which takes 30 who left and 30 who stayed; until "
            "then scores come from the rhythm of buying or a rule, each with its interval"
        )
    if has >= needs:
        return f"{has:,} days of history suffice for a horizon of {horizon_days} days, which needs {needs:,}"
    return (
        f"a horizon of {horizon_days} days needs {needs:,} days of history, found {has:,}: bring more, or shorten "
        "`horizon_days` or `min_history_days` in configs/train.yaml; until then scores come from what there is, "
        "with an interval and not judged out of time"
    )


def tell(session: Session, found: IngestReport, *, check: bool = False) -> None:
    """Say in a table how many rows landed, were known, or were set aside, and show the first of those."""
    say = session.console.print
    if found.tables:
        grid = Grid("table", "from", box=None, header_style="bold")
        for name in ("rows", "would land" if check else "landed", "known already", "quarantined"):
            grid.add_column(name, justify="right")
        for one in found.tables:
            counts = (one.read, one.landed, one.skipped, one.quarantined)
            grid.add_row(one.table, _shown(one.origin), *(f"{count:,}" for count in counts))
        say(grid)
    _tell_findings(session, found)
    _tell_clocks(session, found)
    if found.already_landed:
        say(f"[dim]unchanged since they landed: {_shown(', '.join(found.already_landed))}[/]")
    if found.rows_file and any(one.findings for one in found.tables):
        say(f"every row set aside or warned about: {found.rows_file}", markup=False)
    ahead = found.outlook
    if found.tables and ahead is not None:
        for caution in found.preflight["cautions"]:
            say("[yellow]caution[/] ", end="")
            say(caution, markup=False)
        say(f"[{'green' if ahead['suffices'] else 'yellow'}]outlook[/] {ahead['says']}")
        off = "; ".join(f"{family} ({wants})" for family, wants in ahead["families_off"].items())
        say(f"[dim]features on: {', '.join(ahead['families_on']) or 'none'}" + (f"; off: {off}" if off else "") + "[/]")


def _tell_findings(session: Session, found: IngestReport) -> None:
    """Say which rules were broken, how often, and show the first rows of each."""
    colours = {"quarantine": "yellow", "warning": "cyan"}
    for one in found.tables:
        for finding in one.findings:
            rows = "row" if finding.count == 1 else "rows"
            head = f"[{colours[finding.kind]}]{finding.kind}[/] {_shown(one.origin)}: {finding.count:,} {rows}: "
            session.console.print(head, end="")
            session.console.print(f"{finding.column} {finding.rule}: {finding.remedy}".strip(), markup=False)
            for row in finding.examples[:_SHOWN]:
                session.console.print(f"  row {row['row']:,}: found {quoted_value(row['value'])}", markup=False)
        if one.newer or one.fills:
            again = f"newer versions: {one.newer:,}, later facts filled in: {one.fills:,}"
            session.console.print(f"[dim]{_shown(one.origin)}: {again}[/]")
    for note, origins in _by_words((note, one.origin) for one in found.tables for note in one.notes):
        session.console.print(f"[dim]found out[/] {_several(origins)}: ", end="")
        session.console.print(_printable(note), markup=False)
    ignored = ((_listed(one.ignored_columns), one.origin) for one in found.tables if one.ignored_columns)
    for columns, origins in _by_words(ignored):
        session.console.print(
            f"[cyan]ignored[/] {_several(origins)}: columns the contract does not know: {_shown(columns)}"
        )


def _by_words(said: Iterable[tuple[str, str]]) -> Iterable[tuple[str, list[str]]]:
    """Return each thing that is said once, with the sources it is said of."""
    origins: dict[str, list[str]] = {}
    for words, origin in said:
        origins.setdefault(words, []).append(origin)
    return origins.items()


def _several(origins: Sequence[str]) -> str:
    return _shown(_listed(list(dict.fromkeys(origins))))


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more:,} more" if more > 0 else "")


def _printable(text: str) -> str:
    """Return a text of the data without what would steer a terminal."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def _shown(text: str) -> str:
    """Return a text of the data as it is printed among our own markup."""
    return escape(_printable(text))


def _cautioned(found: IngestReport) -> bool:
    """Tell whether a caution says already how history is landed."""
    return any("--backfill" in caution for caution in found.preflight.get("cautions", ()))


def _tell_clocks(session: Session, found: IngestReport) -> None:
    """Say how rows that do not tell when they were learned were taken: it decides which cutoffs see them."""
    late = [one for one in found.tables if one.learned_now]
    if late:
        tables, rows = sorted({one.table for one in late}), sum(one.undated for one in late)
        session.console.print(
            f"[yellow]learned today[/] {', '.join(tables)}: {rows:,} {'row' if rows == 1 else 'rows'} that did not say "
            "when they were learned count as learned now, since this is not the table's first landing; no earlier "
            "cutoff sees them"
            + ("" if _cautioned(found) else ". If they are history, land them with --backfill instead")
        )
    spans = [one for one in found.tables if one.backfill]
    if spans:
        zone, rows = session.settings.time_zone, sum(one.undated for one in spans)
        first = moment(min(one.first_at for one in spans if one.first_at is not None), zone).date()
        last = moment(max(one.last_at for one in spans if one.last_at is not None), zone).date()
        session.console.print(
            f"[dim]backfill: {rows:,} {'row' if rows == 1 else 'rows'} between {first} and {last} "
            f"{'counts' if rows == 1 else 'count'} as known when {'it' if rows == 1 else 'they'} happened[/]"
        )
