"""The kinds of things that the check for skew finds, and why scores were not compared; in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from churnml.modeling.check_finding import Finding
from churnml.modeling.comparison import Difference
from churnml.wording import Language, Text

Door = Literal["in_training", "online"]
"""By which way the features came that are held against those of the batch."""


_WHERE: dict[Door, Text] = {"in_training": Text("in training", "训练时"), "online": Text("online", "在线计算")}


@dataclass(frozen=True)
class OtherFeature(Finding):
    """A feature that is another by one of the other ways than in the batch; of one customer, both values."""

    code: ClassVar[str] = "other_feature"
    words: ClassVar[Text] = Text(
        "`{feature}` is another {where} for {rows:,} customers; of {customer_id} it is {batch} in the batch, "
        "{other} {where}",
        "`{feature}` {where}对 {rows:,} 位客户不同；例如客户{customer_id}，批量计算为 {batch}，{where}为 {other}",
    )

    feature: str
    door: Door
    rows: int
    customer_id: str
    batch: float | str | None
    other: float | str | None

    def places(self, language: Language) -> dict[str, Any]:  # Any: of all kinds
        """Return what stands in the places of the sentence."""
        return super().places(language) | {"where": _WHERE[self.door].to(language)}


@dataclass(frozen=True)
class OtherCustomers(Finding):
    """The customers that come by one of the other ways are not those of the batch."""

    code: ClassVar[str] = "other_customers"
    words: ClassVar[Text] = Text(
        "{rows:,} customers are there only in the batch or only {where}, such as {customer_id}; {batch:,.0f} in the "
        "batch, {other:,.0f} {where}",
        "有 {rows:,} 位客户只在批量计算或只在{where}出现，例如{customer_id}；"
        "批量计算 {batch:,.0f} 位，{where} {other:,.0f} 位",
    )

    door: Door
    rows: int
    customer_id: str
    batch: float
    other: float

    def places(self, language: Language) -> dict[str, Any]:  # Any: of all kinds
        """Return what stands in the places of the sentence."""
        return super().places(language) | {"where": _WHERE[self.door].to(language)}


@dataclass(frozen=True)
class OtherScore(Finding):
    """A score of a single row that is farther from that of the same row in a batch than rounding explains."""

    code: ClassVar[str] = "other_score"
    words: ClassVar[Text] = Text(
        "`{score}` of a single row is {distance:.3g} from that in the batch, for customer {customer_id}; at most "
        "{allowed:g} is allowed",
        "客户{customer_id}单独评分时，`{score}` 与批量评分相差 {distance:.3g}；最多允许 {allowed:g}",
    )

    score: str
    distance: float
    customer_id: str
    allowed: float


@dataclass(frozen=True)
class NoChampion(Finding):
    """Scores were not compared because no model has been promoted."""

    code: ClassVar[str] = "no_champion"
    words: ClassVar[Text] = Text(
        "there is no champion yet; `churnml train` makes one", "还没有当前模型；`churnml train` 会产生一个"
    )


@dataclass(frozen=True)
class NobodyToScore(Finding):
    """Scores were not compared because none of the customers drawn is scored."""

    code: ClassVar[str] = "nobody_in_population"
    words: ClassVar[Text] = Text("none of these customers is in the population", "抽中的客户都不是活跃客户")


@dataclass(frozen=True)
class ChampionRefused(Finding):
    """Scores were not compared because the champion could not be used; the error says why, in English."""

    code: ClassVar[str] = "champion_refused"
    words: ClassVar[Text] = Text("{error}", "当前模型无法使用：{error}")

    error: str


NotScored = NoChampion | NobodyToScore | ChampionRefused


def of_difference(door: Door, one: Difference) -> Finding:
    """Return a difference from the features of the batch as a finding."""
    if one.of_customers:
        return OtherCustomers(door, one.rows, one.customer_id, float(one.one or 0), float(one.other or 0))
    return OtherFeature(one.name, door, one.rows, one.customer_id, one.one, one.other)
