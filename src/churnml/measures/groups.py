"""Groups of customers, described: how many, what they brought in the span, how likely they leave, how content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from churnml.events.books import Books
from churnml.events.clock import moment
from churnml.measures.intervals import around_mean
from churnml.measures.measure import About, Asked, Measure
from churnml.measures.parts import UNKNOWN, UNKNOWN_WORD, parts
from churnml.measures.portrait import tables_of
from churnml.measures.withholding import withheld, withheld_remark
from churnml.wording import Text

OTHERS = "…"
OTHERS_WORD = {OTHERS: Text("All others", "其他")}


@dataclass(frozen=True)
class Grouping:
    """What customers are told apart by.

    Parameters
    ----------
    name : str
        Of the measure.
    title, definition : Text
        Its heading, and how a customer comes into a group.
    query : str
        SQL that finds `customer_id` and `segment`; whoever it does not find is not known.
    words : mapping of str to Text
        How groups are worded, in the order in which they are shown; others stand behind them, the largest first.
    sources : tuple of str
        Tables that have landed and that it is told from, beside those of the figures.
    remarks : tuple of Text
        What to know of it.
    """

    name: str
    title: Text
    definition: Text
    query: str
    words: Mapping[str, Text] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    remarks: tuple[Text, ...] = ()


def described(books: Books, grouping: Grouping, asked: Asked, scored_on: str | None = None) -> Measure:
    """Return a measure with a row for each group of customers.

    Parameters
    ----------
    books : Books
        In which `portrait` was laid for the same span.
    asked : Asked
        The span; `by` tells each group apart once more; figures of fewer than `smallest` are not shown.
    scored_on : str, optional
        The cutoff of the scores in the portrait, ISO 8601; None where there are none.

    Returns
    -------
    Measure
        With `segment`, `part` where it was asked for, `customers`, their `share` of the base, `orders`, `revenue` and
        `margin` in the span, and the means `churn_probability`, `clv` and `satisfaction` with `satisfaction_low` and
        `satisfaction_high`. The customers of all rows are the base.
    """
    parted = parts(books, asked.by)
    frame = books.frame(_GROUPS.format(query=grouping.query, parts=parted, unknown=UNKNOWN))
    # sums of parallel threads differ in their last bits; nobody reads those, and a report must come again
    frame = _in_order(frame.round(6), list(grouping.words))
    frame["share"] = frame["customers"] / max(books.base, 1)
    low, high = around_mean(frame["satisfaction"], frame.pop("satisfaction_sd"), frame["answering"])
    frame["satisfaction_low"], frame["satisfaction_high"] = low.clip(0, 100), high.clip(0, 100)
    columns = {name: about for name, about in _COLUMNS.items() if name != "part" or asked.by is not None}
    words = {**UNKNOWN_WORD, **OTHERS_WORD, **grouping.words}
    columns["segment"] = About(_COLUMNS["segment"].title, "word", words=words)
    columns |= {name: _by_scores(_COLUMNS[name], scored_on) for name in ("churn_probability", "clv") if scored_on}
    remarks = (
        *grouping.remarks,
        *_missing(books, scored_on),
        *_hide(frame, asked.smallest, parted=asked.by is not None),
    )
    zone = books.time_zone
    return Measure(
        name=grouping.name,
        title=grouping.title,
        definition=grouping.definition,
        population=BASE,
        frame=frame[list(columns)],
        columns=columns,
        begin=moment(asked.begin, zone).date().isoformat(),
        end=moment(asked.end, zone).date().isoformat(),
        sources=tuple(dict.fromkeys([*tables_of(books, columns), *grouping.sources])),
        remarks=remarks,
    )


def _by_scores(about: About, scored_on: str) -> About:
    words = about.definition or about.title
    definition = Text(f"{words.en}, at {scored_on}", f"{words.zh}（{scored_on}）")
    return replace(about, definition=definition)


BASE = Text("everybody known who may be profiled", "所有已知且允许画像的客户")

_GROUPS = """
    SELECT coalesce(told.segment, '{unknown}') AS segment, part, count(*) AS customers,
           sum(orders)::DOUBLE AS orders, sum(revenue) AS revenue, sum(margin) AS margin,
           count(churn_probability) AS scored, avg(churn_probability) AS churn_probability, avg(clv) AS clv,
           count(satisfaction) AS answering, avg(satisfaction) AS satisfaction,
           stddev_samp(satisfaction) AS satisfaction_sd
    FROM portrait LEFT JOIN ({query}) AS told USING (customer_id) JOIN {parts} USING (customer_id) GROUP BY 1, 2
