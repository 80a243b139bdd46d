"""The circumstances of leaving in each part of the customers, and where a part differs from all others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from churnml.measures.compared import Compared
from churnml.measures.differences import Difference, strongest, values_of
from churnml.measures.driver_tables import Row, Told, figures, named, unit_of
from churnml.measures.driver_words import GROUPS
from churnml.measures.matching import Flags, Matched, Values, contrast, p_value, q_values
from churnml.measures.measure import About, Measure
from churnml.wording import Text

MOST_PARTS = 20
"""Parts that are told apart at most, those with most customers who left."""

_APART = {
    "stronger": Text("more than elsewhere", "高于其他部分"),
    "weaker": Text("less than elsewhere", "低于其他部分"),
    "alike": Text("no difference beyond noise", "差异未超出噪声"),
}
_AS_KNOWN = Text(
    "Parts are told as they are known at the end, whatever they were when someone left.",
    "客户所属部分以期末所知为准，与流失当时可能不同。",
)


def drivers_by_part(rows: Compared, found: Sequence[Difference], told: Told, part: Sequence[str | None]) -> Measure:
    """Return the strongest circumstances in each part of the customers, and where one differs from elsewhere.

    Parameters
    ----------
    part : sequence of str, of shape (n_rows,)
        Whose part each row is of; None for those who are no longer known.
    """
    labels = np.asarray(part, dtype=np.object_)
    among, shown = rows.as_active, strongest(found, "circumstance")
    sizes = {name: among.only(labels == name).customers(left=True) for name in sorted({*labels} - {None})}
    kept = sorted((name for name in sizes if sizes[name] >= told.smallest), key=lambda name: -sizes[name])[:MOST_PARTS]
    values = {one.name: values_of(rows, one) for one in shown}
    lines = [line for name in kept for line in _of_part(name, labels == name, shown, values, among, told.smallest)]
    q = q_values([line["p_value"] for line in lines])
    for line, value in zip(lines, q, strict=True):
        claimed = value <= told.rate
        line |= {"q_value": value}
        line["differs"] = "alike" if not claimed else "stronger" if line["effect"] > line["elsewhere"] else "weaker"
    hidden = len(sizes) - len(kept)
    remarks = (
        *([_hidden_parts(hidden, told.smallest)] if hidden else []),
        _AS_KNOWN,
    )
    columns = {
        "part": About(Text("Part", "部分"), "word"),
        "group": About(Text("Of what", "类别"), "word", words=GROUPS),
        "feature": About(Text("Feature", "特征"), "word", words=named(shown)),
        **figures(),
        "elsewhere": About(Text("Elsewhere", "其他部分"), "ratio", Text("effect among all others", "其余客户中的效应")),
        "differs": About(Text("Apart from others", "与其他部分相比"), "word", words=_APART),
        "p_value": About(
            Text("p", "p 值"),
            "probability",
            Text(
                "how likely so large a difference of the two is if there were none",
                "若两者实际无差异，出现如此或更大差异的概率",
            ),
        ),
        "q_value": About(Text("q", "q 值"), "probability"),
        "customers": About(Text("Customers who left", "流失客户数"), "number"),
    }
    return Measure(
        "drivers_by_part",
        Text("What goes with leaving, by part", "各部分中与流失相伴的情形"),
        Text(
            "The circumstances of the first table within each part, and whether a part differs from all others "
            f"beyond noise (q at most {told.rate:g})",
            f"首表各项情形在各部分中的效应，以及与其余客户之差是否超出噪声（q 不超过 {told.rate:g}）",
        ),
        told.population(among),
        pd.DataFrame(lines, columns=[*columns]),
        columns,
        told.begin,
        told.end,
        told.sources,
        remarks,
    )


def _of_part(
    name: str,
    inside: Flags,
    shown: Sequence[Difference],
    values: Mapping[str, Values],
    among: Matched,
    smallest: int,
) -> Iterator[Row]:
    here, elsewhere = among.only(inside), among.only(~inside)
    for one in shown:
        own, other = contrast(values[one.name], here), contrast(values[one.name], elsewhere)
        if own is None or other is None or min(own.left, own.stayed, other.left, other.stayed) < smallest:
            continue
        error = float(np.hypot(own.error, other.error))
        yield {
            "part": name,
            "group": one.group,
            "feature": one.name,
            "left_mean": own.left_mean,
            "stayed_mean": own.stayed_mean,
            "unit": unit_of(one),
            "effect": own.effect,
            "low": own.low,
            "high": own.high,
            "elsewhere": other.effect,
            "p_value": p_value(own.effect - other.effect, error, min(own.left, other.left) - 1),
            "customers": own.left,
        }


def _hidden_parts(hidden: int, smallest: int) -> Text:
    return Text(
        f"{hidden} parts are not shown: fewer than {smallest} of their customers left, or {MOST_PARTS} are larger.",
        f"有 {hidden} 个部分未列出：其流失客户不足 {smallest} 位，或已列出更大的 {MOST_PARTS} 个部分。",
    )
