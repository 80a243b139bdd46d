"""What `churnml check leakage` found, as one HTML file that a sceptic may keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from shlex import quote

from markupsafe import Markup

from churnml.drawing import interval, scale
from churnml.modeling import leakage_words
from churnml.modeling.alone import Alone
from churnml.modeling.delays import MUCH_OF_A_DAY, Delay
from churnml.modeling.leakage import Leakage
from churnml.modeling.leakage_words import Verdict
from churnml.modeling.suspects import ALMOST, MUCH
from churnml.service.pages.harmless import visible
from churnml.service.pages.rendering import document
from churnml.service.pages.reports.check import Dot, Meanings, drawn, known_in, said, sentence
from churnml.wording import Language, Text

DRAWN, MINUS = 15, "\N{MINUS SIGN}"
"""Features in the picture, whose table holds all; and the sign that is as wide as a plus."""

_AUROC_TICKS = [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
_KINDS: Mapping[Verdict, str] = {"leak": "is-refused", "questions": "is-quarantine", "sound": "is-landed"}
_COMMA = Text(", ", "、")


def leakage_report_page(found: Leakage, meanings: Meanings, language: Language) -> str:
    """Return what the check for leakage found as one HTML document that needs nothing beside it.

    Parameters
    ----------
    found : Leakage
        Of `modeling/leakage`.
    meanings : mapping of str to Text
        What each feature is, by its name.
    language : {"en", "zh"}
        Language of the page; names stay as they are.
    """
    known = known_in(meanings, language)
    costs = found.measured.costs if found.measured else ()
    context = {
        "found": found,
        "verdict": leakage_words.verdict(found, language),
        "kind": _KINDS[leakage_words.verdict_of(found)],
        "reason": leakage_words.reason(found, language),
        "findings": said(found.findings, known, language),
        "questions": said(found.questions, known, language),
        "meanings": known,
        "wall": leakage_words.of_wall(found, language),
        "alarm": leakage_words.of_alarm(found, language),
        "delays": leakage_words.of_delays(found.measured, language) if found.measured else "",
        "unmeasured": sentence(found.unmeasured, language) if found.unmeasured else "",
        "alone": _alone(found.alone, known),
        "alone_ticks": [f"{tick:.1f}" for tick in _AUROC_TICKS],
        "costs": _costs(costs),
        "cost_ticks": _cost_labels(costs),
        "surest": next((one for one in found.alone if one.auroc is not None), None),
        "why": {one.name: one.suspect.said(language) for one in found.alone if one.suspect},
        "noticed": sum(one.rows > 0 or one.alone.alarm == "red" for one in found.planted),
        "dearest": min((one for one in costs if one.days == 1), key=lambda one: one.change, default=None),
        "dearest_cost": _signed(min((one.change for one in costs if one.days == 1), default=0.0)),
        "limits": {"much": MUCH, "almost": ALMOST, "day": MUCH_OF_A_DAY},
        "kept": Markup(_COMMA.to(language)).join(Markup("<code>{}</code>").format(visible(one)) for one in found.kept),  # noqa: S704
        "command": _command(found),
    }
    return document("leakage_report.html", context, language)


def _alone(features: Sequence[Alone], known: Mapping[str, str]) -> list[Dot]:
    """Return the features that surely say most, and whichever is doubted, as rows of a picture."""
    first = [one for one in features if one.alarm] + [one for one in features if not one.alarm]
    chosen = {one.name for one in first[:DRAWN]}
    rules, ends = [("plain", 0.5), ("asked", MUCH), ("alarm", ALMOST)], (_AUROC_TICKS[0], _AUROC_TICKS[-1])
    kinds = {"": "", "question": "is-quarantine", "red": "is-refused"}
    dots = []
    for one in features:
        if one.name in chosen and one.auroc is not None:
            also = _by_parts(one)
            drawing = interval(one.auroc, ends, one.low, one.high, rules, also)
            between = "" if one.low is None else f"[{one.low:.3f}, {one.high:.3f}]"
            told = "" if also is None else f"{also:.3f}"
            figures = f"{one.auroc:.3f}", between, told
            dots.append(Dot(one.name, known.get(one.name, ""), drawn(drawing), *figures, kind=kinds[one.alarm]))
    return dots


def _by_parts(one: Alone) -> float | None:
    """Return how well a doubted feature ranks cut into parts, where that is more than by the order of its values."""
    if one.suspect is None or one.auroc is None:
        return None
    parts = one.suspect.evidence.get("auroc_alone", 0.0)
    return parts if parts > one.auroc + 0.0005 else None


def _cost_scale(costs: Sequence[Delay]) -> list[float]:
    lows, highs = [one.low for one in costs], [one.high for one in costs]
    return scale(min(*lows, -1.5 * MUCH_OF_A_DAY), max(*highs, 0.0))


def _cost_labels(costs: Sequence[Delay]) -> list[str]:
    ticks = _cost_scale(costs) if costs else []
    return [f"{tick:+g}".replace("-", MINUS) if tick else "0" for tick in ticks]


def _costs(costs: Sequence[Delay]) -> list[Dot]:
    if not costs:
        return []
    ticks, rules = _cost_scale(costs), [("plain", 0.0), ("asked", -MUCH_OF_A_DAY)]
    ends = ticks[0], ticks[-1]
    return [
        Dot(
            one.table,
            "",
            drawn(interval(one.change, ends, one.low, one.high, rules)),
            _signed(one.change),
            f"[{_signed(one.low)}, {_signed(one.high)}]",
            kind="is-quarantine" if one.questionable else "",
            days=one.days,
        )
        for one in costs
    ]


def _signed(change: float, digits: int = 3) -> str:
    """Return a change with its sign, and no sign where it rounds to nothing."""
    told = f"{abs(change):.{digits}f}"
    return told if not float(told) else f"{'+' if change > 0 else MINUS}{told}"


def _command(found: Leakage) -> str:
    kept = "".join(f" --keep {quote(name)}" for name in found.kept)
    return f"churnml check leakage --cutoff {found.day} --horizon-days {found.horizon_days}{kept}"
