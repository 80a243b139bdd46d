"""The overview as a page: what a manager opens on Monday."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup
from pydantic import TypeAdapter

from churnml.charts import course
from churnml.database.scopes import Scope
from churnml.drawing import Line
from churnml.service.access import Caller, requires
from churnml.service.api.job_shapes import JobWanted
from churnml.service.api.shapes import readings
from churnml.service.clock import asked_at
from churnml.service.overview import Overview, overview_of
from churnml.service.overview.figures import Figures as Chosen
from churnml.service.overview.scores import Scored, Scores
from churnml.service.overview.steps import Kind, Step
from churnml.service.pages.jobs import ask_for
from churnml.service.pages.language import language_of
from churnml.service.pages.measures.figures import Figures, Json, along, ordinal
from churnml.service.pages.measures.pictures import pictures
from churnml.service.pages.posting import SentForm
from churnml.service.pages.rendering import render
from churnml.service.readings import Readings
from churnml.wording import Language, Text, format_date

router = APIRouter(dependencies=[Depends(requires("read"))])
_COLUMNS = ("period", "value", "low", "high", "target")
_KINDS = {
    "met": "is-landed", "missed": "is-refused", "missed_within_noise": "is-quarantine", "better": "is-landed",
    "worse": "is-refused",
}  # fmt: skip
"""The class that colours a word; what is open has none."""
_AIM = Text("{side} {target}", "{side} {target}")
_BETWEEN = Text("{low} to {high}", "{low} 至 {high}")
_LABELS, _MOST_DOTS = 5, 60
_VALUE = Text("Value at risk by scores", "各次评分的风险价值")
_POINT = Text("{day}: {value}", "{day}：{value}")
_WANTED: TypeAdapter[JobWanted] = TypeAdapter(JobWanted)
_ASKED: dict[str, Json] = {
    "kpis": {"verb": "measure", "options": {"what": "kpis"}},
    "effect": {"verb": "measure", "options": {"what": "effect"}},
    "monitor": {"verb": "monitor"},
}
"""What may be asked for on the page."""
_WAYS: dict[Kind, tuple[str, Scope]] = {
    "late_data": ("/data", "operate"),
    "train_again": ("/models", "read"),
    "measure_effect": ("/campaigns", "read"),
    "old_list": ("/campaigns/plan", "operate"),
    "nobodys": ("/at-risk?band=high&owner=nobody", "read"),
    "calls_due": ("/today", "write"),
    "rows_refused": ("/data", "operate"),
    "look_at_model": ("/models", "read"),
    "measure_kpis": ("#figures", "read"),
}
"""Where each thing that waits is done, and what one must be allowed for that page."""


@dataclass(frozen=True)
class FigureView:
    """A figure of the business."""

    name: str
    title: str
    value: str
    """of the last whole period"""
    between: str
    """its 95 % interval; empty where it has none"""
    before: str
    """of the period before; empty where there is none"""
    change: str
    moved: str
    """whether the change is for the better, or within noise; empty where that cannot be told"""
    moved_kind: str
    aim: str
    """such as at most 5 %; empty without a target"""
    verdict: str
    verdict_kind: str
    picture: Markup | None
    heads: list[tuple[str, bool]]
    """of each column of its periods: its heading, and whether it holds figures"""
    rows: list[list[str]]


@dataclass(frozen=True)
class StepView:
    """Something that waits, and where it is done; empty for who may not open that."""

    step: Step
    path: str


@dataclass(frozen=True)
class OverviewContext:
    """What `overview.html` shows."""

    now: Overview
    zone: str
    """in which days are told"""
    figures: list[FigureView]
    begin: str
    """of the period that the figures are of, ISO 8601; empty where there are none"""
    end: str
    course: Markup | None
    """value at risk over the scores; None of fewer than two"""
    steps: list[StepView]
    may_operate: bool


@router.get("/")
def home(caller: Annotated[Caller, Depends(requires("read"))]) -> RedirectResponse:
    """Lead to the page the day begins with: an agent's queue, and the overview for everybody else."""
    return RedirectResponse("/today" if caller.role == "agent" else "/overview", status_code=307)


@router.get("/overview")
def overview(
    request: Request,
    reader: Annotated[Readings, Depends(readings)],
    caller: Annotated[Caller, Depends(requires("read"))],
) -> HTMLResponse:
    """Show it; before the first run, show what to do."""
    run, state, language = reader.find_run(), request.app.state, language_of(request)
    if run is None:
        return render(request, "no_run.html", {}, 503)
    found = overview_of(state.engine, reader, run, state.door.time_zone, asked_at(request))
    chosen = found.figures
    context = OverviewContext(
        now=found,
        zone=found.scores.time_zone,
        figures=[] if chosen is None else figure_views(chosen, language),
        begin="" if chosen is None else chosen.now["begin"],
        end="" if chosen is None else chosen.now["end"],
        course=_drawn(found.scores, language),
        steps=[StepView(one, _way(one, caller)) for one in found.next],
        may_operate="operate" in caller.scopes,
    )
    return render(request, "overview.html", {"overview": context})


