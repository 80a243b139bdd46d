"""`churnml measure outcomes FILE`: what came of the actions, posted to the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from churnml.database import FLAGS, Campaign, Ledger, Posted, units
from churnml.errors import DataRefusedError, UsageError
from churnml.events.clock import moment
from churnml.events.outcome_file import OutcomeFile, read_outcomes
from churnml.events.reporting import EXAMPLES, quoted_value
from churnml.verbs.session import Session, clock, require_places

Json = dict[str, Any]  # Any: JSON
_SHOWN = 3


def outcomes(session: Session, file: Path, *, check: bool = False, report: Path | None = None) -> Json:
    """Keep the outcomes of a file that keep the rules, and return what became of all.

    Parameters
    ----------
    check : bool
        Tell what would become of them, and keep none.
    report : Path, optional
        A .json file for everything that is returned, and every row that was refused.

    Raises
    ------
    UsageError
        If the file cannot be read as a table at all, or the report is to be of another kind.
    DataRefusedError
        If no row is kept nor stood already; the report is written all the same.
    """
    require_json(report)
    require_places([report] if report is not None else [])
    now, ledger = clock(), Ledger(session.catalogue.engine)
    with session.step("Checking the outcomes" if check else "Posting the outcomes"):
        found = read_outcomes(session.workspace, file, session.settings, now)
        posting = ledger.post(found.outcomes(), now, check=check)
    rows = sorted([*_set_aside(found), *_of_ledger(found, posting.posted)], key=lambda row: int(row["row"]))
    body = _body(file, found, posting.posted, rows) | {
        "check": check,
        "campaigns": [money_of(one) for one in ledger.campaigns()],
        "overspent": {name: units(excess) for name, excess in posting.overspent.items()},
    }
    if report is not None:
        with session.workspace.atomically(report.resolve()) as draft:
            text = json.dumps(body | {"rows": rows}, ensure_ascii=False, indent=1, default=str)
            draft.write_text(text, encoding="utf-8")
    if found.read and body["refused"] == found.read:
        raise DataRefusedError(_all_refused(body), report=body)
    return body


def _set_aside(found: OutcomeFile) -> Iterator[Json]:
    for row in found.aside:
        kind = "refused" if row["kind"] == "quarantine" else "warning"
        yield {name: row[name] for name in ("row", "assignment_id", "column", "value", "rule", "remedy")} | {
            "kind": kind
        }


def _of_ledger(found: OutcomeFile, posted: Sequence[Posted]) -> Iterator[Json]:
    """Yield what the ledger says of rows that it refused, or kept and wants to be known."""
    numbers, ids = found.good.column("row"), found.good.column("assignment_id")
    for place, one in enumerate(posted):
        where = {"row": numbers[place].as_py(), "assignment_id": ids[place].as_py()} if one.flags or one.refused else {}
        if one.refused is not None:
            said = one.refused
            value = moment(int(str(said.value)), "UTC").isoformat() if said.column == "occurred_at" else said.value
            said_so = {"column": said.column, "value": value, "rule": said.rule, "remedy": said.remedy}
            yield where | said_so | {"kind": "refused"}
        for flag in one.flags:
            yield where | {"column": "", "value": flag, "rule": FLAGS[flag], "remedy": "", "kind": "flag"}


def _body(file: Path, found: OutcomeFile, posted: Sequence[Posted], rows: Sequence[Json]) -> Json:
    became = [one.became for one in posted]
    return {
        "file": file.name,
        "read": found.read,
        "kept": became.count("kept"),
        "stood": became.count("stood"),
        "refused": sum(row["kind"] == "refused" for row in rows),
        "flags": {flag: sum(flag in one.flags for one in posted) for flag in FLAGS},
        "findings": _findings(rows),
        "ignored_columns": found.ignored_columns,
        "notes": found.notes,
    }


def _findings(rows: Sequence[Json]) -> list[Json]:
    """Return each rule that rows broke, or thing to know of them, with how many rows and the first of them."""
    by_rule: dict[tuple[str, str, str], Json] = {}
    for row in rows:
        key = (row["kind"], row["column"], row["rule"])
        said = {name: row[name] for name in ("kind", "column", "rule", "remedy")}
        finding = by_rule.setdefault(key, said | {"count": 0, "examples": []})
        finding["count"] += 1
        if len(finding["examples"]) < EXAMPLES:
            finding["examples"].append({name: row[name] for name in ("row", "assignment_id", "value")})
    return list(by_rule.values())


def require_json(report: Path | None) -> None:
    """Refuse a report that is to be anything but JSON.

    Raises
    ------
    UsageError
        If its name does not end so.
    """
    if report is not None and report.suffix != ".json":
        raise UsageError(f"--report must name a file that ends in .json, got {report.name!r}")


def money_of(campaign: Campaign) -> Json:
    """Return what a campaign has, in units of the currency."""
    amounts = {name: units(getattr(campaign, name)) for name in ("budget", "reserved", "spent", "left")}
    return {"name": campaign.name, **amounts}


def _all_refused(body: Json) -> str:
    first = next(finding for finding in body["findings"] if finding["kind"] == "refused")
    return f"{body['file']}: no outcome was kept of {body['read']:,}; {_said(first)}"


def _said(finding: Json) -> str:
    first = finding["examples"][0]
    column = f"column `{finding['column']}` " if finding["column"] else ""
    remedy = f": {finding['remedy']}" if finding["remedy"] else ""
    return f"data row {first['row']}, {column}{finding['rule']}, found {quoted_value(first['value'])}{remedy}"


def told(body: Json, currency: str) -> str:
    """Return in words what became of the outcomes, one line for each thing to know."""
    would = "would be " if body["check"] else ""
    lines = [
        (
            f"{body['read']:,} outcomes: {body['kept']:,} {would}kept, {body['stood']:,} stood already, "
            f"{body['refused']:,} {would}refused"
        )
    ]
    lines += [
        f"  {finding['count']:,} {'row' if finding['count'] == 1 else 'rows'} {finding['kind']}: {_said(finding)}"
        for finding in body["findings"]
    ]
    if body["ignored_columns"]:
        lines.append(f"  columns that say nothing here: {', '.join(body['ignored_columns'])}")
    lines += [
        f"campaign {one['name']}: {one['spent']:,.2f} {currency} spent, {one['reserved']:,.2f} reserved, "
        f"{one['left']:,.2f} of {one['budget']:,.2f} left"
        for one in body["campaigns"]
    ]
    lines += [
        f"campaign {name} exceeds its budget by {excess:,.2f} {currency}; nothing more that costs is assigned in it"
        for name, excess in body["overspent"].items()
    ]
    return "\n".join(lines)
