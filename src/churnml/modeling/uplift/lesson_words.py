"""What treatments taught of an action, in sentences, in English and Chinese."""

from __future__ import annotations

from collections.abc import Iterator

from churnml.modeling.uplift.lessons import OUTCOMES, Lesson, Outcome
from churnml.modeling.uplift.words import WHY, Called, average_told, figure_told, order_told, sleeping_told
from churnml.wording import Text


def lesson_told(lesson: Lesson, name: Text, currency: str) -> list[Text]:
    """Return what is known of an action, as a retention team reads it.

    Parameters
    ----------
    name : Text
        What the action is called.
    currency : str
        ISO 4217 code of the margin.
    """
    told = [] if lesson.taught.arms else [_no_evidence(lesson, name)]
    for outcome in OUTCOMES:
        uplift = lesson.taught.margin if outcome == "margin" else lesson.taught.stayed
        if uplift is not None:
            called = Called(name, _unit(outcome, currency))
            told += [one(uplift.arms[0], called) for one in (average_told, order_told, sleeping_told)]
    told += [_ONCE] if lesson.once else []
    return [*told, *_beside(lesson, name, currency)]


def _no_evidence(lesson: Lesson, name: Text) -> Text:
    why = WHY[lesson.reason]
    counts = f"{lesson.treated:,}", f"{lesson.controls:,}", f"{lesson.by_rule:,}"
    return Text(
        f"{name.en}: no evidence, because {why.en} (by chance {counts[0]} treated and {counts[1]} withheld, otherwise "
        f"{counts[2]}). The prior effect stays, and the next `churnml assign` draws more by chance.",
        f"“{name.zh}”：没有证据，因为{why.zh}（随机分配：执行 {counts[0]}，保留 {counts[1]}；其他 {counts[2]}）。"
        "继续使用先验效果，下一次 `churnml assign` 会增加随机分配的比例。",
    )


def _beside(lesson: Lesson, name: Text, currency: str) -> Iterator[Text]:
    """Give the naive difference beside that of those drawn by chance, where there are both."""
    for outcome in OUTCOMES:
        naive, drawn = lesson.naive.get(outcome), lesson.weighted.get(outcome)
        if naive is None or drawn is None:
            continue
        called = Called(name, _unit(outcome, currency))
        seen, chance = Text(*figure_told(naive, called)), Text(*figure_told(drawn, called))
        wrong = _WRONG if naive.low > drawn.high or naive.high < drawn.low else Text("", "")
        yield Text(
            f"{name.en}: of everybody, however chosen, the difference would be {seen.en} per 1,000 customers; of those "
            f"drawn by chance it is {chance.en}.{wrong.en}",
            f"“{name.zh}”：不论如何选择，全部客户的简单差异为每千名 {seen.zh}；"
            f"随机分配的客户中为 {chance.zh}。{wrong.zh}",
        )


def _unit(outcome: Outcome, currency: str) -> Text:
    if outcome == "margin":
        return Text(f" {currency} of margin", f" {currency} 毛利")
    return Text(" customers who stay", " 名留存客户")


_ONCE = Text(
    "Later decisions about the same customers were not drawn anew, so only the first of each customer counts.",
    "同一客户之后的分配并未重新随机，因此每位客户只计第一次。",
)
_WRONG = Text(
    " They differ beyond noise: who was chosen, and not the action, makes the first one.",
    "两者差异超出随机误差：前者反映的是选了谁，而不是行动的效果。",
)
