"""How long customers stay in a stage, counted in whole periods because stages are seen at the ends of periods."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from churnml.events.clock import DAY
from churnml.measures.lifecycle import STAGES
from churnml.measures.lives import POPULATION, STAGE_WORDS, Lives
from churnml.measures.measure import About, Measure
from churnml.measures.spells import Spells, spells
from churnml.measures.survival import curve, median
from churnml.measures.transitions import hidden_remark
from churnml.measures.withholding import few
from churnml.wording import Text


def stage_time(lives: Lives) -> Measure:
    """Return after how many days half of those who came to a stage had left it, as `lifecycle_time`.

    Stays whose beginning was seen are counted: of those that ran already at the first cutoff the long ones are more
    often found, and nobody knows since when.
    """
    frame = pd.DataFrame(list(_stays(lives)), columns=list(_ROW))
    hidden = few(frame["customers"], lives.smallest)
    for column in ("median_days", "low", "high"):
        frame[column] = frame[column].mask(hidden)
    step = f"{_step_days(lives):.0f}"
    return Measure(
        "lifecycle_time",
        Text("Time in stage", "阶段停留时间"),
        Text(
            "After how many days half of those who came to a stage had left it (Kaplan and Meier's median, stays that "
            "had not ended counted in, with its interval). Stages are seen at the ends of periods, so each stay is "
            f"known to a period of about {step} days, and one that lay between two ends is not seen. Only stays whose "
            "beginning was seen. Missing where more than half had not left yet.",
            "进入某阶段的客户在多少天后有一半已离开（Kaplan–Meier 中位数，未结束的停留计入，附区间）。"
            f"阶段只在周期末观察，因此每段停留只精确到约 {step} 天的一个周期，周期之内来去的停留观察不到。"
            "仅计入看得到起点的停留。若超过一半尚未离开则留空。",
        ),
        POPULATION,
        frame,
        lives.columns(
            stage=About(Text("Stage", "阶段"), "word", words=STAGE_WORDS),
            median_days=About(Text("Half left after", "半数离开所需"), "days"),
            low=About(Text("At least", "下限"), "days"),
            high=About(Text("At most", "上限"), "days"),
            customers=About(Text("Customers", "客户数"), "number"),
            stays=About(Text("Stays", "停留次数"), "number"),
            still_open=About(Text("Not ended", "尚未结束"), "number"),
        ),
        *lives.span,
        lives.sources,
        hidden_remark(lives, hidden),
    )


_ROW = ("part", "stage", "median_days", "low", "high", "customers", "stays", "still_open")


def _step_days(lives: Lives) -> float:
    first, last = lives.history.cutoffs[0], lives.history.cutoffs[lives.whole]
    return (last - first) / lives.whole / DAY


def _stays(lives: Lives) -> Iterator[tuple[str, str, float, float, float, int, int, int]]:
    found, days = spells(lives.history), _step_days(lives)
    seen = (found.first > 0) & (found.first <= lives.whole)
    parts = lives.part[found.customer]
    for part, name in enumerate(lives.names):
        for code, stage in enumerate(STAGES):
            mine = seen & (parts == part) & (found.stage == code)
            if mine.any():
                left, still = _lengths(found, mine, lives.whole)
                half, low, high = median(curve(range(len(left)), left, still))
                told = days * half, days * low, days * high
                yield name, stage, *told, len(np.unique(found.customer[mine])), int(mine.sum()), int(still.sum())


def _lengths(
    found: Spells, mine: npt.NDArray[np.bool_], whole: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return how many left after 0, 1, 2 … periods, and how many were seen for so many and not to their end."""
    first, last = found.first[mine], found.last[mine]
    ended = last < whole
    left = np.bincount((last + 1 - first)[ended], minlength=whole + 1)
    still = np.bincount((whole - first)[~ended], minlength=whole + 1)
    return left, still
