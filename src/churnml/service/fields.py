"""Some fields of a record alone, for callers who want no more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError

from churnml.errors import nearest

ALWAYS = "customer_id"


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
