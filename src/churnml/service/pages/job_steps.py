"""The steps that a job tells of, in Chinese; in English they are as the command tells them."""

from __future__ import annotations

from collections.abc import Mapping

from churnml.measures.names import MEASURES
from churnml.service.pages.patterns import reader
from churnml.wording import Language

STEPS: Mapping[str, str] = {
    "Training on every cutoff whose label is final": "用结果已确定的所有截止时点训练",
    "Training as of {day}": "按 {day} 的数据训练",
    "Judging out of time, beside the baselines": "在时间外检验，并与基准方法对比",
    "Putting it to the gates": "逐一过关卡",
    "Learning who becomes a customer": "学习哪些人会成为客户",
    "Learning satisfaction from those who answered, and trying it out of time": "从问卷回答学习满意度，并在时间外检验",
    "Learning which category comes next, and trying it out of time": "学习下一次购买的品类，并在时间外检验",
    "Trying the bundle in a process of its own": "在独立进程中试用模型",
    "Tracking the run in MLflow": "在 MLflow 中记录本次运行",
    "Scoring every customer": "为所有客户评分",
    "Choosing actions within the budget": "在预算内选择行动",
    "Asking whom each action helps": "判断各行动对谁有效",
    "Measuring: {measure}": "测算：{measure}",
    "Living {redraws} futures of {customers} customers": "模拟 {customers} 位客户的 {redraws} 种未来",
    "Telling stages": "判断生命周期阶段",
    "Reading what was done to whom": "读取对谁做过什么",
    "Comparing treated and controls": "对比行动组与对照组",
    "What was known before, and what came of it": "回溯行动前的情况与之后的结果",
    "Looking up what was known before each decision and what came after": "回溯每次决定之前的情况与之后的结果",
    "Learning whom each action helps": "学习各行动对谁有效",
    "Trying what was learned in a process of its own": "在独立进程中试用所学结果",
    "Watching the champion at every cutoff since it was made": "在成为当前模型以来的每个截止时点监测",
    "Training and judging at {count} cutoffs, with {redraws} redraws": (
        "在 {count} 个截止时点训练并检验，重抽样 {redraws} 次"
    ),
    "{days} days: training twice and judging, with {redraws} redraws": "{days} 天：训练两次并检验，重抽样 {redraws} 次",
    "Conversion: training and judging, with {redraws} redraws": "转化：训练并检验，重抽样 {redraws} 次",
    "Categories: learning and judging, with {redraws} redraws": "品类：学习并检验，重抽样 {redraws} 次",
    "{name}: training and judging, with {redraws} redraws": "{name}：训练并检验，重抽样 {redraws} 次",
    "Letting go of old records": "清除旧记录",
    "Giving the room back": "释放磁盘空间",
}
"""By what a step says; in braces what differs from one time to the next. The first that fits counts."""


def step_of(step: str, language: Language) -> tuple[str, bool]:
    """Return what a job does, and whether that is in the reader's language.

    Examples
    --------
    >>> step_of("Training as of 2018-01-01", "zh")
    ('按 2018-01-01 的数据训练', True)
    """
    if language == "en":
        return step, True
    found = _read(step)
    if found is None:
        return step, False
    chinese, values = found
    side = MEASURES.get(values.get("measure", ""))
    return chinese.format(**(values if side is None else values | {"measure": side.to(language)})), True


_read = reader(STEPS)
