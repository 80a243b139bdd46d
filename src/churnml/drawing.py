"""Small charts as SVG text, written by hand: only what a page shows, nothing a browser must fetch.

Colours are classes that `static/churnml.css` fills in for light, dark and print; no chart carries a style of its own,
so that a page may forbid inline styles. A chart with a title is an image to a screen reader; one without is
decoration beside the number it draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal
from xml.sax.saxutils import escape

Shape = Literal["triangle", "down", "diamond", "circle", "shield"]
_PATHS: dict[Shape, str] = {
    "triangle": "M6 1 11.5 11H.5Z",
    "down": "M.5 1h11L6 11Z",
    "diamond": "M6 .5 11.5 6 6 11.5.5 6Z",
    "circle": "M6 1.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9Z",
    "shield": "M6 .5 11 2.3v3.4C11 8.8 8.9 10.9 6 11.8 3.1 10.9 1 8.8 1 5.7V2.3Z",
}


_SHORT = 4
_BAR = 0.82


def bar(share: float, title: str | None = None) -> str:
    """Return a bar filled to `share`.

    Parameters
    ----------
    share : float
        The filled part; what lies outside [0, 1] is drawn as its nearest end.
    title : str, optional
        What the bar says, for who cannot see it.
    """
    return _svg("bar", 100, 6, _rect("track", 0, 100, 6) + _rect("fill", 0, 100 * _clip(share), 6), title)


def stacked_bar(parts: Sequence[tuple[str, float]], title: str | None = None) -> str:
    """Return one bar split in proportion to `parts`, each a class name and an amount of at least 0."""
    total = sum(amount for _, amount in parts) or 1.0
    drawn, left = [], 0.0
    for name, amount in parts:
        width = 100 * amount / total
        drawn.append(_rect(name, left, max(width - 0.6, 0.0), 6))
        left += width
    return _svg("stack", 100, 6, "".join(drawn), title)


def strip(shares: Sequence[tuple[str, float | None]], title: str | None = None) -> str:
    """Return a row of upright bars, each a class name and a share of the height; a gap where there is none."""
    width, drawn = 100 / max(len(shares), 1), ""
    for place, (name, share) in enumerate(shares):
        drawn += _rect("track", place * width, width * _BAR, 24)
        if share is not None:
            height = max(24 * _clip(share), 1.0)
            drawn += _rect(name, place * width, width * _BAR, height, 24 - height)
    return _svg("strip", 100, 24, drawn, title)


def diverging_bar(amount: float, span: float, title: str | None = None) -> str:
    """Return a bar from the middle: to the right for a positive `amount`, to the left for a negative one.

    Parameters
    ----------
    amount : float
        What is drawn.
    span : float
        The amount that would fill one half; the same for all bars that are compared.
    """
    length = 50 * _clip(abs(amount) / span) if span > 0 else 0.0
    body = _rect("raises", 50, length, 10) if amount >= 0 else _rect("lowers", 50 - length, length, 10)
    return _svg("diverging", 100, 10, _rect("track", 0, 100, 10) + body + _rect("axis", 49.8, 0.4, 10), title)


def interval(
    value: float,
    ends: tuple[float, float],
    low: float | None = None,
    high: float | None = None,
    rules: Sequence[tuple[str, float]] = (),
    also: float | None = None,
    title: str | None = None,
    within: tuple[float, float] | None = None,
) -> str:
    """Return a value on a scale, with its interval and the lines that it is held against.

    Drawn one below the other, as high as their rows, the rules of several make one line.

    Parameters
    ----------
    value : float
        What lies outside the scale is drawn at its nearest end.
    ends : (float, float)
        The ends of the scale; the same for all that are compared.
    low, high : float, optional
        The interval.
    rules : sequence of (str, float)
        Lines across, each a class name and its place on the scale.
    also : float, optional
        The same measured otherwise, as a smaller mark.
    title : str, optional
        What the drawing says, for who cannot see it.
    within : (float, float), optional
        A narrower interval, drawn upon the other.
    """
    start, span = ends[0], (ends[1] - ends[0]) or 1.0

    def at(place: float) -> float:
        return 100 * _clip((place - start) / span)

    drawn = [_rect("track", 0, 100, 1, 11.5)]
    drawn += [_rect(f"rule {name}", at(place) - 0.1, 0.2, 24) for name, place in rules]
    if low is not None and high is not None:
        drawn.append(_rect("span", at(low), max(at(high) - at(low), 0.0), 6, 9))
    if within is not None:
        drawn.append(_rect("span", at(within[0]), max(at(within[1]) - at(within[0]), 0.0), 6, 9))
    if also is not None:
        drawn.append(_rect("also", at(also) - 0.3, 0.6, 8, 8))
    drawn.append(_rect("spot", at(value) - 0.4, 0.8, 14, 5))
    return _svg("interval", 100, 24, "".join(drawn), title)


def scale(least: float, most: float, parts: int = 6) -> list[float]:
    """Return round places from below `least` to above `most`, evenly apart: one, two or five of a power of ten.

    Examples
    --------
    >>> scale(-0.013, 0.004)
    [-0.015, -0.01, -0.005, 0.0, 0.005]
    """
    rough = max(most - least, 1e-9) / parts
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step * power for step in (1, 2, 5, 10) if step * power >= rough * (1 - 1e-9))
    first, last = math.floor(least / step + 1e-9), math.ceil(most / step - 1e-9)
    return [float(f"{place * step:.10g}") for place in range(first, max(last, first + 1) + 1)]


@dataclass(frozen=True)
class Line:
    """Points of a chart joined in their order; `kind` is the class that gives its colour.

    Parameters
    ----------
    points : sequence of (float, float)
    band : sequence of (float, float), optional
        Low and high at each point, drawn as a shade.
    """

    kind: str
    points: Sequence[tuple[float, float]]
    band: Sequence[tuple[float, float]] = ()


def chart(lines: Sequence[Line], title: str, x: Sequence[tuple[float, str]], y: Sequence[tuple[float, str]]) -> str:
    """Return lines over labelled axes.

    Parameters
    ----------
    title : str
        What the chart says, for who cannot see it.
    x, y : sequence of (float, str)
        The ticks, ascending, with their labels; the first and the last are the ends of the axis.
    """
    (left, right), (bottom, top) = ((ticks[0][0], ticks[-1][0]) for ticks in (x, y))

    def at(px: float, py: float) -> str:
        across, up = (px - left) / ((right - left) or 1.0), (py - bottom) / ((top - bottom) or 1.0)
        return f"{46 + 344 * across:.1f},{190 - 178 * up:.1f}"

    drawn = [_grid(at, x, y, left, right, bottom)]
    for line in lines:
        if line.band:
            over = [at(px, high) for (px, _), (_, high) in zip(line.points, line.band, strict=True)]
            under = [at(px, low) for (px, _), (low, _) in zip(line.points, line.band, strict=True)]
            drawn.append(f'<polygon class="band {escape(line.kind)}" points="{" ".join(over + under[::-1])}"/>')
    for line in lines:
        points = " ".join(at(*point) for point in line.points)
        drawn.append(f'<polyline class="line {escape(line.kind)}" points="{points}"/>')
    return (
        f'<svg class="chart" viewBox="0 0 400 214" role="img" focusable="false"><title>{escape(title)}</title>'
        f"{''.join(drawn)}</svg>"
    )


def _grid(
    at: Callable[[float, float], str],
    x: Sequence[tuple[float, str]],
    y: Sequence[tuple[float, str]],
    left: float,
    right: float,
    bottom: float,
) -> str:
    drawn = []
    for value, label in y:
        height = at(left, value).split(",")[1]
        drawn.append(f'<polyline class="grid" points="{at(left, value)} {at(right, value)}"/>')
        drawn.append(f'<text class="tick" x="40" y="{height}" dy="4" text-anchor="end">{escape(label)}</text>')
    for value, label in x:
        # a long label in the middle of the right end would be cut off
        cut = value == right and len(label) > _SHORT
        across, anchor = ("399", "end") if cut else (at(value, bottom).split(",")[0], "middle")
        drawn.append(f'<text class="tick" x="{across}" y="206" text-anchor="{anchor}">{escape(label)}</text>')
    return "".join(drawn)


def mark(shape: Shape) -> str:
    """Return a small filled shape, to tell kinds apart without colour."""
    return (
        f'<svg class="mark" viewBox="0 0 12 12" aria-hidden="true" focusable="false">'
        f'<path d="{_PATHS[shape]}" fill="currentColor"/></svg>'
    )


def _svg(kind: str, width: int, height: int, body: str, title: str | None) -> str:
    spoken = 'role="img"' if title else 'aria-hidden="true"'
    heading = f"<title>{escape(title)}</title>" if title else ""
    return (
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" preserveAspectRatio="none" focusable="false" {spoken}>'
        f"{heading}{body}</svg>"
    )


def _rect(name: str, left: float, width: float, height: float, top: float = 0.0) -> str:
    name = escape(name, {'"': "&quot;"})
    down = f' y="{top:.4g}"' if top else ""
    return f'<rect class="{name}" x="{left:.4g}"{down} width="{width:.4g}" height="{height:.4g}"/>'


def _clip(share: float) -> float:
    return min(max(share, 0.0), 1.0) if share == share else 0.0  # noqa: PLR0124  # not a number draws nothing
