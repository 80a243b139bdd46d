"""The curves by which a model is judged, drawn: of a backtest's report and of a model's page alike.

Ours is the strong line; the best baseline is dashed, where one is named, and all others are pale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from churnml.drawing import Line, chart, scale
from churnml.wording import Text

Json = dict[str, Any]  # Any: JSON
TITLES: Mapping[str, Text] = {
    "calibration": Text("Churn predicted against observed", "预测与实际流失对比"),
    "value": Text("Value predicted against observed", "预测与实际价值对比"),
    "gain": Text("Share of leavers found by share contacted", "按联系比例找到的流失比例"),
    "money": Text("Profit per customer by share contacted", "按联系比例的人均利润"),
}
_PERCENTS = [(k / 4, f"{k * 25}%") for k in range(5)]


def compared(points: Sequence[Json], title: str, *, percent: bool, beside: Sequence[Sequence[float]] = ()) -> str:
    """Return what was predicted, across, against what came, up, with its interval.

    Parameters
    ----------
    points : sequence of dict
        `predicted`, and `observed` with its interval.
    percent : bool
        Whether both are shares.
    beside : sequence of pairs, optional
        The same of a baseline, without interval.
    """
    most = max(max(one["predicted"], one["observed"][2]) for one in points) or 1.0
    top = max([most, *(value for pair in beside for value in pair)])
    ticks = [(top * k / 4, f"{top * k / 4:.0%}" if percent else f"{top * k / 4:,.0f}") for k in range(5)]
    came = [(one["predicted"], one["observed"][0]) for one in points]
    band = [(one["observed"][1], one["observed"][2]) for one in points]
    lines = [Line("plain", [(0.0, 0.0), (top, top)])]
    lines += [Line("other", [(pair[0], pair[1]) for pair in beside])] if beside else []
    return chart([*lines, Line("ours", came, band)], title, ticks, ticks)


def gain(points: Sequence[Json], title: str) -> str:
    """Return the share of those who left, up, that so much of the list holds, across."""
    found = [(one["share"], one["found"]) for one in points]
    return chart([Line("plain", [(0.0, 0.0), (1.0, 1.0)]), Line("ours", found)], title, _PERCENTS, _PERCENTS)


def gains(
    shares: Sequence[float],
    ours: Sequence[Sequence[float]],
    others: Mapping[str, Sequence[float]],
    best: str,
    title: str,
) -> str:
    """Return the same with an interval, beside baselines.

    Parameters
    ----------
    shares : sequence of float
        From 0 on.
    ours : sequence of (float, float, float)
        The share found at each, with its interval.
    others : mapping of str to sequence of float
        By baseline, the share found at each.
    best : str
        The baseline that is dashed.
    """
    lines = [Line("plain", [(0.0, 0.0), (1.0, 1.0)])]
    lines += [Line(_kind(name, best), list(zip(shares, found, strict=True))) for name, found in others.items()]
    lines.append(_ours(shares, ours))
    return chart(lines, title, _PERCENTS, _PERCENTS)


def money(curves: Sequence[Sequence[Json]], title: str) -> str:
    """Return the profit per customer, up, by share contacted, across; ours, which is the first, with its interval."""
    shares = [one["share"] for one in curves[0]]
    others = {str(place): [one["profit"][0] for one in curve] for place, curve in enumerate(curves[1:])}
    return moneys(shares, [one["profit"] for one in curves[0]], others, "", title)


def moneys(
    shares: Sequence[float],
    ours: Sequence[Sequence[float]],
    others: Mapping[str, Sequence[float]],
    best: str,
    title: str,
) -> str:
    """Return the same from columns, as `gains` takes them."""
    every = [value for found in others.values() for value in found] + [one[0] for one in ours]
    bottom, top = min(*every, *(one[1] for one in ours)), max(*every, *(one[2] for one in ours), 0.01)
    ticks = sorted({bottom, 0.0, top})
    lines = [Line(_kind(name, best), list(zip(shares, found, strict=True))) for name, found in others.items()]
    lines.append(_ours(shares, ours))
    return chart(lines, title, _PERCENTS, [(tick, f"{tick:.2f}") for tick in ticks])


def course(
    days: Sequence[str],
    ours: Sequence[Sequence[float]],
    other: Sequence[float],
    title: str,
    *,
    lowest: float = 0.0,
    percent: bool = True,
) -> str:
    """Return a figure at each day, up, with its interval, beside another that is dashed.

    Parameters
    ----------
    days : sequence of str
        What stands below each point.
    ours : sequence of (float, float, float)
    other : sequence of float
        Empty where there is none.
    lowest : float, default 0
        Where the axis begins, if no figure lies below.
    percent : bool, default True
        Whether the figure is told as a percentage.
    """
    ends = scale(min([lowest, *(one[1] for one in ours), *other]), max([lowest, *(one[2] for one in ours), *other]), 4)
    lines = [Line("other", list(enumerate(other)))] if other else []
    lines.append(_ours([float(place) for place in range(len(days))], ours))
    every = max(-(-len(days) // 4), 1)
    told = [(float(place), day if place % every == 0 else "") for place, day in enumerate(days)]
    return chart(lines, title, told, [(tick, f"{tick:.0%}" if percent else f"{tick:.2f}") for tick in ends])


def _ours(shares: Sequence[float], told: Sequence[Sequence[float]]) -> Line:
    return Line(
        "ours", [(at, one[0]) for at, one in zip(shares, told, strict=True)], [(one[1], one[2]) for one in told]
    )


def _kind(name: str, best: str) -> str:
    return "other" if name == best else "plain"
