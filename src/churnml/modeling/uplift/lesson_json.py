"""What treatments taught of an action, as plain data: the JSON that the page and the manifest tell alike."""

from __future__ import annotations

from typing import Any

from churnml.modeling.uplift.curve import gathered
from churnml.modeling.uplift.estimate import Uplift
from churnml.modeling.uplift.evidence import Randomisation
from churnml.modeling.uplift.lesson_words import lesson_told
from churnml.modeling.uplift.lessons import Lesson
from churnml.modeling.uplift.order import Measured
from churnml.wording import Text

Json = dict[str, Any]  # Any: JSON

_DIGITS = 6


def lesson_json(lesson: Lesson, name: Text, currency: str) -> Json:
    """Return all that is told of an action; figures are per customer, each with its interval as [value, low, high].

    Parameters
    ----------
    name : Text
        What the action is called.
    currency : str
        ISO 4217 code of the margin.
    """
    uplifts = {"margin": lesson.taught.margin, "stayed": lesson.taught.stayed}
    return {
        "label": {"en": name.en, "zh": name.zh},
        "evidence": lesson.taught.evidence,
        "no_evidence_because": lesson.reason,
        "treated": lesson.treated,
        "controls": lesson.controls,
        "not_by_chance": lesson.by_rule,
        "first_decisions_only": lesson.once,
        "randomisation": lesson.drawn and _randomisation(lesson.drawn),
        "naive": {outcome: _figure(found) for outcome, found in lesson.naive.items()},
        "by_chance": {outcome: _figure(found) for outcome, found in lesson.weighted.items()},
        "outcomes": {outcome: _uplift(found) for outcome, found in uplifts.items() if found is not None},
        "says": [{"en": one.en, "zh": one.zh} for one in lesson_told(lesson, name, currency)],
    }


def _randomisation(found: Randomisation) -> Json:
    return {
        "sizes_p_value": round(found.ratio_p, _DIGITS),
        "auroc_of_the_arm": {name: _figure(area) for name, area in found.predictability.items()},
    }


def _uplift(found: Uplift) -> Json:
    arm, curve = found.arms[0], gathered(found)
    return {
        "average": _figure(arm.average),
        "order": _figure(arm.order),
        "gain_over_one_effect_for_all": _figure(arm.gain),
        "gain_in_sequence": _figure(arm.proof),
        "order_proven": arm.accepted,
        "groups": [
            {"customers": group.customers, "effect": _figure(group.effect), "sleeping": group.sleeping}
            for group in arm.groups
        ],
        "sleeping_customers": sum(group.customers for group in arm.groups if group.sleeping),
        "curve": {name: [round(float(one), _DIGITS) for one in points] for name, points in vars(curve).items()},
    }


def _figure(found: Measured) -> list[float]:
    return [round(one, _DIGITS) for one in (found.value, found.low, found.high)]
