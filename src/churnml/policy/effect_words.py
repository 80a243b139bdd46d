"""What an action did, in sentences for people, in English and Chinese."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from churnml.policy.effects import ActionEffect, Blocked, Effect
from churnml.policy.verdicts import FEWEST, Judged, Kind, Wait
from churnml.wording import LANGUAGES, Language, Text, format_date, format_money, format_number


@dataclass(frozen=True)
class Told:
    """What sentences need beside the figures.

    Parameters
    ----------
    currency : str
    ends_at : str or None
        The day on which the windows of the planned end close, ISO 8601; None where no day is settled.
    longest_weeks : int
        From `configs/measure.yaml`.
    ends : bool, default True
        Whether there is a planned end; of several campaigns there is none in common.
    """

    currency: str
    ends_at: str | None
    longest_weeks: int
    ends: bool = True


def verdict_told(name: Text, effect: Effect, about: Told) -> Text:
    """Return the verdict on an action, or on it in a segment, as one or two sentences."""
    judged = effect.judged
    if judged is None:
        return Text(f"{name.en}: nothing is claimed.", f"“{name.zh}”：不作任何结论。")
    words = _WORDS[judged.kind]
    return _both(words, lambda language: _places(name, effect, judged, about, language))


def blocked_told(name: Text, found: ActionEffect) -> Text:
    """Return why nothing is claimed of an action."""
    why = _BLOCKED[found.blocked or "no_randomised"]
    ratio = found.ratio

    def places(language: Language) -> dict[str, str]:
        counts = {"treated": ratio.treated, "controls": ratio.controls, "expected": round(ratio.expected)}
        return {"name": name.to(language)} | {key: format_number(one, language) for key, one in counts.items()}

    return _both(why, places)


def stop_told(name: Text) -> Text:
    """Return the proposal to stop an action."""
    return Text(
        f"Stopping {name.en} is proposed: its whole interval, cost taken off, lies below zero. Nothing stops by "
        "itself.",
        f"建议停止“{name.zh}”：扣除成本后，整个区间低于零。系统不会自行停止任何行动。",
    )


def _both(words: Text, places: Callable[[Language], Mapping[str, str]]) -> Text:
    return Text(*(words.to(language).format(**places(language)) for language in LANGUAGES))


def _places(name: Text, effect: Effect, judged: Judged, about: Told, language: Language) -> dict[str, str]:
    def money(amount: float) -> str:
        return format_money(amount, about.currency, language)

    total = format_money(effect.adjusted.value * effect.treated, about.currency, language, whole=True)
    return {
        "name": name.to(language),
        "net": money(effect.adjusted.value),
        "gross": money(effect.margin.value),
        "low": money(judged.low),
        "high": money(judged.high),
        "total": total,
        "few": format_number(min(effect.treated, effect.controls), language),
        "fewest": format_number(FEWEST, language),
        "longer": _alone(judged, language) + _longer(judged, about, language),
    }


def _alone(judged: Judged, language: Language) -> str:
    """Return why an interval that leaves zero out is no claim yet."""
    return _AMONG.to(language).format(questions=format_number(judged.questions, language)) if judged.alone else ""


def _longer(judged: Judged, about: Told, language: Language) -> str:
    """Return how much longer it takes, if the effect is what it looks like now; nothing where that is no question."""
    wait = judged.wait
    if wait is None:
        return ""
    return (
        _how_long(judged.kind, wait, about, ended=judged.ended)
        .to(language)
        .format(
            smallest=format_money(wait.smallest, about.currency, language),
            ends=format_date(about.ends_at, language) if about.ends_at else "",
            longest=format_number(about.longest_weeks, language),
            needed="" if wait.needed is None else format_number(wait.needed, language),
            weeks=_weeks(wait.weeks, language),
        )
    )


def _weeks(weeks: float | None, language: Language) -> str:
    if weeks is None:
        return ""
    number = max(round(weeks), 1)
    words = Text("one week" if number == 1 else "{number} weeks", "{number} 周")
    return words.to(language).format(number=format_number(number, language))


def _how_long(kind: Kind, wait: Wait, about: Told, *, ended: bool) -> Text:
    if wait.needed is None:
        return _NO_NUMBER if about.ends else _NO_NUMBER_NOR_END
    if ended:
        return _NEXT_TIME
    if wait.at_end and about.ends_at is not None:
        return _AT_END
    if wait.weeks is None:
        return _NO_MORE if about.ends else _NO_MORE_NOR_END
    if kind == "never":
        return _TOO_LONG if about.ends else _TOO_LONG_NOR_END
    return _WEEKS


_WORDS: Mapping[str, Text] = {
    "helps": Text(
        "{name} helps: {net} [{low} to {high}] per customer treated, its cost taken off; {total} in all.",
        "“{name}”有效：扣除成本后，每位触达客户带来 {net}（{low} 至 {high}），合计 {total}。",
    ),
    "loses": Text(
        "{name} brings less than it costs: {net} [{low} to {high}] per customer treated, its cost taken off; "
        "{total} in all.",
        "“{name}”得不偿失：扣除成本后，每位触达客户为 {net}（{low} 至 {high}），合计 {total}。",
    ),
    "harms": Text(
        "{name} harms: even before its cost customers bring {gross} less for it; {net} [{low} to {high}] per customer "
        "treated, its cost taken off; {total} in all.",
        "“{name}”有害：即使不计成本，每位触达客户的毛利也变化 {gross}；扣除成本后为 {net}（{low} 至 {high}），"
        "合计 {total}。",
    ),
    "not_yet": Text(
        "{name}: not yet conclusive, {net} [{low} to {high}] per customer treated, its cost taken off. {longer}",
        "“{name}”：尚无定论，扣除成本后每位触达客户为 {net}（{low} 至 {high}）。{longer}",
    ),
    "never": Text(
        "{name}: never conclusive at this size, {net} [{low} to {high}] per customer treated, its cost taken off. "
        "{longer}",
        "“{name}”：以目前规模不会有定论，扣除成本后每位触达客户为 {net}（{low} 至 {high}）。{longer}",
    ),
    "open_end": Text(
        "{name}: the planned end has come and it is still open, {net} [{low} to {high}] per customer treated, its cost "
        "taken off. {longer}",
        "“{name}”：已到计划终点，仍无定论，扣除成本后每位触达客户为 {net}（{low} 至 {high}）。{longer}",
    ),
    "too_few": Text(
        "{name}: too few to say anything; the smaller arm has {few} cases, of fewer than {fewest} customers.",
        "“{name}”：人数太少，无法判断；较小的一组有 {few} 例，不足 {fewest} 位客户。",
    ),
}
_AMONG = Text(
    "Alone its interval would do; among {questions} questions that share one error it is not enough. ",
    "单独看该区间已不含零，但有 {questions} 个问题共用同一误差，因此还不够。",
)
_AT_END = Text(
    "If the effect is what it looks like now, it will be told at the planned end, {ends}.",
    "如果效果与目前所见一致，到计划终点（{ends}）可以判断。",
)
_WEEKS = Text(
    "If the effect is what it looks like now, it takes about {needed} cases, {weeks} more at the present pace.",
    "如果效果与目前所见一致，大约需要 {needed} 例，按目前速度还要 {weeks}。",
)
_TOO_LONG = Text(
    "If the effect is what it looks like now, it takes about {needed} cases, more than {longest} weeks away at the "
    "present pace; the planned end tells effects of {smallest} and more.",
    "如果效果与目前所见一致，大约需要 {needed} 例，按目前速度要超过 {longest} 周；"
    "计划终点只能判断 {smallest} 以上的效果。",
)
_TOO_LONG_NOR_END = Text(
    "If the effect is what it looks like now, it takes about {needed} cases, more than {longest} weeks away at the "
    "present pace.",
    "如果效果与目前所见一致，大约需要 {needed} 例，按目前速度要超过 {longest} 周。",
)
_NO_MORE = Text(
    "If the effect is what it looks like now, it takes about {needed} cases, and none come any more; these tell "
    "effects of {smallest} and more.",
    "如果效果与目前所见一致，大约需要 {needed} 例，但已不再有新的客户；现有规模只能判断 {smallest} 以上的效果。",
)
_NO_MORE_NOR_END = Text(
    "If the effect is what it looks like now, it takes about {needed} cases, and none come any more.",
    "如果效果与目前所见一致，大约需要 {needed} 例，但已不再有新的客户。",
)
_NO_NUMBER = Text(
    "No effect is seen that any number of cases would tell; the planned end tells effects of {smallest} and more.",
    "目前看不到任何可以判断的效果；计划终点只能判断 {smallest} 以上的效果。",
)
_NO_NUMBER_NOR_END = Text(
    "No effect is seen that any number of cases would tell.",
    "目前看不到任何数量的客户可以判断的效果。",
)
_NEXT_TIME = Text(
    "It tells effects of {smallest} and more; one of the size seen takes a campaign of about {needed} cases.",
    "本次规模只能判断 {smallest} 以上的效果；要判断目前所见大小的效果，需要约 {needed} 例的活动。",
)
_BLOCKED: Mapping[Blocked, Text] = {
    "no_randomised": Text(
        "{name}: no evidence. Nobody got it or missed it by a recorded chance, so the assumed effect is kept.",
        "“{name}”：没有证据。没有客户是按已记录的概率获得或未获得它的，因此保留假设的效果。",
    ),
    "empty_arm": Text(
        "{name}: no evidence. One arm is empty ({treated} treated, {controls} controls), so there is nothing to "
        "compare; the assumed effect is kept.",
        "“{name}”：没有证据。有一组是空的（触达 {treated} 例，对照 {controls} 例），无从比较；保留假设的效果。",
    ),
    "sample_ratio": Text(
        "{name}: nothing is claimed. {treated} were treated of whom {expected} were to be expected by the recorded "
        "chances, less likely than one in a thousand: customers were lost, or the draw was not as recorded. In "
        "`contacts` the propensity is that of the arm that was drawn.",
        "“{name}”：不作任何结论。触达 {treated} 例，而按记录的概率应约为 {expected} 例，"
        "这样的差距不到千分之一的可能：有客户丢失，或实际分配与记录不同。`contacts` 表中的概率是所抽中那一组的概率。",
    ),
    "predictable": Text(
        "{name}: nothing is claimed. What was known of customers tells who was treated, so it was not drawn by chance.",
        "“{name}”：不作任何结论。客户特征可以预测谁被触达，因此分配并非随机。",
    ),
}
