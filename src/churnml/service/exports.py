"""Lists as files: CSV that Excel opens rightly, workbooks, JSON lines; nothing in them can run anything there.

References
----------
OWASP, CSV Injection: a cell that begins with ``= + - @``, tab or carriage return is taken for a formula.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence

from churnml.measures import SEGMENTS, STAGES
from churnml.policy import BECAUSE
from churnml.service.fields import sparse
from churnml.service.readings import CurrentRun, Record
from churnml.service.workbooks import Cell, Column, Kind, workbook_chunks
from churnml.wording import Language, Text, translator

_BYTE_ORDER_MARK = "\ufeff"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # Excel takes these too
_CHUNK_ROWS = 500
_HALF = 0.5
_AT_RISK_KINDS: tuple[Kind, ...] = (
    "text", "money", "share", "text", "money", "long", "long", "long", "text", "text", "money", "day", "day", "day",
    "day", "day", "day", "number", "day", "number", "number", "number", "text", "text", "text", "text", "text", "long",
    "text", "text", "day", "share", "share",
)  # fmt: skip
_PROSPECT_KINDS: tuple[Kind, ...] = ("text", "share", "share", "share", "text", "long", "long", "long", "day")


def csv_chunks(found: Iterable[Record], currency: str, language: Language) -> Iterator[str]:
    """Give the list of customers at risk as CSV text, a few hundred rows at a time.

    Parameters
    ----------
    found : iterable of dict
        Decision records, in the order they are to stand in.
    currency : str
        ISO 4217 code, named in the header beside every amount.
    language : {"en", "zh"}
        Language of the header, the reasons and the actions.
    """
    return _chunks(_header(currency, language), (_row(record, language) for record in found))


def prospect_chunks(found: Iterable[Record], language: Language) -> Iterator[str]:
    """Give the list of prospects as CSV text, a few hundred rows at a time; parameters as `csv_chunks`."""
    return _chunks(_prospect_header(language), (_prospect_row(record, language) for record in found))


def xlsx_chunks(found: Iterable[Record], run: CurrentRun, filters: str, language: Language) -> Iterator[bytes]:
    """Give the list of customers at risk as the bytes of a workbook.

    Parameters
    ----------
    found : iterable of dict
        Decision records, in the order they are to stand in.
    run : CurrentRun
        Whose list it is.
    filters : str
        What the list was asked for by, as its address says it.
    language : {"en", "zh"}
        Which of the two languages of the header stands first, and that of the cells.
    """
    currency = str(run.summary.get("currency", ""))
    columns = _columns(_header(currency, "en"), _header(currency, "zh"), _AT_RISK_KINDS)
    rows = (_row(record, language) for record in found)
    return workbook_chunks(columns, rows, about(run, filters, language), language)


def prospect_xlsx_chunks(found: Iterable[Record], run: CurrentRun, language: Language) -> Iterator[bytes]:
    """Give the list of prospects as the bytes of a workbook; parameters as `xlsx_chunks`."""
    columns = _columns(_prospect_header("en"), _prospect_header("zh"), _PROSPECT_KINDS)
    rows = (_prospect_row(record, language) for record in found)
    return workbook_chunks(columns, rows, about(run, "", language), language)


def jsonl_chunks(found: Iterable[Record], fields: Sequence[str] | None = None) -> Iterator[str]:
    """Give records as JSON, a line each.

    Parameters
    ----------
    found : iterable of dict
        Decision records, in the order they are to stand in.
    fields : sequence of str, optional
        The fields that are wanted; all of them if left out.
    """
    lines: list[str] = []
    for record in found:
        lines.append(json.dumps(sparse(record, fields), ensure_ascii=False, allow_nan=False) + "\n")
        if len(lines) == _CHUNK_ROWS:
            yield "".join(lines)
            lines.clear()
    yield "".join(lines)


def about(run: CurrentRun, filters: str, language: Language) -> list[tuple[Text, str]]:
    """Return what a workbook says of itself: whose list it is, as of when, and how to read it."""
    summary = run.summary
    note = Text(
        "Customers marked as control or held out are not to be approached: they show what happens without action. "
        "Probabilities are estimates for the horizon; value at risk is probability times what staying brings.",
        "标记为对照或留出的客户请勿联系：他们用于观察不采取行动时的结果。"
        "概率是对预测期的估计；风险价值 = 流失概率 × 留存带来的价值。",
    )
    return [
        (Text("As of", "截至"), str(summary.get("cutoff", ""))),
        (Text("Horizon, days", "预测期（天）"), str(summary.get("horizon_days", ""))),
        (Text("Currency", "货币"), str(summary.get("currency", ""))),
        (Text("Filters", "筛选条件"), filters or "–"),
        (Text("Run", "运行"), run.run_id),
        (Text("Model", "模型"), str(run.model_version or "")),
        (Text("How to read it", "阅读说明"), note.to(language)),
    ]


def _columns(english: list[str], chinese: list[str], kinds: Sequence[Kind]) -> list[Column]:
    titles = zip(english, chinese, kinds, strict=True)
    return [Column(Text(en, zh), kind) for en, zh, kind in titles]


def _chunks(header: list[str], rows: Iterable[list[Cell]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write(_BYTE_ORDER_MARK)
    writer.writerow([safe(cell) for cell in header])
    for count, row in enumerate(rows, start=1):
        writer.writerow([safe(cell) for cell in row])
        if count % _CHUNK_ROWS == 0:
            yield _drain(buffer)
    yield _drain(buffer)


def safe(cell: Cell) -> Cell:
    """Return a cell that no spreadsheet takes for a formula; numbers stay numbers."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell


