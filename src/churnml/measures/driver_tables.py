"""What the tables of drivers have in common: of whom they tell, and the columns that stand in several of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from churnml.measures.differences import Difference
from churnml.measures.matching import Matched
from churnml.measures.measure import About, Unit
from churnml.wording import Text

Row = dict[str, Any]  # Any: texts and figures of one line of a table

_UNITS: dict[str, Unit] = {"days": "days", "hours": "hours", "currency": "money", "share": "share", "category": "share"}
_UNIT_WORDS = {
    "days": Text("days", "天"),
    "hours": Text("hours", "小时"),
    "money": Text("amount", "金额"),
    "share": Text("share", "占比"),
    "ratio": Text("number", "数值"),
}
_INTERVAL = Text("of a 95 % interval over customers", "95% 区间，以客户为单位")


@dataclass(frozen=True)
class Told:
    """What the measures of drivers have in common.

    Parameters
    ----------
    begin, end : str
        The first cutoff, and the day after the last day that counts, ISO 8601.
    leaving : Text
        What leaving is.
    cutoffs : int
        At how many month starts.
    rate : float
        The share of claims that may be false.
    smallest : int
        Figures of fewer customers are not shown.
    sources : tuple of str
        Which tables.
    remarks : tuple of Text
        What is true of all.
    """

    begin: str
    end: str
    leaving: Text
    cutoffs: int
    rate: float
    smallest: int
    sources: tuple[str, ...]
    remarks: tuple[Text, ...] = ()

    def population(self, among: Matched) -> Text:
        """Return of whom, in words."""
        left, stayed = (f"{among.customers(left=one):,}" for one in (True, False))
        return Text(
            f"{left} customers who left beside {stayed} who stayed, at {self.cutoffs} month starts; who left later may "
            f"stand among both; {self.leaving.en}",
            f"{self.cutoffs} 个月初时点上，{left} 位流失客户与 {stayed} 位留存客户对照，后来流失者可同属两边；"
            f"{self.leaving.zh}",
        )


def figures() -> dict[str, About]:
    """Return the columns of two means, their effect and its interval."""
    return {
        "left_mean": About(Text("Left", "流失"), "ratio", Text("mean of those who left", "流失者均值"), unit_in="unit"),
        "stayed_mean": About(
            Text("Stayed", "留存"),
            "ratio",
            Text("mean of those who stayed, weighted as the left are spread", "留存者均值，按流失者的分布加权"),
            unit_in="unit",
        ),
        "unit": About(Text("Unit", "单位"), "word", words=_UNIT_WORDS),
        "effect": About(
            Text("Effect", "效应"),
            "ratio",
            Text(
                "from -1 to 1: how much more often one who left lies above one who stayed than below",
                "-1 至 1：流失者高于留存者的频率减去低于的频率",
            ),
        ),
        "low": About(Text("At least", "下限"), "ratio", _INTERVAL),
        "high": About(Text("At most", "上限"), "ratio", _INTERVAL),
    }


def named(shown: Sequence[Difference]) -> dict[str, Text]:
    """Return what each feature that is shown means, by name."""
    return {one.name: one.meaning for one in shown}


def unit_of(one: Difference) -> Unit:
    """Return how its means are written; counts as plain numbers of two places, for means of few are below one."""
    return _UNITS.get(one.feature.unit, "ratio")
