"""What an experiment taught, in sentences, in English and Chinese."""

from __future__ import annotations

from dataclasses import dataclass

from churnml.modeling.uplift.estimate import ArmUplift, Uplift
from churnml.modeling.uplift.evidence import NoEvidence
from churnml.modeling.uplift.order import Measured
from churnml.wording import Text


@dataclass(frozen=True)
class Called:
    """How an arm and its outcomes are called.

    Parameters
    ----------
    name : Text
    unit : Text
        What follows a figure.
    """

    name: Text
    unit: Text


def average_told(arm: ArmUplift, called: Called | None = None) -> Text:
    """Return whether an arm helps on average."""
    name, (en, zh) = _named(arm, called, arm.average)
    if arm.average.low > 0:
        return Text(f"{name.en} helps: it adds {en} per 1,000 customers.", f"“{name.zh}”有效：每千名客户增加 {zh}。")
    if arm.average.high < 0:
        return Text(
            f"{name.en} harms: it changes outcomes by {en} per 1,000 customers.",
            f"“{name.zh}”有害：每千名客户变化 {zh}。",
        )
    return Text(
        f"{name.en}: not yet conclusive, the change is {en} per 1,000 customers.",
        f"“{name.zh}”：尚无定论，每千名客户变化 {zh}。",
    )


def order_told(arm: ArmUplift, called: Called | None = None) -> Text:
    """Return whether anybody is known to gain more from an arm than their response alone tells."""
    # what is not accepted shows the interval that holds zero
    name, (en, zh) = _named(arm, called, arm.gain if arm.accepted or arm.gain.low <= 0 else arm.proof)
    if arm.accepted:
        return Text(
            f"{name.en}: whom it helps more can be told; the learned order gathers {en} per 1,000 customers more than "
            "one effect for all.",
            f"“{name.zh}”：可以判断谁受益更多；与统一效果相比，学到的排序每千名客户多获得 {zh}。",
        )
    return Text(
        f"{name.en}: whom it helps more cannot be told from these data ({en} per 1,000 customers); one effect for all "
        "is used.",
        f"“{name.zh}”：现有数据无法判断谁受益更多（每千名客户 {zh}），因此采用统一效果。",
    )


def sleeping_told(arm: ArmUplift, called: Called | None = None) -> Text:
    """Return whether an arm harms some, who are better left alone, and how many those were in the experiment."""
    name, groups = _named(arm, called, arm.average)[0], len(arm.groups)
    asleep = [(place, group) for place, group in enumerate(arm.groups, start=1) if group.sleeping]
    if not asleep:
        return Text(f"{name.en}: nobody is shown to be harmed by it.", f"“{name.zh}”：没有证据表明它对任何客户有害。")
    told = [(place, f"{group.customers:,}", *figure_told(group.effect, called)) for place, group in asleep]
    en = "; ".join(f"group {place}, {customers} customers: {effect}" for place, customers, effect, _ in told)
    zh = "；".join(f"第 {place} 组，{customers} 名客户：{effect}" for place, customers, _, effect in told)
    return Text(
        f"{name.en} harms some: leave alone those whose effect is as low as that of {len(asleep)} of {groups} groups "
        f"(per 1,000 customers, {en}).",
        f"“{name.zh}”对部分客户有害：{groups} 组中有 {len(asleep)} 组请勿打扰（每千名客户，{zh}）。",
    )


def policy_told(found: Uplift) -> Text:
    """Return whether choosing by customer is worth more than one arm for everybody."""
    names = ["nothing", *(arm.name for arm in found.arms)]
    best_en, best_zh = names[found.best], "不采取行动" if found.best == 0 else f"采用“{names[found.best]}”"
    en, zh = figure_told(found.gain)
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
    why = WHY[found.reason]
    en, zh = [], []
    for name, naive in found.naive.items():
        seen = figure_told(naive)
        drawn = figure_told(found.weighted[name]) if name in found.weighted else None
        en.append(
            f"{name}: naive difference {seen[0]}"
            + (f", weighted by the recorded propensities {drawn[0]}" if drawn else "")
        )
        zh.append(f"“{name}”：简单差异 {seen[1]}" + (f"，按记录概率加权 {drawn[1]}" if drawn else ""))
    return Text(
        f"No evidence: {why.en}. The prior effects stay. Per 1,000 customers, {'; '.join(en)}.",
        f"没有证据：{why.zh}。继续使用先验效果。每千名客户，{'；'.join(zh)}。",
    )


def _named(arm: ArmUplift, called: Called | None, found: Measured) -> tuple[Text, tuple[str, str]]:
    return called.name if called else Text(arm.name, arm.name), figure_told(found, called)


def figure_told(found: Measured, called: Called | None = None) -> tuple[str, str]:
    """Return a figure per 1,000 customers with its interval and its unit, in both languages."""
    unit = called.unit if called else Text("", "")
    value, low, high = (f"{1_000 * one:,.1f}" for one in (found.value, found.low, found.high))
    return f"{value} ({low} to {high}){unit.en}", f"{value}（{low} 至 {high}）{unit.zh}"


WHY = {
    "no_randomised": Text(
        "no contact was drawn by chance with a recorded propensity", "没有任何联系是按已记录的概率随机分配的"
    ),
    "few": Text("too few were drawn by chance, and each arm must hold 100", "随机分配的客户太少，每组至少需要 100 名"),
    "sample_ratio": Text(
        "the sizes of the arms do not fit their propensities, so customers were lost or the draw was not as recorded",
        "各组人数与分配概率不符，可能有客户丢失，或实际分配与记录不同",
    ),
    "predictable": Text(
        "what was known of customers tells who got which arm, so it was not drawn by chance",
        "客户特征可以预测分组，因此分配并非随机",
    ),
}
