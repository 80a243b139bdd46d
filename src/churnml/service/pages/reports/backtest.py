"""A backtest over rolling origins as one HTML file, from the JSON that carries the same figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from churnml.modeling.satisfaction_trial import GROUPS, MEAN, OURS
from churnml.service.pages.models.drawn import TITLES, compared, gain, money
from churnml.service.pages.models.words import called, figure
from churnml.service.pages.rendering import document
from churnml.wording import Language

Json = dict[str, Any]  # Any: JSON


def backtest_page(body: Mapping[str, Any], language: Language) -> str:  # Any: JSON
    """Return the report as one HTML document that needs nothing beside it: no script, no network, no other file.

    Parameters
    ----------
    body : mapping
        What `churnml backtest --origins N --json` prints.
    language : {"en", "zh"}
        Language of the page; what profile attributes say stays as it is.
    """

    def named(name: str) -> str:
        return called(name, language)

    curves = body["curves"]
    title = {name: text.to(language) for name, text in TITLES.items()}
    draw = {
        "calibration": compared(curves["calibration"], title["calibration"], percent=True),
        "value": compared(curves["value_tenths"], title["value"], percent=False),
        "gain": gain(curves["gain"], title["gain"]),
        "money": money([one["curve"] for one in body["money"]["methods"].values()], title["money"]),
    }
    context = {
        "body": body,
        "called": named,
        "figure": figure,
        "draw": {name: Markup(svg) for name, svg in draw.items()},  # noqa: S704  # drawings escape what they are given
        "methods_called": {
            target: [named(name) for name in methods] for target, methods in body["mean_over_earlier_origins"].items()
        },
        "wins": _verdicts(body),
        "ours": OURS,
        "mean_of_all": MEAN,
        "origin_days": [one["cutoff"] for one in body["origins"]],
        "satisfied": _satisfied(body["origins"]),
    }
    return document("backtest_report.html", context, language)


def _satisfied(origins: Sequence[Json]) -> dict[str, list[Json]]:
    """Return what each origin found of satisfaction, by group; empty where no surveys have landed."""
    if all(one.get("satisfaction") is None for one in origins):
        return {}
    return {
        group: [{"cutoff": one["cutoff"], "trial": (one.get("satisfaction") or {}).get(group)} for one in origins]
        for group in GROUPS
    }


def _verdicts(body: Mapping[str, Any]) -> list[Json]:  # Any: JSON
    """Return, for each baseline, on which figures ours is better and worse beyond noise."""
    return [
        {
            "target": target,
            "name": name,
            "better": [m for m, (_, low, _high) in method["lead_of_ours"].items() if low > 0],
            "worse": [m for m, (_, _low, high) in method["lead_of_ours"].items() if high < 0],
        }
        for target, methods in body["mean_over_earlier_origins"].items()
        for name, method in methods.items()
        if method["lead_of_ours"]
    ]
