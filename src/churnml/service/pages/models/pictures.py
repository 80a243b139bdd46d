"""The pictures on a model's page, from what is kept of its judgement and of what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from churnml.drawing import strip
from churnml.service.pages.models.drawn import TITLES, compared, course, gains, moneys
from churnml.service.pages.models.figures import best_baseline
from churnml.wording import Language, Text, format_date

Json = Mapping[str, Any]  # Any: JSON
_SPREAD = Text("How many customers were given which probability", "各流失概率区间的客户数")
_COURSE = Text("AUROC at each cutoff that taught the weights", "各滚动截止时点的 AUROC")
_HAPPENED = Text("Share expected to leave, and share who left", "预计流失比例与实际流失比例")


def pictures(
    model: Json,
    trade: Json | None,
    watched: Json | None,
    language: Language,
) -> dict[str, Markup]:
    """Return the pictures by name, without those that there is nothing for.

    Parameters
    ----------
    model : mapping
        Of `trained.model`.
    trade : mapping or None
        Of `trade_off`.
    watched : mapping or None
        Of `trained.watched`.
    """
    found: dict[str, str] = {}
    if trade is not None:
        found |= _of_curves(model, trade, language)
    closed = (watched or {}).get("closed_labels", {}).get("cutoffs", [])
    if len(closed) > 1:
        days = [format_date(one["cutoff"], language) for one in closed]
        came = [[one["observed"], *one["observed_interval"]] for one in closed]
        found["happened"] = course(days, came, [one["expected"] for one in closed], _HAPPENED.to(language))
    return {name: Markup(svg) for name, svg in found.items()}  # noqa: S704  # drawings escape what they are given


def _of_curves(model: Json, trade: Json, language: Language) -> dict[str, str]:
    curves, judged = model["curves"], model["judged"]
    title = {name: text.to(language) for name, text in TITLES.items()}
    best = best_baseline(judged["churn"], "auroc")
    contacted, base = curves["contacted"], curves["left"] / curves["customers"]
    shares = [0.0, *contacted["shares"]]
    found = [[0.0, 0.0, 0.0], *contacted["found"]]
    ours, *others = contacted["methods"]
    theirs = {name: [0.0, *(one / base for one in contacted["methods"][name]["caught"])] for name in others}
    money = {name: [one[0] for one in trade["money"][name]] for name in others}
    many = max(curves["probabilities"]) or 1
    drawn = {
        "calibration": compared(
            curves["calibration"],
            title["calibration"],
            percent=True,
            beside=curves["baseline_calibration"].get(best, []),
        ),
        "spread": strip([("fill", one / many) for one in curves["probabilities"]], _SPREAD.to(language)),
        "gain": gains(shares, found, theirs, best, title["gain"]),
        "money": moneys(shares, trade["money"][ours], money, best, title["money"]),
        "value": compared(curves["value_tenths"], title["value"], percent=False),
    }
    ranked = [one for one in curves["origins"] if one["auroc"] is not None]
    if len(ranked) > 1:
        days = [format_date(one["cutoff"], language) for one in ranked]
        told = [one["auroc"] for one in ranked]
        drawn["course"] = course(days, told, [], _COURSE.to(language), lowest=0.5, percent=False)
    return drawn
