"""What the check for leakage came to, in sentences of both languages: for terminal, file and page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from churnml.wording import Language, Text

if TYPE_CHECKING:
    from churnml.modeling.delays import Delays
    from churnml.modeling.leakage import Leakage, Planted

Verdict = Literal["leak", "questions", "sound"]

_VERDICT: dict[Verdict, Text] = {
    "leak": Text("Leakage was found.", "发现数据泄漏。"),
    "questions": Text("No leakage was found.", "未发现数据泄漏。"),
    "sound": Text("No leakage was found.", "未发现数据泄漏。"),
}
_HELD = Text(
    "All {features:,} features of {rows:,} customers are the same to the last bit with the future there and without it",
    "{rows:,} 位客户的全部 {features:,} 个特征，在有未来数据和没有未来数据时逐位相同",
)
_BROKE = Text(
    "{count:,} of {features:,} features of {rows:,} customers change once what lies beyond the cutoff is gone",
    "去掉截止时点之后的一切，{rows:,} 位客户的 {features:,} 个特征中有 {count:,} 个发生变化",
)
_OTHERS = Text(
    "the customers themselves are others once what lies beyond the cutoff is gone",
    "去掉截止时点之后的一切，客户本身就不一样了",
)
_ALONE_QUIET = Text(
    "no feature says more of churn by itself than what is known in time can",
    "没有哪个特征单独透露的流失信息超过事前所能知道的",
)
_ALONE_RED = Text(
    "features that by themselves say more of churn than what is known in time can: {count:,}",
    "单独透露的流失信息超过事前所能知道的特征有 {count:,} 个",
)
_RANG = Text(
    "the alarm rang at columns planted to read the future",
    "对故意埋入、能看到未来的列，警报如期响起",
)
_ASKED = Text(
    "questions that only you can answer: {count:,}",
    "还有 {count:,} 个问题只有您能回答",
)
_WALL = Text(
    "The wall at {day}: {ahead:,} rows lie after it, {second}{emptied}. Of {features:,} features of {rows:,} "
    "customers, computed with these rows and without, {differ:,} differ.",
    "时间墙立于 {day}：之后的数据有 {ahead:,} 行，{second}{emptied}。{rows:,} 位客户的 {features:,} 个特征，"
    "带着这些行和去掉这些行各算一遍，有 {differ:,} 个不同。",
)
_LATE = Text("{late:,} were learned only after it", "事后才获知的有 {late:,} 行")
_NONE_LATE = Text(
    "and none was learned late: every row counts as known when it happened, which is your word for it",
    "没有一行是事后才获知的：每一行都按发生之时即已知晓计算，这一点以您的说法为准",
)
_EMPTIED = Text(
    ", and {answers:,} answers came later than their rows",
    "，另有 {answers:,} 个后来才有的结果已从所在行中清空",
)
_DELAYS = Text(
    "What it costs if a table comes a day late, and a week: change of the AUROC {auroc:.3f} ({low:.3f} to {high:.3f}) "
    "of a ridge regression, out of time, {customers:,} customers{drawn}.",
    "每张表晚到一天或一周的代价：岭回归在时间外样本上的 AUROC 为 {auroc:.3f}（{low:.3f} 至 {high:.3f}），"
    "{customers:,} 位客户{drawn}；下面是它的变化。",
)
_DRAWN = Text(" drawn at random", "（随机抽取）")
_NOT_MEASURED = Text("Delays were not measured: {}", "未能测量延迟的代价：{}")
_ALARM = Text(
    "The alarm was tested with planted columns that read the future: {}.",
    "警报已用故意埋入、能看到未来的列试过：{}。",
)
_PLANTED = {
    "orders": Text("orders of the next {days} days: {noticed}", "未来 {days} 天的订单：{noticed}"),
    "contracts": Text("ends of contracts in the next {days} days: {noticed}", "未来 {days} 天的合同终止：{noticed}"),
}
_NOTICED = Text("rang ({})", "响了（{}）")
_SILENT = Text("silent", "没响")
_BY = {"wall": Text("the wall", "时间墙"), "alone": Text("alone", "单独来看")}
_AND, _BETWEEN, _STOP = Text(" and ", "和"), Text("; ", "；"), Text(".", "。")


def verdict_of(found: Leakage) -> Verdict:
    """Return what the check came to in a word: red, in order but for questions, or in order."""
    return "leak" if found.findings else "questions" if found.questions else "sound"


def verdict(found: Leakage, language: Language = "en") -> str:
    """Return the verdict."""
    return _VERDICT[verdict_of(found)].to(language)


def reason(found: Leakage, language: Language = "en") -> str:
    """Return in a sentence what the verdict rests on."""
    wall, broken = found.wall, found.wall.differences
    counts = {"features": wall.features, "rows": wall.rows, "count": len(broken)}
    held = _HELD if not broken else _OTHERS if any(one.of_customers for one in broken) else _BROKE
    red = sum(one.alarm == "red" for one in found.alone)
    told = [held.to(language).format(**counts), (_ALONE_RED if red else _ALONE_QUIET).to(language).format(count=red)]
    told.append(_RANG.to(language))
    if found.questions:
        told.append(_ASKED.to(language).format(count=len(found.questions)))
    whole = _BETWEEN.to(language).join(told) + _STOP.to(language)
    return whole[0].upper() + whole[1:]


def of_wall(found: Leakage, language: Language = "en") -> str:
    """Return what the wall hid, by each of its clocks, and how many features are others without it."""
    wall = found.wall
    ahead, late, answers = (
        sum(getattr(one, name) for one in wall.hidden.values()) for name in ("ahead", "late", "answers")
    )
    second = (_LATE if late else _NONE_LATE).to(language).format(late=late)
    emptied = _EMPTIED.to(language).format(answers=answers) if answers else ""
    counts = {"features": wall.features, "rows": wall.rows, "differ": len(wall.differences), "ahead": ahead}
    return _WALL.to(language).format(day=found.day, second=second, emptied=emptied, **counts)


def of_delays(delays: Delays, language: Language = "en") -> str:
    """Return with what the costs of delays were measured."""
    drawn = _DRAWN.to(language) if delays.sampled else ""
    return _DELAYS.to(language).format(
        auroc=delays.auroc, low=delays.low, high=delays.high, customers=delays.customers, drawn=drawn
    )


def not_measured(why: str, language: Language = "en") -> str:
    """Return that the costs of delays were not measured, and why."""
    return _NOT_MEASURED.to(language).format(why)


def of_alarm(found: Leakage, language: Language = "en") -> str:
    """Return how the alarm was tested, and who noticed."""
    words = _PLANTED[found.by].to(language)
    each = (words.format(days=one.days, noticed=_noticed(one, language)) for one in found.planted)
    return _ALARM.to(language).format(_BETWEEN.to(language).join(each))


def _noticed(planted: Planted, language: Language) -> str:
    """Return who found a planted column; with few customers a short look ahead tells no more than honest features."""
    found = {"wall": planted.rows > 0, "alone": planted.alone.alarm == "red"}
    by = [_BY[who].to(language) for who, noticed in found.items() if noticed]
    return _NOTICED.to(language).format(_AND.to(language).join(by)) if by else _SILENT.to(language)
