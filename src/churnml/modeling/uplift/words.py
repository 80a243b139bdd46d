"""What an experiment taught, in sentences, in English and Chinese."""

from __future__ import annotations

from churnml.modeling.uplift.estimate import ArmUplift, Uplift
from churnml.modeling.uplift.evidence import NoEvidence
from churnml.modeling.uplift.order import Measured
from churnml.wording import Text


def average_told(arm: ArmUplift) -> Text:
    """Return whether an arm helps on average."""
    en, zh = _range(arm.average)
    if arm.average.low > 0:
        return Text(f"{arm.name} helps: it adds {en} per 1,000 customers.", f"“{arm.name}”有效：每千名客户增加 {zh}。")
    if arm.average.high < 0:
        return Text(
            f"{arm.name} harms: it changes outcomes by {en} per 1,000 customers.",
            f"“{arm.name}”有害：每千名客户变化 {zh}。",
        )
    return Text(
        f"{arm.name}: not yet conclusive, the change is {en} per 1,000 customers.",
        f"“{arm.name}”：尚无定论，每千名客户变化 {zh}。",
    )


def order_told(arm: ArmUplift) -> Text:
    """Return whether anybody is known to gain more from an arm than their response alone tells."""
    # what is not accepted shows the interval that holds zero
    en, zh = _range(arm.gain if arm.accepted or arm.gain.low <= 0 else arm.proof)
    if arm.accepted:
        return Text(
            f"{arm.name}: whom it helps more can be told; the learned order gathers {en} per 1,000 customers more than "
            "one effect for all.",
            f"“{arm.name}”：可以判断谁受益更多；与统一效果相比，学到的排序每千名客户多获得 {zh}。",
        )
    return Text(
        f"{arm.name}: whom it helps more cannot be told from these data ({en} per 1,000 customers); one effect for all "
        "is used.",
        f"“{arm.name}”：现有数据无法判断谁受益更多（每千名客户 {zh}），因此采用统一效果。",
    )


def sleeping_told(arm: ArmUplift) -> Text:
    """Return whether an arm harms some, who are better left alone."""
    harmed = sum(group.sleeping for group in arm.groups)
    if not harmed:
        return Text(f"{arm.name}: nobody is shown to be harmed by it.", f"“{arm.name}”：没有证据表明它对任何客户有害。")
    return Text(
        f"{arm.name} harms some: leave alone those with the lowest effect, {harmed} of {len(arm.groups)} groups.",
        f"“{arm.name}”对部分客户有害：请勿打扰效果最低的客户（{len(arm.groups)} 组中的 {harmed} 组）。",
    )


def policy_told(found: Uplift) -> Text:
    """Return whether choosing by customer is worth more than one arm for everybody."""
    names = ["nothing", *(arm.name for arm in found.arms)]
    best_en, best_zh = names[found.best], "不采取行动" if found.best == 0 else f"采用“{names[found.best]}”"
    en, zh = _range(found.gain)
    if found.personal:
        return Text(
            f"Choosing by customer is worth {en} per 1,000 customers more than {best_en} for everybody.",
            f"与对所有人{best_zh}相比，按客户选择每千名客户多获得 {zh}。",
        )
    return Text(
        f"Choosing by customer is not shown to be worth more than {best_en} for everybody ({en} per 1,000 customers), "
        f"so everybody gets {best_en}.",
        f"没有证据表明按客户选择优于对所有人{best_zh}（每千名客户 {zh}），因此统一采用后者。",
    )


def no_evidence_told(found: NoEvidence) -> Text:
    """Return why nothing is learned, and what a naive look says beside the randomised one."""
    why = _WHY[found.reason]
    en, zh = [], []
    for name, naive in found.naive.items():
        seen = _range(naive)
        drawn = _range(found.weighted[name]) if name in found.weighted else None
        en.append(
            f"{name}: naive difference {seen[0]}"
            + (f", weighted by the recorded propensities {drawn[0]}" if drawn else "")
        )
        zh.append(f"“{name}”：简单差异 {seen[1]}" + (f"，按记录概率加权 {drawn[1]}" if drawn else ""))
    return Text(
        f"No evidence: {why.en}. The prior effects stay. Per 1,000 customers, {'; '.join(en)}.",
        f"没有证据：{why.zh}。继续使用先验效果。每千名客户，{'；'.join(zh)}。",
    )


def _range(found: Measured) -> tuple[str, str]:
    """Return a figure per 1,000 customers with its interval, in both languages."""
    value, low, high = (1_000 * one for one in (found.value, found.low, found.high))
    return f"{value:.1f} ({low:.1f} to {high:.1f})", f"{value:.1f}（{low:.1f} 至 {high:.1f}）"


_WHY = {
    "no_randomised": Text(
        "no contact was drawn by chance with a recorded propensity", "没有任何联系是按已记录的概率随机分配的"
    ),
    "sample_ratio": Text(
        "the sizes of the arms do not fit their propensities, so customers were lost or the draw was not as recorded",
        "各组人数与分配概率不符，可能有客户丢失，或实际分配与记录不同",
    ),
    "predictable": Text(
        "what was known of customers tells who got which arm, so it was not drawn by chance",
        "客户特征可以预测分组，因此分配并非随机",
    ),
}
