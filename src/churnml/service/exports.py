"""Lists as CSV files that Excel opens rightly and that cannot run anything there.

References
----------
OWASP, CSV Injection: a cell that begins with ``= + - @``, tab or carriage return is taken for a formula.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from churnml.measures import SEGMENTS, STAGES
from churnml.policy import BECAUSE
from churnml.service.readings import Record
from churnml.wording import Language, translator

_BYTE_ORDER_MARK = "\ufeff"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # Excel takes these too
_CHUNK_ROWS = 500
_HALF = 0.5
Cell = str | float | int | None


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
