"""Why no probability of conversion is told: kinds of reasons, each with what was found, worded in both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

from churnml.modeling.check_finding import Finding
from churnml.wording import Language, Text

Json = dict[str, Any]  # Any: JSON

_REFUSED_BY: Mapping[str, Text] = {
    "baselines": Text("a simpler method was nearer to what happened", "更简单的方法比它更接近实际结果"),
    "calibration": Text("its probabilities were not what happened", "它给出的概率与实际比例不符"),
    "suspects": Text("a feature by itself almost equals the answer", "有特征单独就几乎等于答案"),
    "bounds": Text("it gives impossible answers", "它会给出不可能的数值"),
}


@dataclass(frozen=True)
class NotLookedFor(Finding):
    """A model was trained without looking for prospects."""

    code: ClassVar[str] = "not_looked_for"
    words: ClassVar[Text] = Text("no prospects were looked for", "训练时没有查找潜在客户")


@dataclass(frozen=True)
class EveryoneHasPaid(Finding):
    """There is nobody who might become a customer, now or at any training cutoff."""

    code: ClassVar[str] = "everyone_has_paid"
    words: ClassVar[Text] = Text("nobody is known who has not paid for something", "已知的人都付过费")


@dataclass(frozen=True)
class KnownByFirstOrder(Finding):
    """Everyone came to be known on the day they became a customer."""

    code: ClassVar[str] = "known_by_first_order"
    words: ClassVar[Text] = Text(
        "nobody was known before the day they became a customer, so there is nothing to tell by",
        "没有人在成为客户之前就有记录，因此无从判断",
    )


@dataclass(frozen=True)
class Refused(Finding):
    """A model was taught and did not pass its gates.

    Parameters
    ----------
    gates : sequence of str
        The questions it failed.
    found : str
        What each found, and its rule, in English.
    """

    code: ClassVar[str] = "refused"
    words: ClassVar[Text] = Text("it was refused: {found}", "模型没有通过检验：{why}")

    gates: Sequence[str]
    found: str

    def places(self, language: Language) -> dict[str, Any]:  # Any: of all kinds
        """Return what stands in the places of the sentence."""
        told = [_REFUSED_BY[name].to(language) for name in self.gates if name in _REFUSED_BY]
        return super().places(language) | {"why": Text("; ", "；").to(language).join(told)}


@dataclass(frozen=True)
class NotTaught(Finding):
    """Teaching it ended with an error, which is told in English."""

    code: ClassVar[str] = "not_taught"
    words: ClassVar[Text] = Text("it could not be taught: {error}", "现有数据训练不出这个模型")

    error: str


@dataclass(frozen=True)
class Untold(Finding):
    """A reason of another version of this program, which wrote it in English."""

    code: ClassVar[str] = "other"
    words: ClassVar[Text] = Text("{detail}", "训练没有给出可用的转化模型")

    detail: str


_KINDS: dict[str, type[Finding]] = {
    one.code: one for one in (NotLookedFor, EveryoneHasPaid, KnownByFirstOrder, Refused, NotTaught)
}


def plain(reason: Finding) -> Json:
    """Return a reason as JSON: its stable code, an English sentence as `detail`, and what was found as `figures`."""
    return {"code": reason.code, "detail": reason.said(), "figures": asdict(reason)}


def reason_of(told: Json) -> Finding:
    """Return the reason that `plain` wrote; one that is not known here keeps its English sentence.

    Examples
    --------
    >>> reason_of({"code": "everyone_has_paid", "detail": "nobody is known who has not paid"}).said("zh")
    '已知的人都付过费'
    """
    kind, figures = _KINDS.get(told.get("code", "")), told.get("figures", {})
    if kind is None or {field.name for field in fields(kind)} != set(figures):
        return Untold(str(told.get("detail", "")))
    return kind(**figures)
