"""Some fields of a record alone, for callers who want no more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError

from churnml.errors import nearest

ALWAYS = "customer_id"
_LISTS = ("AtRiskList", "ProspectList")
_ONE = "/v1/customers/{customer_id}"


def chosen(fields: str | None, known: Collection[str]) -> tuple[str, ...] | None:
    """Return the fields that a caller names, `customer_id` first and each once; None where all are wanted.

    Parameters
    ----------
    fields : str, optional
        Names apart by commas.
    known : collection of str
        Which there are.

    Raises
    ------
    RequestValidationError
        If there is no field of one of the names; the message names the nearest.
    """
    if fields is None:
        return None
    names = [one.strip() for one in fields.split(",")]
    for name in names:
        if name not in known:
            rule = f"must name fields of a record, found no `{name}`{nearest(name, known)}"
            raise RequestValidationError([{"type": "value_error", "loc": ("query", "fields"), "msg": rule}])
    return tuple(dict.fromkeys((ALWAYS, *names)))


def sparse(record: Mapping[str, Any], names: Iterable[str] | None) -> dict[str, Any]:  # Any: JSON
    """Return a record with those fields alone; a field that an earlier version did not write is null."""
    return dict(record) if names is None else {name: record.get(name) for name in names}


def describe(schema: dict[str, Any]) -> None:  # Any: OpenAPI
    """Say of what takes `fields` that it answers with records of some fields alone as well as with whole ones."""
    shapes = schema["components"]["schemas"]
    whole = shapes["DecisionRecord"]
    shapes["SomeFields"] = whole | {
        "title": "SomeFields",
        "description": "A decision record with the fields that `fields` names, and no others.",
        "required": [ALWAYS],
        "properties": {name: one if name == ALWAYS else _or_null(one) for name, one in whole["properties"].items()},
    }
    either = {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("DecisionRecord", "SomeFields")]}
    for name in _LISTS:
        shapes[name]["properties"]["items"]["items"] = either
    schema["paths"][_ONE]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = either


def _or_null(field: Mapping[str, Any]) -> dict[str, Any]:  # Any: OpenAPI
    """Return how a field is described that an earlier version may not have written."""
    told = {name: word for name, word in field.items() if name != "default"}
    if {"type": "null"} in told.get("anyOf", ()):
        return told
    beside: dict[str, Any] = {name: told.pop(name) for name in ("title", "description") if name in told}  # Any: OpenAPI
    return {"anyOf": [told, {"type": "null"}], **beside}
