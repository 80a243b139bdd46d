"""How those who left differed from those who stayed: circumstances and symptoms apart, the strongest of each group.

What goes with leaving need not cause it. A figure here is a difference between people who were alike in what they were
matched on, and nothing more; what an action changes only an experiment tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from churnml.measures.compared import Compared, matched_on, taken_off
from churnml.measures.differences import Difference, strongest
from churnml.measures.driver_tables import Row, Told, figures, named, unit_of
from churnml.measures.driver_words import FAMILIES, GROUPS, MATCHED
from churnml.measures.matching import Matched
from churnml.measures.measure import About, Measure
from churnml.wording import Text

_DIRECTIONS = {
    "higher": Text("higher where they left", "流失者更高"),
    "lower": Text("lower where they left", "流失者更低"),
    "unclear": Text("no difference beyond noise", "差异未超出噪声"),
}
_GOES_WITH = Text(
    "This goes with leaving; it need not cause it. Whether changing it keeps anybody only an experiment tells: "
    "`churnml measure effect`.",
    "下表只说明哪些情形与流失相伴，并不说明因果。改变它能否留住客户，只有对照实验才能回答："
    "见 `churnml measure effect`。",
)
_NOBODY_CHANGES = Text("It tells where to look, not what to change.", "这只说明该关注哪里，并不说明该改变什么。")
_SHOWS = Text(
    "Leaving is counted in orders or contracts, so all of this must change before it. It shows who leaves, not why.",
    "流失本身按订单或合同认定，因此这些指标必然先行变化：它们说明谁在流失，而不说明原因。",
)


def drivers(rows: Compared, found: Sequence[Difference], told: Told) -> list[Measure]:
    """Return the tables of circumstances (`drivers`), of who they are (`drivers_traits`) and of `drivers_symptoms`."""
    tables = [_circumstances(rows, found, told), _traits(rows, found, told), _symptoms(rows, found, told)]
    return [one for one in tables if one.name != "drivers_traits" or len(one.frame)]


def _circumstances(rows: Compared, found: Sequence[Difference], told: Told) -> Measure:
    among = rows.as_active
    return _table(
        "drivers",
        Text("What goes with leaving", "与流失相伴的情形"),
        Text(
            "The strongest feature of each group: those who left in the horizon beside those who stayed, of the same "
            "tenure, orders in 90 days and days since the last, by contracts of the same days to the renewal; the "
            "effect is Cliff's delta",
            "每组取最强的一项特征：将预测期内流失者与客户龄、90 天内下单次数、距上次下单天数都相近的留存者对照；"
            "按合同认定时为距续约天数相近者。效应为 Cliff's delta",
        ),
        strongest(found, "circumstance"),
        found,
        told,
        among,
        (_GOES_WITH, *_left_over(rows, among), *told.remarks),
    )


def _traits(rows: Compared, found: Sequence[Difference], told: Told) -> Measure:
    shown = [one for one in found if one.kind == "trait"]
    claimed = [one for one in shown if one.direction(told.rate) != "unclear"] or shown[:1]
    return _table(
        "drivers_traits",
        Text("Who leaves more, who less", "哪些客户更易流失"),
        Text(
            "What is known of who they are and how they came, of those who left beside those alike who stayed: all "
            f"that differs beyond noise (q at most {told.rate:g}), and where nothing does, what comes nearest to it; "
            "the effect is the difference of the shares, or Cliff's delta of a number",
            "将流失者与情况相近的留存者在客户画像与来源上对照：列出所有超出噪声的差异"
            f"（q 不超过 {told.rate:g}）；若没有，则列出最接近的一项。效应为占比之差，数值特征则为 Cliff's delta",
        ),
        claimed,
        found,
        told,
        rows.as_active,
        (_NOBODY_CHANGES,),
    )


def _symptoms(rows: Compared, found: Sequence[Difference], told: Told) -> Measure:
    return _table(
        "drivers_symptoms",
        Text("How leaving shows", "流失的征兆"),
        Text(
            "The strongest feature of each group that counts orders, visits or answers: those who left in the horizon "
            "beside those of the same tenure who stayed; the effect is Cliff's delta",
            "每组取最强的一项下单、访问或响应类特征：将预测期内流失者与客户龄相近的留存者对照；效应为 Cliff's delta",
        ),
        strongest(found, "symptom"),
        found,
        told,
        rows.alike,
        (_SHOWS,),
    )


def _table(
    name: str,
    title: Text,
    definition: Text,
    shown: Sequence[Difference],
    found: Sequence[Difference],
    told: Told,
    among: Matched,
    remarks: tuple[Text, ...],
) -> Measure:
    columns = {
        "group": About(Text("Of what", "类别"), "word", words=GROUPS),
        "feature": About(Text("Feature", "特征"), "word", words=named(shown)),
        **figures(),
        "q_value": About(
            Text("q", "q 值"),
            "probability",
            Text(
                "share of false claims among all that are claimed at it, by Benjamini and Hochberg",
                "以此为界时，所有结论中误报的比例（Benjamini–Hochberg 法）",
            ),
        ),
        "direction": About(Text("Those who left", "流失者"), "word", words=_DIRECTIONS),
        "others": About(
            Text("Others of it", "同组另有（项）"),
            "number",
            Text("other features of the group that differ beyond noise", "同组中差异也超出噪声的其他特征数"),
        ),
        "customers": About(Text("Customers who left", "流失客户数"), "number"),
        "p_value": About(
            Text("p", "p 值"),
            "probability",
            Text(
                "how likely so large a difference is if there were none",
                "若实际无差异，出现如此或更大差异的概率",
            ),
        ),
        "family": About(Text("Family", "特征族"), "word", words=FAMILIES),
    }
    claims_first = sorted(shown, key=lambda one: one.direction(told.rate) == "unclear")
    frame = pd.DataFrame([_line(one, found, told.rate) for one in claims_first], columns=[*columns])
    none = () if shown else (_nothing(told),)
    return Measure(
        name,
        title,
        definition,
        told.population(among),
        frame,
        columns,
        told.begin,
        told.end,
        told.sources,
        (*remarks, *none),
    )


def _line(one: Difference, found: Sequence[Difference], rate: float) -> Row:
    others = sum(
        other.q_value <= rate
        for other in found
        if (other.group, other.kind) == (one.group, one.kind) and other is not one
    )
    return {
        "group": one.group,
        "feature": one.name,
        "left_mean": one.contrast.left_mean,
        "stayed_mean": one.contrast.stayed_mean,
        "unit": unit_of(one),
        "effect": one.contrast.effect,
        "low": one.contrast.low,
        "high": one.contrast.high,
        "q_value": one.q_value,
        "direction": one.direction(rate),
        "others": others,
        "customers": one.contrast.left,
        "p_value": one.contrast.p_value,
        "family": one.feature.family,
    }


def _left_over(rows: Compared, among: Matched) -> Iterator[Text]:
    """Yield how alike the matched are, and how many of those who left nobody stands beside."""
    without = int((rows.left & ~among.inside).sum())
    if without:
        share = without / int(rows.left.sum())
        yield Text(
            f"{share:.1%} of the rows of those who left have nobody alike beside them and are left out.",
            f"{share:.1%} 的流失记录没有情况相近的留存者可比，已剔除。",
        )
    by, known = rows.table.by, rows.table.names
    meant = [MATCHED[name] for name in (*matched_on(by), *taken_off(by)) if name in known]
    still = max((delta for delta, _ in among.dominances), key=abs, default=0.0)
    yield Text(
        f"In {', '.join(one.en for one in meant)} they still differ by an effect of {still:.2f} at most; "
        "what goes with that is taken off the effects.",
        f"在{'、'.join(one.zh for one in meant)}上，两边残余差异的效应至多为 {still:.2f}；"
        "与之相伴的部分已从效应中扣除。",
    )


def _nothing(told: Told) -> Text:
    return Text(
        f"No feature is known of at least {told.smallest} customers who left and as many who stayed.",
        f"没有任何特征同时覆盖至少 {told.smallest} 位流失客户与 {told.smallest} 位留存客户。",
    )
