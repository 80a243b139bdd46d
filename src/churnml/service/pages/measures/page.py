"""Measures of the customer base as pages: of the service, each as it was measured last, and as one HTML file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from churnml.measures.names import MEASURES
from churnml.service.access import requires
from churnml.service.api.shapes import readings
from churnml.service.pages.language import language_of
from churnml.service.pages.measures.figures import Figures, Json
from churnml.service.pages.measures.picture import Picture
from churnml.service.pages.measures.pictures import pictures
from churnml.service.pages.measures.strategy import SheetView, sheet_of
from churnml.service.pages.rendering import document, render
from churnml.service.readings import Readings
from churnml.wording import Language, Text

router = APIRouter(dependencies=[Depends(requires("read"))])

FEW_ROWS, SOME_ROWS = 15, 40
"""Tables of more are folded: of the first where there is a picture, of the second where there is none."""

MOST_ROWS = 1_500
"""Of a table on a page; the JSON beside it has all."""

_WORDS = {"word", "day"}
_COMPARISONS = ("drivers", "last_days")
_ALARMS, _ASIDE = {"kpis_alerts"}, {"kpis_defined", "strategy"}
_EXPERIMENT = "`churnml measure effect`"
_BEHIND = Text("{title}: all figures", "{title}：全部数据")
_CAUTION = Text(
    "What goes with leaving is not what causes it. Whether changing it keeps customers only an experiment tells: "
    "`churnml measure effect`.",
    "与流失相伴的因素不等于流失的原因。改变它能否留住客户，只有实验才能回答：`churnml measure effect`。",
)


@dataclass(frozen=True)
class MeasureView:
    """What a page shows of a measure."""

    name: str
    title: str
    definition: str
    population: str
    begin: str
    end: str
    sources: list[str]
    """the tables it was counted from"""
    remarks: list[str]
    """those that no measure before it on the page has said"""
    caution: str
    """what its figures must not be taken for; empty where there is nothing to say"""
    pictures: list[Picture]
    heads: list[tuple[str, str, bool]]
    """of each column: its heading, how it is counted, whether it holds figures"""
    rows: list[list[str]]
    total: int
    """rows that there are"""
    folded: bool
    """whether the table is closed until it is asked for"""
    alarming: bool
    """whether its rows are things gone wrong"""
    untold: list[str]
    """headings of the columns that hold no figure in any row, and are left out"""
    withheld: bool
    """whether a figure is missing where others stand"""


@dataclass(frozen=True)
class SectionView:
    """What a page shows of what was asked together: `churnml measure NAME`."""

    name: str
    title: str
    begin: str
    end: str
    base: int
    refused: int
    smallest: int
    by: str | None
    measures: list[MeasureView]
    sheet: SheetView | None
    """of the strategy, which is read as a sheet before it is read as a table"""
    reason: str
    """why nothing can be told; empty where something is"""


def measures_page(bodies: Sequence[Mapping[str, Any]], language: Language) -> str:  # Any: JSON
    """Return measures as one HTML document that needs nothing beside it: no script, no network, no other file.

    Parameters
    ----------
    bodies : sequence of mapping
        What `churnml measure NAME --json` prints, one for each name; `not_told` in one of them says why it has no
        figures.
    language : {"en", "zh"}
        Of the page.
    """
    return document("measures_report.html", {"sections": [section(body, language) for body in bodies]}, language)


def section(body: Mapping[str, Any], language: Language) -> SectionView:  # Any: JSON
    """Return what a page shows of the body of a measure."""
    name, said = str(body["measure"]), set[str]()
    measures = []
    for one in body["measures"]:
        view = _view(one, body["currency"], language)
        measures.append(replace(view, remarks=[remark for remark in view.remarks if remark not in said]))
        said |= set(view.remarks)
    sheet = sheet_of(body, language) if name == "strategy" and measures else None
    if sheet is not None:  # which says the remarks itself
        title = _BEHIND.to(language).format(title=measures[0].title)
        measures[0] = replace(measures[0], title=title, remarks=[])
    return SectionView(
        name=name,
        title=MEASURES[name].to(language) if name in MEASURES else name,
        begin=body["from"],
        end=body["to"],
        base=body["base"],
        refused=body["refused"],
        smallest=body["smallest_group"],
        by=body["by"],
        measures=measures,
        sheet=sheet,
        reason=body["not_told"][language] if "not_told" in body else "",
    )


def _view(measure: Json, currency: str, language: Language) -> MeasureView:
    figures = Figures(measure, currency, language)
    units = {about.get("unit_in") for about in measure["columns"].values()}  # which each cell says already
    named = {name: about for name, about in measure["columns"].items() if name not in units}
    blank = [name for name, about in named.items() if _is_figure(about) and _is_blank(measure["rows"], name)]
    told = {name: about for name, about in named.items() if name not in blank}
    drawn, total = pictures(measure, currency, language), len(measure["rows"])
    return MeasureView(
        name=measure["name"],
        title=figures.title,
        definition=measure["definition"][language],
        population=measure["population"][language],
        begin=measure["begin"],
        end=measure["end"],
        sources=list(measure["sources"]),
        remarks=[remark[language] for remark in measure["remarks"] if not _warns(remark)],
        caution=_caution(measure, language),
        pictures=drawn,
        heads=[(figures.heading(name), _counted(told[name], language), _is_figure(told[name])) for name in told],
        rows=[[figures.say(row, name) for name in told] for row in measure["rows"][:MOST_ROWS]],
        total=total,
        folded=measure["name"] in _ASIDE or total > (FEW_ROWS if drawn else SOME_ROWS),
        alarming=measure["name"] in _ALARMS and total > 0,
        untold=[figures.heading(name) for name in blank],
        withheld=any(row[name] is None and _is_figure(told[name]) for row in measure["rows"] for name in told),
    )


def _caution(measure: Json, language: Language) -> str:
    """Return what a comparison of those who left must not be taken for, in its own words where it has some."""
    if not measure["name"].startswith(_COMPARISONS):
        return ""
    own = next((remark[language] for remark in measure["remarks"] if _warns(remark)), None)
    return own or _CAUTION.to(language)


def _warns(remark: Json) -> bool:
    return _EXPERIMENT in remark["en"] and "cause" in remark["en"]


def _is_blank(rows: Sequence[Json], name: str) -> bool:
    return bool(rows) and all(row[name] is None for row in rows)


def _is_figure(about: Json) -> bool:
    return about["unit"] not in _WORDS


def _counted(about: Json, language: Language) -> str:
    return about["definition"][language] if about["definition"] else ""


def _route(name: str) -> Callable[..., HTMLResponse]:
    def measured(request: Request, reader: Annotated[Readings, Depends(readings)]) -> HTMLResponse:
        """Show what was measured last; before the first time, show what to do."""
        found = reader.find_measured(name)
        if found is None:
            return render(request, "not_measured.html", {"name": name, "title": MEASURES[name]})
        told = section(found.body, language_of(request))
        context = {"section": told, "measured_at": found.measured_at, "zone": found.body["time_zone"]}
        return render(request, "measures.html", context)

    return measured


for _name in MEASURES:
    router.add_api_route(f"/{_name}", _route(_name), methods=["GET"], name=f"page_{_name}")
