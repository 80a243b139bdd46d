"""The thirteen weeks before a cutoff of those who then left, week by week, beside those who stayed.

Rows are those of `compared`. Who stayed had been a customer for as long; beside what may have happened to those who
left, they had also ordered as often and been silent for as long. Their orders and visits are not followed so: a course
that rows are matched on is made by matching. Weeks of who stayed are weighted as the left are spread. Of a customer who
is there at several cutoffs all rows count, and intervals take the customer for what was drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from churnml.events import COMPLAINS
from churnml.events.books import Books
from churnml.features.rows import AWAY, SCALES
from churnml.measures.driver_tables import Told
from churnml.measures.exact import exact_sum
from churnml.measures.intervals import around_ratio
from churnml.measures.matching import Matched
from churnml.measures.measure import About, Measure
from churnml.wording import Text

WEEKS = 13


@dataclass(frozen=True)
class Line:
    """One thing that is followed from week to week.

    Parameters
    ----------
    table : str
        Without which there is none.
    says : Text
    query : str
        Of `customer_id`, `at` (microseconds UTC) and `value`.
    mean : bool
        Whether it is the mean value, not the sum per customer.
    symptom : bool
        Whether it falls before leaving by what leaving is, so that it is matched on tenure alone.
    given : mapping
        What the query asks for by name.
    """

    table: str
    says: Text
    query: str
    mean: bool = False
    symptom: bool = False
    given: Mapping[str, list[str]] | None = None


class Sums(NamedTuple):
    """What the customers of a kind add up to in a week, in the order of `_SUMS`."""

    y: float
    yy: float
    xy: float
    told: float
    told_squared: float
    customers: int


def _scale(which: int) -> str:
    cases = " ".join(f"WHEN '{name}' THEN {ends[which]}" for name, ends in SCALES.items())
    return f"CASE instrument {cases} END"


_ANSWERS = f"""
    SELECT customer_id, answered_at AS at,
           100 * greatest(least((score - worst) / nullif(best - worst, 0), 1), 0) AS value
    FROM (SELECT customer_id, answered_at, score, coalesce(scale_min, {_scale(0)}) AS worst,
                 coalesce(scale_max, {_scale(1)}) AS best FROM surveys WHERE answered_at IS NOT NULL)
    WHERE score IS NOT NULL AND best > worst
"""

LINES: dict[str, Line] = {
    "orders": Line(
        "orders",
        Text("orders", "下单次数"),
        "SELECT customer_id, occurred_at AS at, 1 AS value FROM orders WHERE amount > 0",
        symptom=True,
    ),
    "acts": Line(
        "interactions",
        Text("visits and other acts", "访问等行为次数"),
        "SELECT customer_id, occurred_at AS at, 1 AS value FROM interactions WHERE NOT list_contains($away, kind)",
        symptom=True,
        given={"away": sorted(AWAY)},
    ),
    "tickets": Line(
        "tickets",
        Text("questions and complaints", "咨询与投诉次数"),
        "SELECT customer_id, occurred_at AS at, 1 AS value FROM tickets",
    ),
    "complaints": Line(
        "tickets",
        Text("complaints", "投诉次数"),
        f"SELECT customer_id, occurred_at AS at, 1 AS value FROM tickets WHERE {COMPLAINS}",
    ),
    "satisfaction": Line("surveys", Text("satisfaction, from 0 to 100", "满意度（0–100）"), _ANSWERS, mean=True),
    "returns": Line(
        "returns",
        Text("returns", "退货次数"),
        "SELECT customer_id, occurred_at AS at, 1 AS value FROM returns",
    ),
    "contacts": Line(
        "contacts",
        Text("contacts from us", "我方触达次数"),
        "SELECT customer_id, occurred_at AS at, 1 AS value FROM contacts WHERE coalesce(arm, '') <> 'control'",
    ),
}
"""What is followed, by name; of the tables that have landed."""

# per customer and week what happened, weighted; then over customers the sums that an interval of a ratio is made of
_SUMS = f"""
    WITH happened AS (
        SELECT r.customer_id, r.gone, (r.cutoff_day - local_time(e.at)::DATE - 1) // 7 + 1 AS week,
               {exact_sum("r.weight * e.value")} AS y, {exact_sum("r.weight")} AS told
        FROM ({{query}}) AS e JOIN {{rows}}_days AS r USING (customer_id)
        WHERE e.at >= r.cutoff - {{before}} AND local_time(e.at)::DATE < r.cutoff_day
          AND local_time(e.at)::DATE >= r.cutoff_day - {{weeks}} * 7
        GROUP BY ALL
    )
    SELECT h.gone, h.week, {exact_sum("h.y")} AS y, {exact_sum("h.y * h.y")} AS yy, {exact_sum("h.y * {x}")} AS xy,
           {exact_sum("h.told")} AS told, {exact_sum("h.told * h.told")} AS told_squared, count(*) AS customers
    FROM happened AS h JOIN {{rows}}_sums AS c USING (customer_id, gone)
    GROUP BY ALL
