"""The figures of a business as measures: the last period, what misses its target, all periods, and what each is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from churnml.measures.kpi_figures import ALL
from churnml.measures.kpi_list import BY_NAME, KPIS, Windows
from churnml.measures.kpi_remarks import NO_ALERT
from churnml.measures.kpi_targets import CHANGES, SIDES, VERDICTS, changed
from churnml.measures.lifecycle import STAGES
from churnml.measures.measure import About, Measure
from churnml.measures.parts import UNKNOWN_WORD
from churnml.measures.periods import Period
from churnml.measures.segments import SEGMENTS
from churnml.wording import Text

_POPULATION = Text("all customers who may be profiled", "全部可分析的客户")
_UNITS = {
    "number": Text("number", "数量"),
    "share": Text("share", "比例"),
    "money": Text("money", "金额"),
    "hours": Text("hours", "小时"),
    "score": Text("points", "分"),
    "ratio": Text("ratio", "比值"),
}
_LOWER, _UPPER = (
    Text("Lower bound of the 95% interval", "95% 区间下限"),
    Text("Upper bound of the 95% interval", "95% 区间上限"),
)
_PARTS: dict[str, Text] = {ALL: Text("all", "全部")} | UNKNOWN_WORD
_PARTS |= {str(name): text for words in (STAGES, SEGMENTS) for name, text in words.items()}
_COLUMNS: dict[str, About] = {
    "kpi": About(Text("KPI", "指标"), "word", words={kpi.name: kpi.title for kpi in KPIS}),
    "period": About(Text("Period from", "周期起始"), "day"),
    "part": About(Text("Part", "分组"), "word", words=_PARTS),
    "value": About(Text("Value", "数值"), "ratio", unit_in="unit"),
    "low": About(Text("Low", "下限"), "ratio", _LOWER, unit_in="unit"),
    "high": About(Text("High", "上限"), "ratio", _UPPER, unit_in="unit"),
    "before": About(Text("Before", "上期"), "ratio", Text("In the period before", "上一期的数值"), unit_in="unit"),
    "change": About(
        Text("Change", "变化"), "change", Text("Of shares in percentage points", "比例的变化以百分点计"), unit_in="unit"
    ),
    "moved": About(Text("It is", "变化判断"), "word", words=CHANGES),
    "side": About(Text("Target is", "目标方向"), "word", words=SIDES),
    "target": About(Text("Target", "目标"), "ratio", unit_in="unit"),
    "verdict": About(Text("Verdict", "结论"), "word", words=VERDICTS),
    "customers": About(Text("Customers", "客户数"), "number", Text("It rests on so many", "所依据的客户数")),
    "unit": About(Text("Unit", "单位"), "word", words=_UNITS),
}
_BOUNDS, _JUDGED = ("value", "low", "high"), ("side", "target", "verdict")


@dataclass(frozen=True)
class Told:
    """Figures and what they have in common.

    Parameters
    ----------
    rows : DataFrame
        From `kpi_targets.judged`, with the `unit` of each.
    parted : bool
        Whether there are figures of parts.
    landed : set of str
        The tables there are.
    """

    rows: pd.DataFrame
    periods: tuple[Period, ...]
    windows: Windows
    parted: bool
    landed: set[str]

    def of(self, place: int) -> pd.DataFrame:
        """Return the figures of one period, counted as a list is; none where there is no such period."""
        if not -len(self.periods) <= place < len(self.periods):
            return self.rows.iloc[:0]
        return self.rows[self.rows["period"] == pd.Timestamp(self.periods[place].first)]

    def columns(self, *names: str) -> dict[str, About]:
        """Return what columns are; that of parts where there are parts."""
        return {name: _COLUMNS[name] for name in names if name != "part" or self.parted}


def last_period(told: Told, remarks: Iterable[Text]) -> Measure:
    """Return the figures of the last period beside those of the one before."""
    frame = changed(told.of(-1), told.of(-2)).dropna(subset=["value", "before"], how="all")
    names = ("kpi", "part", *_BOUNDS, "before", "change", "moved", *_JUDGED, "customers", "unit")
    definition = Text(
        "Each figure of the last whole period, beside that of the period before. A change, or a missed target, is told "
        "from noise where the whole 95% interval lies on one side. What moves by itself as the history grows, such as "
        "a sum of everything so far, is not judged.",
        "最近一个完整周期的各项指标及上期数值；仅当 95% 区间完全落在一侧时，变化或未达标才视为超出误差。"
        "随历史增长而自然变化的指标（如累计值）不作好坏判断。",
    )
    title = Text("KPIs of the last period", "最近一期关键指标")
    return _measure("kpis_now", title, definition, frame, told.columns(*names), told, told.periods[-1:], remarks)


def alerts(told: Told) -> Measure:
    """Return the figures of the last period that miss their target beyond noise."""
    frame = told.of(-1).query("verdict == 'missed'")
    definition = Text(
        "Figures of the last period whose whole 95% interval lies on the wrong side of the target; of those that have "
        "no interval, the figure itself.",
        "最近一期 95% 区间完全落在目标错误一侧的指标；无区间者以数值本身判断。",
    )
    title = Text("Targets missed beyond noise", "显著未达标的指标")
    columns = told.columns("kpi", "period", "part", *_BOUNDS, "side", "target", "customers", "unit")
    return _measure(
        "kpis_alerts", title, definition, frame, columns, told, told.periods[-1:], () if len(frame) else (NO_ALERT,)
    )


def all_periods(told: Told, remarks: Iterable[Text]) -> Measure:
    """Return the figures of every period."""
    definition = Text(
        "Each figure of each whole period. What needs days to come true is counted in the period in which these days "
        "end, so that no figure changes for what comes later.",
        "各完整周期的各项指标。需要观察期的指标计入观察期届满的周期，因此不会因后续数据而改变。",
    )
    title = Text("KPIs by period", "各期关键指标")
    columns = told.columns("kpi", "period", "part", *_BOUNDS, "customers", *_JUDGED, "unit")
    return _measure("kpis", title, definition, told.rows, columns, told, told.periods, remarks)


def definitions(told: Told) -> Measure:
    """Return how each figure is counted."""
    names = list(told.rows["kpi"].unique())
    frame = pd.DataFrame({"kpi": names, "definition": names})
    words = {name: BY_NAME[name].defined(told.windows) for name in names}
    columns = told.columns("kpi") | {"definition": About(Text("Definition", "定义"), "word", words=words)}
    definition = Text("How each figure is counted, with the days that are set.", "各项指标的口径及当前设定的天数。")
    title = Text("What each KPI is", "指标定义")
    return _measure("kpis_defined", title, definition, frame, columns, told, told.periods, ())


def _measure(
    name: str,
    title: Text,
    definition: Text,
    frame: pd.DataFrame,
    columns: dict[str, About],
    told: Told,
    span: tuple[Period, ...],
    remarks: Iterable[Text],
) -> Measure:
    tables = [table for kpi in told.rows["kpi"].unique() for one in BY_NAME[kpi].tables for table in one.split("|")]
    sources = tuple(dict.fromkeys(table for table in tables if table in told.landed))
    days = span[0].first.isoformat(), span[-1].last.isoformat()
    return Measure(name, title, definition, _POPULATION, frame, columns, *days, sources, tuple(remarks))
