"""Plans in plain words: after how many weeks an effect is told, or that it never is, and what would be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from churnml.policy.planner import Plan, Split
from churnml.wording import LANGUAGES, Language, Text, format_money

Because = Literal["prior", "pays", "given"]
Measured = Literal["churn", "margin"]
Limit = Literal["open", "budget", "asked"]

_SMALL, _SAME = 0.1, 0.02
_BECAUSE: dict[Because, Text] = {
    "prior": Text("as the action assumes", "按动作的先验假设"),
    "pays": Text("just enough to pay what it costs", "刚好抵偿成本"),
    "given": Text("as asked", "按指定幅度"),
}
_LIMITS: dict[Limit, Text] = {
    "open": Text("the {n} customers it is open to", "可用该动作的 {n} 位客户"),
    "budget": Text("the {n} customers that the budget reaches", "预算所能覆盖的 {n} 位客户"),
    "asked": Text("the {n} customers who come within {weeks} weeks", "{weeks} 周内可纳入的 {n} 位客户"),
}


@dataclass(frozen=True)
class Question:
    """What a plan is about.

    Parameters
    ----------
    measured : {'churn', 'margin'}
        The share of those who leave, or the margin of a customer.
    because : {'prior', 'pays', 'given'}
        Where the size of the effect comes from.
    days : int
        After the assignment, in which it is measured.
    currency : str
        ISO 4217.
    limit : {'open', 'budget', 'asked'}
        What bounds how many can be drawn.
    weeks : int
        How many weeks are looked ahead, where customers are to come week by week.
    """

    measured: Measured
    because: Because
    days: int
    currency: str
    limit: Limit
    weeks: int = 0


def said(plan: Plan, question: Question) -> Text:
    """Return the answer of a plan in one or two sentences."""
    return Text(*(f"{_about(plan, question, language)}{_answer(plan, question, language)}" for language in LANGUAGES))


def _about(plan: Plan, question: Question, language: Language) -> str:
    size, why = _size(plan.effect, question, language), _BECAUSE[question.because].to(language)
    more = plan.effect > 0
    if language == "zh":
        name = f"{question.days} 天内流失率" if question.measured == "churn" else f"{question.days} 天内客均毛利"
        return f"{name}{'上升' if more else '下降'} {size}（{why}）："
    name = "Churn" if question.measured == "churn" else "Margin per customer"
    return f"{name} within {question.days} days {'up' if more else 'down'} by {size} ({why}): "


def _answer(plan: Plan, question: Question, language: Language) -> str:
    if plan.needed is None:
        nothing = Text("no effect is assumed, so there is none to tell.", "未假设任何效果，因此无从检验。")
        return nothing.to(language)
    if plan.weeks is not None:
        told = Text(
            "conclusive after about {weeks} weeks; needs {needed} customers, {control} of them controls.",
            "约 {weeks} 周后可得出结论；共需 {needed} 位客户，其中对照 {control} 位。",
        )
        return told.to(language).format(weeks=plan.weeks, needed=f"{plan.needed:,}", control=f"{plan.control:,}")
    who = _LIMITS[question.limit].to(language).format(n=f"{plan.reachable:,}", weeks=question.weeks)
    never = Text(
        "never conclusive at this size; it needs {needed} customers, more than {who}. {least}",
        "以此规模永远得不出结论，需要 {needed} 位客户，超过{who}。{least}",
    )
    return never.to(language).format(needed=f"{plan.needed:,}", who=who, least=_least(plan, question, language))


def _least(plan: Plan, question: Question, language: Language) -> str:
    """Return the sentence on the smallest effect that could ever be told."""
    if plan.detectable is None:
        none = Text("Not even a fall to nought would be told by them.", "即使降到零，这些客户也检验不出。")
        return none.to(language)
    smallest = Text("The smallest change they could ever show is {size}.", "这些客户最小可检出的变化为 {size}。")
    return smallest.to(language).format(size=_size(plan.detectable, question, language))


def _size(effect: float, question: Question, language: Language) -> str:
    if question.measured == "margin":
        return format_money(abs(effect), question.currency, language)
    points = abs(effect) * 100
    shown = f"{points:.1f}" if points >= _SMALL or points == 0 else f"{points:.1g}"
    return f"{shown} 个百分点" if language == "zh" else f"{shown} points"


def advised(split: Split, control_share: float, budget: float, currency: str) -> Text:
    """Return which share of controls tells most for the money, beside the one that is set."""
    money = {language: format_money(budget, currency, language, whole=True) for language in LANGUAGES}
    english = f"With {money['en']} and these customers, {split.control_share:.0%} controls tell most"
    chinese = f"以 {money['zh']} 预算和这些客户，对照比例取 {split.control_share:.0%} 时检验最灵敏"
    if abs(split.control_share - control_share) < _SAME:
        return Text(f"{english}, which is about what is set.", f"{chinese}，与当前设置相近。")
    return Text(
        f"{english}, what they forgo counted as spent; set is {control_share:.0%}.",
        f"{chinese}（对照放弃的收益计入成本）；当前设置为 {control_share:.0%}。",
    )