def _drain(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _header(currency: str, language: Language) -> list[str]:
    _ = translator(language).gettext
    unit = f" ({currency})"
    return [
        _("Customer"),
        _("Value at risk") + unit,
        _("Churn probability"),
        _("Risk band"),
        _("CLV") + unit,
        _("Reason 1"),
        _("Reason 2"),
        _("Reason 3"),
        _("Suggested action"),
        _("Group"),
        _("Expected net value") + unit,
        _("Last order"),
        _("1 of 4 orders by"),
        _("2 of 4 order by"),
        _("3 of 4 order by"),
        _("Contract renews"),
        _("1 of 2 has left by"),
        _("Days with an order"),
        _("As of"),
        _("Satisfaction (0 to 100)"),
        _("Satisfaction, from"),
        _("Satisfaction, to"),
        _("Satisfaction known by"),
        _("Lifecycle stage"),
        _("Segment"),
        _("No action because"),
        _("Category to offer"),
        _("Because"),
        _("Owner"),
        _("Case"),
        _("Follow up on"),
        _("Churn probability before"),
        _("Change in risk"),
    ]


def _row(record: Record, language: Language) -> list[Cell]:
    reasons = [reason["sentence"][language] for reason in record["reasons"][:3]]
    return [
        record["customer_id"],
        record["value_at_risk"],
        record["churn_probability"],
        band_name(record["risk_band"], language),
        record["clv"],
        *reasons,
        *[""] * (3 - len(reasons)),
        (record["action_label"] or {}).get(language, record["action"]),
        arm_name(record["arm"], language),
        record["expected_net_value"],
        record["last_order_on"],
        *_next_order(record),
        record.get("renews_on"),
        _half_gone(record),
        record["order_days"],
        record["cutoff"],
        *_satisfaction(record, language),
        stage_name(record.get("lifecycle_stage"), language),
        segment_name(record.get("segment"), language),
        because(record.get("no_action_because"), language)[0],
        *_next_category(record, language),
        *_case(record, language),
        record.get("churn_probability_before"),
        record.get("churn_probability_change"),
    ]


def _prospect_header(language: Language) -> list[str]:
    _ = translator(language).gettext
    return [
        _("Customer"),
        _("Conversion probability"),
        _("At least"),
        _("At most"),
        _("Stands as"),
        _("Reason 1"),
        _("Reason 2"),
        _("Reason 3"),
        _("As of"),
    ]


def _prospect_row(record: Record, language: Language) -> list[Cell]:
    reasons = [reason["sentence"][language] for reason in record["reasons"][:3]]
    return [
        record["customer_id"],
        record["conversion_probability"],
        record["conversion_low"],
        record["conversion_high"],
        standing_name(record["rung"], language),
        *reasons,
        *[""] * (3 - len(reasons)),
        record["cutoff"],
    ]


def standing_name(rung: str, language: Language) -> str:
    """Return in words what someone is who has not paid for anything yet."""
    _ = translator(language).gettext
    return _("On trial") if rung == "trial" else _("Prospect")


def _satisfaction(record: Record, language: Language) -> list[Cell]:
    """Return point, interval and origin; empty where nothing is told, and of records of earlier versions."""
    _ = translator(language).gettext
    known = {"answers": _("Their answers"), "estimate": _("Estimate")}.get(record.get("satisfaction_from") or "", "")
    return [*(record.get(name) for name in ("satisfaction", "satisfaction_low", "satisfaction_high")), known]


def _next_category(record: Record, language: Language) -> list[Cell]:
    """Return the category and why; empty where none is told, and of records of earlier versions."""
    found = record.get("next_category")
    return [found["category"], found["why"][language]] if found else ["", ""]


def _case(record: Record, language: Language) -> list[Cell]:
    """Return who holds the case, how it stands and for when it is; empty where there is none."""
    case = record.get("case")
    return [case["owner"], status_name(case["status"], language), case["follow_up_on"]] if case else ["", "", ""]


def _next_order(record: Record) -> list[Cell]:
    """Return the three dates; none of records of earlier versions, which know of no such thing."""
    dates = [one["date"] for one in record.get("next_order", [])]
    return [*dates, *[""] * (3 - len(dates))]


def _half_gone(record: Record) -> Cell:
    """Return by when one of two such customers has left for good; empty where that is not told."""
    return next((one["date"] for one in record.get("remaining_life", []) if one["quantile"] == _HALF), None)


def band_name(band: str | None, language: Language) -> str:
    """Return a risk band in words; empty for none."""
    _ = translator(language).gettext
    return {"high": _("High"), "medium": _("Medium"), "low": _("Low")}.get(band or "", "")


def status_name(status: str, language: Language) -> str:
    """Return in words how a case stands."""
    _ = translator(language).gettext
    names = {
        "open": _("Open"),
        "claimed": _("Claimed"),
        "waiting": _("Waiting"),
        "done": _("Done"),
        "dropped": _("Given up"),
    }
    return names.get(status, status)


def call_result(result: str, language: Language) -> str:
    """Return what came of a call in words."""
    _ = translator(language).gettext
    names = {
        "reached": _("Reached"),
        "no_answer": _("No answer"),
        "refused": _("Declined"),
        "accepted": _("Accepted"),
        "wrong_number": _("Wrong number"),
        "do_not_call": _("Do not call"),
    }
    return names.get(result, result)


def sort_name(sort: str, language: Language) -> str:
    """Return what a list is sorted by in words."""
    _ = translator(language).gettext
    names = {
        "value_at_risk": _("Value at risk"),
        "churn_probability": _("Churn probability"),
        "churn_probability_change": _("Change in risk"),
        "clv": _("CLV"),
        "expected_net_value": _("Expected net value"),
        "last_order_on": _("Last order"),
    }
    return names.get(sort, sort)


def change_name(change: str, language: Language) -> str:
    """Return in words how a churn probability changed since the run before."""
    _ = translator(language).gettext
    names = {
        "risen": _("Up by 5 points or more"),
        "fallen": _("Down by 5 points or more"),
        "new": _("New on the list"),
    }
    return names.get(change, change)


def column_name(column: str, language: Language) -> str:
    """Return in words what a column of the list tells."""
    _ = translator(language).gettext
    names = {
        "value_at_risk": _("Value at risk"),
        "churn_probability": _("Churn probability"),
        "change": _("Change in risk"),
        "risk_band": _("Risk band"),
        "clv": _("CLV"),
        "reason": _("Main reason"),
        "action": _("Suggested action"),
        "owner": _("Owner"),
        "last_order": _("Last order"),
        "expected_net_value": _("Expected net value"),
        "segment": _("Segment"),
        "stage": _("Lifecycle stage"),
        "next_order": _("Next order expected by"),
    }
    return names.get(column, column)


def arm_name(arm: str | None, language: Language) -> str:
    """Return the arm of the experiment in words; empty for none."""
    _ = translator(language).gettext
    names = {
        "treated": _("Act now"),
        "control": _("Control: do not approach"),
        "held_out": _("Held out: do not approach"),
    }
    return names.get(arm or "", "")


def stage_name(stage: str | None, language: Language) -> str:
    """Return a lifecycle stage in words; empty for none, and for one of a version to come."""
    words = {str(name): text.to(language) for name, text in STAGES.items()}
    return words.get(stage or "", "")


def segment_name(segment: str | None, language: Language) -> str:
    """Return a segment in words; empty for none, and for one of a version to come."""
    words = {str(name): text.to(language) for name, text in SEGMENTS.items()}
    return words.get(segment or "", "")


def because(reason: str | None, language: Language) -> tuple[str, str]:
    """Return in words why nothing is done, and what that means; empty for none, and for one of a version to come."""
    words = {str(name): (told.name.to(language), told.meaning.to(language)) for name, told in BECAUSE.items()}
    return words.get(reason or "", ("", ""))
