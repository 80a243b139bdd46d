"""Groups of behaviour and interests as measures: who is in them, and what sets each apart."""

from __future__ import annotations

import pandas as pd

from churnml.config import GroupSettings
from churnml.events.books import Books
from churnml.events.clock import days_later, moment
from churnml.measures.groups import Grouping
from churnml.measures.habits import Side
from churnml.measures.kept_groups import APART, FEWEST_CUSTOMERS, TOO_FEW_ACTS, KeptGroups, group_table
from churnml.measures.measure import About, Asked, Measure
from churnml.wording import Text

_TITLES: dict[Side, Text] = {
    "behaviour": Text("Groups by behaviour", "按行为分群"),
    "interests": Text("Groups by interests", "按兴趣分群"),
}
_FROM: dict[Side, Text] = {
    "behaviour": Text(
        "by how many their acts are, and what share of them is of which kind, channel and time of the day",
        "按行为的多少，以及各类行为、渠道和时段所占的比例划分",
    ),
    "interests": Text(
        "by the shares of categories in what they look at and buy, and of words in what they search for",
        "按浏览和购买中各品类的比例，以及搜索中各词的比例划分",
    ),
}
_SHOWN = 5


def found_grouping(books: Books, kept: KeptGroups, asked: Asked, settings: GroupSettings) -> Grouping:
    """Return the grouping by what customers did; who did too little is in a group of their own."""
    begin = days_later(asked.end, -settings.days, books.time_zone)
    table = group_table(books, kept, begin, asked.end, settings.fewest_acts)
    words = dict(zip(kept.ids, kept.labels, strict=True))
    words[TOO_FEW_ACTS] = Text(
        f"Fewer than {settings.fewest_acts} acts in {settings.days} days",
        f"{settings.days} 天内行为少于 {settings.fewest_acts} 次",
    )
    query = f"""
        SELECT customer_id, coalesce(segment, '{TOO_FEW_ACTS}') AS segment
        FROM customers LEFT JOIN {table} USING (customer_id)
    """
    return Grouping(f"segments_{kept.side}", _TITLES[kept.side], _definition(books, kept), query, words, kept.tables)


def _definition(books: Books, kept: KeptGroups) -> Text:
    day = moment(kept.fitted_at, books.time_zone).date().isoformat()
    trial = next(one for one in kept.trials if one.groups == len(kept.ids))
    told = _FROM[kept.side]
    return Text(
        f"{told.en}; {len(kept.ids)} groups, found at {day} among {kept.customers:,} customers and again on halves of "
        f"them (adjusted Rand index {trial.agreement:.2f}); called by what sets them apart",
        f"{told.zh}；共 {len(kept.ids)} 群，于 {day} 在 {kept.customers:,} 位客户中得出，并在其半数样本上重现"
        f"（调整兰德指数 {trial.agreement:.2f}）；以区别特征命名",
    )


def apart(books: Books, kept: KeptGroups, asked: Asked) -> Measure:
    """Return what sets each group apart: `segment`, `habit`, `difference` in standard deviations from everybody."""
    rows = [
        (name, kept.habits[place].key, float(centre[place]))
        for name, centre in zip(kept.ids, kept.centres, strict=True)
        for place in sorted(range(len(centre)), key=lambda place: -abs(centre[place]))[:_SHOWN]
        if abs(centre[place]) >= APART
    ]
    habits = {habit.key: habit.words(much=True) for habit in kept.habits}
    zone, title = books.time_zone, _TITLES[kept.side]
    return Measure(
        name=f"segments_{kept.side}_apart",
        title=Text(f"{title.en}: what sets them apart", f"{title.zh}：区别特征"),
        definition=Text(
            f"mean of a group less everybody's, in standard deviations; up to {_SHOWN}, of at least {APART:g}",
            f"分群均值与全体均值之差，以标准差计；最多 {_SHOWN} 项，至少 {APART:g}",
        ),
        population=Text("customers by whom the groups were found", "用于得出分群的客户"),
        frame=pd.DataFrame(rows, columns=["segment", "habit", "difference"]),
        columns={
            "segment": About(Text("Segment", "分群"), "word", words=dict(zip(kept.ids, kept.labels, strict=True))),
            "habit": About(Text("Habit", "习惯"), "word", words=habits),
            "difference": About(Text("Difference", "差异"), "ratio", Text("standard deviations", "标准差")),
        },
        begin=moment(asked.begin, zone).date().isoformat(),
        end=moment(asked.end, zone).date().isoformat(),
        sources=kept.tables,
    )


def no_groups(side: Side, kept: KeptGroups | None, settings: GroupSettings) -> Text:
    """Return why there are no groups of one side, and what would make some."""
    title = _TITLES[side]
    if kept is None:
        return Text(
            f"{title.en}: not told, for fewer than {FEWEST_CUSTOMERS} customers acted {settings.fewest_acts} times in "
            f"{settings.days} days; `interactions` and `order_lines` tell more acts",
            f"{title.zh}：无法得出，{settings.days} 天内有 {settings.fewest_acts} 次行为的不足 {FEWEST_CUSTOMERS} 人；"
            "导入 `interactions` 和 `order_lines` 可提供更多行为",
        )
    best = max(kept.trials, key=lambda one: one.agreement)
    return Text(
        f"{title.en}: there are none, for no number of groups from 2 to {settings.most} was found again on halves of "
        f"the customers; {best.groups} agreed best on the halves asked before it could no longer pass (adjusted Rand "
        f"index {best.agreement:.2f})",
        f"{title.zh}：没有稳定的分群，2 至 {settings.most} 群均未能在半数客户上重现；"
        f"在判定无法达标之前所抽的半数样本上，{best.groups} 群的一致程度最高（调整兰德指数 {best.agreement:.2f}）",
    )
