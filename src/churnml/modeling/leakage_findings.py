"""The kinds of things that the check for leakage finds or asks about, each with its sentence in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from churnml.modeling.alone import Alone
from churnml.modeling.check_finding import Finding
from churnml.modeling.comparison import Difference
from churnml.modeling.delays import Delay
from churnml.modeling.suspect import Suspect
from churnml.wording import Language, Text


@dataclass(frozen=True)
class OtherWithoutFuture(Finding):
    """A feature that is another once what lies beyond the cutoff is gone; of one customer, both values."""

    code: ClassVar[str] = "other_without_future"
    words: ClassVar[Text] = Text(
        "the wall: `{feature}` is another in {rows:,} rows once what lies beyond the cutoff is gone; of customer "
        "{customer_id} it is {with_future} with it, {without} without",
        "时间墙：去掉截止时点之后的一切，`{feature}` 在 {rows:,} 行上就变了；例如客户{customer_id}，"
        "保留未来数据时为 {with_future}，去掉后为 {without}",
    )

    feature: str
    rows: int
    customer_id: str
    with_future: float | str | None
    without: float | str | None


@dataclass(frozen=True)
class OthersWithoutFuture(Finding):
    """The customers themselves are not the same once what lies beyond the cutoff is gone."""

    code: ClassVar[str] = "others_without_future"
    words: ClassVar[Text] = Text(
        "the wall: {rows:,} customers are known only with or only without what lies beyond the cutoff, such as "
        "{customer_id}; there are {with_future:,.0f} with it, {without:,.0f} without",
        "时间墙：有 {rows:,} 位客户只在保留或只在去掉截止时点之后的数据时才存在，例如{customer_id}；"
        "保留时共 {with_future:,.0f} 位，去掉后共 {without:,.0f} 位",
    )

    rows: int
    customer_id: str
    with_future: float
    without: float

    @property
    def about(self) -> str:
        """What it is found of."""
        return "the customers"


@dataclass(frozen=True)
class TellsAlone(Finding):
    """A feature that by itself says more of churn than an honest one does."""

    words: ClassVar[Text] = Text("`{feature}`: {found}", "`{feature}`：{found}")

    feature: str
    suspect: Suspect

    def places(self, language: Language) -> dict[str, Any]:  # Any: of all kinds
        """Return the feature and what was found of it."""
        return {"feature": self.feature, "found": self.suspect.said(language)}

    def to_json(self) -> dict[str, Any]:  # Any: JSON
        """Return plain data; the code is the sign that was seen."""
        one = self.suspect
        return {"code": one.sign, "feature": self.feature, "where": one.where, "evidence": dict(one.evidence)}


@dataclass(frozen=True)
class CostlyDelay(Finding):
    """A table of which a single day tells much; the cost is in AUROC, with its paired 95 % interval."""

    code: ClassVar[str] = "costly_delay"
    words: ClassVar[Text] = Text(
        "`{table}`: learned a day later, it would cost {cost:.3f} of AUROC ({low:.3f} to {high:.3f}); were its rows "
        "really there on the day that they bear, or is its clock set back?",
        "`{table}`：若晚一天才获知，AUROC 会降低 {cost:.3f}（{low:.3f} 至 {high:.3f}）；"
        "这些行在其所载日期当天真的已经存在，还是日期被往回填了？",
    )

    table: str
    cost: float
    low: float
    high: float


@dataclass(frozen=True)
class NotEnoughHistory(Finding):
    """Why the costs of delays could not be measured: what a small model is taught with lies before the cutoff.

    Parameters
    ----------
    day : str
        The cutoff, as a date of the workspace.
    horizon_days, label_lag_days : int
        When a label is final: so many days after its cutoff, and so many more.
    needs_days, has_days : int
        Of orders before the cutoff.
    """

    code: ClassVar[str] = "not_enough_history"
    words: ClassVar[Text] = Text(
        "before {day}, a horizon of {horizon_days} days{final} needs {needs_days} days of history for two training "
        "cutoffs, found {has_days}; shorten `horizon_days` or `min_history_days` in configs/train.yaml",
        "预测期为 {horizon_days} 天{final}，在 {day} 之前需要 {needs_days} 天历史才够两个训练截止时点，实有 {has_days} "
        "天；请缩短 configs/train.yaml 中的 `horizon_days` 或 `min_history_days`",
    )
    _final: ClassVar[Text] = Text(", final {} days later,", "（另需 {} 天标签才最终确定）")

    day: str
    horizon_days: int
    label_lag_days: int
    needs_days: int
    has_days: int

    def places(self, language: Language) -> dict[str, Any]:  # Any: of all kinds
        """Return what stands in the places of the sentence."""
        final = self._final.to(language).format(self.label_lag_days) if self.label_lag_days else ""
        return super().places(language) | {"final": final}


def of_wall(one: Difference) -> Finding:
    """Return a difference between the features with and without a future as a finding."""
    if one.of_customers:
        return OthersWithoutFuture(one.rows, one.customer_id, float(one.one or 0), float(one.other or 0))
    return OtherWithoutFuture(one.name, one.rows, one.customer_id, one.one, one.other)


def of_alone(one: Alone) -> list[Finding]:
    """Return what a feature is suspected of as a finding; none if it is not."""
    return [] if one.suspect is None else [TellsAlone(one.name, one.suspect)]


def of_delay(one: Delay) -> Finding:
    """Return the cost of a day as a question."""
    return CostlyDelay(one.table, -one.change, -one.high, -one.low)