@router.post("/overview/ask")
def ask(request: Request, form: SentForm, caller: Annotated[Caller, Depends(requires("operate"))]) -> RedirectResponse:
    """Ask for what the page lacks to be measured, as `POST /v1/jobs` does, and lead to the page of that job."""
    wanted = _WANTED.validate_python(_ASKED[form.among("what", tuple(_ASKED))])
    return RedirectResponse(ask_for(request, caller, wanted), 303, {"cache-control": "no-store"})


def figure_views(chosen: Chosen, language: Language) -> list[FigureView]:
    """Return the chosen figures of the business as a page shows them."""
    now, over = (Figures(one, chosen.currency, language) for one in (chosen.now, chosen.course))
    return [_figure(row, now, over.of([one for one in over.rows if one["kpi"] == row["kpi"]])) for row in now.rows]


def _figure(row: Json, now: Figures, over: Figures) -> FigureView:
    drawn = pictures(over.measure, over.currency, over.language)
    kept = [name for name in _COLUMNS if over.has(name) and any(one[name] is not None for one in over.rows)]
    moved, verdict = row["moved"], row["verdict"]
    ends = {name: now.say(row, name) for name in ("low", "high")}
    aim = {"side": now.say(row, "side"), "target": now.say(row, "target")}
    return FigureView(
        name=row["kpi"],
        title=now.say(row, "kpi"),
        value=now.say(row, "value"),
        between="" if row["low"] is None or row["high"] is None else _BETWEEN.to(now.language).format(**ends),
        before="" if row["before"] is None else now.say(row, "before"),
        change=_signed(row, now),
        moved="" if moved is None else now.say(row, "moved"),
        moved_kind=_KINDS.get(moved or "", ""),
        aim="" if row["target"] is None else _AIM.to(now.language).format(**aim),
        verdict="" if verdict == "no_target" else now.say(row, "verdict"),
        verdict_kind=_KINDS.get(verdict, ""),
        picture=drawn[0].svg if drawn else None,
        heads=[(over.heading(name), name != "period") for name in kept],
        rows=[[over.say(one, name) for name in kept] for one in reversed(over.rows) if one["value"] is not None],
    )


def _signed(row: Json, now: Figures) -> str:
    """Return a change in words, with its sign; empty where there is none to tell."""
    if row["change"] is None:
        return ""
    said = now.say(row, "change")
    return f"+{said}" if row["change"] > 0 else said


def _drawn(scores: Scores, language: Language) -> Markup | None:
    """Return how value at risk ran from one scoring to the next; None of fewer than two."""
    history, title = scores.history, _VALUE.to(language)
    if len(history) < 2:
        return None
    figures = Figures({}, scores.currency, language)
    days = [one.cutoff[:10] for one in history]
    points = [(ordinal(day), one.value_at_risk) for day, one in zip(days, history, strict=True)]
    y = figures.ticks([0.0, *(value for _, value in points)], "money")
    each = zip(points, history, strict=True)
    marked = [(x, value, _point(one, scores, language)) for (x, value), one in each if len(history) <= _MOST_DOTS]
    svg = course([Line("ours", points)], title, along(_apart(days), language), y, points=marked)
    return Markup(svg)  # noqa: S704  # charts escape what they are given


def _apart(days: list[str]) -> list[str]:
    """Return some of the days, the first and the last among them, far enough apart for their labels."""
    first, last = ordinal(days[0]), ordinal(days[-1])
    kept = [days[0]]
    for day in days[1:-1]:
        if min(ordinal(day) - ordinal(kept[-1]), last - ordinal(day)) >= (last - first) / _LABELS:
            kept.append(day)
    return [*kept, days[-1]]


def _point(one: Scored, scores: Scores, language: Language) -> str:
    value = Figures({}, scores.currency, language).tick(one.value_at_risk, "money", one.value_at_risk)
    return _POINT.to(language).format(day=format_date(one.cutoff, language, scores.time_zone), value=value)


def _way(step: Step, caller: Caller) -> str:
    path, scope = _WAYS[step.kind]
    if scope not in caller.scopes or (step.kind == "calls_due" and caller.kind == "key"):
        return ""
    if step.kind == "measure_effect" and len(step.about) == 1:
        return f"{path}/{quote(step.about[0], safe='')}"
    return path
