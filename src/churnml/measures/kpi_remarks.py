"""What is missing from the figures of a business, why, and what would turn it on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pandas as pd

from churnml.measures.kpi_figures import ALL, missing
from churnml.measures.kpi_ground import Ground
from churnml.measures.kpi_list import BY_NAME, KPIS, Kpi
from churnml.measures.kpi_targets import Target
from churnml.measures.measure import Asked
from churnml.wording import LANGUAGES, Text

NO_TARGETS = Text(
    "No target is set; `targets` in kpis.yaml take them.",
    "尚未设定目标；请在 kpis.yaml 的 targets 中设定。",
)
NO_ALERT = Text("No figure misses its target beyond noise.", "没有指标显著未达标。")

_RUNNING = Text(
    "The days from {day} on are of a period that has not ended, and are left out.", "{day} 起的周期尚未结束，未计入。"
)
_EARLY = Text(
    "The history begins on {day}; these look back further and are not told for the first periods: {titles}.",
    "数据始于 {day}；以下指标需更早的历史，最初几期不列出：{titles}。",
)
_FEW = Text(
    "{count} values are withheld: they rest on fewer than {smallest} customers, or the total would tell one that does.",
    "有 {count} 个数值不予显示：所涉客户不足 {smallest} 位，或可由合计推出这样的数值。",
)
_ONE = Text(
    "One value rests on fewer than {smallest} customers and is not shown.",
    "有一个数值所涉客户不足 {smallest} 位，不予显示。",
)
_NO_SUCH_PART = Text(
    "Nobody is in {parts}, of which `targets` speak; by {by} there are {known}.",
    "targets 中提到的 {parts} 没有客户；按 {by} 划分的分组有：{known}。",
)
_LACKS = Text("Without {table} these are not told: {titles}.", "缺少{table}，未计算：{titles}。")
_NO_RECORDS = Text(
    "No scores are in service that were made by the end of the report, so these are not told: {titles}; `churnml "
    "score` turns them on.",
    "截至报告期末没有可用的模型评分，未计算：{titles}；运行 churnml score 后可用。",
)
_EMPTY = Text(
    "Nothing to count in any period, with what it would need: {titles}.",
    "各期均无可计数据（括号内为所需数据）：{titles}。",
)
_HOLDS = {
    "customers": "客户",
    "customers.acquisition_cost": "获客成本",
    "orders": "订单",
    "orders.quantity": "订购件数",
    "order_lines": "订单明细",
    "order_lines.category": "商品品类",
    "returns": "退货",
    "interactions": "行为",
    "contacts": "触达",
    "contacts.cost": "触达成本",
    "tickets": "工单",
    "surveys": "问卷",
    "subscriptions": "订阅",
    "records": "模型评分",
}
"""What figures need, in Chinese; the English names of tables and columns are words themselves."""


def remarks(
    told: pd.DataFrame, ground: Ground, landed: set[str], early: pd.Series, few: pd.Series, asked: Asked
) -> Iterator[Text]:
    """Yield what there is to say beside the figures.

    Parameters
    ----------
    told : DataFrame
        From `kpi_figures.figures`, hidden values taken out.
    early, few : Series of bool
        Which rows look back beyond the history, and which rest on too few customers.
    """
    lacking: dict[str, list[Kpi]] = {}
    for kpi in KPIS:
        for table in missing(kpi.tables, landed)[:1]:
            lacking.setdefault(table, []).append(kpi)
    for table, without in lacking.items():
        yield _filled(_NO_RECORDS if table == "records" else _LACKS, without, table=_sources([table]))
    if early.any():
        yield _filled(_EARLY, [BY_NAME[name] for name in told.loc[early, "kpi"].unique()], day=ground.began.date())
    if few.any():
        yield _filled(_ONE if few.sum() == 1 else _FEW, [], count=int(few.sum()), smallest=asked.smallest)
    nowhere = [BY_NAME[str(name)] for name, rows in told.assign(early=early).groupby("kpi") if _empty(rows)]
    if nowhere:
        needs = [_sources(kpi.sources) for kpi in nowhere]
        en = ", ".join(f"{kpi.title.en} ({need.en})" for kpi, need in zip(nowhere, needs, strict=True))
        zh = "、".join(f"{kpi.title.zh}（{need.zh}）" for kpi, need in zip(nowhere, needs, strict=True))
        yield Text(_EMPTY.en.format(titles=en), _EMPTY.zh.format(titles=zh))
    if ground.periods[-1].end < asked.end:
        yield _filled(_RUNNING, [], day=ground.periods[-1].last)


def unmet_parts(targets: Mapping[str, Target], told: pd.DataFrame, by: str | None) -> Iterator[Text]:
    """Say which parts have a target and no customer, where the figures are told by parts."""
    there = sorted({str(part) for part in told["part"]} - {ALL})
    off = sorted({part for target in targets.values() for part in target.parts} - set(there))
    if by is not None and off:
        yield _filled(_NO_SUCH_PART, [], parts=_quoted(off), by=f"`{by}`", known=_quoted(there))


def _quoted(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _empty(rows: pd.DataFrame) -> bool:
    """Tell whether there was nothing to count in any period of a figure that did not look back too far."""
    late = rows[~rows["early"]]
    return bool(len(late)) and bool(((late["customers"] == 0) & late["value"].isna()).all())


def _sources(needed: Iterable[str]) -> Text:
    """Return the tables that a figure needs, as they are landed, and what they hold; `a|b` needs one of two."""
    told = [need.split("|") for need in needed]
    en = ", ".join(" or ".join(f"`{one}`" for one in either) for either in told)
    return Text(en, "、".join(" 或".join(f"{_HOLDS[one]} `{one}`" for one in either) for either in told))


def _filled(text: Text, of: list[Kpi], **values: object) -> Text:
    """Return a remark with figures and values in their places, each text among them in its language."""
    told = {"titles": Text(", ".join(kpi.title.en for kpi in of), "、".join(kpi.title.zh for kpi in of)), **values}
    en, zh = (
        {name: one.to(language) if isinstance(one, Text) else one for name, one in told.items()}
        for language in LANGUAGES
    )
    return Text(text.en.format(**en), text.zh.format(**zh))
