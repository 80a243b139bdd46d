"""What contacts drawn by chance taught, as one HTML file, from the JSON that carries the same figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from churnml.drawing import Line, chart, interval, scale
from churnml.service.pages.rendering import document
from churnml.wording import Language, Text, translator

Json = dict[str, Any]  # Any: JSON

_PERCENTS = [(k / 4, f"{k * 25}%") for k in range(5)]
_CURVE = {
    "margin": Text("Margin gathered by the share of customers treated", "按执行比例累计的毛利"),
    "stayed": Text("Customers kept by the share of customers treated", "按执行比例累计的留存客户"),
}
_GROUP = Text("{value:,.1f} ({low:,.1f} to {high:,.1f})", "{value:,.1f}（{low:,.1f} 至 {high:,.1f}）")
_THOUSAND = 1_000


def uplift_page(body: Mapping[str, Any], language: Language) -> str:  # Any: JSON
    """Return the report as one HTML document that needs nothing beside it: no script, no network, no other file.

    Parameters
    ----------
    body : mapping
        What `churnml measure uplift --json` prints.
    language : {"en", "zh"}
        Language of the page.
    """
    known = {name: one for name, one in body["actions"].items() if one["evidence"] != "none"}
    others = {name: one for name, one in body["actions"].items() if name not in known}
    context = {
        "body": body,
        "known": known,
        "refused": [one for one in others.values() if _tried(one)],
        "untried": [one for one in others.values() if not _tried(one)],
        "figure": lambda told: _figure(told, language),
        "drawn": {name: _drawn(one["outcomes"], language) for name, one in known.items()},
        "unit": _units(body["currency"], language),
    }
    return document("uplift_report.html", context, language)


def _tried(one: Json) -> bool:
    return bool(one["treated"] + one["controls"] + one["not_by_chance"])


def _units(currency: str, language: Language) -> dict[str, str]:
    _ = translator(language).gettext
    margin = _("Margin")
    return {"margin": f"{margin}, {currency}", "stayed": _("Customers who stay")}


def _figure(told: Sequence[float] | None, language: Language) -> str:
    """Return a figure per 1,000 customers with its interval, empty where there is none."""
    if told is None:
        return ""
    value, low, high = (_THOUSAND * one for one in told)
    return _GROUP.to(language).format(value=value, low=low, high=high)


def _drawn(outcomes: Mapping[str, Json], language: Language) -> dict[str, Json]:
    """Return the pictures of an action: the curve, and each group's effect on one scale."""
    return {
        name: {
            "curve": Markup(_curve(one["curve"], _CURVE[name].to(language))),  # noqa: S704  # drawings escape what they are given
            "groups": [Markup(drawn) for drawn in _groups(one["groups"], language)],  # noqa: S704  # the same
        }
        for name, one in outcomes.items()
    }


def _curve(curve: Json, title: str) -> str:
    gain = [_THOUSAND * one for one in curve["gain"]]
    points = list(zip(curve["share"], gain, strict=True))
    ticks = [(place, f"{place:,.10g}") for place in scale(min(gain), max(*gain, 0.001))]
    return chart([Line("plain", [(0.0, 0.0), points[-1]]), Line("ours", points)], title, _PERCENTS, ticks)


def _groups(groups: Sequence[Json], language: Language) -> list[str]:
    places = [_THOUSAND * one for group in groups for one in group["effect"]]
    ends = (min(*places, 0.0), max(*places, 0.0))
    drawn = []
    for group in groups:
        value, low, high = (_THOUSAND * one for one in group["effect"])
        drawn.append(interval(value, ends, low, high, [("plain", 0.0)], title=_figure(group["effect"], language)))
    return drawn
