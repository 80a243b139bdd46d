"""Check, quarantine, land: what a company brings either keeps the contract or is told, row by row, where it does not.

A file that breaks the contract is refused whole and the workspace stays as it was, but for consents: a refusal among
them holds whatever is wrong with the files beside it. A broken row goes to quarantine with its file, row, column,
value, rule and remedy, and the rest lands. A row that comes again equal is skipped.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb

from churnml.config import WorkspaceConfig
from churnml.database import Catalogue, Workspace
from churnml.database.workspace import digest_of_file
from churnml.errors import DataRefusedError
from churnml.events import keeping, quarantine
from churnml.events.checking import STANDS, Checked, Opened, compare, open_source, stage
from churnml.events.consent import refusals_changed
from churnml.events.consent_rows import hold_undated, read_leniently
from churnml.events.landing import sweep, write_part
from churnml.events.merging import still_read
from churnml.events.no_bar import without_bar
from churnml.events.preflight import preflight
from churnml.events.redating import redate
from churnml.events.reporting import IngestReport, Refusal, TableReport, quoted_value
from churnml.events.rules import references
from churnml.events.schema import CURRENCY, TABLES
from churnml.events.sheets import with_unread_sheets
from churnml.events.sources import STANDING, Source
from churnml.events.sources.opening import unchanged

Json = dict[str, Any]  # Any: JSON
Outlook = Callable[[Json], Json | None]
_MEMORY = "500MB"
_MEMORY_OF_A_CHECK = "600MB"
"""Nothing is sorted and written beside it, and ten million orders need not go to the disk."""
_GOES_TO_DISK = 1_000_000_000
"""Bytes of files whose rows go to the disk anyhow; DuckDB does not count what it notes of it, about a byte a row."""
_A_FEW = 5


@dataclass
class _Landing:
    """One landing while it is being checked."""

    connection: duckdb.DuckDBPyConnection
    scratch: Path
    landed: dict[str, list[str]]
    history: bool
    digests: dict[int, str] = field(default_factory=dict)
    tables: list[Checked] = field(default_factory=list)
    reports: list[TableReport] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


def ingest(
    workspace: Workspace,
    catalogue: Catalogue,
    sources: Sequence[Source],
    config: WorkspaceConfig,
    now: int,
    *,
    check_only: bool = False,
    backfill: bool = False,
    rows_file: Path | None = None,
    outlook: Outlook = lambda _: None,
    progress: Callable[[str], None] = lambda _: None,
) -> IngestReport:
    """Check sources against the contract and land what keeps it.

    Parameters
    ----------
    sources : sequence of Source
        In any order; `customers` are checked first, because all others refer to them.
    now : int
        The landing time, microseconds UTC; what a later landing without `ingested_at` is stamped with.
    check_only : bool
        Check and report, write nothing to the workspace.
    backfill : bool
        Take rows without `ingested_at` as known when they happened, in a later landing as well as in the first.
    rows_file : Path, optional
        Where to write every row set aside or warned about, also on a check or a refusal.
    outlook : callable
        Told what `preflight` found, says what that would be good for; the report repeats it.
    progress : callable
        Told the origin of each source before it is checked.

    Raises
    ------
    DataRefusedError
        If a source breaks the contract as a whole; nothing of any source has landed then but sound consents. Its
        `report` says the same as a landing would, of every source.
    """
    size = sum(path.stat().st_size for source in sources for path in source.files if path.is_file())
    memory = _MEMORY_OF_A_CHECK if check_only and size < _GOES_TO_DISK else _MEMORY
    with workspace.locked("ingest"), connected(workspace, memory) as (connection, scratch):
        landing = _Landing(connection, scratch, _landed_files(workspace, catalogue), backfill)
        try:
            with _unchanged(sources):
                known = _check_all(
                    landing,
                    sources,
                    catalogue,
                    config,
                    now,
                    check_only=check_only,
                    backfill=backfill,
                    progress=progress,
                )
                if rows_file is not None:
                    quarantine.write_rows(connection, landing.tables, rows_file)
                report = replace(
                    _report_of(landing, catalogue, config, outlook),
                    already_landed=[source.origin for source in known],
                    rows_file=str(rows_file or ""),
                )
                _require_none_refused(report)
        except DataRefusedError as error:
            if not check_only and (consents := _consents_alone(landing)) is not None:
                found = _land(consents, workspace, catalogue, _report_of(consents, catalogue, config), now)
                raise _refused(error, found.batch_id) from error
            raise _refused(error) from error
        if check_only:
            return report
        return _land(landing, workspace, catalogue, report, now)


def _consents_alone(landing: _Landing) -> _Landing | None:
    """Return the consents of a landing that is refused, as a landing of their own; None if there are none to land.

    What someone refuses holds from now on, and does not wait until another file is mended. Files that have changed
    since they were read do.
    """
    tables = [one for one in landing.tables if one.table.name == "consents"]
    reports = [one for one in landing.reports if one.table == "consents"]
    if not reports or any(_has_changed(staged.source, landing) for checked in tables for staged in checked.sources):
        return None
    return replace(landing, tables=tables, reports=reports, refused=[])


def _has_changed(source: Source, landing: _Landing) -> bool:
    return (
        not all(path.is_file() for path in source.files)
        or _digest(source, history=landing.history) != landing.digests[id(source)]
    )


def _report_of(
    landing: _Landing, catalogue: Catalogue, config: WorkspaceConfig, outlook: Outlook = lambda _: None
) -> IngestReport:
    ahead = preflight(landing.connection, landing.landed, landing.tables, catalogue.parts(), landing.reports)
    return IngestReport(
        batch_id=None,
        tables=with_unread_sheets(landing.reports, landing.tables),
        refused=landing.refused,
        preflight=ahead,
        outlook=outlook(ahead),
        time_zone=config.time_zone,
    )


def _require_none_refused(report: IngestReport) -> None:
    """Raise every reason; a person who has to correct three files wants to hear of all three."""
    if report.refused:
        # Each reason once: one file that fills four tables is refused four times for the same thing.
        reasons = dict.fromkeys(refusal.reason for refusal in report.refused)
        raise DataRefusedError("\n".join(reasons), report=report.to_json())


def _refused(error: DataRefusedError, batch_id: int | None = None) -> DataRefusedError:
    """Return a refusal that says what landed all the same."""
    but = "" if batch_id is None else " but the consents: what someone refuses holds, whatever else is to be mended"
    report = None if error.report is None else {**error.report, "batch_id": batch_id}
    return DataRefusedError(f"{error}\nNothing landed{but}.", report=report)


def _stamps(sources: Sequence[Source], digests: dict[int, str], reports: Sequence[TableReport]) -> list[str]:
    """Return what to remember the files by.

    One of which rows were set aside is remembered otherwise: it is read again when it comes again, for the customer
    its rows were waiting for may have landed since. So is one of which rows were left out, whose customer was erased.
    """
    unsound = {(one.table, one.origin) for one in reports if one.quarantined or one.erased}
    return [
        hashlib.sha256(f"set aside {digests[id(one)]}".encode()).hexdigest()
        if (one.table, one.origin) in unsound
        else digests[id(one)]
        for one in sources
        if one.files
    ]


@contextlib.contextmanager
def _unchanged(sources: Sequence[Source]) -> Iterator[None]:
    """Refuse files that grow or change while they are read: half a file is not what anyone meant to bring."""
    with contextlib.ExitStack() as stack:
        for path in dict.fromkeys(path for source in sources for path in source.files):
            stack.enter_context(unchanged(path))
        yield


@contextlib.contextmanager
def connected(workspace: Workspace, memory: str = _MEMORY) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """Give a connection of little memory, and a folder for intermediate files that is gone afterwards.

    Whoever asks for it holds the workspace's lock `ingest`.
    """
    for left_behind in workspace.root.glob(".spill-*"):  # by one that was killed: whoever holds the lock is alone
        shutil.rmtree(left_behind, ignore_errors=True)
    scratch = Path(tempfile.mkdtemp(prefix=".spill-", dir=workspace.root))
    try:
        with duckdb.connect(config={"memory_limit": memory, "temp_directory": str(scratch / "duckdb")}) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            without_bar(connection)
            # a checkpoint closes the gaps of deleted rows, and so changes the `rowid` by which a row is known here
            connection.execute("SET checkpoint_threshold = '1000 GB'")
            yield connection, scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _check_all(
    landing: _Landing,
    sources: Sequence[Source],
    catalogue: Catalogue,
    config: WorkspaceConfig,
    now: int,
    *,
    check_only: bool,
    backfill: bool,
    progress: Callable[[str], None],
) -> list[Source]:
    """Check every source, table by table in the order of the contract; one that is refused stops none of the others.

    Those that have landed before are returned, and not looked at.
    """
    # a landing will be known by its digests; a check asks for those alone that can be known already
    asked = _tables_brought(catalogue) if check_only else TABLES.keys()
    landing.digests |= {id(one): _digest(one, history=landing.history) for one in sources if one.table in asked}
    landed_before = [one for one in sources if one.files and catalogue.knows_source(landing.digests.get(id(one), ""))]
    fresh = [one for one in sources if one not in landed_before]
    _show_standing(landing)
    for table in TABLES.values():
        stands = bool(landing.landed.get(table.name))
        known_then = backfill or not stands
        whole = not check_only or stands or table.name == "consents"  # `hold_undated` looks at what they say
        learned = "occurred_at" if known_then else str(int(now))
        checked = Checked(table, learned, landing.scratch, whole, erased=catalogue.erased_among)
        brought = [one for one in fresh if one.table == table.name]
        opened = list(_opened(landing, brought, config.currency, now, progress))
        if not opened:
            continue
        landing.refused += stage(landing.connection, checked, opened)
        if checked.sources:
            if table.name == "consents":
                hold_undated(landing.connection, checked, landing.landed.get(table.name, []), now)
            landing.tables.append(checked)
            known = not any(refusal.table == "customers" for refusal in landing.refused)
            reports = compare(landing.connection, checked, landing.landed, customers_known=known)
            landing.reports += reports
            landing.refused += [_too_many(one) for one in reports if _are_too_many(one, config.max_bad_share)]
    return landed_before


def _show_standing(landing: _Landing) -> None:
    """Let readers see who has landed as a customer: an export that does not date customers must not date them anew."""
    if files := landing.landed.get("customers"):
        listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)  # a view takes no parameter
        landing.connection.execute(
            f"CREATE TEMP VIEW {STANDING} AS "
            f"SELECT customer_id, min(occurred_at) AS met_at FROM read_parquet([{listed}]) GROUP BY 1"
        )


def _opened(
    landing: _Landing, sources: Sequence[Source], currency: str, now: int, progress: Callable[[str], None]
) -> Iterator[Opened]:
    """Open the sources of one table; one that is refused stops none of the others."""
    for source in sources:
        progress(source.origin)
        try:
            opened = open_source(landing.connection, source, landing.scratch, currency, now)
            if source.table == "consents":
                read_leniently(opened.reading)
            yield opened
        except DataRefusedError as error:
            landing.refused.append(Refusal(source.table, source.origin, str(error)))


def _are_too_many(report: TableReport, max_bad_share: float) -> bool:
    """Tell whether a source is refused for its broken rows.

    A handful in a small file is no sign of a broken file unless it is most of it. Rows that contradict what stands are
    none either, for the row that stands is kept, unless they are most of it. Consents are never refused, for what
    someone refuses among them must hold; and lines and returns in another currency share the fate of their orders.
    """
    foreign = all(finding.column == CURRENCY.name for finding in report.of("quarantine"))
    if report.table == "consents" or (foreign and "orders" in references(TABLES[report.table]).values()):
        return False
    contradicting = sum(finding.count for finding in report.of("quarantine") if finding.rule == STANDS.rule)
    broken = report.quarantined - contradicting
    few = broken <= _A_FEW and 2 * broken <= report.read
    return (broken > max_bad_share * report.read and not few) or contradicting > max(0.5, max_bad_share) * report.read


def _too_many(report: TableReport) -> Refusal:
    finding = min(report.of("quarantine"), key=lambda finding: finding.examples[0]["row"])
    row = finding.examples[0]
    column = f"column `{row['column']}` " if row["column"] else ""
    if finding.column == CURRENCY.name and finding.count == report.read:
        return Refusal(
            report.table,
            report.origin,
            f"{report.origin}: every amount {finding.rule}, and none is, found {quoted_value(row['value'])}; set "
            f"`currency` in configs/workspace.yaml if that is the company's, else {finding.remedy}",
        )
    return Refusal(
        report.table,
        report.origin,
        f"{report.origin}: no more rows may break a rule than `max_bad_share` of configs/workspace.yaml allows, found "
        f"{report.quarantined:,} of {report.read:,}; first: data row {row['row']}, {column}{finding.rule}, "
        f"found {quoted_value(row['value'])}: {finding.remedy}. Correct the file, or raise `max_bad_share`",
    )


def _digest(source: Source, *, history: bool) -> str:
    """Return what a source is known by; one that landed as news is looked at again when it is said to be history."""
    digest = hashlib.sha256(f"{source.table}\n{source.mapping}\n{'history' if history else ''}".encode())
    for path in source.files:
        digest.update(digest_of_file(path).encode())
    return digest.hexdigest()


def _tables_brought(catalogue: Catalogue) -> set[str]:
    """Return the tables of which sources have landed, though perhaps none of their rows."""
    return {table["table"] for report in catalogue.reports().values() for table in report["tables"]}


def _landed_files(workspace: Workspace, catalogue: Catalogue) -> dict[str, list[str]]:
    files: dict[str, list[str]] = {}
    for part in catalogue.parts():
        files.setdefault(part.table_name, []).append(str(workspace.root / part.path))
    return files


def _land(
    landing: _Landing, workspace: Workspace, catalogue: Catalogue, report: IngestReport, now: int
) -> IngestReport:
    """Write parts and quarantine, then make them count in one transaction; a crash before it leaves nothing.

    Where nothing is new, nothing lands, and the report is returned as it was.
    """
    sweep(workspace, catalogue, still_read(workspace, now))
    quarantine.purge(workspace, catalogue, now)
    keeping.forget(workspace, catalogue.refusing())  # whom a landing that was killed then had left in there
    sources = [staged.source for checked in landing.tables for staged in checked.sources]
    digests = _stamps(sources, landing.digests, landing.reports)
    if not any(one.landed for one in report.tables) and all(map(catalogue.knows_source, digests)):
        return report
    redate(workspace, catalogue, landing.connection, [checked.table for checked in landing.tables])
    batch_id = catalogue.next_batch_id()
    rows = {name: sum(one.landed for one in report.tables if one.table == name) for name in TABLES}
    parts = [
        write_part(landing.connection, workspace, checked, batch_id, rows)
        for checked in landing.tables
        if rows[checked.table.name]
    ]
    kept = report.rows_file
    if any(one.findings for one in report.tables):
        target = quarantine.file_of(workspace, batch_id)
        with workspace.atomically(target) as draft:
            quarantine.write_rows(landing.connection, landing.tables, draft)
        kept = kept or str(target)
    report = replace(report, batch_id=batch_id, rows_file=kept)
    refusals = refusals_changed(landing.connection, landing.landed.get("consents", []))
    catalogue.land(batch_id, now, parts, report.to_json(), digests, refusals)
    keeping.forget(workspace, [customer for customer, refuses in refusals.items() if refuses])
    return report