"""
ALIKE, AS_ACTIVE = "alike", "compared"
"""Under which names rows are laid: of the same tenure, and also as active."""

_LONG_BEFORE = (7 * WEEKS + 1) * 86_400_000_000


def lay_compared(books: Books, rows: pd.DataFrame, name: str = AS_ACTIVE) -> None:
    """Lay compared rows into the books, once: as `compared_days`, and `compared_sums` of each customer's weights.

    Parameters
    ----------
    rows : DataFrame
        `customer_id`, `cutoff` (microseconds UTC), `gone` and `weight`, see `Compared.rows`.
    name : {'compared', 'alike'}
        What the tables' names begin with.
    """
    books.add(f"{name}_rows", rows)
    books.keep(f"{name}_days", f"SELECT *, local_time(cutoff)::DATE AS cutoff_day FROM {name}_rows")
    books.keep(
        f"{name}_sums",
        f"SELECT customer_id, gone, {exact_sum('weight')} AS weight, count(*) AS rows FROM {name}_rows GROUP BY ALL",
    )


def last_days(books: Books, as_active: Matched, alike: Matched, told: Told) -> Measure:
    """Return the weeks before the cutoff of those who then left beside those who stayed; `lay_compared` both before.

    A week is a count per 100 customers, of satisfaction the mean of its answers; it is missing where fewer than
    `told.smallest` customers of a kind are compared, or answered.
    """
    names = [name for name in LINES if LINES[name].table in books.tables]
    among = {name: alike if LINES[name].symptom else as_active for name in names}
    lines = [line for name in names for line in _weeks(books, name, among[name], told.smallest)]
    silent = [name for name in names if name not in {line["measure"] for line in lines}]
    missing = sorted({LINES[name].table for name in LINES} - books.tables)
    off = Text(
        f"Not told, for these tables have not landed: {', '.join(missing)}.",
        f"以下数据表尚未导入，相关指标无法给出：{'、'.join(missing)}。",
    )
    columns = {
        "measure": About(Text("What", "指标"), "word", words={name: LINES[name].says for name in LINES}),
        "weeks_before": About(
            Text("Weeks before", "距时点周数"), "number", Text("1 ends with the cutoff", "1 为紧邻时点的一周")
        ),
        "left": About(Text("Left", "流失"), "number"),
        "low": About(Text("At least", "下限"), "number", Text("95 % interval of those who left", "流失者的 95% 区间")),
        "high": About(Text("At most", "上限"), "number", Text("95 % interval of those who left", "流失者的 95% 区间")),
        "stayed": About(Text("Stayed", "留存"), "number"),
        "stayed_low": About(
            Text("At least", "下限"), "number", Text("95 % interval of those who stayed", "留存者的 95% 区间")
        ),
        "stayed_high": About(
            Text("At most", "上限"), "number", Text("95 % interval of those who stayed", "留存者的 95% 区间")
        ),
    }
    return Measure(
        "last_days",
        Text("The last ninety days of those who left", "流失前的最后九十天"),
        Text(
            f"How often per 100 customers in each of the {WEEKS} weeks before the month start after which they left, "
            "beside those alike who stayed: orders and visits beside those of the same tenure, all else beside those "
            "who had also been as active, as circumstances are; of satisfaction the mean of the week's answers",
            f"流失所对应月初时点之前 {WEEKS} 周内，每周每百位客户的次数，与情况相近的留存者对照："
            "下单与访问以客户龄相近者为对照，其余指标以活跃程度也相近者为对照（同“情形”表）；满意度为当周答卷均值",
        ),
        _population(told, as_active, alike),
        pd.DataFrame(lines, columns=[*columns]),
        columns,
        told.begin,
        told.end,
        tuple(dict.fromkeys(LINES[name].table for name in names)),
        (*([off] if missing else []), *([_nothing_of(silent)] if silent else [])),
    )


def _population(told: Told, as_active: Matched, alike: Matched) -> Text:
    """Say of whom each line is: orders and visits have others beside who left than all else."""
    symptoms, others = told.population(alike), told.population(as_active)
    return Text(
        f"orders and visits: {symptoms.en}; all else: {others.en}",
        f"下单与访问：{symptoms.zh}；其余指标：{others.zh}",
    )


def _nothing_of(silent: Sequence[str]) -> Text:
    return Text(
        f"In these weeks nothing was recorded of: {', '.join(LINES[name].says.en for name in silent)}.",
        f"这些周内没有记录：{'、'.join(LINES[name].says.zh for name in silent)}。",
    )


def _weeks(books: Books, name: str, among: Matched, smallest: int) -> Iterator[dict[str, object]]:
    line = LINES[name]
    x = "h.told" if line.mean else "c.weight"
    rows = ALIKE if line.symptom else AS_ACTIVE
    query = _SUMS.format(query=line.query, before=_LONG_BEFORE, weeks=WEEKS, x=x, rows=rows)
    found = books.connection.execute(query, dict(line.given or {})).fetchall()
    if not found:
        return
    of_all = {
        bool(gone): (x, xx)
        for gone, x, xx in books.connection.execute(
            f"SELECT gone, {exact_sum('weight')}, {exact_sum('weight * weight')} FROM {rows}_sums GROUP BY gone"
        ).fetchall()
    }
    there = {(bool(gone), int(week)): Sums(*sums) for gone, week, *sums in found}
    enough = [left for left in (True, False) if among.customers(left=left) >= smallest]
    for week in range(WEEKS, 0, -1):
        told = dict.fromkeys((True, False), (np.nan, np.nan, np.nan))
        for left in enough:
            one = there.get((left, week))
            told[left] = _mean(one, smallest) if line.mean else _per_hundred(one, of_all[left])
        (own, low, high), (stayed, stayed_low, stayed_high) = told[True], told[False]
        yield {
            "measure": name,
            "weeks_before": week,
            "left": own,
            "low": low,
            "high": high,
            "stayed": stayed,
            "stayed_low": stayed_low,
            "stayed_high": stayed_high,
        }


def _mean(there: Sums | None, smallest: int) -> tuple[float, float, float]:
    """Return the mean of the values of a week with its interval, NaN where fewer customers have any."""
    if there is None or there.customers < smallest:
        return np.nan, np.nan, np.nan
    return around_ratio(np.array([there.y, there.told, there.yy, there.told_squared, there.xy]))


def _per_hundred(there: Sums | None, of_all: tuple[float, float]) -> tuple[float, float, float]:
    """Return the sum of a week per hundred customers with its interval; who has none counts with none."""
    (x, xx), (y, yy, xy) = of_all, (0.0, 0.0, 0.0) if there is None else (there.y, there.yy, there.xy)
    ratio, low, high = around_ratio(np.array([100 * y, x, 10_000 * yy, xx, 100 * xy]))
    return ratio, max(low, 0.0), high
