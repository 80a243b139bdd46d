"""What the columns of the strategy sheet are called, how they are counted, and what its words claim."""

from __future__ import annotations

from churnml.measures.lifecycle import STAGES
from churnml.measures.measure import About
from churnml.measures.segments import SEGMENTS
from churnml.policy.strategy import OTHERS, UNSCORED, UNSEEN, Evidence
from churnml.wording import Text

EVIDENCE_WORDS: dict[Evidence, Text] = {
    "proven": Text("measured, pays", "已测得，有收益"),
    "unproven": Text("measured, not proven", "已测量，尚未证实"),
    "assumed": Text("assumed, not proven", "假设，尚未证实"),
    "nothing_pays": Text("nothing open pays", "可选动作均不划算"),
    "nothing_open": Text("nothing is open", "无可选动作"),
    "none": Text("not scored", "未评分"),
}
"""How each kind of evidence is worded; only the first claims that an action pays."""

SOURCE_WORDS = {
    "prior": Text("assumption", "假设"),
    "measured": Text("measured on average", "按平均实测"),
    "uplift": Text("learned by customer", "按客户学习"),
    "mixed": Text("partly assumed", "部分为假设"),
}

_STAGE_WORDS = {str(name): text for name, text in STAGES.items()} | {
    UNSEEN: Text("Not in these scores", "不在本次评分中"),
    OTHERS: Text("Others", "其他"),
}
_SEGMENT_WORDS = {str(name): text for name, text in SEGMENTS.items()} | {
    OTHERS: Text("small segments together", "小分群合计"),
    UNSCORED: Text("not scored", "未评分"),
}
_LOW, _HIGH = Text("from", "下限"), Text("to", "上限")

TITLE = Text("Strategy sheet", "策略一览")
DEFINITION = Text(
    "One row for each lifecycle stage and segment of value and risk. The action is the one that brings most, taken "
    "cautiously, if everybody of the row gets it whom it suits and who may have it, before any budget; none where none "
    "pays. Effects are changes of margin per customer who gets the action, before its cost. What is assumed has been "
    "measured by nobody; only what an experiment found to pay is called so.",
    "每行为一个生命周期阶段与价值—风险分群的组合。“建议动作”是在谨慎估计下，对该行中所有适合且允许的客户实施时收益最大的动作，"
    "未考虑预算；若无动作划算则不建议。效果为每位获得该动作的客户的毛利变化，未扣除动作成本。"
    "标为“假设”的效果未经任何测量；只有实验证明有收益的才标为“有收益”。",
)
VALUE = Text("clv, the mean of those who are scored", "已评分客户的平均客户终身价值")
SATISFACTION = Text(
    "latest answers within these days, from the worst to the best of their scale",
    "期间内每位客户的最近一次答复，按量表从最差到最好换算",
)

COLUMNS: dict[str, About] = {
    "stage": About(Text("Stage", "阶段"), "word", words=_STAGE_WORDS),
    "segment": About(Text("Segment", "分群"), "word", words=_SEGMENT_WORDS),
    "customers": About(Text("Customers", "客户数"), "number"),
    "share": About(Text("Share", "占比"), "share"),
    "value": About(Text("Value each", "人均价值"), "money", VALUE),
    "churn_probability": About(Text("Churn risk", "流失概率"), "share", Text("mean", "平均")),
    "value_at_risk": About(Text("Value at risk", "风险价值"), "money", Text("sum", "合计")),
    "satisfaction": About(Text("Satisfaction", "满意度"), "share", SATISFACTION),
    "answers": About(Text("Answers", "答复数"), "number"),
    "action": About(Text("What to do", "建议动作"), "word"),
    "evidence": About(Text("Evidence", "证据"), "word", words={str(k): v for k, v in EVIDENCE_WORDS.items()}),
    "effect_source": About(Text("Effect is", "效果来源"), "word", words=SOURCE_WORDS),
    "open_to": About(Text("Open to", "适用人数"), "number"),
    "effect": About(Text("Effect each", "人均效果"), "money"),
    "effect_low": About(_LOW, "money"),
    "effect_high": About(_HIGH, "money"),
    "cost": About(Text("Cost each", "人均成本"), "money"),
    "return_on_cost": About(
        Text("Net per 1 spent", "每单位成本净收益"), "ratio", Text("effect less cost, over cost", "（效果−成本）/成本")
    ),
    "expected_return": About(Text("Net in all", "净收益合计"), "money"),
    "return_low": About(_LOW, "money"),
    "return_high": About(_HIGH, "money"),
}


def population(day: str) -> Text:
    """Say whom the sheet is of."""
    return Text(
        f"all customers but those who refuse to be profiled, as they were scored on {day}",
        f"全部客户（拒绝画像者除外），以 {day} 的评分为准",
    )


def not_scored(end: str) -> Text:
    """Say that there are no scores to make a sheet of."""
    return Text(
        f"the strategy sheet needs scores of {end} or before, and nothing is scored up to then in this workspace; run "
        "`churnml train` and `churnml score` first, or give a later --to",
        f"策略一览需要 {end} 或更早的评分，而此工作区截至该日尚无评分；请先运行 `churnml train` 与 `churnml score`，"
        "或选择更晚的 --to",
    )


def other_day(scored: str, end: str) -> Text:
    """Say that scores are of another day than the answers."""
    return Text(
        f"Scores are those of {scored}, the days asked about end on {end}; `churnml score --cutoff {end}` brings them "
        "together.",
        f"评分日为 {scored}，而所问时段止于 {end}；运行 `churnml score --cutoff {end}` 可使两者一致。",
    )


def unseen(customers: int) -> Text:
    """Say how many customers the scores do not hold."""
    who = "1 customer is" if customers == 1 else f"{customers:,} customers are"
    return Text(
        f"{who} not in these scores: when those were made they were not known yet, or refused to be profiled. "
        "`churnml score` tells their stage and segment.",
        f"{customers:,} 位客户不在本次评分中：当时尚未建档，或拒绝画像。运行 `churnml score` 即可给出其阶段与分群。",
    )


def no_answers() -> Text:
    """Say why nothing is told of satisfaction."""
    return Text(
        "Nothing is told of satisfaction: no survey was answered within these days. Answered `surveys` turn it on.",
        "期间内没有问卷答复，因此不显示满意度；导入有答复的 `surveys` 后即会出现。",
    )


def pooled(fewest: int) -> Text:
    """Say what became of small cells."""
    return Text(
        f"Segments of fewer than {fewest} customers are told together within their stage.",
        f"不足 {fewest} 位客户的分群在其阶段内合并显示。",
    )


def all_assumed() -> Text:
    """Say that nothing is known of what is advised."""
    return Text(
        "Every effect here is an assumption of actions.yaml; no experiment has measured any. Keep a control group "
        "(`churnml assign` does) and `churnml measure effect` will replace them.",
        "此处所有效果均为 actions.yaml 中的假设，未经任何实验测量。保留对照组（`churnml assign` 会自动保留），"
        "之后 `churnml measure effect` 将以实测取代假设。",
    )


def by_has_no_use() -> Text:
    """Say that --by changes nothing."""
    return Text(
        "The sheet is by stage and segment; --by changes nothing in it.", "本表按阶段与分群划分，--by 不起作用。"
    )
