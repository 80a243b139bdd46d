"""What is wrong with a value, in our words: which rule it breaks, where it stands, and what was found.

pydantic finds it out; its own words speak of inputs, instances and classes, which nobody meets in a file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import groupby
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from churnml.errors import nearest

_RULES = {
    "string_type": "must be one text",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "too_short": "must hold at least {min_length}",
    "too_long": "must hold at most {max_length}",
    "dict_type": "must hold `key: value` pairs",
    "mapping_type": "must hold `key: value` pairs",
    "model_type": "must hold `key: value` pairs",
    "model_attributes_type": "must hold `key: value` pairs",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number of fewer digits",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "date_type": "must be a date such as 2017-12-31",
    "date_parsing": "must be a date such as 2017-12-31",
    "date_from_datetime_parsing": "must be a date such as 2017-12-31",
    "date_from_datetime_inexact": "must be a date such as 2017-12-31",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "multiple_of": "must be a multiple of {multiple_of}",
}
"""What pydantic's errors are called here; braces hold what it says of the bound."""

_PATTERNS = {
    r"^[A-Z]{3}$": "three capital letters such as EUR",
    r"^[a-z][a-z0-9_]*$": "a small letter, then small letters, digits and `_`, such as free_delivery",
}
_LONGEST = 60


def place(loc: tuple[Any, ...]) -> tuple[str, str]:  # Any: pydantic's own location type
    """Return in words which entry of a list something stands in, counted from 1, and the keys that lead to it."""
    if loc[-1:] == ("[key]",):
        return "", f"the key `{loc[-2]}` of `{'.'.join(map(str, loc[:-2]))}`"
    entry, rest = "", loc
    if len(loc) > 1 and isinstance(loc[1], int):
        entry, rest = f"{str(loc[0]).removesuffix('s')} {loc[1] + 1}", loc[2:]
    said = []
    for counted, group in groupby(rest, key=lambda part: isinstance(part, int)):
        parts = list(group)
        said += [f"item {part + 1}" for part in parts] if counted else [f"`{'.'.join(map(str, parts))}`"]
    return entry, ", ".join(said)


def broken_rule(error: Mapping[str, Any], model: type[BaseModel] | None = None) -> str:  # Any: pydantic's own error
    """Return which rule a value breaks, and the value, in our words.

    Parameters
    ----------
    error : mapping
        One of pydantic's.
    model : type of pydantic model, optional
        What was to be made of the values: its declarations tell a missing key's meaning, and which texts are allowed.

    Examples
    --------
    >>> broken_rule({"type": "greater_than_equal", "loc": ("budget",), "ctx": {"ge": 0.0}, "input": -5.0, "msg": ""})
    'must be at least 0, got -5'
    """
    kind, bounds = error["type"], error.get("ctx", {})
    if kind in {"value_error", "assertion_error"}:  # our own words, which say what was found
        return str(error["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if kind == "missing":
        meaning = _meaning(model, error["loc"])
        return "is missing; add it" + (f": {meaning}" if meaning else "")
    if kind == "literal_error":
        return _not_among(error, model)
    rule = _RULES.get(kind, str(error["msg"]).replace("Input should", "must").replace("should", "must"))
    rule = rule.format_map({name: shown(bound) for name, bound in bounds.items()}) if kind in _RULES else rule
    if kind == "string_pattern_mismatch":
        rule = f"must be {_PATTERNS.get(bounds['pattern'], 'text of the form ' + bounds['pattern'])}"
    if kind == "string_too_short" and bounds.get("min_length") == 1:
        return "must not be empty"
    return f"{rule}, got {shown(bounds.get('actual_length', error.get('input')))}"


def _not_among(error: Mapping[str, Any], model: type[BaseModel] | None) -> str:  # Any: pydantic's own error
    declared = None if model is None else _annotation(model, error["loc"])
    among = [one for one in _texts(declared) if one] or re.findall(r"'([^']+)'", error["ctx"]["expected"])
    near = nearest(error["input"], among) if isinstance(error["input"], str) else ""
    listed = " or ".join(filter(None, (", ".join(f"`{one}`" for one in among[:-1]), f"`{among[-1]}`")))
    return f"must be {listed}, got {shown(error['input'])}{near}"


def shown(value: object) -> str:
    """Return a value as a person would write it, and not at length."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or value == "":
        return "nothing"
    if isinstance(value, dict):
        return "`key: value` pairs"
    if isinstance(value, (list, tuple, set)):
        return "a list" if value else "an empty list"
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return f"{text!r}" if isinstance(value, str) else text


def _meaning(model: type[BaseModel] | None, loc: tuple[Any, ...]) -> str:  # Any: pydantic's own location type
    around = None if model is None or not loc else _annotation(model, loc[:-1])
    found = None if around is None else _fields(around).get(loc[-1])
    return "" if found is None else (found.description or "").rstrip(".")


def _annotation(model: Any, loc: tuple[Any, ...]) -> Any:  # Any: walks through annotations, whatever they are
    """Return what a place of a model is declared as."""
    here = model
    for part in loc:
        fields = _fields(here)
        if fields:
            here = fields[part].annotation if part in fields else None
        else:
            here = next(iter(reversed([one for one in _unwrapped(here) if one is not Ellipsis])), None)
    return here


def _fields(annotation: Any) -> dict[str, FieldInfo]:  # Any: as above
    """Return the fields of the model that an annotation names, by the keys that a file would have."""
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    declared: dict[str, FieldInfo] = getattr(annotation, "model_fields", {})
    return {field.alias or name: field for name, field in declared.items()}


def _unwrapped(annotation: Any) -> tuple[Any, ...]:  # Any: as above
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return get_args(annotation)


def _texts(annotation: Any) -> list[str]:  # Any: as above
    """Return the texts that an annotation allows, where it lists them."""
    inner = get_args(annotation)
    if get_origin(annotation) is Literal:
        return [one for one in inner if isinstance(one, str)]
    return [text for one in inner for text in _texts(one)]


def keys_beside(model: type[BaseModel], loc: tuple[Any, ...]) -> list[str]:  # Any: pydantic's own location type
    """Return the keys that would have been right where the unknown one stands."""
    return sorted(_fields(_annotation(model, loc[:-1])))
