"""How a figure of a measure is written for people, by its unit and in their language."""

from __future__ import annotations

from typing import Any

from churnml.measures.measure import Json, Unit
from churnml.wording import Language, Text, format_date, format_money, format_number

NONE = "–"
"""What stands where nothing can be told."""

_LEAST = 0.001
POINTS = {"share": Text("%", "%"), "change": Text(" pp", " 个百分点")}
"""What stands behind hundredths: of a whole, and between two shares."""


def cell_of(row: Json, name: str, about: Json, currency: str, language: Language) -> str:
    """Return a figure of a row as it is read; its unit is that of its column, or the one that the row names.

    Parameters
    ----------
    row : dict
        One of the `rows` of `Measure.to_json`.
    name : str
        Of the column.
    about : dict
        What the column is, from `About.to_json`.
    currency : str
        ISO 4217.
    """
    unit = row[about["unit_in"]] if "unit_in" in about else about["unit"]
    if about["unit"] == "change" and unit == "share":  # 2 % less of 10 % is 9.8 % to some and 8 % to others
        unit = "change"
    return cell(row[name], unit, currency, language, about["words"])


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
    if unit in {"share", "change"}:
        return _hundredths(100 * float(value), language) + POINTS[unit].to(language)
    if unit == "money":
        return format_money(float(value), currency, language)
    return _number(float(value), unit, language)


def _hundredths(number: float, language: Language) -> str:
    """Return hundredths with one place, that 6.0 may stand below 5.1; none and all are exact."""
    rounded = round(number, 1) + 0.0
    return format_number(rounded, language, places=0 if rounded in {0, 100} else 1)


def _number(number: float, unit: Unit, language: Language) -> str:
    # adding zero takes the sign off a zero that was rounded from below
    if unit == "probability":  # of which three places are asked, where other numbers have two
        return f"< {_LEAST}" if number < _LEAST else f"{number:.3f}"
    places = 0 if unit == "number" and number == int(number) else 1 if unit in {"days", "hours", "number"} else 2
    return format_number(round(number, places) + 0.0 if places else int(number), language)
