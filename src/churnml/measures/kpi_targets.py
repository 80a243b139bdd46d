"""What is aimed at, and whether a figure meets it, misses it beyond noise, or cannot be told from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from churnml.measures.kpi_list import BY_NAME
from churnml.wording import Text

Verdict = Literal["met", "missed_within_noise", "missed", "no_target", "unknown"]

VERDICTS: dict[str, Text] = {
    "met": Text("met", "达标"),
    "missed_within_noise": Text("missed, within noise", "未达标，但在误差范围内"),
    "missed": Text("missed", "未达标"),
    "no_target": Text("no target", "未设目标"),
    "unknown": Text("cannot be told", "无法判断"),
}
SIDES = {"at_most": Text("at most", "不高于"), "at_least": Text("at least", "不低于")}
CHANGES = {
    "better": Text("better", "改善"),
    "worse": Text("worse", "恶化"),
    "more": Text("more", "增加"),
    "less": Text("less", "减少"),
    "within_noise": Text("within noise", "在误差范围内"),
    "by_itself": Text("moves by itself", "随历史自然变化"),
}


@dataclass(frozen=True)
class Target:
    """What a figure should be.

    Parameters
    ----------
    side : {'at_most', 'at_least'}
    value : float
        In the unit of the figure; shares from 0 to 1.
    parts : mapping of str to (side, value)
        Where a part has a target of its own.
    """

    side: Literal["at_most", "at_least"]
    value: float
    parts: Mapping[str, tuple[Literal["at_most", "at_least"], float]] = field(default_factory=dict)

    def of(self, part: str) -> tuple[Literal["at_most", "at_least"], float]:
        """Return side and value for a part; a part that has none of its own has that of all."""
        return self.parts.get(part, (self.side, self.value))


def judged(figures: pd.DataFrame, targets: Mapping[str, Target]) -> pd.DataFrame:
    """Return figures with their `side`, `target` and `verdict`.

    A target of a count is one for all: parts are held against it only where they have one of their own. Missed *beyond
    noise* is one whose whole interval lies on the wrong side; a figure without an interval is what it is, and misses
    by being there.
    """
    aims = [_aim(targets, *key) for key in zip(figures["kpi"], figures["part"], strict=True)]
    sides = pd.Series([side for side, _ in aims], index=figures.index, dtype=object)
    target = pd.Series([value for _, value in aims], index=figures.index, dtype=np.float64)
    value, below = figures["value"], sides == "at_least"
    nearest = figures["high"].where(below, figures["low"]).fillna(value)
    wrong = (value < target).where(below, value > target)
    beyond = (nearest < target).where(below, nearest > target)
    verdict = np.select(
        [target.isna(), value.isna(), ~wrong.astype(bool), ~beyond.astype(bool)],
        ["no_target", "unknown", "met", "missed_within_noise"],
        "missed",
    )
    return figures.assign(side=sides, target=target, verdict=verdict)


def _aim(targets: Mapping[str, Target], kpi: str, part: str) -> tuple[str | None, float]:
    target = targets.get(kpi)
    if target is None or (part != "all" and part not in target.parts and BY_NAME[kpi].how == "count"):
        return None, float("nan")
    return target.of(part)


def changed(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    r"""Return the figures of a period with those of the one before it, the change, and whether it is beyond noise.

    .. math:: d \pm: \quad \sqrt{(v_1 - l_1)^2 + (u_0 - v_0)^2}, \qquad \sqrt{(u_1 - v_1)^2 + (v_0 - l_0)^2}

    The two are taken as independent. Customers who are in both tend to be alike in both, and then the interval is too
    wide rather than too narrow.

    Parameters
    ----------
    now, before : DataFrame
        From `kpi_figures.figures`, of one period each.

    Returns
    -------
    DataFrame
        `now` with `before`, `change`, `change_low`, `change_high` and `moved`, a word of `CHANGES`.

    References
    ----------
    Newcombe, R. G. (1998). Interval estimation for the difference between independent proportions. Statistics in
    Medicine 17, 873-890, method 10; of any figures: Zou, G. Y. & Donner, A. (2008). Construction of confidence limits
    about effect measures: a general approach. Statistics in Medicine 27, 1693-1702.
    """
    was = before[["kpi", "part", "value", "low", "high"]].rename(columns=lambda name: f"{name}_was")
    both = now.merge(was, left_on=["kpi", "part"], right_on=["kpi_was", "part_was"], how="left")
    change = both["value"] - both["value_was"]
    low = change - np.hypot(both["value"] - both["low"], both["high_was"] - both["value_was"])
    high = change + np.hypot(both["high"] - both["value"], both["value_was"] - both["low_was"])
    return both.assign(
        before=both["value_was"],
        change=change,
        change_low=low,
        change_high=high,
        moved=[_moved(*one) for one in zip(both["kpi"], change, low, high, strict=True)],
    )


def _moved(kpi: str, change: float, low: float, high: float) -> str | None:
    if np.isnan(change) or np.isnan(low) or np.isnan(high):
        return None
    if not BY_NAME[kpi].comparable:
        return "by_itself"
    if low <= 0 <= high:
        return "within_noise"
    direction: Literal["more", "less"] = "more" if change > 0 else "less"
    better = BY_NAME[kpi].better
    return direction if not better else "better" if direction == better else "worse"
