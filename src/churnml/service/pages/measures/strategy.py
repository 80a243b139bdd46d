"""The strategy sheet, which prints on one page, alone or within a report: what to do about whom, by evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from markupsafe import Markup

from churnml.measures.cells import NONE, cell
from churnml.service.pages.harmless import marked
from churnml.service.pages.measures.life_pictures import kind_of
from churnml.service.pages.rendering import document
from churnml.wording import Language, Text, format_money, format_number, format_percent

Json = Mapping[str, Any]  # Any: JSON

_MARKS = {"proven": "low", "unproven": "medium", "assumed": "held"}
"""In which colour of the house an evidence stands; the words beside it say the same."""

_RANGE = Text("{low} to {high}", "{low} 至 {high}")


@dataclass(frozen=True)
class RowView:
    """What the sheet shows of a segment of a stage."""

    segment: str
    customers: str
    share: str
    value: str
    risk: float | None
    value_at_risk: str
    satisfaction: str
    answers: str
    action: str
    evidence: str
    mark: str
    """which colour the evidence has; empty for none"""
    open_to: str
    effect: str
    effect_range: str
    cost: str
    ratio: str
    net: str
    net_range: str


@dataclass(frozen=True)
class StageView:
    """The segments of a stage, and how many customers they are."""

    name: str
    kind: str
    """the class of its colour"""
    customers: str
    share: str
    rows: list[RowView]


@dataclass(frozen=True)
class SheetView:
    """What the sheet shows."""

    measure: Json
    heads: dict[str, Json]
    stages: list[StageView]
    customers: int
    at_risk: str
    net: str
    cost: str
    proven: str | None
    """the net that rests on what an experiment found to pay; None if nothing does"""
    advised: bool
    remarks: list[Markup]


def strategy_page(body: Json, language: Language) -> str:
    """Return the strategy sheet as one HTML document that needs nothing beside it: no script, no network, no file.

    Parameters
    ----------
    body : mapping
        What `churnml measure strategy --json` prints.
    language : {"en", "zh"}
        Of the page.
    """
    return document("strategy_sheet.html", {"sheet": sheet_of(body, language)}, language)


def sheet_of(body: Json, language: Language) -> SheetView:
    """Return what the sheet shows of what `churnml measure strategy --json` prints."""
    measure = next(one for one in body["measures"] if one["name"] == "strategy")
    sheet, rows = _Sheet(measure, body["currency"], language), measure["rows"]
    proven = any(row["evidence"] == "proven" for row in rows)
    return SheetView(
        measure=measure,
        heads={name: about["title"] for name, about in measure["columns"].items()},
        stages=[sheet.stage(list(of)) for _, of in groupby(rows, key=lambda row: row["stage"])],
        customers=sum(row["customers"] for row in rows),
        at_risk=sheet.sum_of("value_at_risk"),
        net=sheet.sum_of("expected_return"),
        cost=sheet.money(sum(row["open_to"] * row["cost"] for row in rows if row["open_to"])),
        proven=sheet.sum_of("expected_return", "proven") if proven else None,
        advised=any(row["open_to"] for row in rows),
        remarks=[marked(remark[language]) for remark in measure["remarks"]],
    )


@dataclass(frozen=True)
class _Sheet:
    """Writes the figures of the sheet as they are read."""

    measure: Json
    currency: str
    language: Language

    def money(self, amount: float | None, *, whole: bool = True) -> str:
        return NONE if amount is None else format_money(amount, self.currency, self.language, whole=whole)

    def sum_of(self, name: str, evidence: str | None = None) -> str:
        rows = [row for row in self.measure["rows"] if evidence in {None, row["evidence"]}]
        return self.money(sum(row[name] for row in rows if row[name] is not None))

    def stage(self, rows: Sequence[Json]) -> StageView:
        return StageView(
            self._word(rows[0], "stage"),
            kind_of(str(rows[0]["stage"])),
            format_number(sum(row["customers"] for row in rows), self.language),
            format_percent(sum(row["share"] for row in rows), self.language),
            [self._row(row) for row in rows],
        )

    def _row(self, row: Json) -> RowView:
        return RowView(
            segment=self._word(row, "segment"),
            customers=format_number(row["customers"], self.language),
            share=format_percent(row["share"], self.language),
            value=self.money(row["value"]),
            risk=row["churn_probability"],
            value_at_risk=self.money(row["value_at_risk"]),
            satisfaction=NONE if row["satisfaction"] is None else format_percent(row["satisfaction"], self.language),
            answers="" if row["satisfaction"] is None else format_number(row["answers"], self.language),
            action=self._word(row, "action"),
            evidence=self._word(row, "evidence"),
            mark=_MARKS.get(row["evidence"], ""),
            open_to="" if row["open_to"] is None else format_number(row["open_to"], self.language),
            effect=self.money(row["effect"], whole=False),
            effect_range=self._range(row["effect_low"], row["effect_high"], whole=False),
            cost=self.money(row["cost"], whole=False),
            ratio=self._word(row, "return_on_cost"),
            net=self.money(row["expected_return"]),
            net_range=self._range(row["return_low"], row["return_high"], whole=True),
        )

    def _range(self, low: float | None, high: float | None, *, whole: bool) -> str:
        if low is None or high is None:
            return ""
        ends = {"low": self.money(low, whole=whole), "high": self.money(high, whole=whole)}
        return _RANGE.to(self.language).format(**ends)

    def _word(self, row: Json, name: str) -> str:
        about = self.measure["columns"][name]
        return cell(row[name], about["unit"], self.currency, self.language, about["words"])
