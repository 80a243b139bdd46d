"""The figures of the business by period, with intervals, targets, and what misses them beyond noise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pandas as pd

from churnml.errors import UsageError, nearest
from churnml.events.books import Books
from churnml.measures.kpi_figures import ALL, figures, missing
from churnml.measures.kpi_ground import Ground
from churnml.measures.kpi_list import BY_NAME, KPIS, Kpi, Windows
from churnml.measures.kpi_money import FORECASTS
from churnml.measures.kpi_targets import CHANGES, SIDES, VERDICTS, Target, changed, judged
from churnml.measures.measure import About, Asked, Measure
from churnml.measures.parts import UNKNOWN_WORD
from churnml.measures.periods import Period, periods
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


def kpis(
    books: Books,
    asked: Asked,
    *,
    windows: Windows | None = None,
    targets: Mapping[str, Target] | None = None,
    margin_rate: float = 0.25,
) -> list[Measure]:
    """Return the figures of the last period, those that miss their target beyond noise, and those of all periods.

    Parameters
    ----------
    books : Books
        As known at `asked.end`; with a table `kpi_forecasts` of `customer_id` and `clv` where a model has scored.
    asked : Asked
        Which periods, of which length, and what parts the customers.
    windows : Windows, optional
        The days in the definitions.
    targets : mapping of str to Target, optional
        By name of the figure.
    margin_rate : float, default 0.25
        Margin per unit of revenue where no cost is known.

    Returns
    -------
    list of Measure
        `kpis_now`, `kpis_alerts` and `kpis`.

    Raises
    ------
    UsageError
        If no whole period lies within what is asked, nobody has the attribute, or a target is of no known figure.
    NotEnoughDataError
        If there is neither an order nor a contract.
    """
    windows, targets = windows or Windows(), targets or {}
    require_known(targets, "targets")
    span = periods(asked.begin, asked.end, asked.every, books.time_zone)
    ground = Ground.lay(books, span, windows, asked.by, margin_rate)
    landed = {*books.tables, *(["records"] if books.columns(FORECASTS) else [])}
    counted = figures(ground, landed, asked.by)
    early = _too_early(counted, ground)
    few = _too_few(counted, asked.smallest) & ~early
    hidden = early | few
    counted.loc[hidden, ["value", "low", "high"]] = float("nan")
    told = judged(counted, targets).assign(unit=counted["kpi"].map({kpi.name: kpi.unit for kpi in KPIS}))
    remarks = (
        *_remarks(told, ground, landed, early, few, asked),
        *([] if targets else [_NO_TARGETS]),
    )
    return [
        _now(told, span, windows, asked, remarks),
        _alerts(told, span, asked),
        _all(told, span, asked, remarks),
    ]


def require_known(names: Iterable[str], where: str) -> None:
    """Raise where a name is that of no figure.

    Raises
    ------
    UsageError
        With the name that comes nearest.
    """
    for name in names:
        if name not in BY_NAME:
            known = ", ".join(BY_NAME)
            raise UsageError(f"{where}: there is no KPI `{name}`{nearest(name, BY_NAME)} (known: {known})")


def _too_early(counted: pd.DataFrame, ground: Ground) -> pd.Series:
    """Mark the figures that look back beyond the beginning of the history."""
    back = counted["kpi"].map({kpi.name: kpi.days_back(ground.windows) for kpi in KPIS})
    return (counted["period"] - pd.to_timedelta(back, unit="D") < ground.began) & (back > 0)


def _too_few(counted: pd.DataFrame, smallest: int) -> pd.Series:
    """Mark the figures of fewer customers than are shown; how many there are may be."""
    plain = [kpi.name for kpi in KPIS if kpi.how == "count" and kpi.unit == "number"]
    return ~counted["kpi"].isin(plain) & counted["customers"].between(1, smallest - 1)


_NO_TARGETS = Text(
    "No target is set; `targets` in configs/kpis.yaml take them.",
    "尚未设定目标；请在 configs/kpis.yaml 的 targets 中设定。",
)
_NO_ALERT = Text("No figure misses its target beyond noise.", "没有指标显著未达标。")
_RUNNING = Text(
    "The days from {day} on are of a period that has not ended, and are left out.", "{day} 起的周期尚未结束，未计入。"
)
_EARLY = Text(
    "The history begins on {day}; not told for the first periods, because they look back further: {titles}.",
    "数据始于 {day}；以下指标需更早的历史，最初几期不列出：{titles}。",
)
_FEW = Text(
    "{count} figures rest on fewer than {smallest} customers and are not shown.",
    "{count} 项数值所涉客户少于 {smallest} 位，不予显示。",
)
_LACKS = Text("Without `{table}` these are not told: {titles}.", "缺少 {table} 表，未计算：{titles}。")
_NO_RECORDS = Text(
    "No model has scored yet, so these are not told: {titles}; `churnml score` turns them on.",
    "尚无模型评分，未计算：{titles}；运行 churnml score 后可用。",
)
_EMPTY = Text(
    "Nothing to count in any period for {titles}; needed: {sources}.",
    "各期均无可计数据：{titles}；所需数据：{sources}。",
)


def _remarks(
    told: pd.DataFrame, ground: Ground, landed: set[str], early: pd.Series, few: pd.Series, asked: Asked
) -> Iterator[Text]:
    lacking: dict[str, list[Kpi]] = {}
    for kpi in KPIS:
        for table in missing(kpi.tables, landed)[:1]:
            lacking.setdefault(table, []).append(kpi)
    for table, without in lacking.items():
        text = _NO_RECORDS if table == "records" else _LACKS
        yield _filled(text, without, table=table.replace("|", "` or `"))
    if early.any():
        yield _filled(_EARLY, [BY_NAME[name] for name in told.loc[early, "kpi"].unique()], day=ground.began.date())
    if few.any():
        yield _filled(_FEW, [], count=int(few.sum()), smallest=asked.smallest)
    empty = (told["customers"] == 0) & told["value"].isna() & ~early
    nowhere = (empty | early).groupby(told["kpi"]).all() & empty.groupby(told["kpi"]).any()
    for kpi in (kpi for kpi in KPIS if nowhere.get(kpi.name, False)):
        yield _filled(_EMPTY, [kpi], sources=", ".join(kpi.sources).replace("|", " / "))
    last = ground.periods[-1]
    if last.end < asked.end:
        yield _filled(_RUNNING, [], day=last.last)


def _filled(text: Text, of: list[Kpi], **values: object) -> Text:
    en, zh = ", ".join(kpi.title.en for kpi in of), "、".join(kpi.title.zh for kpi in of)
    return Text(text.en.format(titles=en, **values), text.zh.format(titles=zh, **values))


_COLUMNS: dict[str, About] = {
    "kpi": About(Text("KPI", "指标"), "word", words={kpi.name: kpi.title for kpi in KPIS}),
    "period": About(Text("Period from", "周期起始"), "day"),
    "part": About(Text("Part", "分组"), "word", words={ALL: Text("all", "全部")} | UNKNOWN_WORD),
    "value": About(Text("Value", "数值"), "ratio", unit_in="unit"),
    "low": About(Text("Low", "下限"), "ratio", Text("Lower bound of the 95% interval", "95% 区间下限"), unit_in="unit"),
    "high": About(
        Text("High", "上限"), "ratio", Text("Upper bound of the 95% interval", "95% 区间上限"), unit_in="unit"
    ),
    "customers": About(Text("Customers", "客户数"), "number", Text("It rests on so many", "所依据的客户数")),
    "unit": About(Text("Unit", "单位"), "word", words=_UNITS),
    "before": About(Text("Before", "上期"), "ratio", Text("In the period before", "上一期的数值"), unit_in="unit"),
    "change": About(Text("Change", "变化"), "ratio", unit_in="unit"),
    "change_low": About(
        Text("Change, low", "变化下限"), "ratio", Text("Of its 95% interval", "95% 区间下限"), unit_in="unit"
    ),
    "change_high": About(
        Text("Change, high", "变化上限"), "ratio", Text("Of its 95% interval", "95% 区间上限"), unit_in="unit"
    ),
    "moved": About(Text("It is", "变化判断"), "word", words=CHANGES),
    "side": About(Text("Target is", "目标方向"), "word", words=SIDES),
    "target": About(Text("Target", "目标"), "ratio", unit_in="unit"),
    "verdict": About(Text("Verdict", "结论"), "word", words=VERDICTS),
}
_BOUNDS = ("value", "low", "high")
_JUDGED = ("side", "target", "verdict")


def _columns(names: Iterable[str], asked: Asked, windows: Windows | None = None) -> dict[str, About]:
    chosen = [name for name in names if name != "part" or asked.by is not None]
    found = {name: _COLUMNS[name] for name in chosen if name != "definition"}
    if windows is None:
        return found
    words = {kpi.name: kpi.defined(windows) for kpi in KPIS}
    return found | {"definition": About(Text("Definition", "定义"), "word", words=words)}


def _now(
    told: pd.DataFrame, span: tuple[Period, ...], windows: Windows, asked: Asked, remarks: tuple[Text, ...]
) -> Measure:
    last = told[told["period"] == pd.Timestamp(span[-1].first)]
    before = told[told["period"] == pd.Timestamp(span[-2].first)] if len(span) > 1 else last.iloc[:0]
    frame = changed(last, before)
    frame = frame.assign(definition=frame["kpi"])
    names = ("kpi", "part", *_BOUNDS, "before", "change", "change_low", "change_high", "moved", *_JUDGED)
    return Measure(
        "kpis_now",
        Text("KPIs of the last period", "最近一期关键指标"),
        Text(
            "Each figure of the last whole period, beside that of the period before. A change or a missed target is "
            "told from noise where the whole 95% interval lies on one side.",
            "最近一个完整周期的各项指标及上期数值；仅当 95% 区间完全落在一侧时，变化或未达标才视为超出误差。",
        ),
        _POPULATION,
        frame.dropna(subset=["value", "before"], how="all"),
        _columns((*names, "customers", "unit"), asked, windows),
        span[-1].first.isoformat(),
        span[-1].last.isoformat(),
        _sources(told),
        remarks,
    )


def _alerts(told: pd.DataFrame, span: tuple[Period, ...], asked: Asked) -> Measure:
    frame = told[(told["verdict"] == "missed") & (told["period"] == pd.Timestamp(span[-1].first))]
    names = ("kpi", "period", "part", *_BOUNDS, "side", "target", "customers", "unit")
    return Measure(
        "kpis_alerts",
        Text("Targets missed beyond noise", "显著未达标的指标"),
        Text(
            "Figures of the last period whose whole 95% interval lies on the wrong side of the target; of those that "
            "have none, the figure itself.",
            "最近一期 95% 区间完全落在目标错误一侧的指标；无区间者以数值本身判断。",
        ),
        _POPULATION,
        frame,
        _columns(names, asked),
        span[-1].first.isoformat(),
        span[-1].last.isoformat(),
        _sources(told),
        () if len(frame) else (_NO_ALERT,),
    )


def _all(told: pd.DataFrame, span: tuple[Period, ...], asked: Asked, remarks: tuple[Text, ...]) -> Measure:
    names = ("kpi", "period", "part", *_BOUNDS, "customers", *_JUDGED, "unit")
    return Measure(
        "kpis",
        Text("KPIs by period", "各期关键指标"),
        Text(
            "Each figure of each whole period. What needs days to come true is counted in the period in which these "
            "days end, so that no figure changes for what comes later.",
            "各完整周期的各项指标。需要观察期的指标计入观察期届满的周期，因此不会因后续数据而改变。",
        ),
        _POPULATION,
        told,
        _columns(names, asked),
        span[0].first.isoformat(),
        span[-1].last.isoformat(),
        _sources(told),
        remarks,
    )


def _sources(told: pd.DataFrame) -> tuple[str, ...]:
    used = [table for name in told["kpi"].unique() for table in BY_NAME[name].tables]
    return tuple(dict.fromkeys(one for table in used for one in table.split("|")))


__all__ = ["Target", "Windows", "kpis", "require_known"]
