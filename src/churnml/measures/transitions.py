"""How many stand where in their life, how they moved from stage to stage, and who came to each and left it.

A move is what lies between two month ends in a row. One customer makes many, and who moved last month is likelier to
move again; so the shares of moves have intervals that know of it: Wilson's, of as many moves as would tell as much if
each were another customer's.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from churnml.measures.intervals import wilson
from churnml.measures.lifecycle import NO_STAGE, STAGES
from churnml.measures.lives import POPULATION, STAGE_WORDS, Lives
from churnml.measures.measure import About, Measure
from churnml.measures.withholding import few
from churnml.wording import Text

NOT_KNOWN = "not_known"
"""In place of the stage before, of who was not known then."""

_FROM_WORDS = {NOT_KNOWN: Text("Not known yet", "当时尚未建档"), **STAGE_WORDS}
_STAGE = About(Text("Stage", "阶段"), "word", words=STAGE_WORDS)
_NAMES = tuple(STAGES)
_HIDDEN = Text(
    "Shares and times of fewer than {smallest} customers are not told; numbers of customers are.",
    "不足 {smallest} 位客户的占比与时长不予显示，客户数照常列出。",
)


def stage_counts(lives: Lives) -> Measure:
    """Return how many stand in each stage at each cutoff, as `lifecycle_stages`."""
    rows = [row for turn in range(len(lives.days)) for row in _counted(lives, turn)]
    frame = pd.DataFrame(rows, columns=["month", "part", "stage", "customers", "share"])
    hidden = few(frame.groupby(["month", "part"])["customers"].transform("sum"), lives.smallest)
    frame["share"] = frame["share"].mask(hidden)
    return Measure(
        "lifecycle_stages",
        Text("Lifecycle stages", "生命周期阶段"),
        Text(
            "How many customers stand in each stage at the end of each period, by what was known then and by their own "
            "rhythm of buying. The share is of all who were known then; the stages add up to it.",
            "每个周期末各阶段的客户数，依据当时已知的信息和客户自身的购买节奏判定。占比以当时已知的全部客户为分母，各阶段合计即为全部。",
        ),
        POPULATION,
        frame,
        {"month": About(Text("At the end of", "截至"), "day")}
        | lives.columns(
            stage=_STAGE,
            customers=About(Text("Customers", "客户数"), "number"),
            share=About(Text("Share", "占比"), "share"),
        ),
        *lives.span,
        lives.sources,
        hidden_remark(lives, hidden),
    )


def _counted(lives: Lives, turn: int) -> Iterator[tuple[str, str, str, int, float]]:
    codes, n_stages = lives.history.codes[turn], len(_NAMES)
    known = codes != NO_STAGE
    where = lives.part[known] * n_stages + codes[known]
    counts = np.bincount(where, minlength=len(lives.names) * n_stages).reshape(-1, n_stages)
    for part, row in zip(lives.names, counts, strict=True):
        total = int(row.sum())
        for stage, count in zip(_NAMES, row, strict=True):
            yield lives.days[turn], part, stage, int(count), count / total if total else np.nan


def stage_transitions(lives: Lives) -> Measure:
    """Return the moves between stages from one period's end to the next, as `lifecycle_transitions`.

    References
    ----------
    Korn, E. L. & Graubard, B. I. (1998). Confidence intervals for proportions with small expected number of positive
    counts estimated from survey data. Survey Methodology 24, 193-201: an interval of a share among observations that
    depend on each other is that of as many independent ones as have the same variance. Theirs is Clopper and Pearson's
    of so many; Wilson's of so many stands beside it in SAS/STAT, The SURVEYFREQ Procedure, Confidence Limits for
    Proportions.
    Cochran, W. G. (1977). Sampling Techniques, 3rd ed., Wiley, chapter 6: the variance of a ratio of sums.
    """
    names = ["part", "from_stage", "to_stage", "customers", "share", "low", "high", "who"]
    frame = pd.DataFrame(list(_moves(lives)), columns=names).sort_values("part", kind="stable", ignore_index=True)
    hidden = few(frame.pop("who"), lives.smallest)
    frame.loc[hidden, ["share", "low", "high"]] = np.nan
    return Measure(
        "lifecycle_transitions",
        Text("Moves between stages", "阶段迁移"),
        Text(
            "Of those who stood in a stage at the end of a period, which share stood in each stage at the end of the "
            "next; over all periods, so one customer counts once in each. Who was not known yet is told apart. Moves "
            "that nobody made are left out.",
            "某一周期末处于某阶段的客户，到下一周期末处于各阶段的比例；合并所有周期，每位客户每周期计一次。当时尚未建档的客户单列。无人发生的迁移不列出。",
        ),
        POPULATION,
        frame,
        lives.columns(
            from_stage=About(Text("From", "从"), "word", words=_FROM_WORDS),
            to_stage=About(Text("To", "到"), "word", words=STAGE_WORDS),
            customers=About(Text("Moves", "迁移次数"), "number"),
            share=About(Text("Share", "占比"), "share"),
            low=About(Text("At least", "下限"), "share"),
            high=About(Text("At most", "上限"), "share"),
        ),
        *lives.span,
        lives.sources,
        hidden_remark(lives, hidden),
    )


def _moves(lives: Lives) -> Iterator[dict[str, object]]:
    """Yield each move that somebody made, with its share of those who could have made it."""
    before, after = lives.history.codes[: lives.whole], lives.history.codes[1 : lives.whole + 1]
    for code, stage in enumerate((NOT_KNOWN, *_NAMES), NO_STAGE):
        starts = (before == code) & (after != NO_STAGE)
        chances = starts.sum(axis=0, dtype=np.int64)
        if not chances.any():
            continue
        who = np.bincount(lives.part[chances > 0], minlength=len(lives.names))
        for target, to in enumerate(_NAMES):
            made = (starts & (after == target)).sum(axis=0, dtype=np.int64)
            sums = _sums(lives, made, chances)
            low, high = clustered_wilson(*sums)
            for part, name in enumerate(lives.names):
                if sums[0][part]:
                    yield {
                        "part": name,
                        "from_stage": stage,
                        "to_stage": to,
                        "customers": int(sums[0][part]),
                        "share": sums[0][part] / sums[1][part],
                        "low": low[part],
                        "high": high[part],
                        "who": int(who[part]),
                    }


def _sums(
    lives: Lives, made: npt.NDArray[np.int64], chances: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], ...]:
    """Return by part the sums over customers of y, x, y squared, x squared and their product."""
    terms = (made, chances, made * made, chances * chances, made * chances)
    return tuple(np.bincount(lives.part, term, minlength=len(lives.names)).astype(np.float64) for term in terms)


def clustered_wilson(
    y: npt.ArrayLike, x: npt.ArrayLike, yy: npt.ArrayLike, xx: npt.ArrayLike, xy: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return Wilson's interval of shares y / x whose cases belong to customers, several to each.

    Parameters
    ----------
    y, x, yy, xx, xy : array-like of shape (n,)
        Sums over customers: of the cases in which it happened, of all cases, of their squares and of their product.

    Returns
    -------
    low, high : ndarray of shape (n,)
        Never narrower than if each case were another customer's.

    References
    ----------
    See `stage_transitions`.

    Examples
    --------
    Ten customers with ten cases each, five of whom do it always: it tells no more than ten cases.

    >>> low, high = clustered_wilson([50], [100], [500], [1000], [500])
    >>> wilson([5], [10])[0].round(3).tolist() == low.round(3).tolist()
    True
    """
    happened, cases, happened2, cases2, both = (np.asarray(one, dtype=np.float64) for one in (y, x, yy, xx, xy))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = happened / cases
        variance = np.maximum(happened2 - 2 * share * both + share**2 * cases2, 0.0) / cases**2
        effect = variance / (share * (1 - share) / cases)
        effective = cases / np.where(effect > 1, effect, 1.0)  # where all or none did, nothing tells of dependence
    return wilson(share * effective, effective)


