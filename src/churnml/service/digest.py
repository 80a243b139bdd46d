"""The day's list as an e-mail: what it comes to, and the first of those who may be approached, if they are to be named.

In come a run, some records and the settings, out goes a message in plain text and HTML that says the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from html import escape

from churnml.config import DigestConfig, DigestField
from churnml.events.clock import moment
from churnml.service.readings import CurrentRun, Record
from churnml.wording import Language, Text, format_date, format_money, format_number, format_percent

_TITLES: dict[DigestField, Text] = {
    "value_at_risk": Text("Value at risk", "风险价值"),
    "churn_probability": Text("Churn probability", "流失概率"),
    "reason": Text("Main reason", "主要原因"),
    "action": Text("Suggested action", "建议动作"),
}
_CUSTOMER = Text("Customer", "客户")
_NOTE = Text(
    "Customers held out or chosen as controls are not listed: do not approach them.",
    "对照客户和留出客户未列出：请勿联系。",
)


def digest(
    run: CurrentRun,
    open_to: int,
    first: Sequence[Record],
    config: DigestConfig,
    to: Sequence[str],
    language: Language,
    now: int,
) -> EmailMessage:
    """Return the message.

    Parameters
    ----------
    open_to : int
        How many customers may be approached.
    first : sequence of dict
        The records that are named.
    to : sequence of str
        Who gets it.
    now : int
        Microseconds UTC.
    """
    day = format_date(str(run.summary["cutoff"]), language, run.time_zone)
    told, rows = _figures(run, open_to, language), [_row(one, config.show, run, language) for one in first]
    head = [_CUSTOMER.to(language), *(_TITLES[name].to(language) for name in config.show)]
    subject = Text("Customers at risk as of {day}", "流失风险名单（截至 {day}）").to(language).format(day=day)
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, config.sender, ", ".join(to)
    message["Date"], message["Message-ID"] = format_datetime(moment(now)), make_msgid(domain="churnml.invalid")
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday note answers it
    message.set_content(_plain(subject, told, head if rows else [], rows, config.link, language))
    message.add_alternative(_page(subject, told, head if rows else [], rows, config.link, language), subtype="html")
    return message


def _figures(run: CurrentRun, open_to: int, language: Language) -> list[tuple[str, str]]:
    summary, currency = run.summary, str(run.summary.get("currency", "USD"))
    bands, value = summary.get("bands", {}), summary.get("value_at_risk")
    told = [
        (Text("At high risk", "高风险客户"), format_number(bands.get("high", 0), language)),
        (Text("At medium risk", "中风险客户"), format_number(bands.get("medium", 0), language)),
        (Text("May be approached", "可联系客户"), format_number(open_to, language)),
    ]
    if value is not None:
        told.append((_TITLES["value_at_risk"], format_money(value, currency, language, whole=True)))
    return [(name.to(language), figure) for name, figure in told]


def _row(one: Record, show: Sequence[DigestField], run: CurrentRun, language: Language) -> list[str]:
    currency, reasons = str(run.summary.get("currency", "USD")), one.get("reasons") or []
    cells: dict[DigestField, str] = {
        "value_at_risk": format_money(one["value_at_risk"], currency, language),
        "churn_probability": format_percent(one["churn_probability"], language),
        "reason": reasons[0]["sentence"][language] if reasons else "",
        "action": (one.get("action_label") or {}).get(language) or "",
    }
    return [str(one["customer_id"]), *(cells[name] for name in show)]


def _plain(
    subject: str, told: list[tuple[str, str]], head: list[str], rows: list[list[str]], link: str, language: Language
) -> str:
    lines = [subject, "", *(f"{name}: {figure}" for name, figure in told), ""]
    lines += [" | ".join(row) for row in ([head] if head else []) + rows]
    return "\n".join([*lines, "", _NOTE.to(language), link]).rstrip() + "\n"


def _page(
    subject: str, told: list[tuple[str, str]], head: list[str], rows: list[list[str]], link: str, language: Language
) -> str:
    figures = "".join(f"<tr><th align='left'>{escape(name)}</th><td>{escape(one)}</td></tr>" for name, one in told)
    titles = "".join(f"<th align='left'>{escape(one)}</th>" for one in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    named = f"<table cellpadding='4'><tr>{titles}</tr>{body}</table>" if head else ""
    way = f"<p><a href='{escape(link)}'>{escape(link)}</a></p>" if link else ""
    tongue = "zh-CN" if language == "zh" else "en"
    return (
        f"<!doctype html><html lang='{tongue}'><body><h1>{escape(subject)}</h1><table cellpadding='4'>{figures}</table>"
        f"{named}<p>{escape(_NOTE.to(language))}</p>{way}</body></html>"
    )
