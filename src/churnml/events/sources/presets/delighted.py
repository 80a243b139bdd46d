"""Delighted: the answers to its surveys (NPS, CSAT, CES), one a line, as its API lists them."""

from __future__ import annotations

from churnml.events.sources import Format
from churnml.events.sources.presets.phrases import counted, hashed, not_an_address
from churnml.events.sources.presets.preset import Filling, Preset

_INSTRUMENTS = {
    "nps": ("nps", 0, 10),
    "csat": ("csat", 1, 5),
    "csat3": ("csat", 1, 3),
    "ces": ("ces", 1, 5),
    "ces7": ("ces", 1, 7),
    "stars_five": ("review", 1, 5),
}
"""Their kind of survey: our instrument, its worst and its best score."""


def _cases(place: int) -> str:
    cases = " ".join(f"WHEN '{kind}' THEN '{facts[place]}'" for kind, facts in _INSTRUMENTS.items())
    return f"CASE lower(survey_type) {cases} END"


_KNOWN = f"({', '.join(repr(kind) for kind in _INSTRUMENTS)})"
_CUSTOMER = not_an_address("person_properties.customer_id")
# `person` is the person's number, or the whole person where the list was asked for with expand[]=person
_SURVEYS = f"""
    WITH told AS (
        SELECT *, CASE WHEN person LIKE '{{%' THEN person::JSON END AS who
        FROM responses WHERE lower(survey_type) IN {_KNOWN}
    )
    SELECT coalesce({_CUSTOMER}, {hashed("who ->> '$.email'")}, who ->> '$.id', person) AS customer_id,
           created_at AS occurred_at, id AS survey_id, {_cases(0)} AS instrument, {_cases(1)} AS scale_min,
           {_cases(2)} AS scale_max, created_at AS answered_at, score, comment, source_row
    FROM told
"""

DELIGHTED = Preset(
    name="delighted",
    meaning=(
        "Delighted: the list of survey responses of its API (/v1/survey_responses.json), one response a line; ask for "
        "it with expand[]=person. A customer is named by the property `customer_id`, else by the MD5 of the "
        "lower-cased e-mail address, else by Delighted's own number. Only answers are listed, not surveys sent, and "
        "an answer's time stands for both."
    ),
    documented="https://app.delighted.com/docs/api/listing-survey-responses",
    files={"responses": ("id", "person", "survey_type", "score", "created_at")},
    optional={"responses": ("comment", "person_properties")},
    nested={"person_properties": {"customer_id": "VARCHAR"}},
    tables={
        "surveys": Filling(
            ("responses",),
            _SURVEYS,
            notes=counted(
                f"answers left out, to surveys other than {', '.join(_INSTRUMENTS)}",
                f"FROM responses WHERE coalesce(lower(survey_type) NOT IN {_KNOWN}, true)",
            ),
        )
    },
    formats={
        "occurred_at": Format(unit="epoch_seconds"),
        "answered_at": Format(unit="epoch_seconds"),
    },
)
