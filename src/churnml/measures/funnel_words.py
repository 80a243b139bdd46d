"""What the tables of the funnel are called, how their figures are counted, and what is said beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from churnml.config import FunnelPreset
from churnml.measures.funnel_stages import PRESET_NAMES, FunnelStage
from churnml.measures.lifecycle import STAGES
from churnml.measures.measure import About, Measure
from churnml.measures.parts import UNKNOWN_WORD
from churnml.measures.segments import SEGMENTS
from churnml.wording import Text

_LOW, _HIGH = About(Text("From", "下限"), "share"), About(Text("To", "上限"), "share")
_NONE = {"none": Text("before the first stage", "尚未进入首个阶段")}


@dataclass(frozen=True)
class Told:
    """The words of one table."""

    name: str
    title: Text
    definition: Text
    population: Text
    columns: Mapping[str, About]


_COHORT = Text("customers who entered the first stage in these days", "在此期间进入首个阶段的客户")

FUNNEL = Told(
    "funnel",
    Text("The funnel", "转化漏斗"),
    Text(
        "Each stage counts those who have reached it by the last of these days. The share reached is of those who "
        "entered the first stage, conversion of those who reached the stage before; intervals are Wilson's, 95 %. "
        "Days are from the stage before, the median of those who move on, by Kaplan and Meier: who has been watched "
        "for a short time only counts for that time.",
        "各阶段统计截至期末已到达该阶段的客户。到达率以进入首个阶段的客户为分母，转化率以到达上一阶段的客户为分母，"
        "区间为 95% Wilson 区间。天数从到达上一阶段起算，为最终会继续前进者的中位天数，按 Kaplan–Meier 法计算："
        "观察时间短的客户只计入其已被观察的时间。",
    ),
    _COHORT,
    {
        "part": About(Text("Part", "分组"), "word"),
        "stage": About(Text("Stage", "阶段"), "word"),
        "customers": About(Text("Customers", "客户数"), "number"),
        "reached_share": About(Text("Reached", "到达率"), "share"),
        "low": _LOW,
        "high": _HIGH,
        "conversion": About(Text("Conversion", "转化率"), "share", Text("from the stage before", "相对上一阶段")),
        "conversion_low": _LOW,
        "conversion_high": _HIGH,
        "median_days": About(Text("Median days", "中位天数"), "days"),
        "days_low": About(Text("From", "下限"), "days"),
        "days_high": About(Text("To", "上限"), "days"),
        "narrowest": About(
            Text("Where it narrows most", "最窄处"),
            "word",
            Text(
                "the stage that fewest move on to in the end, beyond noise against every other; of everybody together",
                "最终进入比例最低、且与其他各阶段的差异均超出随机波动的阶段；按全部客户判断",
            ),
            {"narrowest": Text("here", "此处")},
        ),
    },
)

EVENTUAL = Told(
    "funnel_eventual",
    Text("What the funnel will come to", "漏斗的最终转化"),
    Text(
        "Some came only lately and may still move on. The eventual share is of those who reached the stage before, the "
        "share who have moved on within so many days of it, by Kaplan and Meier; the days are as many as enough "
        "customers have been watched for. It takes those who came lately to move on like those who came before them.",
        "部分客户刚刚到来，仍可能继续前进。最终转化率以到达上一阶段的客户为分母，为在所示天数内继续前进的比例，"
        "按 Kaplan–Meier 法估计；天数取仍有足够客户处于观察中的最长天数。"
        "这里假定新来的客户与先来的客户以同样的方式前进。",
    ),
    _COHORT,
    {
        "part": About(Text("Part", "分组"), "word"),
        "stage": About(Text("To stage", "进入阶段"), "word"),
        "entered": About(Text("Reached the one before", "到达上一阶段"), "number"),
        "moved": About(Text("Moved on", "已前进"), "number"),
        "waiting": About(Text("Not yet", "尚未前进"), "number"),
        "eventual_share": About(Text("Eventual share", "最终转化率"), "share"),
        "low": _LOW,
        "high": _HIGH,
        "within_days": About(Text("Within days", "观察天数"), "days"),
    },
)

COMPARED = Told(
    "funnel_compared",
    Text("Against the span before", "与上一时段比较"),
    Text(
        "Conversion of those who came in these days, and of those who came in as many days before, each watched to the "
        "end of their own span. The interval of the difference is Newcombe's, at a level at which all stages together "
        "err in 5 % at most; beyond noise is what excludes zero.",
        "比较本时段与此前等长时段到来的客户的转化率，两组均观察至各自时段的期末。差值区间为 Newcombe 区间，"
        "其置信水平使所有阶段合计的误判概率不超过 5%；区间不含零即为超出随机波动。",
    ),
    Text("customers who entered the first stage, by span", "各时段进入首个阶段的客户"),
    {
        "stage": About(Text("Stage", "阶段"), "word"),
        "entered_before": About(Text("Of, before", "上期基数"), "number"),
        "entered": About(Text("Of, now", "本期基数"), "number"),
        "before": About(Text("Before", "上期"), "share"),
        "now": About(Text("Now", "本期"), "share"),
        "difference": About(Text("Difference", "差值"), "change"),
        "low": _LOW,
        "high": _HIGH,
        "beyond_noise": About(
            Text("Beyond noise", "超出随机波动"), "word", words={"yes": Text("yes", "是"), "no": Text("no", "否")}
        ),
    },
)

STANDING = Told(
    "funnel_standing",
    Text("Where everybody stands", "全部客户所处阶段"),
    Text(
        "The furthest stage that each customer has ever reached; the numbers add up to all customers.",
        "每位客户迄今到达过的最远阶段；各阶段人数之和等于全部客户。",
    ),
    Text("all customers known at the end of these days", "期末全部已知客户"),
    {
        "stage": About(Text("Stage", "阶段"), "word"),
        "customers": About(Text("Customers", "客户数"), "number"),
        "share": About(Text("Share", "占比"), "share"),
    },
)


def told(
    what: Told,
    frame: pd.DataFrame,
    stages: Sequence[FunnelStage],
    by: str | None,
    remarks: tuple[Text, ...],
    common: Mapping[str, Any],  # Any: fields of Measure
) -> Measure:
    """Return a table with its words, without a column of parts or of the narrowest stage where there is none."""
    empty = {"part"} if by is None else set[str]()
    if "narrowest" in frame and frame["narrowest"].isna().all():
        empty.add("narrowest")
    columns = {name: about for name, about in what.columns.items() if name not in empty}
    names = {stage.name: stage.label for stage in stages} | _NONE
    columns["stage"] = replace(columns["stage"], words=names)
    if "part" in columns:
        columns["part"] = replace(columns["part"], title=Text(str(by), str(by)), words=_parts(by))
    return Measure(
        what.name, what.title, what.definition, what.population, frame.reindex(columns=list(columns)), columns,
        remarks=remarks, **common,
    )  # fmt: skip


def _parts(by: str | None) -> dict[str, Text]:
    words = [*STAGES.items()] if by == "stage" else [*SEGMENTS.items()] if by == "segment" else []
    return {str(name): text for name, text in words} | UNKNOWN_WORD


def preset_used(preset: FunnelPreset | None, *, chosen: bool) -> Text:
    """Say whose stages these are."""
    if preset is None:
        return Text("The stages are those of measure.yaml.", "阶段取自 measure.yaml。")
    name = PRESET_NAMES[preset]
    if chosen:
        return Text(
            f"The stages are the preset “{name.en}” (`{preset}`), chosen by what has landed; `funnel` in "
            "measure.yaml sets others.",
            f"阶段采用预设“{name.zh}”（`{preset}`），按已入库的数据自动选定；"
            "可在 measure.yaml 的 `funnel` 中另行设定。",
        )
    return Text(f"The stages are the preset “{name.en}” (`{preset}`).", f"阶段采用预设“{name.zh}”（`{preset}`）。")


def too_few_stages(found: int, stages: Sequence[FunnelStage]) -> Text:
    """Say that too few stages were reached by anybody to make a funnel."""
    return Text(
        f"a funnel needs two stages that somebody has reached, found {found} of "
        f"{', '.join(stage.name for stage in stages)}; land the events that make them, or set `funnel` in measure.yaml",
        f"漏斗需要至少两个有客户到达的阶段，在 {'、'.join(stage.label.zh for stage in stages)} 中有 {found} 个；"
        "请导入构成这些阶段的事件，或在 measure.yaml 中设定 `funnel`",
    )


def left_out(stages: Sequence[FunnelStage]) -> tuple[Text, ...]:
    """Say which stages are missing because nothing of them has landed, and what would turn them on."""
    if not stages:
        return ()
    english = ", ".join(f"{stage.label.en} ({_signs(stage)})" for stage in stages)
    chinese = "、".join(f"{stage.label.zh}（{_signs(stage)}）" for stage in stages)
    return (
        Text(
            f"Left out, for nothing of them has landed: {english}. Land such rows to turn them on.",
            f"以下阶段因无任何相关数据入库而略去：{chinese}。相关数据入库后即会出现。",
        ),
    )


def _signs(stage: FunnelStage) -> str:
    return "; ".join(
        " ".join([f"`{sign.table}`", *(f"{column} = {_value(wanted)}" for column, wanted in sign.where.items())])
        for sign in stage.signs
    )


def _value(wanted: object) -> str:
    return "/".join(wanted) if isinstance(wanted, tuple) else str(wanted).lower()


def skipping(skipped: str) -> Text:
    """Say what becomes of who skipped a stage."""
    if skipped == "counted":
        return Text(
            "Who reached a stage counts for the stages before it too, at that time at the latest.",
            "到达某一阶段的客户，最迟在该时点也计为已到达此前各阶段。",
        )
    return Text(
        "A stage counts once it and all stages before it have been seen.",
        "某一阶段须在其自身及此前各阶段均已出现后才计入。",
    )


def narrowest(before: FunnelStage, stage: FunnelStage, share: float) -> Text:
    """Say where fewest move on."""
    return Text(
        f"It is narrowest from {before.label.en} to {stage.label.en}: {100 * share:.1f} % move on in the end, each "
        "counted for as long as they were watched: fewer than at every other stage, beyond noise.",
        f"漏斗最窄处为“{before.label.zh}”到“{stage.label.zh}”：按各客户的观察时长估计，最终仅 "
        f"{100 * share:.1f}% 继续前进，低于其他各阶段，且超出随机波动。",
    )


def none_narrowest() -> Text:
    """Say that no stage stands out."""
    return Text(
        "No stage is narrower than all others beyond noise, by the shares that move on in the end.",
        "没有哪个阶段的最终转化率在超出随机波动的程度上低于其他所有阶段。",
    )


def known_by_buying(stage: FunnelStage) -> Text:
    """Say that the first step tells nothing."""
    return Text(
        f"Nearly everybody was first known on the day they reached {stage.label.en}: who came and did not is not in "
        "the data, and this conversion says nothing of them.",
        f"几乎所有客户都是在到达“{stage.label.zh}”的当天才首次被记录：来过而未到达的人不在数据中，该转化率不反映他们。",
    )


def early(first: str, days: int) -> Text:
    """Say that there is nothing to compare with."""
    return Text(
        f"Not compared with the {days} days before: the first customer known is of {first}. A later --from, or a "
        "shorter span, leaves room for it.",
        f"未与此前 {days} 天比较：最早的客户记录始于 {first}。推后 --from 或缩短时段即可比较。",
    )


def small(smallest: int) -> Text:
    """Say that figures of few are missing."""
    return Text(
        f"Shares and days of fewer than {smallest} customers are not shown.",
        f"不足 {smallest} 位客户的比例与天数不予显示。",
    )


def nobody() -> Text:
    """Say that the days are empty."""
    return Text(
        "Nobody entered the first stage in these days; ask for others with --from and --to.",
        "此期间没有客户进入首个阶段；请用 --from 与 --to 选择其他时段。",
    )
