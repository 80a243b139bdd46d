"""Which pictures a measure has: chosen by its name, drawn from its JSON, told in the language of the page.

A measure without an entry here, or of whose columns some are missing, has none; its table says everything anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from churnml.charts import NARROW, Cell, Mark, Span, columns, course, dots, grid
from churnml.drawing import Line
from churnml.flows import Move, Stage, Stand, flow, funnel
from churnml.service.pages.measure_figures import (
    Figures,
    Json,
    along,
    in_order,
    number,
    ordinal,
    short,
)
from churnml.wording import Language, Text

_MOST_ROWS = 20
_MOST_STANDS = 7
_TIERS = {
    "high": Text("High value", "高价值"),
    "mid": Text("Medium value", "中价值"),
    "low": Text("Low value", "低价值"),
}
_RISKS = {
    "low": Text("Low risk", "低风险"),
    "medium": Text("Medium risk", "中风险"),
    "high": Text("High risk", "高风险"),
}
_OF_PART = Text("{title}: {part}", "{title}：{part}")
_MOVES = Text("{source} → {target}: {figure}", "{source} → {target}：{figure}")
_BEFORE, _AFTER = Text("before", "此前"), Text("after", "此后")
_BANDS = Text("Bands are as wide as the customers who moved", "色带宽度为移动的客户数")
_FIELDS = Text(
    "Down: from where; across: to where; of all who were there", "行：移出阶段；列：移入阶段；占该阶段客户的比例"
)
_WEEKS = Text("{weeks} weeks before", "{weeks} 周前")
_TWO = Text("{title}: {one} (line) and {other} (dashes)", "{title}：{one}（实线）与{other}（虚线）")


@dataclass(frozen=True)
class Picture:
    """A chart and what it shows; `small` ones stand side by side."""

    caption: str
    svg: Markup
    small: bool = False


def pictures(measure: Json, currency: str, language: Language) -> list[Picture]:
    """Return the pictures of a measure, in the order in which they are to be seen.

    Parameters
    ----------
    measure : dict
        From `Measure.to_json`.
    currency : str
        ISO 4217.
    language : {"en", "zh"}
        Of all words.
    """
    wanted, draw = _drawn(measure["name"])
    figures = Figures(measure, currency, language)
    if not measure["rows"] or not figures.has(*wanted):
        return []
    return list(draw(figures))


def _drawn(name: str) -> tuple[tuple[str, ...], Draw]:
    """Return which columns a measure's pictures need and what draws them: by its name, else by how that begins."""
    kind = next((kind for kind in _KINDS if name.startswith(kind)), None)
    return _DRAWN.get(name) or (_KINDS[kind] if kind else ((), _nothing))


def _nothing(_figures: Figures) -> Iterator[Picture]:
    yield from ()


def _picture(figures: Figures, part: str, svg: str, caption: str | None = None, *, small: bool = False) -> Picture:
    title = figures.title if caption is None else caption
    named = _OF_PART.to(figures.language).format(title=title, part=part) if part else title
    return Picture(named, Markup(svg), small)  # noqa: S704  # charts escape what they are given


def _stages(figures: Figures) -> Iterator[Picture]:
    """How many are in each stage, month by month."""
    for part, of in figures.parts():
        names = _words(of, "stage", unmet=True)
        yield _picture(of, part, flow(names, _stands(of, "month", "stage"), (), of.title))


def _transitions(figures: Figures) -> Iterator[Picture]:
    """Who went where, as a flow and as a grid of shares."""
    for part, of in figures.parts():
        names = _words(of, "from_stage", unmet=True) | _words(of, "to_stage", unmet=True)
        if not of.has("month"):
            moves = [_move(of, row, 0) for row in of.rows]
            yield _picture(of, part, flow(names, _ends(of, names), moves, of.title), _BANDS.to(of.language))
            svg = _grid(of, "from_stage", "to_stage", "share")
            yield _picture(of, part, svg, _FIELDS.to(of.language))
            continue
        months = in_order(of.rows, "month")[1 - _MOST_STANDS :]
        recent = of.of([row for row in of.rows if row["month"] in months])
        stands = [*_stands(recent, "month", "from_stage"), _last(recent, months[-1])]
        moves = [_move(recent, row, months.index(row["month"])) for row in recent.rows]
        yield _picture(of, part, flow(names, stands, [one for one in moves if one.amount > 0], of.title))


