"""An assignment as one HTML file: who gets what at which cost, who gets nothing and why, and what the limits cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from churnml.drawing import Line, chart, scale
from churnml.service.pages.rendering import document
from churnml.wording import Language, Text, format_money

_SECTORS = {
    "retail": Text("retail", "零售"),
    "subscription": Text("subscriptions", "订阅"),
    "finance": Text("finance", "金融"),
    "b2b": Text("business to business", "企业客户"),
}
_FOR_OTHERS = "sector"
_CURVE = Text("Net value by budget", "净收益随预算的变化")


def assignment_page(summary: Mapping[str, Any], language: Language) -> str:  # Any: JSON
    """Return the report as one HTML document that needs nothing beside it: no script, no network, no other file.

    Parameters
    ----------
    summary : mapping
        What `churnml assign --json` prints.
    language : {"en", "zh"}
        Language of the page.
    """
    report = summary["report"]
    ours = [one for one in report["actions"] if _FOR_OTHERS not in one["closed_by"]]
    closing = [one for one in report["rules"] if any(one["rule"] in action["closed_by"] for action in ours)]
    context = {
        "told": summary,
        "report": report,
        "ours": ours,
        "others": len(report["actions"]) - len(ours),
        "closing": closing,
        "most": max((one["customers"] for one in report["no_action_because"]), default=1),
        "sector": _SECTORS[summary["sector"]].to(language),
        "curve": _curve(summary, language),
    }
    return document("assignment_report.html", context, language)


def _curve(summary: Mapping[str, Any], language: Language) -> Markup | None:  # Any: JSON
    """Return the drawing of what budgets bring; None where that was not asked or nothing pays."""
    points = [(one["budget"], one["value"]) for one in summary.get("returns", {}).get("points", [])]
    if not points or points[-1][0] <= 0 or summary["returns"]["most"] <= 0:
        return None
    most = summary["returns"]["most"]

    def ticks(top: float) -> list[tuple[float, str]]:
        return [(place, format_money(place, summary["currency"], language, whole=True)) for place in scale(0.0, top, 4)]

    across, up = ticks(points[-1][0]), ticks(most)
    all_that_pays = Line("plain", [(across[0][0], most), (across[-1][0], most)])
    return Markup(chart([all_that_pays, Line("ours", points)], _CURVE.to(language), across, up))  # noqa: S704  # escaped
