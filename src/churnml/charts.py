"""Charts of whole tables as SVG text: columns, lists of intervals, courses of time, and grids.

They follow the rules of `drawing.py`: colours are classes that `static/churnml.css` fills in, none carries a style of
its own, each has a title for who cannot see it, and all text is escaped. Every mark also says its figures when it is
pointed at, and no meaning hangs on colour alone: places, lengths and words carry it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from churnml.drawing import Line

WIDTH, NARROW = 720.0, 400.0
"""Of a chart that has a row of its own, and of one that stands beside others; units that a page stretches."""

Tick = tuple[float, str]
_LEFT, _RIGHT, _TOP, _FOOT = 70.0, 12.0, 12.0, 24.0
_HEIGHT, _LOW = 170.0, 110.0
_ROW, _EM, _CELL = 22.0, 11.0, 26.0
_MOST_LABELS = 14


@dataclass(frozen=True)
class Mark:
    """A figure under its label, with its interval.

    Parameters
    ----------
    label : str
    value : float or None
        None where it is not told; its place stays empty.
    low, high : float, optional
        The interval.
    said : str, default ""
        The figure in words.
    kind : str, default "ours"
        The class that gives its colour.
    """

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    said: str = ""
    kind: str = "ours"


@dataclass(frozen=True)
class Span:
    """A stretch of an axis with a name, such as a campaign; `kind` is the class that gives its colour."""

    begin: float
    end: float
    said: str
    kind: str = "span"


@dataclass(frozen=True)
class Cell:
    """A field of a grid: how strong it is, from 0 to 1, and what stands in it; None where nothing is told."""

    strength: float | None
    said: str


def columns(marks: Sequence[Mark], title: str, ticks: Sequence[Tick], rule: float | None = None) -> str:
    """Return a column for each mark, with its interval; labels are thinned out where they would touch.

    Parameters
    ----------
    marks : sequence of Mark
        In order, from the left.
    title : str
        What the chart says, for who cannot see it.
    ticks : sequence of (float, str)
        Of the axis, ascending; the first and the last are its ends.
    rule : float, optional
        A line across, such as what is usual; columns grow from it. Without one they grow from the lower end.
    """
    step = (WIDTH - _LEFT - _RIGHT) / max(len(marks), 1)
    wide = min(step * 0.7, 46.0)
    foot = _up(ticks[0][0] if rule is None else rule, ticks)
    drawn = [_levels(ticks)]
    every = -(-len(marks) // _MOST_LABELS)
    for place, mark in enumerate(marks):
        middle = _LEFT + (place + 0.5) * step
        if mark.value is not None:
            top = _up(mark.value, ticks)
            body = _rect(f"column {mark.kind}", middle - wide / 2, min(top, foot), wide, abs(foot - top))
            drawn.append(_told(mark, body + _whisker(mark, middle, ticks)))
        if place % every == 0:
            drawn.append(_text(cut(mark.label, step * every - 4), middle, _TOP + _HEIGHT + 16, "middle"))
    if rule is not None:
        drawn.append(_line("rule", _LEFT, foot, WIDTH - _RIGHT, foot))
    return svg("".join(drawn), title, _TOP + _HEIGHT + _FOOT)


def dots(
    marks: Sequence[Mark],
    title: str,
    ticks: Sequence[Tick],
    rule: float | None = None,
    *,
    bars: bool = False,
    width: float = WIDTH,
) -> str:
    """Return a row for each mark: its label, its place on one scale with its interval, and its figure.

    Parameters
    ----------
    marks, title, ticks, rule
        As `columns`; the first mark is on top.
    bars : bool, default False
        Draw lengths from the rule, else from the lower end, instead of places.
    width : float
        `WIDTH` or `NARROW`.
    """
    left, right, bottom = 0.36 * width, 0.21 * width, _TOP + _ROW * len(marks)

    def across(value: float) -> float:
        return left + (width - left - right) * _share(value, ticks)

    drawn = [_line("grid", across(place), _TOP, across(place), bottom) for place, _ in ticks]
    drawn += [_text(label, across(place), bottom + 16, "middle") for place, label in ticks]
    start = ticks[0][0] if rule is None else rule
    for place, mark in enumerate(marks):
        middle = _TOP + (place + 0.5) * _ROW
        body = _text(cut(mark.label, left - 14), left - 10, middle + 4, "end", "label")
        if mark.value is not None:
            body += _reach(mark, across, middle, start, bars=bars)
        body += _text(cut(mark.said, right - 14), width - right + 12, middle + 4, "start", "label")
        drawn.append(_told(mark, body))
    if rule is not None:
        drawn.append(_line("rule", across(rule), _TOP, across(rule), bottom))
    return svg("".join(drawn), title, bottom + _FOOT, width)


def course(
    lines: Sequence[Line],
    title: str,
    x: Sequence[Tick],
    y: Sequence[Tick],
    spans: Sequence[Span] = (),
    points: Sequence[tuple[float, float, str]] = (),
    width: float = WIDTH,
) -> str:
    """Return lines over time, with bands around them, stretches shaded behind them and points marked on them.

    Parameters
    ----------
    lines : sequence of Line
    title : str
        What the chart says, for who cannot see it.
    x, y : sequence of (float, str)
        The ticks, ascending; the first and the last are the ends of the axis.
    spans : sequence of Span
        Stretches of the time axis, cut at its ends.
    points : sequence of (float, float, str)
        Place on both axes, and what is said there.
    width : float
        `WIDTH` or `NARROW`.
    """
    high = _HEIGHT if width == WIDTH else _LOW

    def over(place: float) -> float:
        return _LEFT + (width - _LEFT - _RIGHT) * _share(place, x)

    def at(px: float, py: float) -> str:
        return f"{over(px):.1f},{_up(py, y, high):.1f}"

    drawn = [_levels(y, width, high)]
    for span in spans:
        begin, end = over(span.begin), over(span.end)
        shade = _rect(f"shade {span.kind}", begin, _TOP, max(end - begin, 1.0), high)
        drawn.append(f"<g><title>{escape(span.said)}</title>{shade}</g>")
    for line in lines:
        if line.band:
            above = [at(px, most) for (px, _), (_, most) in zip(line.points, line.band, strict=True)]
            below = [at(px, least) for (px, _), (least, _) in zip(line.points, line.band, strict=True)]
            drawn.append(f'<polygon class="band {escape(line.kind)}" points="{" ".join(above + below[::-1])}"/>')
    for line in lines:
        joined = " ".join(at(*point) for point in line.points)
        drawn.append(f'<polyline class="line {escape(line.kind)}" points="{joined}"/>')
    for px, py, said in points:
        place = f'cx="{over(px):.1f}" cy="{_up(py, y, high):.1f}"'
        drawn.append(f'<g><title>{escape(said)}</title><circle class="point" {place} r="4"/></g>')
    drawn += [_text(label, over(place), _TOP + high + 16, _anchor(place, x)) for place, label in x]
    return svg("".join(drawn), title, _TOP + high + _FOOT, width)


def grid(down: Sequence[str], across: Sequence[str], cells: Sequence[Sequence[Cell]], title: str) -> str:
    """Return a grid whose fields are the darker the stronger they are, each with its figure where there is room.

    Parameters
    ----------
    down, across : sequence of str
        The labels of rows and columns.
    cells : sequence of sequences of Cell
        By row.
    title : str
        What the grid says, for who cannot see it.
    """
    left, top = 130.0, 28.0
    wide = min((WIDTH - left) / max(len(across), 1), 110.0)
    drawn = [
        _text(cut(label, wide - 4), left + (place + 0.5) * wide, top - 9, "middle")
        for place, label in enumerate(across)
    ]
    for row, label in enumerate(down):
        middle = top + (row + 0.5) * _CELL
        drawn.append(_text(cut(label, left - 14), left - 10, middle + 4, "end", "label"))
        for column, cell in enumerate(cells[row]):
            drawn.append(_field(cell, left + column * wide, top + row * _CELL, wide))
    return svg("".join(drawn), title, top + _CELL * len(down) + 4)


def cut(text: str, room: float) -> str:
    """Return a label without what would not fit into so many units, or would turn its line around.

    Examples
    --------
    >>> cut("Quarterly newsletter", 66), cut("新客户", 60)
    ('Quarterly…', '新客户')
    """
    shown = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
    widths = [_EM if unicodedata.east_asian_width(one) in "WF" else 0.54 * _EM for one in shown]
    if sum(widths) <= room:
        return shown
    kept = next((n for n in range(len(widths), 0, -1) if sum(widths[:n]) + _EM <= room), 0)
    return shown[:kept].rstrip() + "…"


def svg(body: str, title: str, height: float, width: float = WIDTH) -> str:
    """Return the frame of a chart around what is drawn in it."""
    kind = "broad" if width == WIDTH else "broad narrow"
    return (
        f'<svg class="chart {kind}" viewBox="0 0 {width:g} {height:g}" role="img" focusable="false">'
        f"<title>{escape(title)}</title>{body}</svg>"
    )


def _share(value: float, ticks: Sequence[Tick]) -> float:
    """Return where on an axis a value lies, from 0 to 1; what lies beyond stands at the nearest end."""
    first, last = ticks[0][0], ticks[-1][0]
    return min(max((value - first) / ((last - first) or 1.0), 0.0), 1.0)


def _up(value: float, ticks: Sequence[Tick], high: float = _HEIGHT) -> float:
    return _TOP + high * (1 - _share(value, ticks))


def _anchor(place: float, ticks: Sequence[Tick]) -> str:
    return "end" if place == ticks[-1][0] else "middle"


def _levels(ticks: Sequence[Tick], width: float = WIDTH, high: float = _HEIGHT) -> str:
    """Return the level of each tick with its label."""
    lines = (
        _line("grid", _LEFT, _up(place, ticks, high), width - _RIGHT, _up(place, ticks, high)) for place, _ in ticks
    )
    labels = (_text(cut(label, _LEFT - 8), _LEFT - 6, _up(place, ticks, high) + 4, "end") for place, label in ticks)
    return "".join([*lines, *labels])


def _whisker(mark: Mark, middle: float, ticks: Sequence[Tick]) -> str:
    if mark.low is None or mark.high is None:
        return ""
    return _line("whisker", middle, _up(mark.low, ticks), middle, _up(mark.high, ticks))


def _reach(mark: Mark, across: Callable[[float], float], middle: float, start: float, *, bars: bool) -> str:
    """Return the length or the place of a row, and its interval."""
    value = across(mark.value or 0.0)
    between = ""
    if mark.low is not None and mark.high is not None:
        between = _line("whisker", across(mark.low), middle, across(mark.high), middle)
    if bars:
        foot = across(start)
        return _rect(f"column {mark.kind}", min(foot, value), middle - 7, abs(value - foot), 14) + between
    return between + f'<circle class="spot {escape(mark.kind)}" cx="{value:.1f}" cy="{middle:.1f}" r="4"/>'


def _field(cell: Cell, left: float, top: float, wide: float) -> str:
    if cell.strength is None:
        return _rect("field untold", left + 1, top + 1, wide - 2, _CELL - 2)
    strength = min(max(cell.strength, 0.0), 1.0)
    shade = _rect("field", left + 1, top + 1, wide - 2, _CELL - 2, f' fill-opacity="{0.06 + 0.94 * strength:.2f}"')
    words = cut(cell.said, wide - 6)
    written = "" if words == "…" else _text(words, left + wide / 2, top + _CELL / 2 + 4, "middle", "label")
    return f"<g><title>{escape(cell.said)}</title>{shade}{written}</g>"


def _told(mark: Mark, body: str) -> str:
    return f"<g><title>{escape(f'{mark.label} · {mark.said}' if mark.said else mark.label)}</title>{body}</g>"


def _text(words: str, x: float, y: float, anchor: str, kind: str = "tick") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path class="{kind}" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>'


def _rect(kind: str, left: float, top: float, wide: float, high: float, more: str = "") -> str:
    place = f'x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{high:.1f}"'
    return f"<rect class={quoteattr(kind)} {place}{more}/>"