def _move(figures: Figures, row: Json, stand: int) -> Move:
    told = {"source": figures.say(row, "from_stage"), "target": figures.say(row, "to_stage")}
    said = _MOVES.to(figures.language).format(**told, figure=figures.say(row, "customers"))
    return Move(stand, str(row["from_stage"]), str(row["to_stage"]), number(row, "customers") or 0.0, said)


def _stands(figures: Figures, when: str, where: str) -> list[Stand]:
    moments = in_order(figures.rows, when)
    amounts: dict[str, dict[str, float]] = {moment: {} for moment in moments}
    for row in figures.rows:
        here = amounts[row[when]]
        here[str(row[where])] = here.get(str(row[where]), 0.0) + (number(row, "customers") or 0.0)
    return [Stand(short(moment, figures.language, moments), amounts[moment]) for moment in moments]


def _last(figures: Figures, moment: str) -> Stand:
    """Return where those of the last moment went."""
    arrived = figures.of([row for row in figures.rows if row["month"] == moment])
    return Stand("→", _sums(arrived, "to_stage"))


def _ends(figures: Figures, names: dict[str, str]) -> list[Stand]:
    told = ((_BEFORE, "from_stage"), (_AFTER, "to_stage"))
    return [Stand(text.to(figures.language), dict.fromkeys(names, 0.0) | _sums(figures, name)) for text, name in told]


