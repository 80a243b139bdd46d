"""Pictures of a measure over time: figures by period, days beside what was expected, the last weeks before leaving."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from churnml.charts import NARROW, Span, course, dots
from churnml.drawing import Line
from churnml.service.pages.measures.figures import Figures, Json, along, in_order, number, ordinal
from churnml.service.pages.measures.picture import Picture, picture
from churnml.service.pages.measures.row_pictures import MOST_ROWS
from churnml.wording import Text

_WEEKS = Text("{weeks} weeks before", "{weeks} 周前")
_DAYS = Text(
    "Orders a day (line) beside what was expected (dashes, shaded where days usually lie); dots are unusual days, "
    "upright stripes campaigns",
    "每日订单数（实线）与预期值（虚线，阴影为通常范围）；圆点为异常日，竖条为营销活动",
)
_TARGET = Text("{title} (dots: target)", "{title}（点线为目标）")
_TWO = Text("{title}: {one} (line) and {other} (dashes)", "{title}：{one}（实线）与{other}（虚线）")


def days(figures: Figures) -> Iterator[Picture]:
    """Draw orders day by day beside what was expected, campaigns shaded, unusual days marked."""
    rows = figures.rows
    told = [row for row in rows if row["orders"] is not None]
    expected = [row for row in rows if None not in (row["expected"], row["low"], row["high"])]
    lines = [
        Line("other", _points(expected, "expected"), [(float(row["low"]), float(row["high"])) for row in expected]),
        Line("ours", _points(told, "orders")),
    ]
    values = [number(row, name) for row in rows for name in ("orders", "high")]
    odd = [(ordinal(row["day"]), float(row["orders"]), _odd(figures, row)) for row in told if row["unusual"]]
    x, y = along([row["day"] for row in rows], figures.language), figures.ticks([*values, 0.0], "number")
    yield picture(figures, "", course(lines, figures.title, x, y, _campaigns(figures), odd), _DAYS.to(figures.language))


def _points(rows: Sequence[Json], name: str) -> list[tuple[float, float]]:
    return [(ordinal(row["day"]), float(row[name])) for row in rows]


def _odd(figures: Figures, row: Json) -> str:
    named = figures.say(row, "name") if figures.has("name") and row["name"] else ""
    return " · ".join(filter(None, (figures.say(row, "day"), figures.say(row, "orders"), named)))


def _campaigns(figures: Figures) -> list[Span]:
    """Return the runs of days on which the same campaign went out."""
    spans: list[Span] = []
    for row in figures.rows if figures.has("campaign") else ():
        if not row["campaign"]:
            continue
        begin, said = ordinal(row["day"]), figures.say(row, "campaign")
        if spans and spans[-1].said == said and spans[-1].end == begin:
            spans[-1] = Span(spans[-1].begin, begin + 1, said)
        else:
            spans.append(Span(begin, begin + 1, said))
    return spans


def kpis(figures: Figures) -> Iterator[Picture]:
    """Draw each figure over time, one beside the other; by parts, each figure of the last period."""
    for kpi in in_order(figures.rows, "kpi"):
        rows = [row for row in figures.rows if row["kpi"] == kpi]
        of = figures.of(rows)
        caption = of.say(rows[0], "kpi")
        parts = list(of.parts())
        if parts and parts[0][0]:
            yield from _by_part(of, caption)
        else:
            yield from _over_time(of, caption)


def _over_time(figures: Figures, caption: str) -> Iterator[Picture]:
    told = [row for row in figures.rows if row["value"] is not None]
    if len(told) < 2:
        return
    periods = [row["period"] for row in figures.rows]
    lines = [Line("ours", [(ordinal(row["period"]), float(row["value"])) for row in told], _band(told))]
    target = next((number(row, "target") for row in told if figures.has("target") and row["target"] is not None), None)
    if target is not None:
        caption = _TARGET.to(figures.language).format(title=caption)
        lines.append(Line("target", [(ordinal(periods[0]), target), (ordinal(periods[-1]), target)]))
    ends = [number(row, name) for row in told for name in ("value", "low", "high")]
    y = figures.ticks([*ends, target], figures.unit(told[0], "value"), 3)
    svg = course(lines, caption, along(periods, figures.language, 2), y, width=NARROW)
    yield picture(figures, "", svg, caption, small=True)


def _band(rows: Sequence[Json]) -> list[tuple[float, float]]:
    """Return the intervals of a line; none where one of its points has none."""
    if any(row["low"] is None or row["high"] is None for row in rows):
        return []
    return [(float(row["low"]), float(row["high"])) for row in rows]


def _by_part(figures: Figures, caption: str) -> Iterator[Picture]:
    last = max(str(row["period"]) for row in figures.rows)
    rows = [row for row in figures.rows if row["period"] == last and row["value"] is not None]
    if rows:
        marks = [figures.mark(row, figures.say(row, "part"), "value") for row in rows[:MOST_ROWS]]
        ends = [end for mark in marks for end in (mark.value, mark.low, mark.high)]
        svg = dots(marks, caption, figures.ticks(ends, figures.unit(rows[0], "value")), width=NARROW)
        yield picture(figures, "", svg, caption, small=True)


def last_days(figures: Figures) -> Iterator[Picture]:
    """Draw what those who left did in their last weeks beside those who stayed."""
    text = _TWO.to(figures.language)
    for measure in in_order(figures.rows, "measure"):
        rows = sorted(
            (row for row in figures.rows if row["measure"] == measure), key=lambda row: -float(row["weeks_before"])
        )
        of = figures.of(rows)
        lines = [_weekly(rows, "left", "ours"), _weekly(rows, "stayed", "other")]
        ends = [number(row, name) for row in rows for name in ("left", "stayed", "low", "high")]
        weeks = [float(row["weeks_before"]) for row in rows]
        x = [(-week, _WEEKS.to(of.language).format(weeks=f"{week:g}")) for week in (weeks[0], weeks[-1])]
        y = of.ticks([*ends, 0.0], of.unit(rows[0], "left"), 3)
        named = {"title": of.say(rows[0], "measure"), "one": of.heading("left"), "other": of.heading("stayed")}
        yield picture(of, "", course(lines, text.format(**named), x, y, width=NARROW), text.format(**named), small=True)


def _weekly(rows: Sequence[Json], name: str, kind: str) -> Line:
    told = [row for row in rows if row[name] is not None]
    ends = [(number(row, f"{name}_low"), number(row, f"{name}_high")) for row in told]
    if name == "left" and not all(low is not None and high is not None for low, high in ends):
        ends = [(number(row, "low"), number(row, "high")) for row in told]
    band = [(low, high) for low, high in ends if low is not None and high is not None]
    points = [(-float(row["weeks_before"]), float(row[name])) for row in told]
    return Line(kind, points, band if len(band) == len(points) else ())
