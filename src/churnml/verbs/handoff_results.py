"""`churnml measure outcomes --results-of salesforce`: what a tool took of what it was handed, and what it refused.

That a record was taken says only that people there can see it: its assignment stays as it is until somebody tells what
came of it. A record that was refused reached nobody, so an assignment that is still open becomes `not_delivered`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnml.config import HandoffConfig
from churnml.database import Ledger, Outcome
from churnml.errors import UsageError, nearest
from churnml.events.reporting import EXAMPLES, quoted_value
from churnml.verbs.outcomes import money_of, require_json
from churnml.verbs.session import Session, clock, require_places
from churnml.wording import Language, Text, format_number

if TYPE_CHECKING:
    from churnml.service.handoff import Answered

Json = dict[str, Any]  # Any: JSON
_OPEN = {"open", "expired"}
"""Assignments of which nobody has said what came of them."""
_AGAIN = {"UNABLE_TO_LOCK_ROW", "REQUEST_LIMIT_EXCEEDED", "SERVER_UNAVAILABLE", "QUERY_TIMEOUT"}
"""Errors of the moment: the record is right, and is taken at another attempt."""

NOT_POSTED: Mapping[str, Text] = {
    "again": Text("an error of the moment: hand them over again", "属于暂时性错误：请重新交接"),
    "no_assignment": Text("nothing was assigned to them", "没有分配任何动作"),
    "unknown": Text("no assignment of this workspace", "不是本工作区的分配"),
    "stood": Text("not delivered, as was known already", "未送达，此前已记录"),
    "older": Text("the file is older than their assignment", "文件早于其分配"),
    "settled": Text("their outcome is known already", "结果此前已记录"),
    "withheld": Text("controls, with whom nothing was to be done", "对照客户，本来就不干预"),
    "refused": Text("refuse to be profiled by now", "客户现已拒绝画像"),
}
"""Why a record that was refused changes nothing in the ledger."""
_ANSWERS: Mapping[str, Text] = {
    "taken": Text(
        "{file}: records that Salesforce took: {read}, new there: {created}",
        "{file}：Salesforce 已接收 {read} 条记录，其中新建 {created} 条",
    ),
    "refused": Text(
        "{file}: records that Salesforce refused: {read}; assignments that {are} not delivered: {kept}",
        "{file}：Salesforce 拒绝了 {read} 条记录；{are}“未送达”的分配：{kept} 个",
    ),
    "not_tried": Text(
        "{file}: records that Salesforce never came to: {read}; hand them over again",
        "{file}：Salesforce 未处理 {read} 条记录；请重新交接",
    ),
}
_ARE = {True: Text("would be", "将记为"), False: Text("are now", "已记为")}
_FINDING = Text("{count} refused: data row {row}, {where}{says}", "{count} 条被拒绝：数据第 {row} 行，{where}{says}")
_COLUMN = Text("column `{column}` holding {value}: ", "列 `{column}` 的值为 {value}：")
_LEFT = Text("{count} left as they are: {why}", "{count} 条不作改动：{why}")


def handoff_results(
    session: Session, tool: str, file: Path, *, check: bool = False, report: Path | None = None
) -> Json:
    """Post as not delivered what a tool refused, and return what it answered, record by record where it refused.

    Parameters
    ----------
    tool : str
        Whose answer it is: `salesforce`.
    file : Path
        The successful, failed or unprocessed results of a job of Bulk API 2.0; which, its header tells.
    check : bool, default False
        Tell what would be posted, and post nothing.
    report : Path, optional
        A .json file for everything that is returned, and every record that was refused.

    Raises
    ------
    UsageError
        If the answers of such a tool are not read, there is no such file, or the report is to be of another kind.
    DataRefusedError
        If the file is no result of what was handed over.
    """
    from churnml.service.handoff import TOOL, read_results  # noqa: PLC0415  # FastAPI takes a second to import

    if tool != TOOL:
        raise UsageError(f"--results-of must be {TOOL}, got {tool!r}{nearest(tool, [TOOL])}")
    require_json(report)
    require_places([report] if report is not None else [])
    settings = session.load("handoff", HandoffConfig).targets.get(tool)
    with session.step("Reading the results"):
        results = read_results(file, settings.columns if settings else {})
    refused = results.records if results.answer == "refused" else []
    ledger, now = Ledger(session.catalogue.engine), clock()
    left, undelivered = _sorted_out(refused, ledger.states({one.assignment_id for one in refused}))
    at = min(int(file.stat().st_mtime * 1_000_000), now)
    posting = ledger.post((Outcome(one, at, "not_delivered") for one in undelivered), now, check=check)
    left["older"] += sum(one.became == "refused" for one in posting.posted)
    body: Json = {
        "file": file.name,
        "results_of": tool,
        "answer": results.answer,
        "check": check,
        "read": len(results.records),
        "created": sum(one.created for one in results.records),
        "kept": sum(one.became == "kept" for one in posting.posted),
        "left": dict((+left).most_common()),
        "findings": _findings(refused),
        "campaigns": [money_of(one) for one in ledger.campaigns()],
    }
    if report is not None:
        with session.workspace.atomically(report.resolve()) as draft:
            whole = body | {"rows": [_row(one) for one in refused]}
            draft.write_text(json.dumps(whole, ensure_ascii=False, indent=1), encoding="utf-8")
    return body


def _sorted_out(refused: Sequence[Answered], states: Mapping[str, str]) -> tuple[Counter[str], list[str]]:
    """Return how many change nothing, by reason, and the assignments that were not delivered."""
    left, undelivered = Counter[str](), dict[str, None]()
    for one in refused:
        why = _why_left(one, states)
        if why is None and one.assignment_id not in undelivered:
            undelivered[one.assignment_id] = None
        else:
            left[why or "stood"] += 1
    return left, list(undelivered)


def _why_left(one: Answered, states: Mapping[str, str]) -> str | None:
    if one.code in _AGAIN:
        return "again"
    if not one.assignment_id:
        return "no_assignment"
    state = states.get(one.assignment_id, "unknown")
    if state in _OPEN:
        return None
    known = {"unknown": "unknown", "not_delivered": "stood", "withheld": "withheld", "refused": "refused"}
    return known.get(state, "settled")


def _row(one: Answered) -> Json:
    names = ("row", "customer_id", "assignment_id", "code", "words", "column", "value")
    return {name: getattr(one, name) for name in names}


def _findings(refused: Sequence[Answered]) -> list[Json]:
    """Return each error, by code, column and words, with how many records and the first of them."""
    found: dict[tuple[str, str, str], Json] = {}
    for one in refused:
        said = {"code": one.code, "column": one.column, "words": one.words}
        finding = found.setdefault((one.code, one.column, one.words), said | {"count": 0, "examples": []})
        finding["count"] += 1
        if len(finding["examples"]) < EXAMPLES:
            finding["examples"].append(_row(one))
    return sorted(found.values(), key=lambda finding: -int(finding["count"]))


def told(body: Json, language: Language = "en") -> str:
    """Return in words what the tool answered and what it changed, one line for each thing to know."""
    are = _ARE[body["check"]].to(language)
    numbers = {name: format_number(body[name], language) for name in ("read", "created", "kept")}
    lines = [_ANSWERS[body["answer"]].to(language).format(file=body["file"], are=are, **numbers)]
    lines += [f"  {_said(finding, language)}" for finding in body["findings"]]
    lines += [
        "  " + _LEFT.to(language).format(count=format_number(number, language), why=NOT_POSTED[why].to(language))
        for why, number in body["left"].items()
    ]
    return "\n".join(lines)


def _said(finding: Json, language: Language) -> str:
    first = finding["examples"][0]
    where = _COLUMN.to(language).format(column=first["column"], value=quoted_value(first["value"] or None))
    return _FINDING.to(language).format(
        count=format_number(finding["count"], language),
        row=first["row"],
        where=where if first["column"] else "",
        says=": ".join(part for part in (finding["code"], finding["words"]) if part),
    )