def _sums(figures: Figures, where: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for row in figures.rows:
        found[str(row[where])] = found.get(str(row[where]), 0.0) + (number(row, "customers") or 0.0)
    return found


def _words(figures: Figures, name: str, *, unmet: bool = False) -> dict[str, str]:
    """Return how the values of a column are worded, in the order in which they are declared, else met.

    With those that are declared and not met, each keeps its place, and with it its colour, in every picture.
    """
    declared = figures.measure["columns"][name]["words"] or {}
    met = {str(row[name]): figures.say(row, name) for row in figures.rows if row[name] is not None}
    known = {key: text[figures.language] for key, text in declared.items() if unmet or key in met}
    return known | {key: label for key, label in met.items() if key not in known}


def _grid(figures: Figures, down: str, across: str, value: str) -> str:
    rows, over = _words(figures, down), _words(figures, across)
    found = {(str(row[down]), str(row[across])): row for row in figures.rows}
    most = max((abs(number(row, value) or 0.0) for row in figures.rows), default=0.0) or 1.0

    def cell(key: tuple[str, str]) -> Cell:
        row = found.get(key)
        figure = None if row is None else number(row, value)
        return Cell(None, "") if row is None or figure is None else Cell(abs(figure) / most, figures.say(row, value))

    cells = [[cell((one, other)) for other in over] for one in rows]
    return grid(list(rows.values()), list(over.values()), cells, figures.title)


def _matrix(down: str, across: str, value: str) -> Draw:
    def draw(figures: Figures) -> Iterator[Picture]:
        for part, of in figures.parts():
            yield _picture(of, part, _grid(of, down, across, value))

    return draw


def _list(
    label: Sequence[str],
    value: str,
    rule: float | None = None,
    *,
    bars: bool = False,
    sort: bool = True,
    signs: bool = False,
) -> Draw:
    """Draw a row for each figure, the largest on top; `signs` colours what lies on either side of the rule."""

    def draw(figures: Figures) -> Iterator[Picture]:
        for part, of in figures.parts():
            told = [row for row in of.rows if row[value] is not None]
            if not told:
                continue
            kept = sorted(told, key=lambda row: -abs(float(row[value]))) if sort else told
            marks = [_labelled(of, row, label, value, rule if signs else None) for row in kept[:_MOST_ROWS]]
            ends = [end for mark in marks for end in (mark.value, mark.low, mark.high)]
            ticks = of.ticks([*ends, 0.0 if rule is None else rule], of.unit(kept[0], value))
            yield _picture(of, part, dots(marks, of.title, ticks, rule, bars=bars), of.heading(value))

    return draw


def _labelled(figures: Figures, row: Json, label: Sequence[str], value: str, rule: float | None) -> Mark:
    words = " · ".join(figures.say(row, name) for name in label if figures.has(name))
    kind = "ours" if rule is None else "raises" if float(row[value]) > rule else "lowers"
    kind = "other" if row.get("direction") == "unclear" else kind
    return figures.mark(row, words, value, kind=kind)


def _index(label: str) -> Draw:
    """Draw a column for each hour, weekday or month, from what is usual."""

    def draw(figures: Figures) -> Iterator[Picture]:
        for part, of in figures.parts():
            marks = [of.mark(row, of.say(row, label), "index") for row in of.rows]
            ends = [end for mark in marks for end in (mark.value, mark.low, mark.high)]
            yield _picture(
                of, part, columns(marks, of.title, of.ticks([*ends, 1.0], "ratio"), 1.0), of.heading("index")
            )

    return draw


def _days(figures: Figures) -> Iterator[Picture]:
    """Orders day by day beside what was expected, campaigns shaded, unusual days marked."""
    rows = figures.rows
    days = [row["day"] for row in rows]
    told = [row for row in rows if row["orders"] is not None]
    expected = [row for row in rows if None not in (row["expected"], row["low"], row["high"])]
    lines = [
        Line("other", _points(expected, "expected"), [(float(row["low"]), float(row["high"])) for row in expected]),
        Line("ours", _points(told, "orders")),
    ]
    values = [number(row, name) for row in rows for name in ("orders", "high")]
    odd = [(ordinal(row["day"]), float(row["orders"]), _odd(figures, row)) for row in told if row["unusual"]]
    x, y = along(days, figures.language), figures.ticks([*values, 0.0], "number")
    yield _picture(figures, "", course(lines, figures.title, x, y, _campaigns(figures), odd))


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


def _funnel(figures: Figures) -> Iterator[Picture]:
    for part, of in figures.parts():
        stages = [_stage(of, row, first=place == 0) for place, row in enumerate(of.rows)]
        yield _picture(of, part, funnel(stages, of.title))


def _stage(figures: Figures, row: Json, *, first: bool) -> Stage:
    """Return a stage of a funnel; the first, of which no share is told, is all of them."""
    reached, told = number(row, "reached_share"), number(row, "conversion") is not None
    share = 1.0 if first and reached is None and row["customers"] else reached
    said = " · ".join(figures.say(row, name) for name in ("reached_share", "customers") if row[name] is not None)
    conversion = figures.say(row, "conversion") if told and not first else ""
    return Stage(figures.say(row, "stage"), share, said, conversion, bool(row.get("narrowest")))


def _value_risk(figures: Figures) -> Iterator[Picture]:
    """Draw thirds of value against bands of risk; who is in neither stands in the table alone."""
    for part, of in figures.parts():
        found = {str(row["segment"]): row for row in of.rows if row["share"] is not None}
        most = max((float(row["share"]) for row in found.values()), default=0.0) or 1.0
        cells = [[_share(of, found.get(f"{tier}_value_{band}_risk"), most) for band in _RISKS] for tier in _TIERS]
        down, across = ([text.to(of.language) for text in one.values()] for one in (_TIERS, _RISKS))
        yield _picture(of, part, grid(down, across, cells, of.title))


def _share(figures: Figures, row: Json | None, most: float) -> Cell:
    if row is None:
        return Cell(None, "")
    said = f"{figures.say(row, 'share')} · {figures.say(row, 'customers')}"
    return Cell(float(row["share"]) / most, said)


def _kpis(figures: Figures) -> Iterator[Picture]:
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
    days = [row["period"] for row in figures.rows]
    lines = [Line("ours", [(ordinal(row["period"]), float(row["value"])) for row in told], _band(told))]
    target = next((number(row, "target") for row in told if figures.has("target") and row["target"] is not None), None)
    if target is not None:
        lines.append(Line("target", [(ordinal(days[0]), target), (ordinal(days[-1]), target)]))
    ends = [number(row, name) for row in told for name in ("value", "low", "high")]
    y = figures.ticks([*ends, target], figures.unit(told[0], "value"), 3)
    svg = course(lines, caption, along(days, figures.language, 2), y, width=NARROW)
    yield _picture(figures, "", svg, caption, small=True)


def _band(rows: Sequence[Json]) -> list[tuple[float, float]]:
    """Return the intervals of a line; none where one of its points has none."""
    if any(row["low"] is None or row["high"] is None for row in rows):
        return []
    return [(float(row["low"]), float(row["high"])) for row in rows]


def _by_part(figures: Figures, caption: str) -> Iterator[Picture]:
    last = max(str(row["period"]) for row in figures.rows)
    rows = [row for row in figures.rows if row["period"] == last and row["value"] is not None]
    if rows:
        marks = [figures.mark(row, figures.say(row, "part"), "value") for row in rows[:_MOST_ROWS]]
        ends = [end for mark in marks for end in (mark.value, mark.low, mark.high)]
        svg = dots(marks, caption, figures.ticks(ends, figures.unit(rows[0], "value")), width=NARROW)
        yield _picture(figures, "", svg, caption, small=True)


def _last_days(figures: Figures) -> Iterator[Picture]:
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
        yield _picture(
            of, "", course(lines, text.format(**named), x, y, width=NARROW), text.format(**named), small=True
        )


def _weekly(rows: Sequence[Json], name: str, kind: str) -> Line:
    told = [row for row in rows if row[name] is not None]
    ends = [(number(row, f"{name}_low"), number(row, f"{name}_high")) for row in told]
    if name == "left" and not all(low is not None and high is not None for low, high in ends):
        ends = [(number(row, "low"), number(row, "high")) for row in told]
    band = [(low, high) for low, high in ends if low is not None and high is not None]
    points = [(-float(row["weeks_before"]), float(row[name])) for row in told]
    return Line(kind, points, band if len(band) == len(points) else ())


Draw = Callable[[Figures], Iterator[Picture]]
_DRAWN: dict[str, tuple[tuple[str, ...], Draw]] = {
    "lifecycle_stages": (("month", "stage", "customers"), _stages),
    "lifecycle_transitions": (("from_stage", "to_stage", "customers", "share"), _transitions),
    "lifecycle_flow": (("stage", "net"), _list(("stage",), "net", 0.0, bars=True, sort=False)),
    "lifecycle_time": (("stage", "median_days"), _list(("stage",), "median_days", sort=False)),
    "funnel": (("stage", "customers", "reached_share", "conversion"), _funnel),
    "funnel_eventual": (("stage", "eventual_share"), _list(("stage",), "eventual_share", sort=False)),
    "funnel_standing": (("stage", "share"), _list(("stage",), "share", bars=True, sort=False)),
    "funnel_compared": (("stage", "difference"), _list(("stage",), "difference", 0.0, sort=False)),
    "segments_value_risk": (("segment", "share", "customers"), _value_risk),
    "kpis": (("kpi", "period", "value", "low", "high"), _kpis),
    "stated_reasons": (("reason", "share"), _list(("reason", "source"), "share", bars=True)),
    "last_days": (("measure", "weeks_before", "left", "stayed", "low", "high"), _last_days),
    "rhythm_weekday": (("weekday", "index"), _index("weekday")),
    "rhythm_hour": (("hour", "index"), _index("hour")),
    "rhythm_season": (("month", "index"), _index("month")),
    "rhythm_days": (("day", "orders", "expected", "low", "high", "unusual"), _days),
    "strategy": (("stage", "segment", "value_at_risk"), _list(("stage", "segment"), "value_at_risk", bars=True)),
}
"""By the name of a measure: the columns that its pictures need, and what draws them."""

_KINDS: dict[str, tuple[tuple[str, ...], Draw]] = {
    "segments_migration": (("from_segment", "to_segment", "share"), _matrix("from_segment", "to_segment", "share")),
    "segments_": (("segment", "share"), _list(("segment",), "share", bars=True, sort=False)),
    "drivers": (("feature", "effect"), _list(("feature",), "effect", 0.0, signs=True)),
}
"""The same of measures that are several of a kind, by how their names begin."""
