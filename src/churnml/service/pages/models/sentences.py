"""What training and watching say of a model, in the reader's language: gates, rungs, verdicts, aliases.

They are English where they are made; what is not known here stays so, and is told to be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from churnml.service.pages.models.words import called
from churnml.service.pages.patterns import reader
from churnml.wording import Language, Text

GATES: Mapping[str, Text] = {
    "baselines": Text("Better than the baselines", "优于基准方法"),
    "calibration": Text("Probabilities mean what they say", "概率可信"),
    "suspects": Text("No feature knows the future", "没有特征泄露未来"),
    "bounds": Text("Every answer is possible", "输出均合理"),
    "stability": Text("As good as before", "表现稳定"),
}
RUNGS: Mapping[str, Text] = {
    "blend": Text("blend of all learners", "全部学习器组合"),
    "logistic": Text("logistic regression with the buying rhythm", "逻辑回归加购买节奏"),
    "rhythm": Text("buying rhythm alone", "仅购买节奏"),
    "recency": Text("recency rule", "最近购买规则"),
    "rate": Text("rate by age", "按时长的转化率"),
}
ALIASES: Mapping[str, Text] = {
    "champion": Text("champion", "当前模型"),
    "feature table champion": Text("champion of ready feature tables", "现成特征表的当前模型"),
}
WHY_MOVED: Mapping[str, Text] = {
    "trained": Text("trained, and passed every gate", "训练完成并通过全部关卡"),
    "passed every gate": Text("passed every gate", "通过全部关卡"),
    "rolled back": Text("rolled back", "退回"),
}
VERDICTS: Mapping[str, Text] = {
    "fine": Text("Nothing speaks against this model", "没有迹象表明该模型有问题"),
    "look": Text("Somebody should look", "建议查看"),
    "train": Text("It should be trained again", "建议重新训练"),
}
DRIFTS: Mapping[str, Text] = {
    "features": Text("features, weighed by what the model makes of them", "特征（按模型使用程度加权）"),
    "scores": Text("scores", "评分"),
    "categories": Text("attributes in words", "文字属性"),
}
_SENTENCES: Mapping[str, str] = {
    "no baseline is better out of time beyond noise": "时间外检验中，没有基准方法显著更好",
    "no baseline of conversion is better out of time beyond noise": "时间外检验中，没有转化基准方法显著更好",
    "the calibration error out of time is small": "时间外的校准误差较小",
    "the calibration error out of time (ECE) is not above {limit} beyond noise": (
        "时间外校准误差（ECE）不显著高于 {limit}"
    ),
    "the calibration error of conversion out of time (ECE) is not above {limit} beyond noise": (
        "转化的时间外校准误差（ECE）不显著高于 {limit}"
    ),
    "no feature by itself almost equals the label, but for those of `known_in_time` in configs/train.yaml": (
        "没有单个特征几乎等同于标签（configs/train.yaml 中 `known_in_time` 所列除外）"
    ),
    "no feature by itself almost equals conversion, but for those of `known_in_time` in configs/train.yaml": (
        "没有单个特征几乎等同于转化结果（configs/train.yaml 中 `known_in_time` 所列除外）"
    ),
    "no feature by itself almost equals the label": "没有单个特征几乎等同于标签",
    "every answer to a random row is possible": "对随机数据的每个输出都合理",
    "every probability of conversion of a random row is possible": "对随机数据给出的每个转化概率都合理",
    "the last rolling origin does not lose more than {limit} of AUROC against those before, beyond noise": (
        "最近一个滚动起点的 AUROC 较之前的下降不显著超过 {limit}"
    ),
    "none is": "没有",
    "none does": "没有",
    "it is, of {rows} rows": "符合，共检查 {rows} 行",
    "ECE {error}, 95 % interval {low} to {high}": "ECE {error}，95% 区间 {low} 至 {high}",
    "AUROC {last} at the last, {before} before: lost {lost}, 95 % interval of the loss {low} to {high}": (
        "最近一个 AUROC {last}，之前 {before}：下降 {lost}，下降幅度的 95% 区间 {low} 至 {high}"
    ),
    "AUROC {last} at the last, {before} before: gained {lost}, 95 % interval of the loss {low} to {high}": (
        "最近一个 AUROC {last}，之前 {before}：上升 {lost}，下降幅度的 95% 区间 {low} 至 {high}"
    ),
    "all stayed or all left at the last cutoff that taught": "最近一个训练截止时点的客户全部留存或全部流失",
    "not asked, for no feature is learned from": "未检查：未使用任何特征",
    "not asked, for it goes by age alone": "未检查：仅按时长判断",
}
_read = reader(_SENTENCES)


@dataclass(frozen=True)
class Sentence:
    """A text, and whether it is in the reader's language; else it is English."""

    text: str
    is_said: bool


def sentence(text: str, language: Language) -> Sentence:
    """Return what a gate says in a language.

    Examples
    --------
    >>> sentence("it is, of 20,000 rows", "zh").text
    '符合，共检查 20,000 行'
    """
    if language == "en":
        return Sentence(text, is_said=True)
    found = _read(text)
    return Sentence(text, is_said=False) if found is None else Sentence(found[0].format(**found[1]), is_said=True)


def word(words: Mapping[str, Text], name: str | None, language: Language) -> str:
    """Return what something is called; what is not known is called as it is, and nothing is called nothing."""
    if name is None:
        return ""
    return words[name].to(language) if name in words else called(name, language)
