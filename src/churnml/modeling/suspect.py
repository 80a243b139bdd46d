"""A column that deserves a question: what was found, as figures; the sentence is made where somebody reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from churnml.wording import Language, Text

Reason = Literal["almost equals the label", "tells much alone", "dates after the cutoff", "id", "constant", "unusable"]
Sign = Literal[
    "constant",
    "dates_ahead",
    "names_customers",
    "ranks_all_but_surely",
    "nearly_all_churned",
    "nearly_all_stayed",
    "filling_tells",
    "ranks_much",
    "unusable",
]
Where = Literal["", "one_value", "empty", "filled", "not_the_most_frequent"]

_WHY: Mapping[Sign, Text] = {
    "constant": Text("holds the same value in every row", "每一行的值都相同"),
    "dates_ahead": Text(
        "{rows:,.0f} dates ({share:.1%}) lie after the cutoff, when nobody could know them",
        "有 {rows:,.0f} 个日期（{share:.1%}）晚于截止时点，当时谁也不可能知道",
    ),
    "names_customers": Text(
        "{unique_share:.0%} of the customers have a value of their own, so it names them and says nothing of others",
        "{unique_share:.0%} 的客户各有独一无二的值：它等于指名道姓，对其他客户毫无意义",
    ),
    "ranks_all_but_surely": Text(
        "alone it ranks churners with an AUROC of {auroc_alone:.3f}; was it known before the cutoff?",
        "单凭它给流失者排序，AUROC 就达到 {auroc_alone:.3f}；在截止时点之前真的已经知道吗？",
    ),
    "nearly_all_churned": Text(
        "of {rows:,.0f} rows where {where} nearly all churned; was it known before the cutoff?",
        "{where}的 {rows:,.0f} 行几乎全部流失；在截止时点之前真的已经知道吗？",
    ),
    "nearly_all_stayed": Text(
        "of {rows:,.0f} rows where {where} nearly all stayed; was it known before the cutoff?",
        "{where}的 {rows:,.0f} 行几乎全部留存；在截止时点之前真的已经知道吗？",
    ),
    "filling_tells": Text(
        "whether it is filled tells who churned (AUROC {auroc_missing:.3f}); was it filled in afterwards?",
        "有没有值本身就透露了谁流失（AUROC {auroc_missing:.3f}）；是不是事后才填的？",
    ),
    "ranks_much": Text(
        "alone it ranks churners with an AUROC of {auroc_alone:.3f}, which few honest columns do",
        "单凭它给流失者排序，AUROC 就达到 {auroc_alone:.3f}，诚实的数据很少能做到",
    ),
    "unusable": Text("{note}", "{note}"),
}
_WHERE: Mapping[Where, Text] = {
    "": Text("", ""),
    "one_value": Text("it has one value or span of values", "取同一个值（或同一段值）"),
    "empty": Text("it is empty", "没有值"),
    "filled": Text("it is filled", "有值"),
    "not_the_most_frequent": Text("it has another than its most frequent value", "不取最常见的值"),
}


@dataclass(frozen=True)
class Suspect:
    """A column that deserves a question, and the evidence.

    Parameters
    ----------
    kind : str
        What it is suspected of.
    sign : str
        What was found; several signs may point to one kind.
    evidence : mapping of str to float
        The figures behind it.
    left_out : bool
        Whether the model does not see it.
    where : str
        In which rows nearly all did the same; empty for other signs.
    note : str
        What whoever read the file says of a column that is unusable.
    """

    name: str
    kind: Reason
    sign: Sign
    evidence: Mapping[str, float]
    left_out: bool
    where: Where = ""
    note: str = ""

    def said(self, language: Language = "en") -> str:
        """Return in words what was found; the name of the column is not in them."""
        where = _WHERE[self.where].to(language)
        return _WHY[self.sign].to(language).format(**self.evidence, where=where, note=self.note)

    def to_json(self) -> dict[str, Any]:  # Any: JSON
        """Return plain data."""
        plain = {"name": self.name, "kind": self.kind, "code": self.sign, "why": self.said()}
        return plain | {"evidence": dict(self.evidence), "left_out": self.left_out}
