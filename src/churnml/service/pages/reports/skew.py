"""What `churnml check skew` found, as one HTML file that a sceptic may keep."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from churnml.drawing import interval
from churnml.modeling.comparison import Difference
from churnml.scoring import skew_words
from churnml.scoring.skew import TOLERANCE, Skew
from churnml.service.pages.rendering import document
from churnml.service.pages.reports.check import NOT_FEATURES, Dot, Meanings, drawn, known_in, said, sentence
from churnml.wording import Language, Text

_LEAST, _USUAL = -18, -10
_SCORES = {
    "churn_probability": Text("churn probability", "流失概率"),
    "expected_margin": Text("margin expected in the horizon", "预测期内的预期毛利"),
    "margin_low": Text("lower end of that margin", "预期毛利的下限"),
    "margin_median": Text("median of that margin", "预期毛利的中位数"),
    "margin_high": Text("upper end of that margin", "预期毛利的上限"),
    "cost_to_serve": Text("cost to serve", "服务成本"),
    "clv": Text("customer lifetime value", "客户终身价值"),
    "value_if_retained": Text("value if retained", "留住后的价值"),
    "value_at_risk": Text("value at risk", "风险价值"),
}


def skew_report_page(found: Skew, meanings: Meanings, language: Language) -> str:
    """Return what the check for skew found as one HTML document that needs nothing beside it.

    Parameters
    ----------
    found : Skew
        Of `scoring/skew`.
    meanings, language : mapping of str to Text, {"en", "zh"}
        As the page of the check for leakage.
    """
    known = known_in(meanings, language)
    worst = found.scored.worst if found.scored else {}
    doors = [("training", found.in_training), ("online", found.online)]
    context = {
        "found": found,
        "verdict": skew_words.verdict(found, language),
        "kind": "is-refused" if found.findings else "is-landed",
        "reason": skew_words.of_features(found, language),
        "findings": said(found.findings, known, language),
        "meanings": known,
        "values": found.customers * found.features,
        "doors": doors,
        "differing": {door: _values(differences) for door, differences in doors},
        "scores": skew_words.of_scores(found.scored, language) if found.scored else "",
        "unscored": sentence(found.unscored, language) if found.unscored else "",
        "distances": _distances(worst, language),
        "distance_ticks": _distance_labels(worst),
        "tolerance": f"{TOLERANCE:g}",
        "command": f"churnml check skew --customers {found.customers} --cutoff {found.day}",
    }
    return document("skew_report.html", context, language)


def _values(differences: Sequence[Difference]) -> int:
    """Return in how many values of features a way differs from the batch."""
    return sum(one.rows for one in differences if one.name not in NOT_FEATURES)


def _distance_scale(worst: Mapping[str, float]) -> list[int]:
    """Return powers of ten, two apart; the lowest stands for 0 as well."""
    greatest = max([*worst.values(), 10.0**_USUAL])
    return list(range(_LEAST, 2 * math.ceil(math.log10(greatest) / 2 - 1e-9) + 1, 2))


def _distance_labels(worst: Mapping[str, float]) -> list[str]:
    return ["0", *(f"1e{power}" for power in _distance_scale(worst)[1:])]


def _distances(worst: Mapping[str, float], language: Language) -> list[Dot]:
    ticks = _distance_scale(worst)
    ends, rules = (float(ticks[0]), float(ticks[-1])), [("alarm", math.log10(TOLERANCE))]
    return [
        Dot(
            name,
            _SCORES[name].to(language) if name in _SCORES else "",
            drawn(interval(math.log10(max(distance, 10.0**_LEAST)), ends, rules=rules)),
            f"{distance:.2g}",
            kind="" if distance <= TOLERANCE else "is-refused",
        )
        for name, distance in worst.items()
    ]
