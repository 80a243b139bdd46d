"""What a job is called and what came of it, in the words of people.

What a user named is in these texts as it is: whoever shows them makes it harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from churnml.measures.names import MEASURES
from churnml.wording import Language, Text, format_money, format_number

Said = Mapping[str, Any]  # Any: JSON
VERBS: Mapping[str, Text] = {
    "train": Text("Train a model", "训练模型"),
    "score": Text("Score every customer", "为所有客户评分"),
    "assign": Text("Choose actions within a budget", "在预算内选择行动"),
    "measure": Text("Measure", "测算"),
    "report": Text("Write the report of the customer base", "生成客户总览报告"),
    "monitor": Text("Watch the model", "监测模型"),
    "backtest": Text("Judge the model on the past", "用历史数据检验模型"),
    "promote": Text("Make a model the champion", "设为当前模型"),
    "rollback": Text("Go back to the champion before", "退回上一个当前模型"),
    "vacuum": Text("Make room on the disk", "清理磁盘空间"),
}
STATES: Mapping[str, Text] = {
    "queued": Text("waiting", "排队中"),
    "running": Text("running", "运行中"),
    "done": Text("done", "已完成"),
    "failed": Text("failed", "失败"),
    "cancelled": Text("cancelled", "已取消"),
    "lost": Text("lost", "中断"),
}
_MEASURED: Mapping[str, Text] = MEASURES | {
    "effect": Text("What actions did", "行动效果"),
    "uplift": Text("Whom each action helps", "各行动对谁有效"),
}
_CUTOFF = Text("as of {day}", "截至 {day}")


@dataclass(frozen=True)
class Result:
    """What came of a job, in words, and the page that shows it.

    Parameters
    ----------
    says : str
        Empty where its run says nothing that fits in a sentence.
    path, link : str
        Where to look, and what the link says; empty where no page shows it.
    """

    says: str = ""
    path: str = ""
    link: str = ""


def title_of(verb: str, options: Said, language: Language) -> str:
    """Return what a job is to do: its verb in words, and what of its options tells one from another."""
    said = VERBS[verb].to(language) if verb in VERBS else verb
    what = str(options.get("what", ""))
    named = [_MEASURED[what].to(language)] if what in _MEASURED else []
    if options.get("campaign"):
        named.append(str(options["campaign"]))
    if options.get("model"):
        named.append(str(options["model"])[:12])
    if options.get("cutoff"):
        named.append(_CUTOFF.to(language).format(day=options["cutoff"]))
    mark = "：" if language == "zh" else ": "
    return said + (mark + ("、" if language == "zh" else ", ").join(named) if named else "")


def result_of(verb: str, options: Said, summary: Said, language: Language) -> Result:
    """Return what came of a job that got to its end.

    Parameters
    ----------
    options : mapping
        As it was asked for.
    summary : mapping
        What its run says of itself; empty where it has none.
    """
    tell = _RESULTS.get(verb)
    return Result() if tell is None else tell(options, summary, language)


_LIST = Text("Show the list of customers at risk", "查看流失风险名单")
_MODELS = Text("Show the models", "查看模型")
_MODEL = Text("Show this model", "查看该模型")
_CAMPAIGN = Text("Show the campaign {name}", "查看活动 {name}")
_CAMPAIGNS = Text("Show the campaigns", "查看活动")
_SIDE = Text("Show: {side}", "查看：{side}")
_WRITTEN = Text(
    "The report lies in the folder `reports` of the workspace; `churnml report` writes it anywhere else.",
    "报告位于工作区的 reports 文件夹；如需写到别处，请运行 churnml report。",
)
_PRINTED = Text("What was found stands in the log below.", "结果见下方日志。")
_MOVED = Text("Scores are made with this model from the next scoring on.", "自下次评分起使用该模型。")
_SCORED = Text(
    "{population} customers were scored; {high} of them are at high risk.",
    "已为 {population} 位客户评分，其中 {high} 位为高风险。",
)
_ASSIGNED = Text(
    "{treated} customers are to be approached and {control} are left alone as a control group; {reserved} of the "
    "budget are set aside.",
    "将联系 {treated} 位客户，{control} 位作为对照组不联系；已预留预算 {reserved}。",
)
_PASSED = Text("The model passed every gate and is the champion now.", "模型通过全部关卡，现为当前模型。")
_REFUSED = Text(
    "The model did not pass every gate, so the champion stays what it was. Its page says why.",
    "模型未通过全部关卡，仍使用原来的模型；原因见该模型页面。",
)
_VERDICTS: Mapping[str, Text] = {
    "fine": Text("Nothing speaks against the champion.", "没有迹象表明当前模型有问题。"),
    "look": Text("Somebody should look at the model; its page says why.", "建议查看模型，原因见该模型页面。"),
    "train": Text("The model should be trained again; its page says why.", "建议重新训练模型，原因见该模型页面。"),
}


def _scored(_options: Said, summary: Said, language: Language) -> Result:
    if "population" not in summary or "bands" not in summary:
        return Result("", "/at-risk", _LIST.to(language))
    population, high = (format_number(one, language) for one in (summary["population"], summary["bands"]["high"]))
    return Result(_SCORED.to(language).format(population=population, high=high), "/at-risk", _LIST.to(language))


def _assigned(_options: Said, summary: Said, language: Language) -> Result:
    says, told = "", summary
    if "treated" in told and "reserved" in told:
        treated, control = (format_number(told[name], language) for name in ("treated", "control"))
        reserved = format_money(told["reserved"], told["currency"], language)
        says = _ASSIGNED.to(language).format(treated=treated, control=control, reserved=reserved)
    return Result(says, *_campaign(told.get("campaign"), language))


def _trained(_options: Said, summary: Said, language: Language) -> Result:
    if "not_promoted_because" not in summary:
        return Result("", *_model(summary, language))
    fate = _REFUSED if summary["not_promoted_because"] else _PASSED
    return Result(fate.to(language), *_model(summary, language))


def _watched(_options: Said, summary: Said, language: Language) -> Result:
    known = _VERDICTS.get(str(summary.get("verdict")))
    return Result(known.to(language) if known else "", *_model(summary, language))


def _moved(_options: Said, _summary: Said, language: Language) -> Result:
    return Result(_MOVED.to(language), "/models", _MODELS.to(language))


def _measured(options: Said, _summary: Said, language: Language) -> Result:
    what = str(options.get("what", ""))
    if what in MEASURES:
        return Result("", f"/{what}", _SIDE.to(language).format(side=MEASURES[what].to(language)))
    return Result("", *_campaign(options.get("campaign"), language))


def _model(summary: Said, language: Language) -> tuple[str, str]:
    version = summary.get("model_version")
    return (f"/models/{version}", _MODEL.to(language)) if version else ("/models", _MODELS.to(language))


def _campaign(name: object, language: Language) -> tuple[str, str]:
    if not name:
        return "/campaigns", _CAMPAIGNS.to(language)
    return f"/campaigns/{quote(str(name), safe='')}", _CAMPAIGN.to(language).format(name=name)


_RESULTS: Mapping[str, Callable[[Said, Said, Language], Result]] = {
    "score": _scored,
    "assign": _assigned,
    "train": _trained,
    "monitor": _watched,
    "promote": _moved,
    "rollback": _moved,
    "measure": _measured,
    "report": lambda _options, _summary, language: Result(_WRITTEN.to(language)),
    "backtest": lambda _options, _summary, language: Result(_PRINTED.to(language)),
}
