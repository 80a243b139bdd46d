"""What the actions did as one HTML file, from the JSON that carries the same figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from shlex import quote
from typing import Any

from markupsafe import Markup

from churnml.drawing import Line, chart, interval, scale
from churnml.service.pages.rendering import document
from churnml.service.pages.reports.check import Dot, drawn
from churnml.wording import Language, Text, format_date, format_money, format_number

Json = Mapping[str, Any]  # Any: JSON

KINDS = {"helps": "is-landed", "loses": "is-refused", "harms": "is-refused"}
"""The class that colours a verdict; what is open has none."""

VERDICTS = {
    "helps": Text("helps", "有效"),
    "loses": Text("brings less than it costs", "得不偿失"),
    "harms": Text("harms", "有害"),
    "not_yet": Text("not yet conclusive", "尚无定论"),
    "never": Text("never conclusive at this size", "以目前规模不会有定论"),
    "open_end": Text("open at the planned end", "到计划终点仍无定论"),
    "too_few": Text("too few", "人数太少"),
}
_STEPS = {
    "assigned": Text("assigned", "已分配"),
    "treated": Text("to be treated", "应触达"),
    "delivered": Text("delivered", "已送达"),
    "redeemed": Text("redeemed", "已使用"),
}
_COMMA = Text(", ", "，")
_RUN = Text("The net effect of {name} week by week, with its interval", "“{name}”净效果逐周变化及区间")


def effect_page(body: Json, language: Language) -> str:
    """Return the report as one HTML document that needs nothing beside it: no script, no network, no other file.

    Parameters
    ----------
    body : mapping
        What `churnml measure effect --json` prints.
    language : {"en", "zh"}
        Language of the page; names of segments and of actions that no catalogue words stay as they are.
    """
    return document("effect_report.html", effect_context(body, language), language)


def effect_context(body: Json, language: Language) -> dict[str, Any]:  # Any: what templates show
    """Return what `_effect.html` shows of a measurement; parameters as `effect_page`."""
    actions, currency = body["actions"], body["currency"]
    forest, ticks = _forest(actions, currency, language)

    def money(amount: float | None, *, whole: bool = False) -> str:
        return "–" if amount is None else format_money(amount, currency, language, whole=whole)

    def between(low: float | None, high: float | None, *, whole: bool = False) -> str:
        return "" if low is None else f"[{money(low, whole=whole)}, {money(high, whole=whole)}]"

    return {
        "body": body,
        "rows": _rows(actions, language),
        "forest": forest,
        "ticks": ticks,
        "money": money,
        "between": between,
        "counting": lambda one: one["fixed"] if body["ended"] or "always_valid" not in one else one["always_valid"],
        "running": {name: _running(one, currency, language) for name, one in actions.items() if len(one["looks"]) > 1},
        "funnels": {name: _funnel(one["funnel"], language) for name, one in actions.items() if one["funnel"]},
        "ends": {name: day and _day(day, language) for name, day in body["planned_ends"].items()},
        "command": _command(body),
    }


def _rows(actions: Json, language: Language) -> Sequence[Json]:
    """Return every action and below it its segments, each with what is said and shown of it."""
    rows = []
    for name, one in actions.items():
        parts = [("", one["overall"]), *one["segments"].items()]
        for segment, effect in parts:
            verdict = effect and effect["verdict"]
            rows.append(
                {
                    "name": name,
                    "label": one["label"][language],
                    "segment": segment,
                    "effect": effect,
                    "naive": None if segment else one["naive"],
                    "kind": KINDS.get(verdict, ""),
                    "verdict": VERDICTS[verdict].to(language) if verdict else "",
                }
            )
    return rows


def _forest(actions: Json, currency: str, language: Language) -> tuple[list[Dot], list[str]]:
    """Return the net effects with the intervals that count, on one scale."""
    shown = [row for row in _rows(actions, language) if row["verdict"] and row["effect"]["verdict"] != "too_few"]
    if not shown:
        return [], []
    ends = [0.0, *(end for row in shown for end in _wider(row["effect"]))]
    places = scale(min(ends), max(ends))
    dots = []
    for row in shown:
        effect = row["effect"]
        value, low, high = effect["doubly_robust"]["value"], effect["low"], effect["high"]
        fixed = effect["doubly_robust"]["fixed"]
        wide, narrow = _wider(effect), (fixed[0], fixed[1])
        drawing = interval(value, (places[0], places[-1]), *wide, [("plain", 0.0)], within=narrow)
        told = [format_money(one, currency, language) for one in (value, low, high)]
        label = _COMMA.to(language).join(filter(None, (row["label"], row["segment"])))
        dots.append(Dot(row["name"], label, drawn(drawing), told[0], f"[{told[1]}, {told[2]}]", kind=row["kind"]))
    return dots, [_tick(place, currency, language) for place in places]


def _wider(effect: Json) -> tuple[float, float]:
    """Return the ends of the interval that holds at every look, or of the one that counts where that is wider."""
    low, high = effect["doubly_robust"].get("always_valid") or (effect["low"], effect["high"])
    return min(low, effect["low"]), max(high, effect["high"])


def _running(one: Json, currency: str, language: Language) -> Markup:
    """Return how the always-valid interval of an action ran over the weeks."""
    looks: Sequence[Json] = one["looks"]
    half = looks[len(looks) // 2 :]
    # the first weeks are so wide that they would flatten all others; the scale is that of the second half
    wide = max(abs(end) for look in half for end in (look["low"], look["high"]))
    places = scale(-wide, wide, 4)
    held = [
        (n, *(min(max(look[key], places[0]), places[-1]) for key in ("value", "low", "high")))
        for n, look in enumerate(looks)
    ]
    zero = Line("base", [(0.0, 0.0), (len(looks) - 1.0, 0.0)])
    line = Line("ours", [(n, value) for n, value, _, _ in held], [(low, high) for _, _, low, high in held])
    x = [(float(n), _day(looks[n]["closed_by"], language)) for n in (0, len(looks) - 1)]
    y = [(place, _tick(place, currency, language)) for place in places]
    return drawn(chart([zero, line], _RUN.to(language).format(name=one["label"][language]), x, y))


def _day(told: str, language: Language) -> str:
    return format_date(told, language)


def _tick(place: float, currency: str, language: Language) -> str:
    return format_money(place, currency, language, whole=place == int(place))


def _funnel(steps: Mapping[str, int], language: Language) -> list[tuple[str, str, float]]:
    """Return the steps from assigned to redeemed, with how many came so far, and their share of all."""
    first = max(steps["assigned"], 1)
    return [(_STEPS[name].to(language), format_number(count, language), count / first) for name, count in steps.items()]


def _command(body: Json) -> str:
    given = {name: body[name] for name in ("campaign", "by") if body[name]}
    given |= {} if body["outcome"] == "orders" else {"outcome": body["outcome"]}
    options = [f"--{name} {quote(value)}" for name, value in given.items()]
    return " ".join(["churnml measure effect", *options])