"""
_COLUMNS = {
    "segment": About(Text("Segment", "分群"), "word"),
    "part": About(Text("Part", "部分"), "word", words=UNKNOWN_WORD),
    "customers": About(Text("Customers", "客户数"), "number"),
    "share": About(Text("Share", "占比"), "share", Text("of all customers", "占全部客户的比例")),
    "orders": About(Text("Orders", "订单数"), "number", Text("paid, in the span", "期间内已付款的订单")),
    "revenue": About(Text("Revenue", "收入"), "money", Text("orders less returns, in the span", "期间内订单减退货")),
    "margin": About(
        Text("Margin", "毛利"),
        "money",
        Text("revenue less cost; by the margin rate where no cost is known", "收入减成本；成本未知时按毛利率计算"),
    ),
    "churn_probability": About(
        Text("Churn", "流失概率"),
        "share",
        Text("mean of what the model told of each who was scored", "模型对每位已评分客户给出的概率的均值"),
    ),
    "clv": About(
        Text("CLV", "客户终身价值"),
        "money",
        Text("mean of what the model told of each who was scored", "模型对每位已评分客户给出的价值的均值"),
    ),
    "satisfaction": About(
        Text("Satisfaction", "满意度"),
        "score",
        Text(
            "mean over customers of their mean answer in the span, 0 the worst of the scale and 100 the best",
            "期间内每位客户平均回答的均值，0 为量表最差，100 为最好",
        ),
    ),
    "satisfaction_low": About(Text("From", "下限"), "score", Text("95 % interval", "95% 区间")),
    "satisfaction_high": About(Text("To", "上限"), "score", Text("95 % interval", "95% 区间")),
}


def _in_order(frame: pd.DataFrame, words: Sequence[str]) -> pd.DataFrame:
    """Return rows in the order of the words, then those without one by size; what is not known comes last."""
    place = {word: turn for turn, word in enumerate(words)}
    last = {OTHERS: len(words) + 1, UNKNOWN: len(words) + 2}
    turn = frame["segment"].map(lambda word: place.get(word, last.get(word, len(words))))
    whole = frame.groupby("segment")["customers"].transform("sum")
    order = pd.DataFrame({"turn": turn, "size": -whole, "segment": frame["segment"], "part": frame["part"]})
    return frame.loc[order.sort_values(list(order)).index].reset_index(drop=True)


def _hide(frame: pd.DataFrame, smallest: int, *, parted: bool) -> tuple[Text, ...]:
    """Take out the figures of groups that are too small, and say how many there were."""
    hidden = np.zeros(len(frame), dtype=np.bool_)
    totals = [np.zeros(len(frame)), *((frame["segment"], frame["part"]) if parted else ())]
    for customers, figures in _OF_CUSTOMERS.items():
        mine = withheld(frame[customers], smallest, *totals)
        frame.loc[mine, list(figures)] = np.nan
        hidden |= mine
    return withheld_remark(int(hidden.sum()), smallest) if hidden.any() else ()


_OF_CUSTOMERS = {
    "customers": ("orders", "revenue", "margin"),
    "scored": ("churn_probability", "clv"),
    "answering": ("satisfaction", "satisfaction_low", "satisfaction_high"),
}
"""By the column that says of how many customers they are, the figures that are not told of few."""


def _missing(books: Books, scored_on: str | None) -> tuple[Text, ...]:
    """Return what is missing from every group, and what would tell it."""
    told = books.frame("SELECT count(satisfaction) AS answers, count(orders) AS orders FROM portrait").iloc[0]
    found = []
    if scored_on is None:
        found.append(
            Text(
                "nothing was scored up to the end of the span, so churn and CLV are not told: `churnml score`",
                "截至期末尚无评分，因此没有流失概率和终身价值：请运行 `churnml score`",
            )
        )
    if not told["orders"]:
        found.append(Text("no `orders` have landed, so none are counted", "尚未导入 `orders`，因此没有订单数据"))
    if not told["answers"]:
        found.append(
            Text(
                "no survey was answered in the span: `surveys` with `answered_at` and `score` tell satisfaction",
                "期间内没有问卷回答：导入含 `answered_at` 与 `score` 的 `surveys` 后可得满意度",
            )
        )
    return tuple(found)
