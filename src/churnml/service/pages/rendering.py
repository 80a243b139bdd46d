"""From a template and its context to an answer; the one place that knows Jinja."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache, partial
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from churnml import drawing, wording
from churnml.events.clock import moment
from churnml.measures import SEGMENTS, STAGES
from churnml.measures.names import MEASURES
from churnml.modeling.no_conversion import reason_of
from churnml.service.access import caller_of
from churnml.service.exports import (
    arm_name,
    band_name,
    because,
    call_result,
    change_name,
    column_name,
    segment_name,
    sort_name,
    stage_name,
    standing_name,
    status_name,
)
from churnml.service.forms import masked, token_for
from churnml.service.guard import PAGE_POLICY
from churnml.service.pages.harmless import marked, visible
from churnml.service.pages.language import here_in, language_of, remember
from churnml.service.pages.models.sentences import WHY_MOVED
from churnml.service.pages.navigation import links
from churnml.service.pages.past_words import act_name, channel_name, state_name
from churnml.service.pages.phrases import origin_name, say, table_name
from churnml.service.pages.posting import told_once
from churnml.service.readings import Readings
from churnml.service.static_files import FOLDER, address
from churnml.wording import Language, exact

TEMPLATES = Path(__file__).parent.parent / "templates"
_DIALLED = "+0123456789*#,;"
"""What a telephone dials (RFC 3966); blanks, dashes and brackets are for the eye."""


def render(request: Request, template: str, context: Mapping[str, Any], status: int = 200) -> HTMLResponse:
    """Return a page in the reader's language.

    Parameters
    ----------
    request : Request
        Whose address and language the page follows.
    template : str
        File name in `templates/`.
    context : mapping
        What the template shows; each page's module describes its own.
    status : int, default=200
        HTTP status.
    """
    language = language_of(request)
    switch = {other: here_in(request, other) for other in wording.LANGUAGES}
    page = _environment(language).get_template(template)
    session = getattr(request.state, "session", None)
    caller, measured = caller_of(request), _measured(request, status)
    sides = [path for path, _ in measured]
    frame = {
        "switch": switch,
        "page_path": request.url.path,
        "bar_links": links(caller, request.url.path, sides, language) if caller else [],
        "measured": measured if request.url.path.removeprefix("/") in MEASURES else [],
        "caller": caller,
        "csrf_token": masked(token_for(session)) if session else "",
        "became": told_once(request),
    }
    response = HTMLResponse(page.render(**context, **frame), status)
    response.headers.update(
        {"vary": "Accept-Language, Cookie", "cache-control": "no-store", "content-security-policy": PAGE_POLICY}
    )
    remember(request, response)
    told_once(request, response)
    return response


def _measured(request: Request, status: int) -> list[tuple[str, wording.Text]]:
    """Return the pages of measures that have something to show, with their titles.

    A page of an error does not look, and who has not signed in is not told.
    """
    if status >= HTTPStatus.BAD_REQUEST or caller_of(request) is None:
        return []
    reader: Readings = request.app.state.readings
    return [(f"/{name}", MEASURES[name]) for name in reader.measured_names()]


def document(template: str, context: Mapping[str, Any], language: Language) -> str:
    """Return a page as a file of its own: the style sheet and the mark are in it, as `style` and `emblem`."""
    within = {"style": "churnml.css", "emblem": "mark.svg"}
    ours = {name: Markup((FOLDER / file).read_text(encoding="utf-8")) for name, file in within.items()}  # noqa: S704
    page = _environment(language).get_template(template).render(**context, **ours)
    return page.encode("utf-8", "replace").decode()


def customer_path(customer_id: str) -> str:
    """Return the path of a customer's page, whatever characters the id has."""
    return "/customers/" + quote(customer_id, safe="", errors="replace")


@cache
def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    translator = wording.translator(language)
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # added by the extension
        translator.gettext, translator.ngettext, newstyle=True
    )
    environment.filters |= {
        "money": partial(_money, language),
        "percent": lambda share: wording.format_percent(share, language),
        "exact": exact,
        "number": lambda number: wording.format_number(number, language),
        "day": lambda instant, zone: wording.format_date(instant, language, zone),
        "hour": _hour,
        "visible": visible,
        "phrase": partial(_phrase, language),
        "table_name": partial(_table_name, language),
        "origin": lambda text: visible(origin_name(text, language)),
        "customer_path": customer_path,
        "said": lambda text: text[language],
        "marked": marked,
        "why_no_conversion": lambda told: marked(reason_of(told).said(language)),
        "band_name": lambda band: band_name(band, language),
        "arm_name": lambda arm: arm_name(arm, language),
        "standing_name": lambda rung: standing_name(rung, language),
        "stage_name": lambda stage: stage_name(stage, language),
        "segment_name": lambda segment: segment_name(segment, language),
        "call_result": lambda result: call_result(result, language),
        "sort_name": lambda sort: sort_name(sort, language),
        "change_name": lambda change: change_name(change, language),
        "column_name": lambda column: column_name(column, language),
        "points": wording.format_points,
        "status_name": lambda status: status_name(status, language),
        "dial": lambda number: "tel:" + "".join(one for one in number if one in _DIALLED),
        "mail": lambda address: "mailto:" + quote(address, safe="@", errors="replace"),
        "query": urlencode,
        "instant_day": lambda instant, zone: wording.format_date(moment(instant), language, zone),
        "state_name": lambda state: state_name(state, language),
        "act_name": lambda kind: visible(act_name(kind, language)),
        "channel_name": lambda channel: visible(channel_name(channel, language)),
        "why_moved": lambda why: WHY_MOVED[why].to(language) if why in WHY_MOVED else visible(why),
        "because": lambda reason: because(reason, language),
    }
    environment.globals |= {
        "language": language,
        "static": address,
        "named": lambda texts: [(key, text.to(language)) for key, text in texts.items()],
        "pairs": lambda words, by: [(word, environment.filters[by](word)) for word in words],
        "plain": lambda words: [(word, word) for word in words],
        "stages": tuple(STAGES),
        "segments": tuple(SEGMENTS),
        "bar": _drawn(drawing.bar),
        "stacked_bar": _drawn(drawing.stacked_bar),
        "diverging_bar": _drawn(drawing.diverging_bar),
        "interval": _drawn(drawing.interval),
        "mark": _drawn(drawing.mark),
    }
    return environment


def _money(language: Language, amount: float, currency: str, *, whole: bool = False) -> str:
    return wording.format_money(amount, currency, language, whole=whole)


def _hour(instant: datetime, zone: str) -> str:
    return instant.astimezone(ZoneInfo(zone)).strftime("%H:%M")


def _phrase(language: Language, text: str) -> Markup:
    """Return a sentence of ingest in the reader's language; one that is not known is marked as English."""
    known = text if language == "en" else say(text, language)
    return Markup('<span lang="en">{}</span>').format(marked(text)) if known is None else marked(known)


def _table_name(language: Language, table: str) -> Markup:
    """Return a table's identifier, behind its name where the reader's language has another."""
    name, identifier = table_name(table, language), Markup("<code>{}</code>").format(table)
    return identifier if name == table else Markup("{} {}").format(name, identifier)


def _drawn(draw: Any) -> Any:  # Any: each drawing has its own arguments
    """Mark what a drawing returns as safe: drawings escape what they are given."""
    return lambda *arguments: Markup(draw(*arguments))  # noqa: S704