def stage_flow(lives: Lives) -> Measure:
    """Return how many stand in each stage now, and who came to it and left it in the span, as `lifecycle_flow`."""
    frame = pd.DataFrame(list(_flows(lives)), columns=["part", "stage", "begin", "entered", "left", "end"])
    everybody = frame.groupby("part")["end"].transform("sum")
    hidden = few(everybody, lives.smallest)
    frame["share"] = (frame["end"] / everybody).mask(hidden)
    frame["net"] = frame["end"] - frame["begin"]
    return Measure(
        "lifecycle_flow",
        Text("Where customers stand, who came and who left", "客户所处阶段及其进出"),
        Text(
            "Customers in a stage at the end, and their share of all; those in it at the beginning, who came to it and "
            "who left it from one period's end to the next: beginning and came less left is the end. Who came twice "
            "counts twice.",
            "期末处于各阶段的客户数及占比；期初人数，以及各周期之间进入与离开的人次：期初加进入减离开即为期末。进入两次计两次。",
        ),
        POPULATION,
        frame,
        lives.columns(stage=_STAGE, **_FLOW),
        *lives.span,
        lives.sources,
        hidden_remark(lives, hidden),
    )


_FLOW = {
    "end": About(Text("At the end", "期末"), "number"),
    "share": About(Text("Share", "占比"), "share"),
    "begin": About(Text("At the beginning", "期初"), "number"),
    "entered": About(Text("Came", "进入"), "number"),
    "left": About(Text("Left", "离开"), "number"),
    "net": About(Text("Net", "净变化"), "number"),
}


def _flows(lives: Lives) -> Iterator[tuple[str, str, int, int, int, int]]:
    """Yield for each part and stage who was in it at the beginning, came, left, and was in it at the end."""
    codes = lives.history.codes
    moved = codes[1:] != codes[:-1]
    for part, name in enumerate(lives.names):
        mine = lives.part == part
        before, after, changed = codes[:-1, mine], codes[1:, mine], moved[:, mine]
        stands = (codes[0, mine], after[changed], before[changed], codes[-1, mine])
        counts = [np.bincount(one - NO_STAGE, minlength=len(_NAMES) + 1)[1:].tolist() for one in stands]
        for stage, *told in zip(_NAMES, *counts, strict=True):
            yield name, stage, told[0], told[1], told[2], told[3]


def hidden_remark(lives: Lives, hidden: npt.NDArray[np.bool_]) -> tuple[Text, ...]:
    """Return that shares and times are hidden, where some are."""
    if not np.any(hidden):
        return ()
    return (Text(_HIDDEN.en.format(smallest=lives.smallest), _HIDDEN.zh.format(smallest=lives.smallest)),)
