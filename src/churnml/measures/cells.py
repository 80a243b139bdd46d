"""How a figure of a measure is written for people, by its unit and in their language."""

from __future__ import annotations

from typing import Any

from churnml.measures.measure import Json, Unit
from churnml.wording import Language, format_date, format_money, format_number

NONE = "–"
"""What stands where nothing can be told."""


def cell(value: Any, unit: Unit, currency: str, language: Language, words: Json | None = None) -> str:  # Any: JSON
    """Return a figure as it is read: `–` where it is missing.

    Parameters
    ----------
    value : object
        From `Measure.to_json`.
    unit : str
        One of `Unit`.
    currency : str
        ISO 4217.
    words : dict, optional
        How words are worded, as `About.to_json` gives them.
    """
    if value is None:
        return NONE
    if unit == "word":
        return str((words or {}).get(str(value), {language: value})[language])
    if unit == "day":
        return format_date(str(value), language)
    if unit == "share":
        return f"{format_number(round(100 * float(value), 1), language)}%"
    if unit == "money":
        return format_money(float(value), currency, language)
    number = float(value)
    places = 0 if unit == "number" and number == int(number) else 1 if unit in {"days", "hours", "number"} else 2
    return format_number(round(number, places) if places else int(number), language)
